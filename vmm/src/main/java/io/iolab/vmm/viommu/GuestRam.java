package io.iolab.vmm.viommu;

import io.iolab.devices.memory.AddressRange;
import io.iolab.vmm.assign.UserMemory;
import io.iolab.vmm.memory.GuestMemory;

/**
 * A guest's memory by guest physical address, as what may be mapped for its devices: any part of it, in pieces of at most one host frame
 * of 2 MiB.
 *
 * @param memory outlives the mappings
 */
public record GuestRam(GuestMemory memory) implements UserMemory {
    @Override
    public void forEachRun(long gpa, long size, RunConsumer consumer) {
        if (!memory.contains(gpa, size)) {
            return;
        }
        for (long at = gpa; at < gpa + size; ) {
            long end = AddressRange.alignDown(at, AddressRange.LARGE_PAGE_SIZE) + AddressRange.LARGE_PAGE_SIZE;
            long length = Math.min(end, gpa + size) - at;
            consumer.run(at, memory.hpa(at), length);
            at += length;
        }
    }
}
