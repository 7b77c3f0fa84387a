package io.iolab.scenarios.serve;

import io.iolab.scenarios.scenario.Scenario;
import io.iolab.scenarios.scenario.ScenarioCatalog;
import io.iolab.scenarios.scenario.ScenarioReader;
import io.iolab.scenarios.scenario.UnknownScenarioException;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.config.Quantity;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code iolab serve}. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        description = {"Run a scenario until Ctrl-C, with its counters at /metrics for Prometheus.", ""},
        sortOptions = false,
        footer = {
            "Examples:",
            "  iolab serve                           side-by-side on http://127.0.0.1:9464/",
            "  iolab serve ping-pong --duration 30s  stops by itself",
            "  iolab serve my.yaml --port 0          any free port; the first line says which",
            "",
        })
public final class ServeCommand implements Callable<Integer> {
    /** The port that OpenTelemetry's and others' Prometheus exporters use. */
    private static final int DEFAULT_PORT = 9464;

    private static final int HIGHEST_PORT = 65_535;
    private static final long CLOSING_SECONDS = 10;

    private final String version;

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "SCENARIO",
            defaultValue = ScenarioCatalog.DEFAULT,
            description = "A bundled scenario or a file; default ${DEFAULT-VALUE}.")
    private String scenario;

    @Option(
            names = "--address",
            paramLabel = "HOST",
            defaultValue = "127.0.0.1",
            description = "Where to listen; default ${DEFAULT-VALUE}, this machine only. There is no password.")
    private InetAddress address;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "" + DEFAULT_PORT,
            description = "Default ${DEFAULT-VALUE}; 0 takes any that is free.")
    private int port;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            converter = Nanos.class,
            description = "Stop after this much real time, such as 30s.")
    private @Nullable Long duration;

    @Option(names = "--seed", paramLabel = "N", description = "In place of the scenario's.")
    private @Nullable Long seed;

    @Option(names = "--profile", paramLabel = "NAME|FILE", description = "Cost profile, in place of the scenario's.")
    private @Nullable String profile;

    @Option(
            names = "--clock",
            paramLabel = "virtual|wall",
            defaultValue = "wall",
            description =
                    "wall (default): real threads and real time; virtual: the model, as fast as this machine computes"
                            + " it.")
    private ClockMode clock;

    @Option(
            names = "--no-spend",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description =
                    "With --clock wall: do not burn the profile's costs as busy time, run as fast as the code can.")
    private boolean spend;

    /** @param version of the lab, for {@code iolab_build_info} */
    public ServeCommand(String version) {
        this.version = version;
    }

    /** A time with a unit, in nanoseconds. */
    static final class Nanos implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            Long picos = Quantity.TIME.parse(text);
            if (picos == null || picos <= 0) {
                throw new TypeConversionException(
                        "expected more than 0 and " + Quantity.TIME.expected() + ", found '" + text + "'");
            }
            return picos / 1000;
        }
    }

    @Override
    public Integer call() throws Exception {
        if (port < 0 || port > HIGHEST_PORT) {
            throw new ParameterException(spec.commandLine(), "--port must be 0 to " + HIGHEST_PORT);
        }
        if (seed != null && seed < 0) {
            throw new ParameterException(spec.commandLine(), "--seed must be 0 or more");
        }
        CountDownLatch closed = new CountDownLatch(1);
        Scenario chosen = chosen();
        try (LabService service = LabService.open(chosen, spend, address, port, version)) {
            Thread onSignal = new Thread(() -> stop(service, closed), "iolab-stop");
            Runtime.getRuntime().addShutdownHook(onSignal);
            announce(chosen, service);
            service.run(duration == null ? Long.MAX_VALUE : duration);
            forget(onSignal);
        } finally {
            closed.countDown();
        }
        return 0;
    }

    private Scenario chosen() throws UnknownScenarioException, ConfigException, IOException {
        Scenario chosen = ScenarioCatalog.find(scenario).withClock(clock);
        if (seed != null) {
            chosen = chosen.withSeed(seed);
        }
        return profile == null ? chosen : chosen.withProfile(ScenarioReader.profile(profile));
    }

    private void announce(Scenario chosen, LabService service) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(service.uri() + "metrics");
        out.flush();
        PrintWriter err = spec.commandLine().getErr();
        err.println("Serving " + chosen.name() + " at " + service.uri() + (duration == null ? "; Ctrl-C stops it" : "")
                + ".");
        err.flush();
    }

    /** Ctrl-C or SIGTERM: the process waits until threads and the port are closed. */
    private static void stop(LabService service, CountDownLatch closed) {
        service.stop();
        try {
            if (!closed.await(CLOSING_SECONDS, TimeUnit.SECONDS)) {
                // Whatever hangs is a daemon thread; the process ends all the same.
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void forget(Thread onSignal) {
        try {
            Runtime.getRuntime().removeShutdownHook(onSignal);
        } catch (IllegalStateException e) {
            // The signal has come: the hook runs already.
        }
    }
}
