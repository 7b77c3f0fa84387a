package io.iolab.vmm;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.RequesterCounters;
import io.iolab.vmm.backend.NicWorker;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.vcpu.Processor;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The hardware of one guest as its path builds it.
 *
 * @param heapStart first address of RAM that software may allocate; {@code heapEnd} is behind the last
 * @param syncCounters copies what the device counts itself into the ledger
 * @param requester the IOMMU's live counters for the device; empty where no IOMMU is in between
 */
record PathHardware(
        Processor processor,
        Memory ram,
        long heapStart,
        long heapEnd,
        NicWorker worker,
        Runnable syncCounters,
        Supplier<GuestFigures.Iommu> iommu,
        Optional<RequesterCounters> requester) {}
