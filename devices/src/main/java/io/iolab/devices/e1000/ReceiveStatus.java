package io.iolab.devices.e1000;

/**
 * What a receive descriptor will say about a frame. Status and error bits have the same order in the legacy layout (82540 SDM
 * 3.2.3) and, as far as both have them, in the extended one (82574 datasheet 7.1).
 */
final class ReceiveStatus {
    static final int DD = 1;
    static final int EOP = 1 << 1;
    static final int IXSM = 1 << 2;
    static final int VP = 1 << 3;
    static final int UDPCS = 1 << 4;
    static final int TCPCS = 1 << 5;
    static final int IPCS = 1 << 6;
    static final int PIF = 1 << 7;
    /** The frame has a time stamp (82574, extended layout). */
    static final int TST = 1 << 8;

    static final int IPIDV = 1 << 9;
    static final int ACK = 1 << 15;
    static final int PACKET_TYPE_SHIFT = 16;

    static final int ERROR_TCPE = 1 << 5;
    static final int ERROR_IPE = 1 << 6;
    static final int ERROR_RXE = 1 << 7;

    int status;
    int errors;
    int tag;
    /** First half of the write-back: RSS type and queue. */
    int multipleQueues;
    /** RSS hash, or IP identification and packet checksum. */
    int hashOrChecksum;

    int checksum;
    /** Where packet split cuts the frame; 0 for not at all. */
    int headerLength;

    void clear() {
        status = 0;
        errors = 0;
        tag = 0;
        multipleQueues = 0;
        hashOrChecksum = 0;
        checksum = 0;
        headerLength = 0;
    }
}
