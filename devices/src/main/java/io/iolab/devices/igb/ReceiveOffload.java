package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.InternetChecksum;
import io.iolab.devices.net.Ipv4;
import io.iolab.devices.net.PacketHeaders;
import io.iolab.devices.net.Toeplitz;
import io.iolab.devices.register.RegisterFile;

/**
 * What the receiver finds out about a frame, once for all its copies: packet type, checksums, RSS hash (82576 datasheet 7.1.1.7, 7.1.2
 * and 7.1.5).
 */
final class ReceiveOffload {
    private static final int IPV6_HEADER = 40;
    private static final int TYPE_TCP_IPV4 = 1;
    private static final int TYPE_IPV4 = 2;
    private static final int TYPE_TCP_IPV6 = 3;
    private static final int TYPE_IPV6 = 5;
    private static final int TYPE_UDP_IPV4 = 7;
    private static final int TYPE_UDP_IPV6 = 8;
    private static final int WITH_TCP_IPV4 = 1 << 16;
    private static final int WITH_IPV4 = 1 << 17;
    /** Sources name two bits for TCP over IPv6, and two for IPv6; any will do. */
    private static final int WITH_TCP_IPV6 = 1 << 18 | 1 << 21;

    private static final int WITH_IPV6 = 1 << 19 | 1 << 20;
    private static final int WITH_UDP_IPV4 = 1 << 22;
    private static final int WITH_UDP_IPV6 = 1 << 23;

    private final RegisterFile registers;
    private final PacketHeaders headers = new PacketHeaders();
    private final Toeplitz toeplitz = new Toeplitz();
    private boolean keyStale = true;
    private boolean tagged;
    private int tag;
    private int hashType;
    private int hash;
    private int status;

    ReceiveOffload(RegisterFile registers) {
        this.registers = registers;
        for (int i = 0; i < Toeplitz.KEY_BYTES / 4; i++) {
            registers.onWrite(RSSRK + 4 * i, (written, previous) -> keyStale = true);
        }
    }

    void reset() {
        keyStale = true;
    }

    void examine(byte[] frame, int at, int length) {
        headers.parse(frame, at, length);
        tagged = length >= EthernetFrame.HEADER_BYTES + EthernetFrame.TAG_BYTES
                && EthernetFrame.outerType(frame, at) == (registers.get(VET) & 0xFFFF);
        tag = tagged ? EthernetFrame.tagControl(frame, at) : 0;
        classify(frame, at);
        status = checksums(frame, at, length);
    }

    boolean tagged() {
        return tagged;
    }

    /** What the redirection table says for the hash: a queue number, 0 for a frame without one. */
    int redirection() {
        if (hashType == 0) {
            return 0;
        }
        int entry = hash & 0x7F;
        return registers.get(RETA + (entry & ~3)) >>> 8 * (entry & 3) & 0xF;
    }

    private void classify(byte[] frame, int at) {
        hashType = 0;
        hash = 0;
        int mode = registers.get(MRQC) & MRQC_ENABLE;
        if (mode != MRQC_RSS && mode != MRQC_VMDQ_RSS) {
            return;
        }
        hashType = hashType(registers.get(MRQC));
        if (hashType == 0) {
            return;
        }
        if (keyStale) {
            for (int i = 0; i < Toeplitz.KEY_BYTES; i += 4) {
                toeplitz.keyWord(i, registers.get(RSSRK + i));
            }
            keyStale = false;
        }
        hash = toeplitz.share(frame, at + headers.addresses(), headers.addressesLength(), 0);
        if (hashType != TYPE_IPV4 && hashType != TYPE_IPV6) {
            hash ^= toeplitz.share(frame, at + headers.transport(), 4, headers.addressesLength());
        }
    }

    private int hashType(int enabled) {
        boolean four = headers.ipVersion() == 4;
        if (!four && headers.ipVersion() != 6) {
            return 0;
        }
        if (headers.isTcp() && (enabled & (four ? WITH_TCP_IPV4 : WITH_TCP_IPV6)) != 0) {
            return four ? TYPE_TCP_IPV4 : TYPE_TCP_IPV6;
        }
        if (headers.isUdp() && (enabled & (four ? WITH_UDP_IPV4 : WITH_UDP_IPV6)) != 0) {
            return four ? TYPE_UDP_IPV4 : TYPE_UDP_IPV6;
        }
        if ((enabled & (four ? WITH_IPV4 : WITH_IPV6)) == 0) {
            return 0;
        }
        return four ? TYPE_IPV4 : TYPE_IPV6;
    }

    private int checksums(byte[] frame, int at, int length) {
        int found = 0;
        int rxcsum = registers.get(RXCSUM);
        if (headers.ipVersion() == 4 && (rxcsum & RXCSUM_IPOFL) != 0) {
            int header = Ipv4.headerLength(frame, at + headers.ip());
            boolean good = InternetChecksum.isValid(InternetChecksum.add(0, frame, at + headers.ip(), header));
            found |= ReceiveReport.IPCS | (good ? 0 : ReceiveReport.ERROR_IPE);
        }
        boolean transport = headers.isTcp() || headers.isUdp();
        if (transport && (rxcsum & RXCSUM_TUOFL) != 0 && !unchecked(frame, at)) {
            found |= ReceiveReport.L4CS | (headers.isUdp() ? ReceiveReport.UDPCS : 0);
            found |= headers.checksumVerified(frame, at, length) ? 0 : ReceiveReport.ERROR_L4E;
        }
        return found;
    }

    /** A datagram whose sender computed no checksum (RFC 768). */
    private boolean unchecked(byte[] frame, int at) {
        return headers.isUdp() && BigEndian.getShort(frame, at + headers.checksumField()) == 0;
    }

    /**
     * Fills in the report for one copy.
     *
     * @param bytes the frame as software will see it, for the packet checksum
     * @param marks status bits that the way here has set
     */
    void report(ReceiveReport report, byte[] bytes, int at, int length, boolean stripped, int marks) {
        report.clear();
        report.type = hashType | packetType();
        report.status = status | marks | (stripped ? ReceiveReport.VP : 0);
        report.tag = stripped ? tag : 0;
        report.headerLength = Math.max(0, headerLength() - (stripped ? EthernetFrame.TAG_BYTES : 0));
        int rxcsum = registers.get(RXCSUM);
        if ((rxcsum & RXCSUM_PCSD) != 0) {
            report.hashOrChecksum = hash;
            return;
        }
        int from = rxcsum & RXCSUM_PCSS;
        int sum = from < length ? InternetChecksum.fold(InternetChecksum.add(0, bytes, at + from, length - from)) : 0;
        int ip = headers.ip() - (stripped ? EthernetFrame.TAG_BYTES : 0);
        int identification = headers.ipVersion() == 4 ? BigEndian.getShort(bytes, at + ip + Ipv4.IDENTIFICATION) : 0;
        report.hashOrChecksum = sum << 16 | identification;
    }

    private int packetType() {
        int type = switch (headers.ipVersion()) {
            case 4 -> ReceiveReport.PACKET_IPV4;
            case 6 -> ReceiveReport.PACKET_IPV6;
            default -> 0;
        };
        return type
                | (headers.isTcp() ? ReceiveReport.PACKET_TCP : 0)
                | (headers.isUdp() ? ReceiveReport.PACKET_UDP : 0);
    }

    private int headerLength() {
        if (headers.isTcp() || headers.isUdp()) {
            return headers.payload();
        }
        return headers.ipVersion() == 6 ? headers.ip() + IPV6_HEADER : 0;
    }
}
