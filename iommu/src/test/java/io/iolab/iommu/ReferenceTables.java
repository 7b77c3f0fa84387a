package io.iolab.iommu;

import io.iolab.devices.memory.Memory;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * Translation in every mode, written for reading and not for speed: the steps of the specification one after the other, bit strings
 * taken apart by position (VT-d 3.4 to 3.8, 7.1.3, 9). It shares no code with the unit.
 *
 * <p>Where a word has held several values, each is followed, and the outcome is a set: all that a unit may do whose caches hold any
 * of them.
 */
final class ReferenceTables {
    /** What a unit offers. Scalable mode has all kinds of tables, with NXE, execute and supervisor requests. */
    record Unit(
            List<Integer> levels,
            int guestBits,
            int hostBits,
            int domainBits,
            boolean twoMiB,
            boolean oneGiB,
            boolean snoopControl,
            boolean deviceTlb,
            boolean fiveFirstLevels) {}

    /** @param code 0, or the fault reason; @param hpa where, for code 0 */
    record Outcome(int code, long hpa) {}

    /** @param pasid -1 for none */
    record Request(int rid, int pasid, boolean execute, boolean supervisor, long iova, boolean write) {}

    /** Since when caches may hold values: of structures, of first-level tables, of second-level tables and leaves. */
    record Since(long structures, long first, long second, long secondLeaf, long nestedTables) {}

    /** Where a second-level walk ends. */
    private interface Found {
        void page(long hpa);
    }

    private final Memory memory;
    private final WordHistory history;
    private final Unit unit;
    private final Set<Outcome> outcomes = new LinkedHashSet<>();
    private final List<Long> touched = new ArrayList<>();
    private Request request = new Request(0, -1, false, false, 0, false);
    private Since since = new Since(0, 0, 0, 0, 0);
    private boolean scalable;

    ReferenceTables(Memory memory, WordHistory history, Unit unit) {
        this.memory = memory;
        this.history = history;
        this.unit = unit;
    }

    /** Words that the last translation read. */
    List<Long> touched() {
        return touched;
    }

    /** What the last translation may lead to. */
    Set<Outcome> last() {
        return outcomes;
    }

    Set<Outcome> translate(boolean scalableMode, long root, Request asked, Since times) {
        outcomes.clear();
        touched.clear();
        scalable = scalableMode;
        request = asked;
        since = times;
        if (scalable) {
            scalableRoot(root);
        } else if (asked.pasid >= 0) {
            fault(0x31);
        } else {
            legacyRoot(root);
        }
        return outcomes;
    }

    private void fault(int code) {
        outcomes.add(new Outcome(code, -1));
    }

    private boolean exists(long hpa, int bytes) {
        return memory.contains(hpa, bytes);
    }

    private void each(long hpa, long from, LongConsumer next) {
        touched.add(hpa);
        for (long value : history.values(hpa, from)) {
            next.accept(value);
        }
    }

    private void structure(long hpa, LongConsumer next) {
        each(hpa, since.structures, next);
    }

    /** Bits high..low of a word. */
    private static long bits(long word, int high, int low) {
        return high - low == 63 ? word : word >>> low & (1L << high - low + 1) - 1;
    }

    private long page(long word) {
        return bits(word, unit.hostBits - 1, 12) * 4096;
    }

    private boolean beyondHost(long word) {
        return bits(word, 63, unit.hostBits) != 0;
    }

    // ---- legacy: 9.1, 9.3

    private void legacyRoot(long root) {
        long at = root + (request.rid >> 8) * 16L;
        if (!exists(at, 16)) {
            fault(8);
            return;
        }
        structure(
                at,
                low -> structure(at + 8, high -> {
                    if (bits(low, 0, 0) == 0) {
                        fault(1);
                    } else if (bits(low, 11, 1) != 0 || beyondHost(low) || high != 0) {
                        fault(0xA);
                    } else {
                        legacyContext(page(low) + (request.rid & 255) * 16L);
                    }
                }));
    }

    private void legacyContext(long at) {
        if (!exists(at, 16)) {
            fault(9);
            return;
        }
        structure(at, low -> structure(at + 8, high -> legacyContext(low, high)));
    }

    private void legacyContext(long low, long high) {
        int type = (int) bits(low, 3, 2);
        int levels = (int) bits(high, 2, 0) + 2;
        boolean offered = type == 0 || type == 1 && unit.deviceTlb || type == 2;
        int width = type == 2 ? unit.guestBits : Math.min(unit.guestBits, 12 + 9 * levels);
        if (bits(low, 0, 0) == 0) {
            fault(2);
        } else if (bits(low, 11, 4) != 0
                || beyondHost(low)
                || bits(high, 7, 7) != 0
                || bits(high, 63, 24) != 0
                || bits(high, 23, 8) >> unit.domainBits != 0) {
            fault(0xB);
        } else if (!offered || !unit.levels.contains(levels)) {
            fault(3);
        } else if (Long.compareUnsigned(request.iova, 1L << width) >= 0) {
            fault(4);
        } else if (type == 2) {
            outcomes.add(new Outcome(0, request.iova));
        } else {
            Codes codes = new Codes(3, 7, request.write ? 5 : 6, 0xC);
            second(page(low), levels, levels, request.iova, request.write, codes, false, this::deliver);
        }
    }

    private void deliver(long hpa) {
        if (hpa >= 0xFEE0_0000L && hpa <= 0xFEEF_FFFFL) {
            fault(scalable ? 0x87 : 0xE);
        } else {
            outcomes.add(new Outcome(0, hpa));
        }
    }

    // ---- second level: 9.8

    private record Codes(int top, int unreadable, int denied, int reserved) {}

    private void second(
            long table, int level, int top, long address, boolean write, Codes codes, boolean nested, Found found) {
        int low = 12 + 9 * (level - 1);
        long at = table + 8 * bits(address, low + 8, low);
        if (!exists(at, 8)) {
            fault(level == top ? codes.top : codes.unreadable);
            return;
        }
        touched.add(at);
        long leafSince = nested ? since.first : since.secondLeaf;
        long tableSince = nested ? since.nestedTables : since.second;
        for (long entry : history.values(at, Math.min(leafSince, tableSince))) {
            boolean large = level > 1 && bits(entry, 7, 7) == 1;
            boolean leaf = level == 1 || large;
            if (!leaf && !contains(history.values(at, tableSince), entry)
                    || leaf && !contains(history.values(at, leafSince), entry)) {
                continue;
            }
            if (bits(entry, write ? 1 : 0, write ? 1 : 0) == 0) {
                fault(codes.denied);
            } else if (secondReserved(entry, level, large, leaf, low)) {
                fault(codes.reserved);
            } else if (leaf) {
                found.page(bits(entry, 51, 12) * 4096 + bits(address, low - 1, 0));
            } else {
                second(bits(entry, 51, 12) * 4096, level - 1, top, address, write, codes, nested, found);
            }
        }
    }

    private static boolean contains(long[] values, long value) {
        for (long each : values) {
            if (each == value) {
                return true;
            }
        }
        return false;
    }

    private boolean secondReserved(long entry, int level, boolean large, boolean leaf, int pageBits) {
        boolean addressTooWide = unit.hostBits < 52 && bits(entry, 51, unit.hostBits) != 0;
        boolean sizeUnknown = large && (level >= 4 || level == 3 && !unit.oneGiB || level == 2 && !unit.twoMiB);
        boolean offBoundary = large && level <= 3 && bits(entry, pageBits - 1, 12) != 0 && !sizeUnknown;
        // The low address bits of a large page: 11 is SNP, the rest are checked from 12 up.
        boolean snoop = bits(entry, 11, 11) != 0 && !(leaf && unit.snoopControl);
        return addressTooWide || sizeUnknown || offBoundary || snoop || bits(entry, 62, 62) != 0;
    }

    // ---- scalable: 9.2, 9.4 to 9.6

    private void scalableRoot(long root) {
        long at = root + (request.rid >> 8) * 16L + ((request.rid & 128) != 0 ? 8 : 0);
        if (!exists(at, 8)) {
            fault(0x38);
            return;
        }
        structure(at, half -> {
            if (bits(half, 0, 0) == 0) {
                fault(0x39);
            } else if (bits(half, 11, 1) != 0 || beyondHost(half)) {
                fault(0x3A);
            } else {
                scalableContext(page(half) + (request.rid & 127) * 32L);
            }
        });
    }

    private void scalableContext(long at) {
        if (!exists(at, 32)) {
            fault(0x40);
            return;
        }
        structure(
                at,
                low -> structure(
                        at + 8,
                        high -> structure(
                                at + 16,
                                third -> structure(at + 24, fourth -> {
                                    if (bits(low, 0, 0) == 0) {
                                        fault(0x41);
                                    } else if (bits(low, 8, 5) != 0
                                            || beyondHost(low)
                                            || bits(low, 2, 2) != 0 && !unit.deviceTlb
                                            || bits(low, 4, 4) != 0
                                            || bits(high, 63, 20) != 0
                                            || third != 0
                                            || fourth != 0) {
                                        fault(0x42);
                                    } else {
                                        pasid(low, high);
                                    }
                                }))));
    }

    private void pasid(long low, long high) {
        long limit = 1L << bits(low, 11, 9) + 7 + 6;
        long number = request.pasid >= 0 ? request.pasid : bits(high, 19, 0);
        if (request.pasid >= 0 && bits(low, 3, 3) == 0) {
            fault(0x45);
        } else if (number >= limit) {
            fault(request.pasid >= 0 ? 0x46 : 0x48);
        } else {
            long at = page(low) + 8 * (number >> 6);
            if (!exists(at, 8)) {
                fault(0x50);
                return;
            }
            structure(at, entry -> {
                if (bits(entry, 0, 0) == 0) {
                    fault(0x51);
                } else if (bits(entry, 11, 2) != 0 || beyondHost(entry)) {
                    fault(0x52);
                } else {
                    pasidEntry(page(entry) + 64 * (number & 63));
                }
            });
        }
    }

    private void pasidEntry(long at) {
        if (!exists(at, 64)) {
            fault(0x58);
            return;
        }
        structure(
                at,
                q0 -> structure(
                        at + 8,
                        q1 -> structure(
                                at + 16,
                                q2 -> structure(at + 24, q3 -> {
                                    if (bits(q0, 0, 0) == 0) {
                                        fault(0x59);
                                    } else if (pasidReserved(q0, q1, q2, q3)) {
                                        fault(0x5A);
                                    } else if (!pasidValid(q0, q2)) {
                                        fault(0x5B);
                                    } else if (request.execute && bits(q2, 1, 1) == 0) {
                                        fault(0x5C);
                                    } else if (request.supervisor && bits(q2, 0, 0) == 0) {
                                        fault(0x5D);
                                    } else {
                                        tables(q0, q2);
                                    }
                                }))));
    }

    private boolean pasidReserved(long q0, long q1, long q2, long q3) {
        boolean nested = bits(q0, 8, 6) == 3;
        return bits(q0, 11, 10) != 0
                || beyondHost(q0)
                || bits(q1, 15, 0) >> unit.domainBits != 0
                || bits(q1, 22, 16) != 0
                || bits(q1, 24, 23) != 0 && !unit.snoopControl
                || bits(q2, 11, 8) != 0
                || bits(q2, 63, 52) != 0
                || !nested && beyondHost(q2)
                || q3 != 0;
    }

    private boolean pasidValid(long q0, long q2) {
        boolean width = unit.levels.contains((int) bits(q0, 4, 2) + 2);
        boolean first = bits(q2, 3, 2) == 0 || bits(q2, 3, 2) == 1 && unit.fiveFirstLevels;
        return switch ((int) bits(q0, 8, 6)) {
            case 1 -> first;
            case 2, 4 -> width;
            case 3 -> first && width;
            default -> false;
        };
    }

    private void tables(long q0, long q2) {
        int levels = (int) bits(q0, 4, 2) + 2;
        int type = (int) bits(q0, 8, 6);
        int width = type == 4 ? unit.guestBits : Math.min(unit.guestBits, 12 + 9 * levels);
        if (type == 2 || type == 4) {
            if (Long.compareUnsigned(request.iova, 1L << width) >= 0) {
                fault(0x84);
            } else if (type == 4) {
                outcomes.add(new Outcome(0, request.iova));
            } else {
                Codes codes = new Codes(0x7B, 0x78, request.write ? 0x85 : 0x86, 0x7A);
                second(page(q0), levels, levels, request.iova, request.write, codes, false, this::deliver);
            }
            return;
        }
        new First(type == 3, page(q0), levels, width, q2).begin();
    }

    // ---- first level: 9.7, and nested: 3.8

    private final class First {
        private final boolean nested;
        private final long secondTable;
        private final int secondLevels;
        private final int width;
        private final long q2;
        private final int top;

        First(boolean nested, long secondTable, int secondLevels, int width, long q2) {
            this.nested = nested;
            this.secondTable = secondTable;
            this.secondLevels = secondLevels;
            this.width = width;
            this.q2 = q2;
            this.top = bits(q2, 3, 2) == 0 ? 4 : 5;
        }

        void begin() {
            int highest = 12 + 9 * top - 1;
            if (!canonical(highest)) {
                fault(0x80);
            } else if (!canonical(Math.min(highest, unit.guestBits - 1))) {
                fault(0x83);
            } else {
                level(bits(q2, 51, 12) * 4096, top, true, true, true);
            }
        }

        /** Whether all bits from the highest up are alike. */
        private boolean canonical(int highest) {
            long upper = bits(request.iova, 63, highest);
            return upper == 0 || upper == bits(-1, 63, highest);
        }

        private void level(long table, int level, boolean mayWrite, boolean user, boolean mayExecute) {
            int low = 12 + 9 * (level - 1);
            long address = table + 8 * bits(request.iova, low + 8, low);
            if (!nested) {
                entry(address, level, mayWrite, user, mayExecute);
            } else if (bits(address, 63, width) != 0) {
                fault(0x74);
            } else {
                Codes codes = new Codes(0x7B, 0x78, level == top ? 0x75 : 0x76, 0x7A);
                second(
                        secondTable,
                        secondLevels,
                        secondLevels,
                        address,
                        false,
                        codes,
                        true,
                        hpa -> entry(hpa, level, mayWrite, user, mayExecute));
            }
        }

        private void entry(long at, int level, boolean mayWrite, boolean user, boolean mayExecute) {
            if (!exists(at, 8)) {
                fault(level == top ? 0x73 : 0x70);
                return;
            }
            each(at, since.first, entry -> {
                boolean write = mayWrite && bits(entry, 1, 1) == 1;
                boolean forUser = user && bits(entry, 2, 2) == 1;
                boolean execute = mayExecute && bits(entry, 63, 63) == 0;
                boolean large = level > 1 && bits(entry, 7, 7) == 1;
                if (bits(entry, 0, 0) == 0) {
                    fault(0x71);
                } else if (reserved(entry, level, large)) {
                    fault(0x72);
                } else if (level == 1 || large) {
                    leaf(entry, level, write, forUser, execute);
                } else {
                    level(bits(entry, 51, 12) * 4096, level - 1, write, forUser, execute);
                }
            });
        }

        private boolean reserved(long entry, int level, boolean large) {
            boolean noExecute = bits(q2, 5, 5) == 1;
            return !noExecute && bits(entry, 63, 63) == 1
                    || !nested && unit.hostBits < 52 && bits(entry, 51, unit.hostBits) != 0
                    || large && level >= 4
                    || large && level == 3 && bits(entry, 29, 13) != 0
                    || large && level == 2 && bits(entry, 20, 13) != 0;
        }

        private void leaf(long entry, int level, boolean write, boolean user, boolean execute) {
            boolean writable = request.supervisor ? write || bits(q2, 4, 4) == 0 : write;
            boolean executable = execute && !(request.supervisor && user && bits(q2, 6, 6) == 1);
            int low = 12 + 9 * (level - 1);
            long address = bits(entry, 51, low) << low | bits(request.iova, low - 1, 0);
            if (!request.supervisor && !user) {
                fault(0x81);
            } else if (request.execute && !executable) {
                fault(0x82);
            } else if (request.write && !writable) {
                fault(0x85);
            } else if (!nested) {
                deliver(address);
            } else if (bits(address, 63, width) != 0) {
                fault(0x74);
            } else {
                Codes codes = new Codes(0x7B, 0x78, 0x79, 0x7A);
                second(
                        secondTable,
                        secondLevels,
                        secondLevels,
                        address,
                        request.write,
                        codes,
                        true,
                        ReferenceTables.this::deliver);
            }
        }
    }
}
