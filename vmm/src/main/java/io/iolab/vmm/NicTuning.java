package io.iolab.vmm;

/**
 * Driver and device settings of a guest's NIC.
 *
 * @param ringSize descriptors per ring, a power of two, 8 to 4096; a virtqueue's size is at most 256
 * @param itr interrupt throttling of e1000 and e1000e, 256 ns units; 0 for none
 * @param txDelay TIDV, 1.024 us units; 0 for none
 * @param rxDelay RDTR, 1.024 us units; 0 for none
 * @param txInterrupts whether e1000 and e1000e interrupt for each transmission, or only while the ring is full, as virtio-net
 *     always does
 * @param eventIndex whether virtio negotiates VIRTIO_F_EVENT_IDX
 * @param mergeable whether virtio negotiates VIRTIO_NET_F_MRG_RXBUF
 * @param coalescedMmio whether writes to registers without immediate effect wait in the kernel's ring, as under QEMU
 */
public record NicTuning(
        int ringSize,
        int itr,
        int txDelay,
        int rxDelay,
        boolean txInterrupts,
        boolean eventIndex,
        boolean mergeable,
        boolean coalescedMmio) {
    /** Nothing is held back, and all paths finish transmissions without interrupts. */
    public static final NicTuning DEFAULTS = new NicTuning(256, 0, 0, 0, false, true, true, true);
}
