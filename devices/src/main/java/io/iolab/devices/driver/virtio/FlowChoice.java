package io.iolab.devices.driver.virtio;

import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.PacketHeaders;

/** Which of several queue pairs the frames of a flow are sent on: always the same, so that they stay in order. */
final class FlowChoice {
    private static final int GOLDEN_RATIO = 0x9E37_79B9;

    private final PacketHeaders headers = new PacketHeaders();

    /** 0 for a frame that is too short or carries no IP. */
    int pair(byte[] frame, int at, int length, int pairs) {
        if (length < 14) {
            return 0;
        }
        headers.parse(frame, at, length);
        if (headers.ipVersion() == 0) {
            return 0;
        }
        int hash = 0;
        for (int i = 0; i < headers.addressesLength(); i += 4) {
            hash = mix(hash, BigEndian.getInt(frame, at + headers.addresses() + i));
        }
        if (headers.transport() != 0) {
            hash = mix(hash, BigEndian.getInt(frame, at + headers.transport()));
        }
        return (hash >>> 16) % pairs;
    }

    private static int mix(int hash, int word) {
        int mixed = (hash ^ word) * GOLDEN_RATIO;
        return mixed ^ mixed >>> 15;
    }
}
