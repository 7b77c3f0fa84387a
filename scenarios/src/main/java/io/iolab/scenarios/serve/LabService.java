package io.iolab.scenarios.serve;

import io.iolab.scenarios.scenario.Scenario;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.Lab;
import io.iolab.vmm.config.ConfigException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A scenario that runs and is served until it is stopped. When the workload comes to its end the figures stay.
 *
 * <p>Threading: {@link #run} by one thread, {@link #stop} by any.
 */
final class LabService implements AutoCloseable {
    private static final long MILLISECOND = 1_000_000_000L;
    /** How far the lab runs between two looks at whether to stop. */
    private static final long WALL_SLICE = 100 * MILLISECOND;

    private static final long VIRTUAL_SLICE = 5 * MILLISECOND;

    private final Scenario scenario;
    private final Lab lab;
    private final MetricsEndpoint endpoint;
    private final CountDownLatch stopped = new CountDownLatch(1);

    private LabService(Scenario scenario, Lab lab, MetricsEndpoint endpoint) {
        this.scenario = scenario;
        this.lab = lab;
        this.endpoint = endpoint;
    }

    /**
     * Builds the lab and listens; nothing runs yet.
     *
     * @param spendCosts wall clock only: burn the profile's costs as busy time
     * @throws ConfigException if an input file of the scenario is not what it should be
     * @throws IOException if this machine cannot run it, or the port is taken
     */
    static LabService open(Scenario scenario, boolean spendCosts, InetAddress address, int port, String version)
            throws ConfigException, IOException {
        Lab lab = Lab.create(scenario.labConfig(spendCosts));
        try {
            MetricsEndpoint endpoint = MetricsEndpoint.open(
                    address, port, new PrometheusExposition(lab, version), StartPage.html(scenario, version));
            return new LabService(scenario, lab, endpoint);
        } catch (IOException | RuntimeException e) {
            lab.close();
            throw e;
        }
    }

    URI uri() {
        return endpoint.uri();
    }

    /**
     * Runs until {@link #stop}, or for {@code nanos} of real time.
     *
     * @throws InterruptedException if the thread is interrupted while the workload is done and nothing is left but to wait
     */
    void run(long nanos) throws InterruptedException {
        long began = System.nanoTime();
        lab.warmUp(scenario.warmupPicos());
        long slice = scenario.clock() == ClockMode.WALL ? WALL_SLICE : VIRTUAL_SLICE;
        for (long end = slice; stopped.getCount() > 0 && System.nanoTime() - began < nanos; end += slice) {
            if (lab.done()) {
                long left = nanos - (System.nanoTime() - began);
                stopped.await(left, TimeUnit.NANOSECONDS);
                return;
            }
            lab.measure(end, passed -> {});
        }
    }

    /** Has {@link #run} return soon. */
    void stop() {
        stopped.countDown();
    }

    @Override
    public void close() {
        endpoint.close();
        lab.close();
    }
}
