package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;

/** Frames with headers, and the sums over them. */
final class TestFrames {
    private TestFrames() {}

    static long context(int ipcss, int ipcso, int ipcse, int tucss, int tucso, int tucse) {
        return ipcss
                | (long) ipcso << 8
                | (long) ipcse << 16
                | (long) tucss << 32
                | (long) tucso << 40
                | (long) tucse << 48;
    }

    /** IPv4, TCP, with the pseudo header's sum in the TCP checksum field and 0 in IP's, as software leaves them. */
    static byte[] tcpFrame(int payload) {
        byte[] frame = frame(PEER, 54 + payload);
        byte[] headers = bytes(
                "0800 4500 0000 0000 4000 4006 0000 0a00 0001 0a00 0002 03e8 07d0 0000 0001 0000 0000 5018 2000 0000 0000");
        System.arraycopy(headers, 0, frame, 12, headers.length);
        int total = 40 + payload;
        frame[16] = (byte) (total >> 8);
        frame[17] = (byte) total;
        int pseudo = 0x0a00 + 1 + 0x0a00 + 2 + 6 + 20 + payload;
        frame[50] = (byte) (pseudo >> 8);
        frame[51] = (byte) pseudo;
        return frame;
    }

    static int onesSum(byte[] bytes, int from, int to) {
        long sum = 0;
        for (int i = from; i < to; i += 2) {
            sum += (bytes[i] & 0xFF) << 8 | (i + 1 < to ? bytes[i + 1] & 0xFF : 0);
        }
        while (sum > 0xFFFF) {
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
        return (int) sum;
    }

    /** Sum over pseudo header and TCP of an untagged IPv4 frame: FFFFh when the checksum is right. */
    static int transportSum(byte[] out) {
        int total = (out[16] & 0xFF) << 8 | out[17] & 0xFF;
        byte[] all = new byte[12 + total - 20];
        System.arraycopy(out, 26, all, 0, 8);
        all[9] = out[23];
        all[10] = (byte) (total - 20 >> 8);
        all[11] = (byte) (total - 20);
        System.arraycopy(out, 34, all, 12, total - 20);
        return onesSum(all, 0, all.length);
    }

    static byte[] tagged(int tag, int length) {
        byte[] frame = frame(MAC, length);
        frame[12] = (byte) 0x81;
        frame[13] = 0;
        frame[14] = (byte) (tag >> 8);
        frame[15] = (byte) tag;
        return frame;
    }

    static void fixIp(byte[] frame) {
        frame[24] = 0;
        frame[25] = 0;
        int sum = ~onesSum(frame, 14, 34);
        frame[24] = (byte) (sum >> 8);
        frame[25] = (byte) sum;
    }

    /** To our address, with both checksums right. */
    static byte[] goodTcp(int payload) {
        byte[] frame = tcpFrame(payload);
        System.arraycopy(MAC, 0, frame, 0, 6);
        fixIp(frame);
        int sum = ~onesSum(frame, 34, frame.length);
        frame[50] = (byte) (sum >> 8);
        frame[51] = (byte) sum;
        return frame;
    }
}
