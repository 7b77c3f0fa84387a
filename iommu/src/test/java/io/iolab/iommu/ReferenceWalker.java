package io.iolab.iommu;

import io.iolab.devices.memory.Memory;
import java.util.ArrayList;
import java.util.List;

/**
 * Legacy translation written for reading, not for speed: the steps of the specification one after the other, with byte-wise
 * fetches and bit strings taken apart by position. It shares no code with the unit (VT-d 3.4, 3.7, 7, 9).
 */
final class ReferenceWalker {
    /** @param levels of SAGAW that exist, e.g. 3 and 4 */
    record Unit(
            List<Integer> levels,
            int guestBits,
            int hostBits,
            int domainBits,
            boolean twoMiB,
            boolean oneGiB,
            boolean passThrough) {}

    /** @param code 0, or the fault reason */
    record Outcome(int code, long hpa) {}

    private final Memory memory;
    private final Unit unit;

    ReferenceWalker(Memory memory, Unit unit) {
        this.memory = memory;
        this.unit = unit;
    }

    private static Outcome fault(int code) {
        return new Outcome(code, -1);
    }

    private boolean exists(long hpa, int bytes) {
        return memory.contains(hpa, bytes);
    }

    private long fetch(long hpa) {
        long value = 0;
        for (int i = 7; i >= 0; i--) {
            value = value << 8 | memory.readByte(hpa + i) & 0xFF;
        }
        return value;
    }

    /** Bits high..low of a word. */
    private static long bits(long word, int high, int low) {
        return high - low == 63 ? word : word >>> low & (1L << high - low + 1) - 1;
    }

    private long address(long word) {
        return bits(word, unit.hostBits - 1, 12) * 4096;
    }

    Outcome translate(long root, int rid, long iova, boolean write) {
        long rootEntry = root + (rid >> 8) * 16L;
        if (!exists(rootEntry, 16)) {
            return fault(8);
        }
        long low = fetch(rootEntry);
        if (bits(low, 0, 0) == 0) {
            return fault(1);
        }
        if (bits(low, 11, 1) != 0 || bits(low, 63, unit.hostBits) != 0 || fetch(rootEntry + 8) != 0) {
            return fault(0xA);
        }
        long contextEntry = address(low) + (rid & 255) * 16L;
        if (!exists(contextEntry, 16)) {
            return fault(9);
        }
        return context(fetch(contextEntry), fetch(contextEntry + 8), iova, write);
    }

    private Outcome context(long low, long high, long iova, boolean write) {
        if (bits(low, 0, 0) == 0) {
            return fault(2);
        }
        if (bits(low, 11, 4) != 0
                || bits(low, 63, unit.hostBits) != 0
                || bits(high, 7, 7) != 0
                || bits(high, 63, 24) != 0
                || bits(high, 23, 8) >> unit.domainBits != 0) {
            return fault(0xB);
        }
        int type = (int) bits(low, 3, 2);
        int levels = (int) bits(high, 2, 0) + 2;
        if (type == 3 || type == 1 || type == 2 && !unit.passThrough || !unit.levels.contains(levels)) {
            return fault(3);
        }
        int width = type == 2 ? unit.guestBits : Math.min(unit.guestBits, 12 + 9 * levels);
        if (Long.compareUnsigned(iova, 1L << width) >= 0) {
            return fault(4);
        }
        return type == 2 ? new Outcome(0, iova) : table(address(low), levels, levels, iova, write);
    }

    private Outcome table(long table, int level, int top, long iova, boolean write) {
        int low = 12 + 9 * (level - 1);
        long entryHpa = table + 8 * bits(iova, low + 8, low);
        if (!exists(entryHpa, 8)) {
            return fault(level == top ? 3 : 7);
        }
        long entry = fetch(entryHpa);
        if (bits(entry, write ? 1 : 0, write ? 1 : 0) == 0) {
            return fault(write ? 5 : 6);
        }
        boolean large = level > 1 && bits(entry, 7, 7) == 1;
        if (reserved(entry, level, large, low)) {
            return fault(0xC);
        }
        if (level > 1 && !large) {
            return table(bits(entry, 51, 12) * 4096, level - 1, top, iova, write);
        }
        long hpa = bits(entry, 51, 12) * 4096 + bits(iova, low - 1, 0);
        return hpa >= 0xFEE0_0000L && hpa <= 0xFEEF_FFFFL ? fault(0xE) : new Outcome(0, hpa);
    }

    private boolean reserved(long entry, int level, boolean large, int pageBits) {
        List<Boolean> wrong = new ArrayList<>();
        wrong.add(bits(entry, 11, 11) != 0);
        wrong.add(bits(entry, 62, 62) != 0);
        wrong.add(unit.hostBits < 52 && bits(entry, 51, unit.hostBits) != 0);
        wrong.add(large && level >= 4);
        wrong.add(large && level == 3 && !unit.oneGiB);
        wrong.add(large && level == 2 && !unit.twoMiB);
        wrong.add(large && level <= 3 && bits(entry, pageBits - 1, 12) != 0);
        return wrong.contains(true);
    }
}
