package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.net.MacAddress;
import io.iolab.devices.register.RegisterFile;

/**
 * The 24 exact station addresses with the pools that each belongs to, and the hash tables for multicast and unicast addresses (82576
 * datasheet 8.10.20 to 8.10.22). Kept decoded: a frame is compared with numbers.
 */
final class AddressFilter {
    static final int ENTRIES = 24;

    private static final int FIRST_BLOCK = 16;
    private static final long NO_ADDRESS = -1;
    private static final int POOL_MASK = 0xFF;

    private final RegisterFile registers;
    private final long[] addresses = new long[ENTRIES];
    private final int[] pools = new int[ENTRIES];

    AddressFilter(RegisterFile registers) {
        this.registers = registers;
        for (int i = 0; i < ENTRIES; i++) {
            int entry = i;
            registers.onWrite(ral(i), (written, previous) -> load(entry));
            registers.onWrite(ral(i) + 4, (written, previous) -> load(entry));
        }
    }

    static int ral(int entry) {
        return entry < FIRST_BLOCK ? RAL + 8 * entry : RAL_HIGH + 8 * (entry - FIRST_BLOCK);
    }

    /** Reads all entries again, after registers changed without a write. */
    void load() {
        for (int i = 0; i < ENTRIES; i++) {
            load(i);
        }
    }

    private void load(int entry) {
        int low = registers.get(ral(entry));
        int high = registers.get(ral(entry) + 4);
        boolean valid = (high & RAH_AV) != 0;
        // RAL and RAH hold the address little-endian; the number that a frame gives has the first byte on top.
        long bits = (long) Integer.reverseBytes(low) << 16 & 0xFFFF_FFFF_0000L;
        addresses[entry] = valid ? bits | Short.reverseBytes((short) high) & 0xFFFFL : NO_ADDRESS;
        pools[entry] = high >>> RAH_POOL_SHIFT & POOL_MASK;
    }

    /** Whether some valid entry holds the address. */
    boolean holds(long mac) {
        for (int i = 0; i < ENTRIES; i++) {
            if (addresses[i] == mac) {
                return true;
            }
        }
        return false;
    }

    /** The union of the pools of all entries that hold the address. */
    int pools(long mac) {
        int found = 0;
        for (int i = 0; i < ENTRIES; i++) {
            if (addresses[i] == mac) {
                found |= pools[i];
            }
        }
        return found;
    }

    /** Whether MTA (of a group address) or UTA has the bit that the address hashes to; RCTL.MO chooses the twelve address bits. */
    boolean hashed(long mac) {
        int selection = registers.get(RCTL) >>> RCTL_MO_SHIFT & 3;
        int tail = Short.reverseBytes((short) mac) & 0xFFFF;
        // Selection 3 leaves a gap of one: bits 43:32, not 44:33.
        int hash = tail >>> (selection == 3 ? 0 : 4 - selection) & 0xFFF;
        int table = MacAddress.isMulticast(mac) ? MTA : UTA;
        return (registers.get(table + 4 * (hash >>> 5)) >>> (hash & 31) & 1) != 0;
    }
}
