package io.iolab.vmm;

/** What a VMM does around the accesses of a guest to one device. */
interface DeviceHooks {

    /** The guest's processor is about to access the device. */
    void before();

    /** An access without an exit has been carried out. */
    void afterMapped();

    /** A kick has arrived through an ioeventfd: the device learns of it, nothing else happens in the exit. */
    void afterKick();

    /** An exit to the VMM has been carried out; the device may do what it set off. */
    void afterExit();
}
