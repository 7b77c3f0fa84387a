package io.iolab.vmm.inject;

import io.iolab.devices.bus.CpuPort;

/**
 * Where the driver put its split rings, learnt from what it writes into the common configuration (virtio 1.2 section 4.1.4.3). So
 * that there are split rings to have a bug with, RING_PACKED is hidden from the driver.
 */
final class SplitRings extends Defect {
    static final int RECEIVE = 0;
    static final int TRANSMIT = 1;

    private static final int COMMON = 1;
    private static final int DEVICE_FEATURE_SELECT = 0x00;
    private static final int DEVICE_FEATURE = 0x04;
    private static final int QUEUE_SELECT = 0x16;
    private static final int QUEUE_SIZE = 0x18;
    private static final int QUEUE_DRIVER = 0x28;
    private static final int QUEUE_DEVICE = 0x30;
    private static final int QUEUE_ENABLE = 0x1C;
    /** Bit 34, in the upper half. */
    private static final long RING_PACKED = 1 << 2;

    private static final int IDX = 2;
    private static final int ENTRIES = 4;
    private static final int AVAIL_ENTRY = 2;
    private static final int USED_ELEMENT = 8;

    /** One queue's place in memory. */
    private record Place(int size, long avail, long used) {
        static final Place NOWHERE = new Place(0, -1, -1);
    }

    private final PluggedFunction function;
    private volatile Place receive = Place.NOWHERE;
    private volatile Place transmit = Place.NOWHERE;
    private long featureSelect;
    private long selected;
    private int size;
    private long avail;
    private long used;

    SplitRings(PluggedFunction function) {
        this.function = function;
    }

    @Override
    CpuPort cpu(CpuPort port) {
        return new ForwardingCpu(port) {
            @Override
            public long load(long pa, int width) {
                long value = super.load(pa, width);
                boolean upperFeatures =
                        featureSelect == 1 && function.virtioOffset(COMMON, pa) == DEVICE_FEATURE && width == 4;
                return upperFeatures ? value & ~RING_PACKED : value;
            }

            @Override
            public void store(long pa, int width, long value) {
                super.store(pa, width, value);
                long offset = function.virtioOffset(COMMON, pa);
                if (offset >= 0) {
                    written((int) offset, value);
                }
            }
        };
    }

    private void written(int offset, long value) {
        switch (offset) {
            case DEVICE_FEATURE_SELECT -> featureSelect = value;
            case QUEUE_SELECT -> selected = value;
            case QUEUE_SIZE -> size = (int) value;
            case QUEUE_DRIVER -> avail = avail >>> 32 << 32 | value;
            case QUEUE_DRIVER + 4 -> avail = value << 32 | avail & 0xFFFF_FFFFL;
            case QUEUE_DEVICE -> used = used >>> 32 << 32 | value;
            case QUEUE_DEVICE + 4 -> used = value << 32 | used & 0xFFFF_FFFFL;
            case QUEUE_ENABLE -> enabled(new Place(size, avail, used));
            default -> {
                // What has nothing to do with the rings.
            }
        }
    }

    private void enabled(Place place) {
        if (selected == RECEIVE) {
            receive = place;
        } else if (selected == TRANSMIT) {
            transmit = place;
        }
    }

    private Place place(int queue) {
        return queue == RECEIVE ? receive : transmit;
    }

    /** Of a queue that is not set up yet: 0. */
    int size(int queue) {
        return place(queue).size;
    }

    boolean isUsedIndex(int queue, long at) {
        return at == place(queue).used + IDX;
    }

    boolean isUsedEvent(int queue, long at) {
        Place place = place(queue);
        return at == place.avail + ENTRIES + (long) AVAIL_ENTRY * place.size;
    }

    boolean isAvailEvent(int queue, long at) {
        Place place = place(queue);
        return at == place.used + ENTRIES + (long) USED_ELEMENT * place.size;
    }

    /** Whether a write of {@code length} bytes is one of used elements. */
    boolean areUsedElements(int queue, long at, int length) {
        Place place = place(queue);
        return at >= place.used + ENTRIES
                && at + length <= place.used + ENTRIES + (long) USED_ELEMENT * place.size
                && length % USED_ELEMENT == 0;
    }
}
