package io.iolab.devices.e1000;

import io.iolab.devices.net.Toeplitz;
import io.iolab.devices.register.RegisterFile;

/**
 * Receive side scaling of the 82574 (82574 datasheet 7.1): a Toeplitz hash over addresses and TCP ports, whose low seven bits
 * choose an entry of RETA, and that one's top bit the queue. It works only with MRQC enabled, RXCSUM.PCSD set and extended
 * descriptors, which is where the hash is reported.
 */
final class ReceiveScaling {
    /** Types as reported in the descriptor. */
    static final int NONE = 0;

    private static final int TCP_IPV4 = 1;
    private static final int IPV4 = 2;
    private static final int TCP_IPV6 = 3;
    private static final int IPV6_EX = 4;
    private static final int IPV6 = 5;

    private static final int ENABLE_MASK = 3;
    private static final int ENABLE_TWO_QUEUES = 1;
    private static final int WITH_TCP_IPV4 = 1 << 16;
    private static final int WITH_IPV4 = 1 << 17;
    /** Sources name two bits for TCP over IPv6; either will do. */
    private static final int WITH_TCP_IPV6 = 1 << 18 | 1 << 21;

    private static final int WITH_IPV6_EX = 1 << 19;
    private static final int WITH_IPV6 = 1 << 20;

    private final RegisterFile registers;
    private final Toeplitz toeplitz = new Toeplitz();
    private boolean stale = true;
    private int type;
    private int hash;

    ReceiveScaling(RegisterFile registers, E1000Model model) {
        this.registers = registers;
        for (int i = 0; model == E1000Model.I82574L && i < Toeplitz.KEY_BYTES / 4; i++) {
            registers.onWrite(E1000Registers.RSSRK + 4 * i, (written, previous) -> stale = true);
        }
    }

    void reset() {
        stale = true;
    }

    boolean enabled() {
        return (registers.get(E1000Registers.MRQC) & ENABLE_MASK) == ENABLE_TWO_QUEUES
                && (registers.get(E1000Registers.RXCSUM) & E1000Registers.RXCSUM_PCSD) != 0
                && (registers.get(E1000Registers.RFCTL) & E1000Registers.RFCTL_EXSTEN) != 0;
    }

    /** Hashes a parsed frame, if its kind is to be hashed. */
    void classify(FrameParser frame) {
        type = chooseType(frame, registers.get(E1000Registers.MRQC));
        hash = 0;
        if (type == NONE) {
            return;
        }
        if (stale) {
            takeKey();
        }
        hash = toeplitz.share(frame.bytes(), frame.addresses(), frame.addressesLength(), 0);
        if (type == TCP_IPV4 || type == TCP_IPV6) {
            hash ^= toeplitz.share(frame.bytes(), frame.ports(), 4, frame.addressesLength());
        }
    }

    private static int chooseType(FrameParser frame, int mrqc) {
        if (frame.ipVersion() == 4) {
            if (frame.isTcp() && (mrqc & WITH_TCP_IPV4) != 0) {
                return TCP_IPV4;
            }
            return (mrqc & WITH_IPV4) != 0 ? IPV4 : NONE;
        }
        if (frame.ipVersion() == 6) {
            if (frame.isTcp() && (mrqc & WITH_TCP_IPV6) != 0) {
                return TCP_IPV6;
            }
            return (mrqc & WITH_IPV6) != 0 ? IPV6 : (mrqc & WITH_IPV6_EX) != 0 ? IPV6_EX : NONE;
        }
        return NONE;
    }

    private void takeKey() {
        for (int i = 0; i < Toeplitz.KEY_BYTES; i += 4) {
            toeplitz.keyWord(i, registers.get(E1000Registers.RSSRK + i));
        }
        stale = false;
    }

    int type() {
        return type;
    }

    int hash() {
        return hash;
    }

    /** The queue that the redirection table names: bit 7 of the entry. */
    int queue() {
        if (type == NONE) {
            return 0;
        }
        int entry = hash & 0x7F;
        return registers.get(E1000Registers.RETA + (entry & ~3)) >>> 8 * (entry & 3) + 7 & 1;
    }
}
