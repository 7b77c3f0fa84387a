package io.iolab.devices.e1000;

import io.iolab.devices.register.RegisterFile;

/** Sizes that RCTL and the model set (82540 SDM 13.4, RCTL and PBA; 82574 datasheet 10.2). */
final class ReceiveLimits {
    private static final int LARGEST = 16384;
    private static final int FLXBUF_UNIT = 1024;

    private ReceiveLimits() {}

    /** Kilobytes of packet memory, for both directions. */
    static int packetMemory(E1000Model model) {
        return model == E1000Model.I82540EM ? 64 : 40;
    }

    /** Bytes in a receive buffer. The reserved code, BSEX with BSIZE 0, is taken for the largest size. */
    static int bufferSize(E1000Model model, int rctl) {
        int flexible = rctl >>> E1000Registers.RCTL_FLXBUF_SHIFT & 0xF;
        if (model == E1000Model.I82574L && flexible != 0) {
            return flexible * FLXBUF_UNIT;
        }
        int size = 2048 >> (rctl >>> E1000Registers.RCTL_BSIZE_SHIFT & 3);
        return (rctl & E1000Registers.RCTL_BSEX) != 0 ? Math.min(16 * size, LARGEST) : size;
    }

    /** Packet split needs extended descriptors; DTYP alone changes nothing. */
    static ReceiveQueue.Layout layout(E1000Model model, RegisterFile registers) {
        if (model == E1000Model.I82540EM || (registers.get(E1000Registers.RFCTL) & E1000Registers.RFCTL_EXSTEN) == 0) {
            return ReceiveQueue.Layout.LEGACY;
        }
        boolean split =
                (registers.get(E1000Registers.RCTL) & E1000Registers.RCTL_DTYP) == E1000Registers.RCTL_DTYP_SPLIT;
        return split ? ReceiveQueue.Layout.SPLIT : ReceiveQueue.Layout.EXTENDED;
    }
}
