package io.iolab.devices.virtio.net;

/** virtio_net_hdr as tests write and read it; offsets transcribed from virtio 1.2 section 5.1.6. */
record Header(int flags, int gsoType, int hdrLen, int gsoSize, int csumStart, int csumOffset, int numBuffers) {
    static final int NEEDS_CSUM = 1;
    static final int DATA_VALID = 2;
    static final int TCPV4 = 1;
    static final int UDP = 3;
    static final int TCPV6 = 4;
    static final int UDP_L4 = 5;
    static final int ECN = 0x80;

    static Header checksum(int start, int offset) {
        return new Header(NEEDS_CSUM, 0, 0, 0, start, offset, 0);
    }

    /** What a driver asks for that leaves a packet of the oracle uncut. */
    static Header segments(PacketOracle packet, int size) {
        int type = packet.udp ? UDP_L4 : packet.v6 ? TCPV6 : TCPV4;
        type |= (packet.flags & PacketOracle.CWR) != 0 && !packet.udp ? ECN : 0;
        return new Header(NEEDS_CSUM, type, packet.headers(), size, packet.transport(), packet.checksumOffset(), 0);
    }

    byte[] inFrontOf(byte[] frame) {
        return inFrontOf(frame, 12);
    }

    byte[] inFrontOf(byte[] frame, int headerBytes) {
        byte[] packet = new byte[headerBytes + frame.length];
        packet[0] = (byte) flags;
        packet[1] = (byte) gsoType;
        int[] fields = {hdrLen, gsoSize, csumStart, csumOffset, numBuffers};
        for (int i = 0; i < fields.length; i++) {
            packet[2 + 2 * i] = (byte) fields[i];
            packet[3 + 2 * i] = (byte) (fields[i] >>> 8);
        }
        System.arraycopy(frame, 0, packet, headerBytes, frame.length);
        return packet;
    }

    static Header read(byte[] packet) {
        int[] fields = new int[5];
        for (int i = 0; i < fields.length; i++) {
            fields[i] = packet[2 + 2 * i] & 0xFF | (packet[3 + 2 * i] & 0xFF) << 8;
        }
        return new Header(packet[0] & 0xFF, packet[1] & 0xFF, fields[0], fields[1], fields[2], fields[3], fields[4]);
    }
}
