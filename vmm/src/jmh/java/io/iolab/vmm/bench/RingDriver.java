package io.iolab.vmm.bench;

/** The driver's end of a virtqueue of either form. */
interface RingDriver {
    int DEVICE_WRITES = 2;

    /** Offers one buffer, without showing it to the device. */
    void add(long hpa, int length, int flags);

    void publish();

    /** Takes back what was used. @return the lengths written, added up */
    long reap(int expected);
}
