package io.iolab.devices.virtio.net;

import io.iolab.devices.virtio.queue.RingFeatures;

/** The device configuration structure (virtio 1.2 section 5.1.4). Fields whose feature is not offered read 0. */
final class NetConfig {
    /** Up to and including mtu. */
    static final int BYTES = 12;

    private static final int MAC_BYTES = 6;
    private static final int STATUS = 6;
    private static final int MAX_VIRTQUEUE_PAIRS = 8;
    private static final int MTU = 10;
    private static final int LINK_UP = 1;

    private final byte[] mac;
    private final long offered;
    private boolean linkUp = true;

    NetConfig(VirtioNetOptions options) {
        mac = options.mac();
        offered = options.offeredFeatures();
    }

    boolean linkUp() {
        return linkUp;
    }

    void linkUp(boolean up) {
        linkUp = up;
    }

    int read(int offset) {
        if (offset < MAC_BYTES) {
            return RingFeatures.has(offered, NetFeatures.MAC) ? mac[offset] & 0xFF : 0;
        }
        return offset == STATUS && linkUp && RingFeatures.has(offered, NetFeatures.STATUS) ? LINK_UP : 0;
    }

    static String fieldAt(int offset) {
        if (offset < STATUS) {
            return "mac";
        }
        if (offset < MAX_VIRTQUEUE_PAIRS) {
            return "status";
        }
        return offset < MTU ? "max_virtqueue_pairs" : "mtu";
    }
}
