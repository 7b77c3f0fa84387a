package io.iolab.scenarios.serve;

import io.iolab.vmm.Lab;
import io.iolab.vmm.metrics.LabMeter;
import io.iolab.vmm.metrics.LabMeters;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** A lab's meters as text. Any thread, one at a time. */
final class PrometheusExposition {
    /** Prometheus' own text format. */
    static final String PLAIN = "text/plain; version=0.0.4; charset=utf-8";

    static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /** Exported with their buckets by {@link LabHistograms}, under the names that the registry would give them. */
    private static final Set<String> TIMERS = Arrays.stream(LabMeter.values())
            .filter(meter -> meter.kind() == LabMeter.Kind.TIMER)
            .map(LabMeter::meterName)
            .collect(Collectors.toUnmodifiableSet());

    private final LabMeters meters;
    private final PrometheusMeterRegistry registry;

    PrometheusExposition(Lab lab, String version) {
        PrometheusRegistry collectors = new PrometheusRegistry();
        registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, collectors, Clock.SYSTEM);
        registry.config().meterFilter(MeterFilter.deny(id -> TIMERS.contains(id.getName())));
        meters = new LabMeters(lab, version);
        meters.bindTo(registry);
        collectors.register(new LabHistograms(meters.distributions()));
    }

    /**
     * The format for a client.
     *
     * @param accept its Accept header; what it does not know how to ask for it does not get
     */
    static String contentType(String accept) {
        return accept.contains("application/openmetrics-text") ? OPEN_METRICS : PLAIN;
    }

    /** @param contentType one of the two formats */
    synchronized String text(String contentType) {
        meters.refresh();
        return registry.scrape(contentType);
    }
}
