package io.iolab.vmm.pci;

import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.PciFunction;

/**
 * A BAR that is decoded at this moment.
 *
 * @param rid the function's requester id
 * @param bar its number; of a 64-bit BAR the lower one
 * @param base guest physical address, or port
 * @param size in bytes
 */
public record BarTarget(PciFunction function, int rid, int bar, long base, long size) {

    /** Whether it is memory, not ports: a virtual function's, which its own header does not show, always is (SR-IOV 1.1 section 3.3.14). */
    public boolean isMemory() {
        Bar shape = function.config().bar(bar);
        return shape == null || shape.isMemory();
    }

    /** Where in the BAR an address lies that the BAR claims. */
    public long offset(long address) {
        return address - base;
    }
}
