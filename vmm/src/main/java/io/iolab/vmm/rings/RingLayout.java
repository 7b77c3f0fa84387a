package io.iolab.vmm.rings;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.virtio.queue.PackedQueue;
import io.iolab.devices.virtio.queue.QueueLayout;
import io.iolab.devices.virtio.queue.RingFeatures;
import io.iolab.devices.virtio.queue.SplitQueue;
import io.iolab.devices.virtio.queue.Virtqueue;

/** The forms of a virtqueue that can be exchanged through. */
public enum RingLayout {
    /** virtio 1.2 section 2.7. */
    SPLIT("split", 0),
    /** A split ring whose buffers are used in order, so that one used element may stand for many: section 2.7.9. */
    IN_ORDER("in-order", RingFeatures.IN_ORDER),
    /** Section 2.8. */
    PACKED("packed", RingFeatures.RING_PACKED),
    /** A packed ring whose buffers are used in order: section 2.8.8. */
    PACKED_IN_ORDER("packed-in-order", RingFeatures.RING_PACKED | RingFeatures.IN_ORDER);

    private final String label;
    private final long features;

    RingLayout(String label, long features) {
        this.label = label;
        this.features = features;
    }

    /** As the command line and the results call it. */
    public String label() {
        return label;
    }

    /** The feature bits that ask for it. */
    public long features() {
        return features | RingFeatures.VERSION_1;
    }

    Virtqueue open(DmaPort dma, int size, QueueLayout areas, long negotiated) {
        return RingFeatures.has(features, RingFeatures.RING_PACKED)
                ? new PackedQueue(dma, size, areas, negotiated)
                : new SplitQueue(dma, size, areas, negotiated);
    }
}
