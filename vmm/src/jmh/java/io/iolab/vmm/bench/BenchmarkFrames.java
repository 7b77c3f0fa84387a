package io.iolab.vmm.bench;

import io.iolab.devices.net.Udp;
import io.iolab.devices.net.UdpEndpoint;

/** UDP frames with good checksums between a peer and the device under measurement. */
final class BenchmarkFrames {
    private static final UdpEndpoint DEVICE = new UdpEndpoint(0x5254_0012_3456L, 0x0A00_0001, 9000);
    private static final UdpEndpoint PEER = new UdpEndpoint(0x5254_00AA_BBCCL, 0x0A00_0002, 9001);

    private BenchmarkFrames() {}

    static byte[] deviceMac() {
        return new byte[] {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    }

    /** @param length 60 to 1514, without FCS */
    static byte[] toDevice(int length) {
        return frame(PEER, DEVICE, length);
    }

    /** @param length 60 to 1514, without FCS */
    static byte[] toPeer(int length) {
        return frame(DEVICE, PEER, length);
    }

    private static byte[] frame(UdpEndpoint from, UdpEndpoint to, int length) {
        byte[] frame = new byte[length];
        for (int i = Udp.PAYLOAD_IN_FRAME; i < length; i++) {
            frame[i] = (byte) (31 * i);
        }
        Udp.build(frame, 0, from, to, length - Udp.PAYLOAD_IN_FRAME, 1);
        return frame;
    }
}
