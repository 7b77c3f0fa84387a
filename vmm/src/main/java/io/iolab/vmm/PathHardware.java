package io.iolab.vmm;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.RequesterCounters;
import io.iolab.vmm.backend.NicWorker;
import io.iolab.vmm.guest.GuestKernel;
import io.iolab.vmm.guest.KernelDma;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.vcpu.Processor;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The hardware of one guest as its path builds it.
 *
 * @param heapStart first address of RAM that software may allocate; {@code heapEnd} is behind the last
 * @param syncCounters copies what the device counts itself into the ledger
 * @param startDma as {@link GuestKernel} wants it
 * @param requester the IOMMU's live counters for the device; empty where no IOMMU is in between
 * @param guestUnit the remapping unit that the guest sees
 */
record PathHardware(
        Processor processor,
        Memory ram,
        long heapStart,
        long heapEnd,
        NicWorker worker,
        Runnable syncCounters,
        Supplier<GuestFigures.Iommu> iommu,
        Optional<RequesterCounters> requester,
        Function<GuestKernel, @Nullable KernelDma> startDma,
        Optional<SeenUnit> guestUnit) {

    /** With a kernel that drives no remapping unit. */
    PathHardware(
            Processor processor,
            Memory ram,
            long heapStart,
            long heapEnd,
            NicWorker worker,
            Runnable syncCounters,
            Supplier<GuestFigures.Iommu> iommu,
            Optional<RequesterCounters> requester) {
        this(
                processor,
                ram,
                heapStart,
                heapEnd,
                worker,
                syncCounters,
                iommu,
                requester,
                kernel -> null,
                Optional.empty());
    }

    /** With a kernel that drives the host's own unit. */
    PathHardware withDma(Function<GuestKernel, @Nullable KernelDma> start) {
        return new PathHardware(
                processor, ram, heapStart, heapEnd, worker, syncCounters, iommu, requester, start, Optional.empty());
    }

    /** With a kernel that drives a unit that the VMM shows it. */
    PathHardware behind(GuestIommu unit) {
        return new PathHardware(
                processor,
                ram,
                heapStart,
                heapEnd,
                worker,
                syncCounters,
                () -> iommu.get().with(unit.figures()),
                requester,
                unit::start,
                Optional.of(unit));
    }
}
