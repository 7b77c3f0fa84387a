package io.iolab.devices.e1000;

/**
 * Fields of transmit descriptors: legacy (82540 SDM 3.3.3), context and data (3.3.6, 3.3.7). {@code high} is the second
 * quadword; the first one is the buffer's address, except in a context.
 */
final class TransmitDescriptor {
    static final int CMD_EOP = 1;
    /** Insert checksum, in a legacy descriptor. */
    static final int CMD_IC = 1 << 2;
    /** Segmentation, in the other two. */
    static final int CMD_TSE = 1 << 2;

    static final int CMD_RS = 1 << 3;
    static final int CMD_DEXT = 1 << 5;
    static final int CMD_VLE = 1 << 6;
    static final int CMD_IDE = 1 << 7;

    static final int TYPE_CONTEXT = 0;
    static final int TYPE_DATA = 1;

    static final int POPTS_IXSM = 1;
    static final int POPTS_TXSM = 2;

    /** Extended command of a data descriptor: time stamp (82574 datasheet 7.2). */
    private static final long EXTCMD_TSTAMP = 1L << 36;

    /** Where the status byte is. */
    static final int STA_OFFSET = 12;

    static final byte STA_DD = 1;

    private TransmitDescriptor() {}

    static int command(long high) {
        return (int) (high >>> 24) & 0xFF;
    }

    /** DTYP, if DEXT is set. */
    static int type(long high) {
        return (int) (high >>> 20) & 0xF;
    }

    static int legacyLength(long high) {
        return (int) high & 0xFFFF;
    }

    static int dataLength(long high) {
        return (int) high & 0xF_FFFF;
    }

    /** CSS of a legacy descriptor. */
    static int checksumStart(long high) {
        return (int) (high >>> 40) & 0xFF;
    }

    /** CSO of a legacy descriptor. */
    static int checksumOffset(long high) {
        return (int) (high >>> 16) & 0xFF;
    }

    /** POPTS of a data descriptor. */
    static int options(long high) {
        return (int) (high >>> 40) & 3;
    }

    /** Whether a data descriptor asks for a time stamp. */
    static boolean wantsStamp(long high) {
        return (high & EXTCMD_TSTAMP) != 0;
    }

    /** The VLAN tag. */
    static int special(long high) {
        return (int) (high >>> 48) & 0xFFFF;
    }
}
