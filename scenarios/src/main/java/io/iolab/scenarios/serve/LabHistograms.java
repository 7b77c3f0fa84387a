package io.iolab.scenarios.serve;

import io.iolab.vmm.ledger.Buckets;
import io.iolab.vmm.metrics.Distribution;
import io.iolab.vmm.metrics.LabMeter;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** The timers as histograms, with the buckets that the ledger counted: nothing is recorded a second time. */
final class LabHistograms implements MultiCollector {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Map<LabMeter, List<Distribution>> byMeter = new EnumMap<>(LabMeter.class);

    LabHistograms(List<Distribution> distributions) {
        for (Distribution distribution : distributions) {
            byMeter.computeIfAbsent(distribution.meter(), meter -> new ArrayList<>())
                    .add(distribution);
        }
    }

    @Override
    public MetricSnapshots collect() {
        MetricSnapshots.Builder families = MetricSnapshots.builder();
        byMeter.forEach((meter, distributions) -> {
            HistogramSnapshot.Builder family =
                    HistogramSnapshot.builder().name(meter.family()).help(meter.description());
            distributions.forEach(distribution -> family.dataPoint(point(distribution)));
            families.metricSnapshot(family.build());
        });
        return families.build();
    }

    private static HistogramDataPointSnapshot point(Distribution distribution) {
        Buckets buckets = distribution.buckets();
        long[] bounds = Buckets.boundsNanos();
        ClassicHistogramBuckets.Builder counts = ClassicHistogramBuckets.builder();
        for (int i = 0; i < bounds.length; i++) {
            counts.bucket(bounds[i] / NANOS_PER_SECOND, buckets.count(i));
        }
        counts.bucket(Double.POSITIVE_INFINITY, buckets.count(bounds.length));
        Labels labels = Labels.EMPTY;
        for (Map.Entry<String, String> tag : distribution.tags().entrySet()) {
            labels = labels.merge(Labels.of(tag.getKey(), tag.getValue()));
        }
        return HistogramDataPointSnapshot.builder()
                .labels(labels)
                .classicHistogramBuckets(counts.build())
                .sum(buckets.totalNanos() / NANOS_PER_SECOND)
                .build();
    }
}
