package io.iolab.vmm;

/** How an assigned NIC's interrupts come to its guest. */
public enum InterruptDelivery {
    /** The host hears each and injects it; remapped only if another guest of the lab has interrupt remapping switched on. */
    FORWARDED,
    /** As above, through an entry of the interrupt-remapping table that admits this NIC alone. */
    REMAPPED,
    /** The remapping unit posts them into the vCPU's descriptor, and the vCPU has virtual-interrupt delivery (APICv). */
    POSTED
}
