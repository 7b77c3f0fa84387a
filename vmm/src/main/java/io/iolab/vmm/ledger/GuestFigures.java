package io.iolab.vmm.ledger;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.Access;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.HdrHistogram.Histogram;

/**
 * One guest's figures over the measured part of a run: differences of two readings of its ledger.
 *
 * @param seconds length of the measured part, in the run's clock
 * @param interrupts by outcome
 * @param wakeups of threads that serve the device, by cause
 * @param latencyNanos from the sending program's call to the receiving program's return
 */
public record GuestFigures(
        String guest,
        Path path,
        double seconds,
        Traffic tx,
        Traffic rx,
        List<Exits> exits,
        Map<InterruptOutcome, Long> interrupts,
        long kicksSent,
        long kicksSuppressed,
        Map<WakeCause, Long> wakeups,
        long copiedBytes,
        List<Dma> dma,
        Iommu iommu,
        Map<CpuShare, Long> cpuPicos,
        Histogram latencyNanos) {

    /** One direction. */
    public record Traffic(long frames, long bytes, Map<DropCause, Long> drops) {
        public long dropped() {
            return drops.values().stream().mapToLong(Long::longValue).sum();
        }
    }

    /** Exits of one reason, register and handler, most frequent first in a list. */
    public record Exits(ExitReason reason, String detail, ExitHandler handler, long count, long picos) {}

    /** DMA requests of one direction and kind. */
    public record Dma(Access access, DmaKind kind, long requests, long bytes) {}

    /**
     * What the IOMMU did for this guest's device; all zero without one.
     *
     * @param deviceTlb what the device's own cache of translations did; empty if it has none
     * @param guestUnit what the guest did with a unit that it sees itself; empty if it sees none
     */
    public record Iommu(
            long iotlbHits,
            long iotlbMisses,
            long walkAccesses,
            long faults,
            long invalidations,
            Optional<DeviceTlb> deviceTlb,
            Optional<GuestUnit> guestUnit) {
        public static final Iommu NONE = new Iommu(0, 0, 0, 0, 0);

        /** Of a device without a device TLB. */
        public Iommu(long iotlbHits, long iotlbMisses, long walkAccesses, long faults, long invalidations) {
            this(iotlbHits, iotlbMisses, walkAccesses, faults, invalidations, Optional.empty(), Optional.empty());
        }

        /** With this device TLB, if any. */
        public Iommu with(Optional<DeviceTlb> tlb) {
            return new Iommu(iotlbHits, iotlbMisses, walkAccesses, faults, invalidations, tlb, guestUnit);
        }

        /** With a unit that the guest sees. */
        public Iommu with(GuestUnit unit) {
            return new Iommu(iotlbHits, iotlbMisses, walkAccesses, faults, invalidations, deviceTlb, Optional.of(unit));
        }
    }

    /**
     * Address translation services of a device.
     *
     * @param hits pages of requests whose translation the device had
     * @param misses those whose translation it had not
     * @param translationRequests sent to the unit
     * @param translated requests that carried a translated address
     * @param untranslated requests that did not, though services were on: messages, and where the unit refused
     * @param invalidations answered
     */
    public record DeviceTlb(
            long hits, long misses, long translationRequests, long translated, long untranslated, long invalidations) {
        /** What was added since an earlier reading. */
        DeviceTlb since(DeviceTlb then) {
            return new DeviceTlb(
                    hits - then.hits,
                    misses - then.misses,
                    translationRequests - then.translationRequests,
                    translated - then.translated,
                    untranslated - then.untranslated,
                    invalidations - then.invalidations);
        }
    }

    /**
     * A remapping unit that the guest sees, and what the host did to make its tables bind the device.
     *
     * @param maps of buffers in page tables of the guest; {@code unmaps} likewise
     * @param mapExits exits of the unit's registers while buffers were mapped
     * @param unmapExits those while they were unmapped, deferred flushes included
     * @param invalidations that the guest asked its unit for, without waits
     * @param walks of the guest's page tables by the VMM
     * @param hostMaps in the host's tables; {@code hostUnmaps} likewise
     * @param hostInvalidations that the host asked the physical unit for because of the guest's
     * @param faults that the guest's driver has read from its unit
     */
    public record GuestUnit(
            long maps,
            long mapExits,
            long unmaps,
            long unmapExits,
            long invalidations,
            long walks,
            long hostMaps,
            long hostUnmaps,
            long hostInvalidations,
            long faults) {
        /** What was added since an earlier reading. */
        GuestUnit since(GuestUnit then) {
            return new GuestUnit(
                    maps - then.maps,
                    mapExits - then.mapExits,
                    unmaps - then.unmaps,
                    unmapExits - then.unmapExits,
                    invalidations - then.invalidations,
                    walks - then.walks,
                    hostMaps - then.hostMaps,
                    hostUnmaps - then.hostUnmaps,
                    hostInvalidations - then.hostInvalidations,
                    faults - then.faults);
        }
    }

    /** Frames sent plus frames received: what every per-packet figure divides by. */
    public long packets() {
        return tx.frames() + rx.frames();
    }

    public long totalExits() {
        return exits.stream().mapToLong(Exits::count).sum();
    }

    public long totalWakeups() {
        return wakeups.values().stream().mapToLong(Long::longValue).sum();
    }

    /** {@code count} per packet; 0 when there was no packet. */
    public double perPacket(long count) {
        return packets() == 0 ? 0 : (double) count / packets();
    }
}
