package io.iolab.scenarios.result;

import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WakeCause;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What is derived from one guest's figures, each rounded here and nowhere else. */
record PathFigures(GuestFigures raw) {
    private static final BigDecimal PICOS_PER_NANO = BigDecimal.valueOf(1000);
    private static final BigDecimal BITS_PER_GIGABYTE = BigDecimal.valueOf(8, 9);

    private static final int RATE_DECIMALS = 1;
    private static final int GBPS_DECIMALS = 6;
    private static final int PER_PACKET_DECIMALS = 4;
    private static final int NANOS_DECIMALS = 1;
    private static final int SHARE_DECIMALS = 4;

    Path path() {
        return raw.path();
    }

    String guest() {
        return raw.guest();
    }

    long bytes() {
        return raw.tx().bytes() + raw.rx().bytes();
    }

    long drops() {
        return raw.tx().dropped() + raw.rx().dropped();
    }

    BigDecimal pps() {
        return pps(raw.packets());
    }

    /** {@code frames} per second. */
    BigDecimal pps(long frames) {
        return perSecond(BigDecimal.valueOf(frames), RATE_DECIMALS);
    }

    BigDecimal gbps() {
        return gbps(bytes());
    }

    /** Gigabits per second, of frame bytes without preamble and FCS. */
    BigDecimal gbps(long bytes) {
        return perSecond(BigDecimal.valueOf(bytes).multiply(BITS_PER_GIGABYTE), GBPS_DECIMALS);
    }

    private BigDecimal perSecond(BigDecimal amount, int decimals) {
        return ratio(amount, BigDecimal.valueOf(raw.seconds()), decimals);
    }

    BigDecimal perPacket(long count) {
        return perPacket(BigDecimal.valueOf(count), PER_PACKET_DECIMALS);
    }

    private BigDecimal perPacket(BigDecimal amount, int decimals) {
        return ratio(amount, BigDecimal.valueOf(raw.packets()), decimals);
    }

    BigDecimal exitsPerPacket() {
        return perPacket(raw.totalExits());
    }

    /** Interrupts that entered the guest, whichever way. */
    BigDecimal interruptsPerPacket() {
        return perPacket(interrupts(InterruptOutcome.INJECTED) + interrupts(InterruptOutcome.POSTED));
    }

    long interrupts(InterruptOutcome outcome) {
        return raw.interrupts().getOrDefault(outcome, 0L);
    }

    BigDecimal kicksPerPacket() {
        return perPacket(raw.kicksSent());
    }

    BigDecimal wakeupsPerPacket() {
        return perPacket(raw.totalWakeups());
    }

    long wakeups(WakeCause cause) {
        return raw.wakeups().getOrDefault(cause, 0L);
    }

    BigDecimal copiedBytesPerPacket() {
        return perPacket(raw.copiedBytes());
    }

    BigDecimal iotlbMissesPerPacket() {
        return perPacket(raw.iommu().iotlbMisses());
    }

    BigDecimal cpuNanosPerPacket() {
        return cpuNanosPerPacket(
                raw.cpuPicos().values().stream().mapToLong(Long::longValue).sum());
    }

    BigDecimal cpuNanosPerPacket(CpuShare share) {
        return cpuNanosPerPacket(raw.cpuPicos().getOrDefault(share, 0L));
    }

    private BigDecimal cpuNanosPerPacket(long picos) {
        return perPacket(BigDecimal.valueOf(picos).divide(PICOS_PER_NANO), NANOS_DECIMALS);
    }

    /** Latency in nanoseconds at a percentile; empty if nothing was timed. */
    Optional<Long> latencyNanos(double percentile) {
        if (raw.latencyNanos().getTotalCount() == 0) {
            return Optional.empty();
        }
        return Optional.of(raw.latencyNanos().getValueAtPercentile(percentile));
    }

    /** Most frequent first; equals in the order of the SDM's numbers, then by register. */
    List<GuestFigures.Exits> exits() {
        return raw.exits().stream()
                .filter(exits -> exits.count() > 0)
                .sorted(Comparator.comparingLong(GuestFigures.Exits::count)
                        .reversed()
                        .thenComparing(GuestFigures.Exits::reason)
                        .thenComparing(GuestFigures.Exits::detail)
                        .thenComparing(GuestFigures.Exits::handler))
                .toList();
    }

    /** {@code mine / yardstick}; empty where the yardstick is 0. */
    static Optional<BigDecimal> share(BigDecimal mine, BigDecimal yardstick) {
        return yardstick.signum() == 0 ? Optional.empty() : Optional.of(ratio(mine, yardstick, SHARE_DECIMALS));
    }

    /** 0 when there is nothing to divide by. */
    static BigDecimal ratio(BigDecimal amount, BigDecimal by, int decimals) {
        return by.signum() == 0
                ? BigDecimal.ZERO.setScale(decimals)
                : amount.divide(by, decimals, RoundingMode.HALF_EVEN);
    }
}
