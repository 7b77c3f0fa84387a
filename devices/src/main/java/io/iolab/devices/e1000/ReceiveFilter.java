package io.iolab.devices.e1000;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.BigEndian;
import io.iolab.devices.register.RegisterFile;

/**
 * Which frames are for us: VLAN filter, then address filters in the order of 82540 SDM 3.2.1: broadcast, promiscuous modes,
 * exact addresses, multicast hash.
 */
final class ReceiveFilter {
    /** What let a frame pass. */
    enum Match {
        NONE,
        /** An address compared in full, a broadcast, or a promiscuous mode. */
        EXACT,
        /** Only the hash: software must look again. */
        HASH_ONLY
    }

    private static final int ENTRIES = 16;
    private static final long ADDRESS = 0xFFFF_FFFF_FFFFL;
    private static final int BY_SOURCE = 1;
    private static final int CFI = 1 << 12;

    private final RegisterFile registers;
    private final long[] exact = new long[ENTRIES];
    private int destinations;
    private int sources;
    private final long[] exactSource = new long[ENTRIES];

    ReceiveFilter(RegisterFile registers) {
        this.registers = registers;
        for (int i = 0; i < ENTRIES; i++) {
            registers.onWrite(E1000Registers.RAL + 8 * i, (written, previous) -> rebuild());
            registers.onWrite(E1000Registers.RAH + 8 * i, (written, previous) -> rebuild());
        }
    }

    /** Gathers the valid entries, so that a frame is compared with no more than it must. */
    void rebuild() {
        destinations = 0;
        sources = 0;
        for (int i = 0; i < ENTRIES; i++) {
            int high = registers.get(E1000Registers.RAH + 8 * i);
            if ((high & E1000Registers.RAH_AV) == 0) {
                continue;
            }
            long address = registers.get(E1000Registers.RAL + 8 * i) & 0xFFFF_FFFFL | (high & 0xFFFFL) << 32;
            int select = high >>> E1000Registers.RAH_AS_SHIFT & 3;
            if (select == 0) {
                exact[destinations++] = address;
            } else if (select == BY_SOURCE) {
                exactSource[sources++] = address;
            }
        }
    }

    /** @param frame at least 14 bytes */
    Match match(byte[] frame, int offset, int rctl) {
        if ((rctl & E1000Registers.RCTL_VFE) != 0 && !vlanPasses(frame, offset, rctl)) {
            return Match.NONE;
        }
        long destination = LittleEndian.getLong(frame, offset) & ADDRESS;
        boolean group = (frame[offset] & 1) != 0;
        int promiscuous = destination == ADDRESS
                ? E1000Registers.RCTL_BAM
                : group ? E1000Registers.RCTL_MPE : E1000Registers.RCTL_UPE;
        if ((rctl & promiscuous) != 0 || matchesExactly(frame, offset, destination)) {
            return Match.EXACT;
        }
        return group && hashPasses(frame, offset, rctl) ? Match.HASH_ONLY : Match.NONE;
    }

    /** Whether a valid entry of RA names the frame, whatever modes RCTL sets. */
    boolean matchesExactly(byte[] frame, int offset) {
        return matchesExactly(frame, offset, LittleEndian.getLong(frame, offset) & ADDRESS);
    }

    private boolean matchesExactly(byte[] frame, int offset, long destination) {
        for (int i = 0; i < destinations; i++) {
            if (exact[i] == destination) {
                return true;
            }
        }
        if (sources > 0) {
            long source = LittleEndian.getLong(frame, offset + 6) & ADDRESS;
            for (int i = 0; i < sources; i++) {
                if (exactSource[i] == source) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Twelve of the last sixteen address bits choose a bit of MTA (82540 SDM 13.5). */
    private boolean hashPasses(byte[] frame, int offset, int rctl) {
        int tail = frame[offset + 4] & 0xFF | (frame[offset + 5] & 0xFF) << 8;
        int selection = rctl >>> E1000Registers.RCTL_MO_SHIFT & 3;
        // Selection 3 leaves a gap of one: bits 43:32, not 44:33.
        int hash = tail >>> (selection == 3 ? 0 : 4 - selection) & 0xFFF;
        return (registers.get(E1000Registers.MTA + (hash >>> 5 << 2)) & 1 << (hash & 31)) != 0;
    }

    private boolean vlanPasses(byte[] frame, int offset, int rctl) {
        if (BigEndian.getShort(frame, offset + 12) != registers.get(E1000Registers.VET)) {
            return true;
        }
        int tag = BigEndian.getShort(frame, offset + 14);
        boolean canonical = (tag & CFI) != 0;
        if ((rctl & E1000Registers.RCTL_CFIEN) != 0 && canonical != ((rctl & E1000Registers.RCTL_CFI) != 0)) {
            return false;
        }
        int vid = tag & 0xFFF;
        return (registers.get(E1000Registers.VFTA + (vid >>> 5 << 2)) & 1 << (vid & 31)) != 0;
    }
}
