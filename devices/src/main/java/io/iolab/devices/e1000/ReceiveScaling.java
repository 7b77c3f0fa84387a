package io.iolab.devices.e1000;

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

    private static final int KEY_BYTES = 40;
    /** Both IPv6 addresses and both ports. */
    private static final int INPUT_BYTES = 36;

    private static final int ENABLE_MASK = 3;
    private static final int ENABLE_TWO_QUEUES = 1;
    private static final int WITH_TCP_IPV4 = 1 << 16;
    private static final int WITH_IPV4 = 1 << 17;
    /** Sources name two bits for TCP over IPv6; either will do. */
    private static final int WITH_TCP_IPV6 = 1 << 18 | 1 << 21;

    private static final int WITH_IPV6_EX = 1 << 19;
    private static final int WITH_IPV6 = 1 << 20;

    private final RegisterFile registers;
    /** For each input byte position and value, what it adds to the hash. */
    private int[] table = new int[0];

    private boolean stale = true;
    private int type;
    private int hash;

    ReceiveScaling(RegisterFile registers, E1000Model model) {
        this.registers = registers;
        for (int i = 0; model == E1000Model.I82574L && i < KEY_BYTES / 4; i++) {
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
            buildTable();
        }
        hash = add(frame.bytes(), frame.addresses(), frame.addressesLength(), 0);
        if (type == TCP_IPV4 || type == TCP_IPV6) {
            hash ^= add(frame.bytes(), frame.ports(), 4, frame.addressesLength());
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

    private int add(byte[] bytes, int offset, int length, int position) {
        int sum = 0;
        for (int i = 0; i < length; i++) {
            sum ^= table[256 * (position + i) + (bytes[offset + i] & 0xFF)];
        }
        return sum;
    }

    /** Each set input bit adds the 32 key bits that start at its position. */
    private void buildTable() {
        if (table.length == 0) {
            table = new int[INPUT_BYTES * 256];
        }
        for (int i = 0; i < INPUT_BYTES; i++) {
            long window = 0;
            for (int k = 0; k < 5; k++) {
                window = window << 8 | keyByte(i + k);
            }
            for (int value = 0; value < 256; value++) {
                int sum = 0;
                for (int bit = 0; bit < 8; bit++) {
                    sum ^= (value & 0x80 >>> bit) != 0 ? (int) (window >>> 8 - bit) : 0;
                }
                table[256 * i + value] = sum;
            }
        }
        stale = false;
    }

    private int keyByte(int index) {
        return index < KEY_BYTES ? registers.get(E1000Registers.RSSRK + (index & ~3)) >>> 8 * (index & 3) & 0xFF : 0;
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
