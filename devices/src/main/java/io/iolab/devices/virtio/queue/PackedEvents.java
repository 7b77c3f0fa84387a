package io.iolab.devices.virtio.queue;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RingFault;

/**
 * The two event suppression structures of a packed virtqueue (virtio 1.2 section 2.8.14): which interrupts the driver wants,
 * and which kicks the device wants. A structure is a place in the ring (offset in bits 14:0, wrap counter in bit 15) and
 * flags; the place is written before the flags that give it meaning, and read after them.
 */
final class PackedEvents {
    private static final int OFFSET_WRAP = 0;
    private static final int FLAGS = 2;
    private static final int FLAGS_MASK = 3;
    private static final int ENABLE = 0;
    private static final int DISABLE = 1;
    private static final int DESC = 2;
    private static final int WRAP = 0x8000;

    private final DmaPort dma;
    private final int size;
    private final long driverIova;
    private final long deviceIova;
    private final boolean eventIndex;

    /** What the flags in memory are; the driver zeroed the structure. */
    private int kicks = ENABLE;

    private boolean kicksUnwanted;
    private final RingHealth health;

    PackedEvents(DmaPort dma, int size, QueueLayout layout, boolean eventIndex, RingHealth health) {
        this.health = health;
        this.dma = dma;
        this.size = size;
        this.driverIova = layout.driverIova();
        this.deviceIova = layout.deviceIova();
        this.eventIndex = eventIndex;
    }

    /**
     * Whether the driver wants an interrupt after the device moved by {@code count} descriptors to {@code slot}. Reserved flags
     * count as ENABLE: an interrupt too many does no harm.
     *
     * @param wrap the device's wrap counter at {@code slot}
     */
    boolean interruptWanted(int slot, boolean wrap, int count) {
        // The driver re-arms, then looks at the ring; we marked descriptors used, now look at what it re-armed: store
        // before load, which release order does not give.
        dma.storeLoadFence();
        int flags = load(FLAGS);
        if (health.faulted() || (flags & FLAGS_MASK) == DISABLE) {
            return false;
        }
        if ((flags & FLAGS_MASK) != DESC || !eventIndex) {
            return true;
        }
        int place = load(OFFSET_WRAP);
        return !health.faulted() && RingIndex.passed(place, slot, wrap, count, size);
    }

    private int load(int field) {
        int value = dma.loadShortAcquire(driverIova + field, DmaKind.DESCRIPTOR);
        if (value < 0) {
            health.report(RingFault.UNREACHABLE);
        }
        return value;
    }

    /**
     * A place that was passed is suppression enough, but not for ever: the ring comes there again with the same wrap counter
     * after two laps.
     */
    void disableKicks() {
        kicksUnwanted = true;
        if (kicks == ENABLE) {
            store(DISABLE);
        }
    }

    /** The device has passed the ring's end. */
    void lapped() {
        if (kicksUnwanted && kicks == DESC) {
            store(DISABLE);
        }
    }

    /** Asks for a kick when the driver makes the descriptor at {@code slot} available; false on a fault. */
    boolean enableKicks(int slot, boolean wrap) {
        kicksUnwanted = false;
        if (eventIndex) {
            int place = slot | (wrap ? WRAP : 0);
            storeField(OFFSET_WRAP, place);
        }
        int wanted = eventIndex ? DESC : ENABLE;
        if (kicks != wanted) {
            store(wanted);
        }
        return !health.faulted();
    }

    private void store(int flags) {
        kicks = flags;
        storeField(FLAGS, flags);
    }

    private void storeField(int field, int value) {
        if (dma.storeShortRelease(deviceIova + field, value, DmaKind.DESCRIPTOR) != DmaFault.NONE) {
            health.report(RingFault.UNREACHABLE);
        }
    }
}
