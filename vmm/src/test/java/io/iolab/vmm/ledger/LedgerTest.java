package io.iolab.vmm.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.Access;
import io.iolab.vmm.memory.Allocations;
import org.junit.jupiter.api.Test;

/** DESIGN, "The ledger": plain counters, and the figures of a run as the difference of two readings. */
class LedgerTest {
    private final GuestLedger ledger = new GuestLedger("guest", Path.VIRTIO);

    private LedgerReading reading() {
        return LedgerReading.of(ledger, GuestFigures.Iommu.NONE);
    }

    private void traffic() {
        ledger.frame(Direction.TX, 60);
        ledger.frame(Direction.TX, 1514);
        ledger.frame(Direction.RX, 100);
        ledger.drop(Direction.RX, DropCause.CORRUPT);
        ledger.interrupt(InterruptOutcome.INJECTED);
        ledger.copied(1574);
        ledger.dma(Access.WRITE, DmaKind.PAYLOAD, 100);
        ledger.cpu(CpuShare.GUEST, 5_000);
        ledger.exit(ledger.exits().counter(ExitReason.EPT_MISCONFIG, "TDT", ExitHandler.USER), 4_000_000);
        ledger.latency(Direction.TX).record(10_000);
        ledger.latency(Direction.RX).record(20_000);
    }

    @Test
    void shouldGiveWhatHappenedBetweenTwoReadings() {
        ledger.latency(Direction.TX).startMeasuring();
        ledger.latency(Direction.RX).startMeasuring();
        traffic();
        ledger.kicks(10, 3);
        LedgerReading before = LedgerReading.of(ledger, new GuestFigures.Iommu(1, 2, 3, 4, 5));
        traffic();
        traffic();
        ledger.exit(ledger.exits().counter(ExitReason.HLT, "-", ExitHandler.KERNEL), 1_000);
        ledger.kicks(14, 5);
        LedgerReading after = LedgerReading.of(ledger, new GuestFigures.Iommu(11, 22, 33, 44, 55));
        traffic();

        GuestFigures figures = after.since(before, 2.0);

        assertThat(figures.tx().frames()).isEqualTo(4);
        assertThat(figures.tx().bytes()).isEqualTo(2 * 1574);
        assertThat(figures.rx().frames()).isEqualTo(2);
        assertThat(figures.rx().drops().get(DropCause.CORRUPT)).isEqualTo(2);
        assertThat(figures.rx().dropped()).isEqualTo(2);
        assertThat(figures.packets()).isEqualTo(6);
        assertThat(figures.interrupts()).containsEntry(InterruptOutcome.INJECTED, 2L);
        assertThat(figures.kicksSent()).isEqualTo(4);
        assertThat(figures.kicksSuppressed()).isEqualTo(2);
        assertThat(figures.copiedBytes()).isEqualTo(3148);
        assertThat(figures.cpuPicos()).containsEntry(CpuShare.GUEST, 10_000L);
        assertThat(figures.dma()).contains(new GuestFigures.Dma(Access.WRITE, DmaKind.PAYLOAD, 2, 200));
        assertThat(figures.iommu()).isEqualTo(new GuestFigures.Iommu(10, 20, 30, 40, 50));
        assertThat(figures.exits())
                .containsExactly(
                        new GuestFigures.Exits(ExitReason.EPT_MISCONFIG, "TDT", ExitHandler.USER, 2, 8_000_000),
                        new GuestFigures.Exits(ExitReason.HLT, "-", ExitHandler.KERNEL, 1, 1_000));
        assertThat(figures.totalExits()).isEqualTo(3);
        assertThat(figures.perPacket(3)).isEqualTo(0.5);
        assertThat(figures.latencyNanos().getTotalCount())
                .as("neither what was before nor what came after")
                .isEqualTo(4);
        assertThat(figures.latencyNanos().getCountAtValue(10_000)).isEqualTo(2);
    }

    @Test
    void shouldNotDivideByNoPackets() {
        LedgerReading reading = reading();

        assertThat(reading.since(reading, 0).perPacket(5)).isZero();
    }

    @Test
    void shouldKeepOneCounterAKindOfExit() {
        ExitCounter counter = ledger.exits().counter(ExitReason.EPT_MISCONFIG, "ICR", ExitHandler.USER);

        assertThat(ledger.exits().counter(ExitReason.EPT_MISCONFIG, "ICR", ExitHandler.USER))
                .isSameAs(counter);
        assertThat(ledger.exits().counter(ExitReason.EPT_MISCONFIG, "ICR", ExitHandler.KERNEL))
                .isNotSameAs(counter);
        assertThat(ledger.exits().counter(ExitReason.EPT_VIOLATION, "ICR", ExitHandler.USER))
                .isNotSameAs(counter);
        assertThat(ledger.exits().counters()).hasSize(3);
    }

    @Test
    void shouldPutADurationIntoTheBucketWhoseUpperBoundItDoesNotPass() {
        long[] bounds = Buckets.boundsNanos();
        assertThat(bounds).isSorted().doesNotHaveDuplicates();

        for (int i = 0; i <= bounds.length; i++) {
            Buckets buckets = new Buckets();
            long least = i == 0 ? 0 : bounds[i - 1] + 1;
            long most = i == bounds.length ? 100_000_000_000L : bounds[i];
            buckets.add(least);
            buckets.add(most);

            assertThat(buckets.count(i)).as("bucket " + i).isEqualTo(2);
            assertThat(buckets.count()).isEqualTo(2);
            assertThat(buckets.totalNanos()).isEqualTo(least + most);
        }
    }

    @Test
    void shouldKeepTheWarmUpOutOfTheHistogramOnly() {
        LatencyRecorder recorder = new LatencyRecorder();

        recorder.record(100);
        assertThat(recorder.histogram().getTotalCount()).isZero();
        recorder.startMeasuring();
        recorder.record(200);
        recorder.record(0);
        recorder.record(Long.MAX_VALUE / 2);

        assertThat(recorder.histogram().getTotalCount()).isEqualTo(3);
        assertThat(recorder.histogram().getMinNonZeroValue()).isOne();
        assertThat(recorder.buckets().count()).isEqualTo(4);
    }

    @Test
    void shouldAllocateNothingToCount() {
        ExitCounter counter = ledger.exits().counter(ExitReason.EPT_MISCONFIG, "TDT", ExitHandler.USER);
        LatencyRecorder latency = ledger.latency(Direction.RX);
        latency.startMeasuring();
        long[] n = new long[1];

        long bytes = Allocations.bytesOf(10_000, () -> {
            ledger.exit(counter, 1_000 * n[0]);
            ledger.frame(Direction.RX, 60);
            ledger.drop(Direction.RX, DropCause.QUEUE_FULL);
            ledger.dma(Access.READ, DmaKind.DESCRIPTOR, 16);
            ledger.interrupt(InterruptOutcome.RAISED);
            ledger.cpu(CpuShare.COPY, 7);
            latency.record(n[0] += 97);
        });

        assertThat(bytes).isLessThan(1_000);
    }
}
