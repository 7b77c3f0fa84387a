package io.iolab.vmm;

/**
 * Driver and device settings of a guest's NIC.
 *
 * @param ringSize descriptors per ring, a power of two, 8 to 4096; a virtqueue has 256 at most unless {@code virtio} says otherwise
 * @param itr interrupt throttling of e1000, e1000e and igbvf, 256 ns units; 0 for none; igbvf takes the nearest whole microsecond
 * @param txDelay TIDV, 1.024 us units; 0 for none
 * @param rxDelay RDTR, 1.024 us units; 0 for none
 * @param txInterrupts whether e1000, e1000e and igbvf interrupt for each transmission, or only while the ring is full, as virtio-net
 *     always does
 * @param eventIndex whether virtio negotiates VIRTIO_F_EVENT_IDX
 * @param mergeable whether virtio negotiates VIRTIO_NET_F_MRG_RXBUF
 * @param coalescedMmio whether writes to registers without immediate effect wait in the kernel's ring, as under QEMU
 * @param virtio the virtio device and its back end
 * @param msixSharedPage whether an assigned NIC has its MSI-X table in the page of its transmit registers, which then cannot be
 *     mapped into the guest
 * @param interrupts how an assigned NIC's interrupts come to the guest
 * @param assigned which NIC is assigned
 * @param deviceTlb whether an assigned 82574L has address translation services and a device TLB, which the part itself lacks
 */
public record NicTuning(
        int ringSize,
        int itr,
        int txDelay,
        int rxDelay,
        boolean txInterrupts,
        boolean eventIndex,
        boolean mergeable,
        boolean coalescedMmio,
        VirtioTuning virtio,
        boolean msixSharedPage,
        InterruptDelivery interrupts,
        AssignedNic assigned,
        boolean deviceTlb) {
    /** Nothing is held back, and all paths finish transmissions without interrupts. */
    public static final NicTuning DEFAULTS = new NicTuning(256, 0, 0, 0, false, true, true, true);

    /** With a plain virtio device and a plain assigned NIC. */
    public NicTuning(
            int ringSize,
            int itr,
            int txDelay,
            int rxDelay,
            boolean txInterrupts,
            boolean eventIndex,
            boolean mergeable,
            boolean coalescedMmio) {
        this(
                ringSize,
                itr,
                txDelay,
                rxDelay,
                txInterrupts,
                eventIndex,
                mergeable,
                coalescedMmio,
                VirtioTuning.DEFAULTS,
                false,
                InterruptDelivery.FORWARDED,
                AssignedNic.E1000E,
                false);
    }

    /** The same NIC with other rings. */
    public NicTuning withRing(int descriptors) {
        return with(descriptors, virtio, msixSharedPage, interrupts, assigned, deviceTlb);
    }

    /** The same NIC with another virtio device. */
    public NicTuning withVirtio(VirtioTuning tuning) {
        return with(ringSize, tuning, msixSharedPage, interrupts, assigned, deviceTlb);
    }

    /** The same NIC with its MSI-X table in a page of its own, or in that of the transmit registers. */
    public NicTuning withMsixSharedPage(boolean shared) {
        return with(ringSize, virtio, shared, interrupts, assigned, deviceTlb);
    }

    /** The same NIC, assigned with this delivery of its interrupts. */
    public NicTuning withInterrupts(InterruptDelivery delivery) {
        return with(ringSize, virtio, msixSharedPage, delivery, assigned, deviceTlb);
    }

    /** The same settings for another assigned NIC. */
    public NicTuning withAssigned(AssignedNic nic) {
        return with(ringSize, virtio, msixSharedPage, interrupts, nic, deviceTlb);
    }

    /** The same NIC, assigned with a device TLB or without. */
    public NicTuning withDeviceTlb(boolean present) {
        return with(ringSize, virtio, msixSharedPage, interrupts, assigned, present);
    }

    private NicTuning with(
            int ring,
            VirtioTuning tuning,
            boolean sharedPage,
            InterruptDelivery delivery,
            AssignedNic nic,
            boolean tlb) {
        return new NicTuning(
                ring,
                itr,
                txDelay,
                rxDelay,
                txInterrupts,
                eventIndex,
                mergeable,
                coalescedMmio,
                tuning,
                sharedPage,
                delivery,
                nic,
                tlb);
    }

    /** Descriptors that a virtqueue offers. */
    int virtqueueSize() {
        return virtio.queueSize(ringSize);
    }
}
