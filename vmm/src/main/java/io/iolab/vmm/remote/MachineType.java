package io.iolab.vmm.remote;

/** The machines that devices can be plugged into. */
enum MachineType {
    /** PCI Express: an 82G33 host bridge and an ICH9. */
    Q35,
    /** PCI: an 82441FX and a PIIX3. */
    PC
}
