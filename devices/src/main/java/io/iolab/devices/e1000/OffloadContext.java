package io.iolab.devices.e1000;

/**
 * What a context descriptor told: where checksums and headers lie (82540 SDM 3.3.6). Two are kept, one for plain packets and
 * one for segmentation; the TSE bit chooses in both kinds of descriptor.
 */
final class OffloadContext {
    private static final int TCP = 1;
    private static final int IPV4 = 1 << 1;

    int ipStart;
    int ipOffset;
    int ipEnd;
    int transportStart;
    int transportOffset;
    int transportEnd;
    /** Payload of the whole packet, without header: 20 bits. */
    int payload;

    int headerLength;
    int segmentSize;
    private int command;

    /** Loads the 16 bytes of a context descriptor. */
    void load(long low, long high) {
        ipStart = (int) low & 0xFF;
        ipOffset = (int) (low >>> 8) & 0xFF;
        ipEnd = (int) (low >>> 16) & 0xFFFF;
        transportStart = (int) (low >>> 32) & 0xFF;
        transportOffset = (int) (low >>> 40) & 0xFF;
        transportEnd = (int) (low >>> 48) & 0xFFFF;
        payload = (int) high & 0xF_FFFF;
        command = (int) (high >>> 24) & 0xFF;
        headerLength = (int) (high >>> 40) & 0xFF;
        segmentSize = (int) (high >>> 48) & 0xFFFF;
    }

    /** Inserts the checksums that {@code options} ask for. */
    void insertChecksums(OutgoingPacket packet, int options) {
        if ((options & TransmitDescriptor.POPTS_TXSM) != 0) {
            packet.insertChecksum(transportStart, transportOffset, transportEnd);
        }
        if ((options & TransmitDescriptor.POPTS_IXSM) != 0) {
            packet.insertChecksum(ipStart, ipOffset, ipEnd);
        }
    }

    boolean isTcp() {
        return (command & TCP) != 0;
    }

    boolean isIpv4() {
        return (command & IPV4) != 0;
    }
}
