package io.iolab.iommu;

import static io.iolab.iommu.ReferenceState.bits;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.ReferencePages.Codes;
import io.iolab.iommu.ReferencePages.Second;
import io.iolab.iommu.ReferenceState.Outcome;
import io.iolab.iommu.ReferenceState.Request;
import io.iolab.iommu.ReferenceState.Since;
import io.iolab.iommu.ReferenceState.Unit;
import java.util.Set;

/**
 * Translation in every mode, written for reading and not for speed: the steps of the specification one after the other, bit strings
 * taken apart by position (VT-d 3.4 to 3.8, 7.1.3, 9). It shares no code with the unit.
 *
 * <p>Where a word has held several values, each is followed, and the outcome is a set: all that a unit may do whose caches hold any
 * of them. Here are root, context and PASID entries; page tables are in {@link ReferencePages}.
 */
final class ReferenceTables {
    private final ReferenceState state;
    private final ReferencePages pages;
    private final Unit unit;
    private Request request = new Request(0, -1, false, false, 0, false);

    ReferenceTables(Memory memory, WordHistory history, Unit unit) {
        this.unit = unit;
        state = new ReferenceState(memory, history, unit);
        pages = new ReferencePages(state);
    }

    /** The last translation: words that it read, what it may lead to, and the bits that it may set. */
    ReferenceState last() {
        return state;
    }

    /** @param cachesEmpty whether no cache holds anything */
    Set<Outcome> translate(boolean scalable, long root, Request asked, Since since, boolean cachesEmpty) {
        request = asked;
        state.begin(scalable, asked, since, cachesEmpty);
        if (scalable) {
            scalableRoot(root);
        } else if (asked.pasid() >= 0) {
            state.fault(0x31);
        } else {
            legacyRoot(root);
        }
        return state.outcomes;
    }

    // ---- legacy: 9.1, 9.3

    private void legacyRoot(long root) {
        long at = root + (request.rid() >> 8) * 16L;
        if (!state.exists(at, 16)) {
            state.fault(8);
            return;
        }
        state.structure(
                at,
                low -> state.structure(at + 8, high -> {
                    if (bits(low, 0, 0) == 0) {
                        state.fault(1);
                    } else if (bits(low, 11, 1) != 0 || state.beyondHost(low) || high != 0) {
                        state.fault(0xA);
                    } else {
                        legacyContext(state.page(low) + (request.rid() & 255) * 16L);
                    }
                }));
    }

    private void legacyContext(long at) {
        if (!state.exists(at, 16)) {
            state.fault(9);
            return;
        }
        state.structure(at, low -> state.structure(at + 8, high -> legacyContext(low, high)));
    }

    private void legacyContext(long low, long high) {
        int type = (int) bits(low, 3, 2);
        int levels = (int) bits(high, 2, 0) + 2;
        boolean offered = type == 0 || type == 1 && unit.deviceTlb() || type == 2;
        int width = type == 2 ? unit.guestBits() : Math.min(unit.guestBits(), 12 + 9 * levels);
        if (bits(low, 0, 0) == 0) {
            state.fault(2);
        } else if (bits(low, 11, 4) != 0
                || state.beyondHost(low)
                || bits(high, 7, 7) != 0
                || bits(high, 63, 24) != 0
                || bits(high, 23, 8) >> unit.domainBits() != 0) {
            state.fault(0xB);
        } else if (!offered || !unit.levels().contains(levels)) {
            state.fault(3);
        } else if (Long.compareUnsigned(request.iova(), 1L << width) >= 0) {
            state.fault(4);
        } else if (type == 2) {
            state.passThrough();
        } else {
            Codes codes = new Codes(3, 7, request.write() ? 5 : 6, 0xC);
            Second table = new Second(state.page(low), levels, width, false, false);
            pages.second(table, request.iova(), request.write(), codes, ReferencePages.Use.PLAIN, state::deliver);
        }
    }

    // ---- scalable: 9.2, 9.4 to 9.6

    private void scalableRoot(long root) {
        long at = root + (request.rid() >> 8) * 16L + ((request.rid() & 128) != 0 ? 8 : 0);
        if (!state.exists(at, 8)) {
            state.fault(0x38);
            return;
        }
        state.structure(at, half -> {
            if (bits(half, 0, 0) == 0) {
                state.fault(0x39);
            } else if (bits(half, 11, 1) != 0 || state.beyondHost(half)) {
                state.fault(0x3A);
            } else {
                scalableContext(state.page(half) + (request.rid() & 127) * 32L);
            }
        });
    }

    private void scalableContext(long at) {
        if (!state.exists(at, 32)) {
            state.fault(0x40);
            return;
        }
        state.structure(
                at,
                low -> state.structure(
                        at + 8,
                        high -> state.structure(
                                at + 16,
                                third -> state.structure(at + 24, fourth -> {
                                    if (bits(low, 0, 0) == 0) {
                                        state.fault(0x41);
                                    } else if (bits(low, 8, 5) != 0
                                            || state.beyondHost(low)
                                            || bits(low, 2, 2) != 0 && !unit.deviceTlb()
                                            || bits(low, 4, 4) != 0
                                            || bits(high, 63, 20) != 0
                                            || third != 0
                                            || fourth != 0) {
                                        state.fault(0x42);
                                    } else {
                                        pasid(low, high);
                                    }
                                }))));
    }

    private void pasid(long low, long high) {
        long limit = 1L << bits(low, 11, 9) + 7 + 6;
        long number = request.pasid() >= 0 ? request.pasid() : bits(high, 19, 0);
        if (request.pasid() >= 0 && bits(low, 3, 3) == 0) {
            state.fault(0x45);
        } else if (number >= limit) {
            state.fault(request.pasid() >= 0 ? 0x46 : 0x48);
        } else {
            long at = state.page(low) + 8 * (number >> 6);
            if (!state.exists(at, 8)) {
                state.fault(0x50);
                return;
            }
            state.structure(at, entry -> {
                if (bits(entry, 0, 0) == 0) {
                    state.fault(0x51);
                } else if (bits(entry, 11, 2) != 0 || state.beyondHost(entry)) {
                    state.fault(0x52);
                } else {
                    pasidEntry(state.page(entry) + 64 * (number & 63));
                }
            });
        }
    }

    private void pasidEntry(long at) {
        if (!state.exists(at, 64)) {
            state.fault(0x58);
            return;
        }
        state.structure(
                at,
                q0 -> state.structure(
                        at + 8,
                        q1 -> state.structure(
                                at + 16,
                                q2 -> state.structure(at + 24, q3 -> {
                                    if (bits(q0, 0, 0) == 0) {
                                        state.fault(0x59);
                                    } else if (pasidReserved(q0, q1, q2, q3)) {
                                        state.fault(0x5A);
                                    } else if (!pasidValid(q0, q2)) {
                                        state.fault(0x5B);
                                    } else if (request.execute() && bits(q2, 1, 1) == 0) {
                                        state.fault(0x5C);
                                    } else if (request.supervisor() && bits(q2, 0, 0) == 0) {
                                        state.fault(0x5D);
                                    } else {
                                        tables(at, q0, q1, q2);
                                    }
                                }))));
    }

    private boolean pasidReserved(long q0, long q1, long q2, long q3) {
        boolean nested = bits(q0, 8, 6) == 3;
        return bits(q0, 11, 10) != 0
                || state.beyondHost(q0)
                || bits(q1, 15, 0) >> unit.domainBits() != 0
                || bits(q1, 22, 16) != 0
                || bits(q1, 24, 23) != 0 && !unit.snoopControl()
                || bits(q2, 11, 8) != 0
                || bits(q2, 63, 52) != 0
                || !nested && state.beyondHost(q2)
                || q3 != 0;
    }

    private boolean pasidValid(long q0, long q2) {
        boolean width = unit.levels().contains((int) bits(q0, 4, 2) + 2);
        boolean first = bits(q2, 3, 2) == 0 || bits(q2, 3, 2) == 1 && unit.fiveFirstLevels();
        return switch ((int) bits(q0, 8, 6)) {
            case 1 -> first;
            case 2, 4 -> width;
            case 3 -> first && width;
            default -> false;
        };
    }

    /** @param at of the PASID entry */
    private void tables(long at, long q0, long q1, long q2) {
        int levels = (int) bits(q0, 4, 2) + 2;
        int type = (int) bits(q0, 8, 6);
        int width = type == 4 ? unit.guestBits() : Math.min(unit.guestBits(), 12 + 9 * levels);
        boolean snoops = unit.coherent() || bits(q1, 23, 23) == 1;
        Second second = new Second(state.page(q0), levels, width, bits(q0, 9, 9) == 1, snoops);
        if (type == 3) {
            nested(at, second, q2);
        } else if (type == 1) {
            pages.first(false, second, q2);
        } else if (Long.compareUnsigned(request.iova(), 1L << width) >= 0) {
            state.fault(0x84);
        } else if (type == 4) {
            state.passThrough();
        } else {
            Codes codes = new Codes(0x7B, 0x78, request.write() ? 0x85 : 0x86, 0x7A);
            pages.second(second, request.iova(), request.write(), codes, ReferencePages.Use.PLAIN, state::deliver);
        }
    }

    /** Second-level tables that a cache remembers are found whatever the PASID entry says by now of their top (6.2.5). */
    private void nested(long at, Second now, long q2) {
        state.each(at, state.since.nestedStructures(), q0 -> {
            int levels = (int) bits(q0, 4, 2) + 2;
            if (state.page(q0) == now.table() && levels == now.levels()) {
                pages.first(true, now, q2);
            } else if (bits(q0, 0, 0) == 1 && unit.levels().contains(levels)) {
                Second before = new Second(state.page(q0), levels, now.width(), now.marks(), now.snoops());
                pages.first(true, before, q2);
            }
        });
    }
}
