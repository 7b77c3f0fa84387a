package io.iolab.devices.e1000;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.InternetChecksum;
import java.util.Arrays;

/** The packet that a transmit queue is putting together. Bytes come by DMA straight into the buffer they are sent from. */
final class OutgoingPacket {
    /** The most one packet may hold (82540 SDM 3.3.3); below what a {@code FramePort} takes. */
    static final int MAX_LENGTH = 16288;

    static final int HEADER_LENGTH = 14;
    private static final int ADDRESSES = 12;
    private static final int TAG = 4;
    /** Without FCS (82540 SDM 13.4, TCTL.PSP). */
    private static final int MIN_LENGTH = 60;

    private final byte[] buffer = new byte[TAG + MAX_LENGTH];
    private final DmaPort dma;
    /** Where the packet starts: room is left in front for a VLAN tag. */
    private int start = TAG;

    private int length;
    private boolean oversized;
    private boolean unreachable;
    private boolean wantsStamp;

    OutgoingPacket(DmaPort dma) {
        this.dma = dma;
    }

    void clear() {
        start = TAG;
        length = 0;
        oversized = false;
        unreachable = false;
        wantsStamp = false;
    }

    /** A descriptor of the packet asks for the time at which it leaves. */
    void requestStamp() {
        wantsStamp = true;
    }

    boolean wantsStamp() {
        return wantsStamp;
    }

    byte[] buffer() {
        return buffer;
    }

    int start() {
        return start;
    }

    int length() {
        return length;
    }

    boolean oversized() {
        return oversized;
    }

    boolean unreachable() {
        return unreachable;
    }

    /** Cuts or restores the length: the buffer's content stays. */
    void length(int bytes) {
        start = TAG;
        length = bytes;
    }

    /**
     * Fetches {@code bytes} more. A packet that grew too long, or of which a part could not be read, fetches nothing more:
     * a guest cannot make the device read without end.
     */
    DmaFault append(long iova, int bytes) {
        if (oversized || unreachable || bytes == 0) {
            return DmaFault.NONE;
        }
        if (length + bytes > MAX_LENGTH) {
            oversized = true;
            return DmaFault.NONE;
        }
        DmaFault fault = dma.read(iova, buffer, start + length, bytes, DmaKind.PAYLOAD);
        if (fault == DmaFault.NONE) {
            length += bytes;
        } else {
            unreachable = true;
        }
        return fault;
    }

    /**
     * Puts the complement of the sum over {@code [from, end]} at {@code at} (82540 SDM 3.5). The field counts in the sum as
     * found. Nothing happens when the field lies beyond the packet.
     *
     * @param end last byte, inclusive; 0 for the end of the packet
     */
    void insertChecksum(int from, int at, int end) {
        if (at + 1 >= length) {
            return;
        }
        int stop = end == 0 ? length : Math.min(end + 1, length);
        int sum = from < stop ? InternetChecksum.fold(InternetChecksum.add(0, buffer, start + from, stop - from)) : 0;
        int complement = ~sum & 0xFFFF;
        // 0 would mean "no checksum" to UDP; in ones' complement FFFFh is the same number.
        BigEndian.putShort(buffer, start + at, complement == 0 ? 0xFFFF : complement);
    }

    /** Inserts a VLAN tag behind the addresses (82540 SDM 9.2); wants a packet that has both. */
    void insertTag(int etherType, int tag) {
        if (length < ADDRESSES || start != TAG) {
            return;
        }
        System.arraycopy(buffer, start, buffer, 0, ADDRESSES);
        start = 0;
        length += TAG;
        BigEndian.putShort(buffer, ADDRESSES, etherType);
        BigEndian.putShort(buffer, ADDRESSES + 2, tag);
    }

    void pad() {
        if (length < MIN_LENGTH) {
            Arrays.fill(buffer, start + length, start + MIN_LENGTH, (byte) 0);
            length = MIN_LENGTH;
        }
    }
}
