package io.iolab.vmm.guest;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.Udp;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;

/**
 * A UDP datagram whose payload proves that it arrived whole: a sequence number, the time of sending, pseudo-random filling and
 * a CRC-32C over all of it.
 *
 * <pre>
 *   Ethernet 14 | IPv4 20 | UDP 8 (checksum 0: none, RFC 768) | mark 2 | sequence 4 | picoseconds 8 | filling | CRC 4
 * </pre>
 *
 * <p>One instance is a template for one sender and one size of frame; stamping it allocates nothing.
 */
final class StampedFrame {
    private static final int MARK_AT = Udp.PAYLOAD_IN_FRAME;
    private static final int SEQUENCE_AT = MARK_AT + 2;
    private static final int TIME_AT = MARK_AT + 6;
    private static final int MARK = 0x1AB0;
    private static final int CRC_BYTES = 4;

    private final byte[] bytes;
    private final CRC32C crc = new CRC32C();

    /** @param size 60 to 1514 bytes without FCS; the stamp just fits into the smallest */
    StampedFrame(StationPair stations, int size, long seed) {
        if (size < EthernetFrame.MINIMUM_BYTES || size > EthernetFrame.MAXIMUM_BYTES) {
            throw new IllegalArgumentException("frame of " + size + " bytes; " + EthernetFrame.MINIMUM_BYTES + " to "
                    + EthernetFrame.MAXIMUM_BYTES + " are possible");
        }
        bytes = new byte[size];
        new SplittableRandom(seed ^ size).nextBytes(bytes);
        Udp.build(bytes, 0, stations.own(), stations.other(), size - Udp.PAYLOAD_IN_FRAME, 0);
        int checksum = Udp.PAYLOAD_IN_FRAME - Udp.HEADER_BYTES + Udp.CHECKSUM;
        bytes[checksum] = 0;
        bytes[checksum + 1] = 0;
        LittleEndian.putShort(bytes, MARK_AT, MARK);
    }

    /** Writes a sequence number and a time into the frame. */
    byte[] stamp(int sequence, long picos) {
        LittleEndian.putInt(bytes, SEQUENCE_AT, sequence);
        LittleEndian.putLong(bytes, TIME_AT, picos);
        LittleEndian.putInt(bytes, bytes.length - CRC_BYTES, sum(bytes, 0, bytes.length));
        return bytes;
    }

    int length() {
        return bytes.length;
    }

    private int sum(byte[] frame, int offset, int length) {
        crc.reset();
        crc.update(frame, offset + MARK_AT, length - MARK_AT - CRC_BYTES);
        return (int) crc.getValue();
    }

    /** Whether a received frame carries a stamp at all. */
    static boolean stamped(byte[] frame, int offset, int length) {
        return length >= EthernetFrame.MINIMUM_BYTES
                && EthernetFrame.outerType(frame, offset) == EthernetFrame.TYPE_IPV4
                && LittleEndian.getShort(frame, offset + MARK_AT) == MARK;
    }

    /** Whether the payload of a stamped frame is what was sent. */
    boolean intact(byte[] frame, int offset, int length) {
        return LittleEndian.getInt(frame, offset + length - CRC_BYTES) == sum(frame, offset, length);
    }

    static int sequence(byte[] frame, int offset) {
        return LittleEndian.getInt(frame, offset + SEQUENCE_AT);
    }

    static long picos(byte[] frame, int offset) {
        return LittleEndian.getLong(frame, offset + TIME_AT);
    }
}
