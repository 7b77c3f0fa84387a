package io.iolab.vmm.rings;

import io.iolab.devices.virtio.queue.RingFeatures;

/** The forms of a virtqueue that can be exchanged through. */
public enum RingLayout {
    /** virtio 1.2 section 2.7. */
    SPLIT("split", 0);

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
}
