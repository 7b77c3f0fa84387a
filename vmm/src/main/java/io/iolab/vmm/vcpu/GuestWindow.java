package io.iolab.vmm.vcpu;

import io.iolab.devices.bus.MmioHandler;

/** A range of a guest's physical or port address space, and what an access to it costs. */
public interface GuestWindow extends MmioHandler {

    /** What an access does to the processor. */
    enum Trap {
        /** Mapped into the guest: no exit. */
        NONE,
        /** An exit finished in the VMM process. */
        USER,
        /** An exit finished in the kernel module, after decoding the instruction. */
        KERNEL,
        /** An ioeventfd found by its address alone: finished in the kernel without decoding. */
        FAST,
        /** A coalesced write: stored in a ring by the kernel, carried out before the next access that exits to the VMM. */
        COALESCED
    }

    Trap trap(long offset, boolean write);

    /** The register's name, for exit statistics. */
    String detail(long offset);
}
