package io.iolab.scenarios.serve;

import io.iolab.scenarios.run.MetricsDump;
import io.iolab.vmm.Lab;

/** The counters of a run as Prometheus' text format, for {@code --metrics-dump}. */
public final class PrometheusDump implements MetricsDump {
    private final String version;

    /** @param version of the lab, for {@code iolab_build_info} */
    public PrometheusDump(String version) {
        this.version = version;
    }

    @Override
    public String text(Lab lab) {
        return new PrometheusExposition(lab, version).text(PrometheusExposition.PLAIN);
    }
}
