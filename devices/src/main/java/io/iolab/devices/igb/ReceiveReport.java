package io.iolab.devices.igb;

/** What is written back about a received frame (82576 datasheet 7.1.5.2). One object is reused. */
final class ReceiveReport {
    static final int DD = 1;
    static final int EOP = 1 << 1;
    static final int VP = 1 << 3;
    static final int UDPCS = 1 << 4;
    static final int L4CS = 1 << 5;
    static final int IPCS = 1 << 6;
    static final int PIF = 1 << 7;
    static final int LB = 1 << 18;
    static final int ERROR_L4E = 1 << 29;
    static final int ERROR_IPE = 1 << 30;

    static final int PACKET_IPV4 = 1 << 4;
    static final int PACKET_IPV6 = 1 << 6;
    static final int PACKET_TCP = 1 << 8;
    static final int PACKET_UDP = 1 << 9;

    /** RSS type and packet type; where a queue splits, header length and SPH are added. */
    int type;

    /** RSS hash, or packet checksum above IP identification. */
    int hashOrChecksum;

    /** Status 19:0 and errors 31:20, without DD and EOP. */
    int status;

    int tag;
    /** Bytes of all headers, 0 if there is nothing to split. */
    int headerLength;

    void clear() {
        type = 0;
        hashOrChecksum = 0;
        status = 0;
        tag = 0;
        headerLength = 0;
    }
}
