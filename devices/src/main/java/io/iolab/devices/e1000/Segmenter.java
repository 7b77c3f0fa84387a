package io.iolab.devices.e1000;

import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.InternetChecksum;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * TCP segmentation (82540 SDM 3.5.1 to 3.5.7): one header, then payload that leaves in segments of MSS bytes, each behind a
 * copy of the header with its lengths, identification, sequence number, flags and checksums set right.
 */
final class Segmenter {
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final int FIN_AND_PSH = 0x09;
    private static final int IPV6_HEADER = 40;

    /** The 82540's manual counts the IPv6 header itself into Payload Length; later parts follow RFC 8200. */
    private final boolean ipv6HeaderCounts;

    private final OutgoingPacket packet;
    private final OffloadContext context;
    private final byte[] header = new byte[256];
    private boolean headerSaved;
    private int segment;
    private int sent;

    Segmenter(E1000Model model, OutgoingPacket packet, OffloadContext context) {
        this.ipv6HeaderCounts = model == E1000Model.I82540EM;
        this.packet = packet;
        this.context = context;
    }

    void begin() {
        headerSaved = false;
        segment = 0;
        sent = 0;
    }

    /** Whether the context describes something that can be cut: a header, a segment size, and both fit a packet. */
    boolean contextUsable() {
        return context.segmentSize > 0
                && context.headerLength >= OutgoingPacket.HEADER_LENGTH
                && context.headerLength + context.segmentSize <= OutgoingPacket.MAX_LENGTH - 4;
    }

    private int payloadHeld() {
        return packet.length() - context.headerLength;
    }

    /** How many bytes to fetch before something must be sent; 0 once PAYLEN bytes were taken: the rest is ignored. */
    int room() {
        int missing = context.headerLength - packet.length();
        if (missing > 0) {
            return missing;
        }
        return Math.min(context.segmentSize - payloadHeld(), context.payload - sent - payloadHeld());
    }

    /** Notes fetched bytes: keeps the header when it is complete. */
    void fetched() {
        if (!headerSaved && packet.length() >= context.headerLength) {
            System.arraycopy(packet.buffer(), packet.start(), header, 0, context.headerLength);
            headerSaved = true;
        }
    }

    boolean headerComplete() {
        return headerSaved;
    }

    /** Whether a segment is ready to go: full, or all payload there is. */
    boolean segmentComplete(boolean endOfPacket) {
        if (!headerSaved) {
            return false;
        }
        int held = payloadHeld();
        return held == context.segmentSize || held > 0 && (endOfPacket || sent + held == context.payload);
    }

    /** Sets the fields of this segment's headers and its checksums. */
    void seal(boolean endOfPacket, boolean ipChecksum, boolean transportChecksum) {
        int held = payloadHeld();
        boolean last = endOfPacket || sent + held == context.payload;
        byte[] bytes = packet.buffer();
        int base = packet.start();
        int length = packet.length();
        setIpFields(bytes, base, length);
        int transport = base + context.transportStart;
        if (context.isTcp()) {
            if (context.transportStart + 14 <= context.headerLength) {
                INT.set(bytes, transport + 4, (int) INT.get(bytes, transport + 4) + sent);
                bytes[transport + 13] &= (byte) (last ? 0xFF : ~FIN_AND_PSH);
            }
        } else if (context.transportStart + 6 <= context.headerLength) {
            BigEndian.putShort(bytes, transport + 4, length - context.transportStart);
        }
        if (transportChecksum) {
            addTransportLength(bytes, base, length);
            packet.insertChecksum(context.transportStart, context.transportOffset, context.transportEnd);
        }
        if (ipChecksum) {
            packet.insertChecksum(context.ipStart, context.ipOffset, context.ipEnd);
        }
    }

    private void setIpFields(byte[] bytes, int base, int length) {
        int ip = base + context.ipStart;
        if (context.ipStart + 6 > context.headerLength) {
            return;
        }
        int total = length - context.ipStart;
        if (context.isIpv4()) {
            BigEndian.putShort(bytes, ip + 2, total);
            BigEndian.putShort(bytes, ip + 4, BigEndian.getShort(bytes, ip + 4) + segment);
        } else {
            BigEndian.putShort(bytes, ip + 4, ipv6HeaderCounts ? total : total - IPV6_HEADER);
        }
    }

    /** Software leaves the length out of the pseudo header's sum, since it differs from segment to segment. */
    private void addTransportLength(byte[] bytes, int base, int length) {
        if (context.transportOffset + 1 >= length) {
            return;
        }
        int field = base + context.transportOffset;
        int sum = BigEndian.getShort(bytes, field) + (length - context.transportStart & 0xFFFF);
        BigEndian.putShort(bytes, field, InternetChecksum.fold(sum));
    }

    /** After a segment left: the next one starts with the saved header. */
    void next(int payloadSent) {
        sent += payloadSent;
        segment++;
        packet.length(context.headerLength);
        System.arraycopy(header, 0, packet.buffer(), packet.start(), context.headerLength);
    }

    int payloadOfSegment() {
        return payloadHeld();
    }

    /** Whether every byte that PAYLEN promised was sent. */
    boolean allSent() {
        return sent == context.payload;
    }
}
