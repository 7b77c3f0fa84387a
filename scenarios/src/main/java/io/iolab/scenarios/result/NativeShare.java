package io.iolab.scenarios.result;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A path as a share of the native one, figure by figure.
 *
 * @param figure as the JSON document calls it
 * @param share path / native; empty where it cannot be said
 */
record NativeShare(String figure, Optional<BigDecimal> share) {

    static List<NativeShare> of(PathFigures row, PathFigures yardstick) {
        List<NativeShare> shares = new ArrayList<>();
        shares.add(new NativeShare("pps", PathFigures.share(row.pps(), yardstick.pps())));
        shares.add(new NativeShare("gbps", PathFigures.share(row.gbps(), yardstick.gbps())));
        shares.add(new NativeShare("latency_p50", latency(row, yardstick, 50)));
        shares.add(new NativeShare("latency_p99", latency(row, yardstick, 99)));
        shares.add(new NativeShare(
                "cpu_ns_per_packet", PathFigures.share(row.cpuNanosPerPacket(), yardstick.cpuNanosPerPacket())));
        return shares;
    }

    private static Optional<BigDecimal> latency(PathFigures row, PathFigures yardstick, double percentile) {
        Optional<Long> mine = row.latencyNanos(percentile);
        Optional<Long> theirs = yardstick.latencyNanos(percentile);
        return mine.isEmpty() || theirs.isEmpty()
                ? Optional.empty()
                : PathFigures.share(BigDecimal.valueOf(mine.get()), BigDecimal.valueOf(theirs.get()));
    }
}
