package io.iolab.iommu;

import static io.iolab.iommu.ReferenceState.bits;

import io.iolab.iommu.ReferenceState.Mark;
import java.util.ArrayList;
import java.util.List;

/** Page tables as the specification has them: second-level (VT-d 9.8), first-level (9.7), nested (3.8), accessed and dirty bits. */
final class ReferencePages {
    private static final int SECOND_ACCESSED = 1 << 8;
    private static final int SECOND_DIRTY = 1 << 9;
    private static final int ACCESSED = 1 << 5;
    private static final int DIRTY = 1 << 6;
    private static final int EXTENDED = 1 << 10;
    private static final int SECOND_NO_SNOOP = 0x7C;
    private static final int FIRST_NO_SNOOP = 0x90;

    /** What a second-level walk is for, which decides what caches may hold of it. */
    enum Use {
        PLAIN,
        NESTED_TABLE,
        NESTED_PAGE
    }

    record Codes(int top, int unreadable, int denied, int reserved) {}

    /**
     * A second-level table.
     *
     * @param marks whether its entries have accessed and dirty bits (SLADE)
     * @param snoops whether they can be set
     */
    record Second(long table, int levels, int width, boolean marks, boolean snoops) {}

    /** Where a second-level walk ends. */
    interface Found {
        void page(long hpa);
    }

    private final ReferenceState state;

    ReferencePages(ReferenceState state) {
        this.state = state;
    }

    /** A walk from the top. */
    void second(Second in, long address, boolean write, Codes codes, Use use, Found found) {
        new SecondWalk(in, address, write, codes, use, found).level(in.table, in.levels, false);
    }

    /** A first-level or nested translation of the request's address. */
    void first(boolean nested, Second second, long q2) {
        new First(nested, second, q2).begin();
    }

    private final class SecondWalk {
        private final Second in;
        private final long address;
        private final boolean write;
        private final Codes codes;
        private final Found found;
        private final long tableSince;
        private final long leafSince;

        SecondWalk(Second in, long address, boolean write, Codes codes, Use use, Found found) {
            this.in = in;
            this.address = address;
            this.write = write;
            this.codes = codes;
            this.found = found;
            tableSince = use == Use.PLAIN ? state.since.second() : state.since.nestedTables();
            leafSince = switch (use) {
                case PLAIN -> state.since.secondLeaf();
                case NESTED_TABLE -> state.since.nestedLeaf();
                case NESTED_PAGE -> state.since.nestedPage();
            };
        }

        /** @param lacking whether an entry above has yet to be marked */
        void level(long table, int level, boolean lacking) {
            int low = 12 + 9 * (level - 1);
            long at = table + 8 * bits(address, low + 8, low);
            if (!state.exists(at, 8)) {
                state.fault(level == in.levels ? codes.top : codes.unreadable);
                return;
            }
            state.eachEntry(at, level, tableSince, leafSince, entry -> {
                boolean large = level > 1 && bits(entry, 7, 7) == 1;
                boolean leaf = level == 1 || large;
                if (bits(entry, write ? 1 : 0, write ? 1 : 0) == 0) {
                    state.fault(codes.denied);
                } else if (reserved(entry, level, large, leaf, low)) {
                    state.fault(codes.reserved);
                } else {
                    long wanted = in.marks ? SECOND_ACCESSED | (leaf && write ? SECOND_DIRTY : 0) : 0;
                    boolean due = lacking || state.lacks(at, entry, wanted);
                    state.through(new Mark(at, wanted, false), () -> next(entry, level, leaf, low, due));
                }
            });
        }

        private void next(long entry, int level, boolean leaf, int low, boolean due) {
            if (!leaf) {
                level(bits(entry, 51, 12) * 4096, level - 1, due);
                return;
            }
            boolean stopped = due && !in.snoops;
            if (stopped) {
                state.fault(SECOND_NO_SNOOP);
            }
            if (!stopped || !state.cachesEmpty) {
                found.page(bits(entry, 51, 12) * 4096 + bits(address, low - 1, 0));
            }
        }

        private boolean reserved(long entry, int level, boolean large, boolean leaf, int pageBits) {
            ReferenceState.Unit unit = state.unit;
            boolean addressTooWide = unit.hostBits() < 52 && bits(entry, 51, unit.hostBits()) != 0;
            boolean sizeUnknown = large && (level >= 4 || level == 3 && !unit.oneGiB() || level == 2 && !unit.twoMiB());
            boolean offBoundary = large && level <= 3 && bits(entry, pageBits - 1, 12) != 0 && !sizeUnknown;
            // The low address bits of a large page: 11 is SNP, the rest are checked from 12 up.
            boolean snoop = bits(entry, 11, 11) != 0 && !(leaf && unit.snoopControl());
            return addressTooWide || sizeUnknown || offBoundary || snoop || bits(entry, 62, 62) != 0;
        }
    }

    private final class First {
        /** @param address where its table is said to be; guest physical where nested */
        private record Visited(long hpa, long address, long entry) {}

        private final boolean nested;
        private final Second second;
        private final long q2;
        private final int top;
        private final List<Visited> visited = new ArrayList<>();

        First(boolean nested, Second second, long q2) {
            this.nested = nested;
            this.second = second;
            this.q2 = q2;
            this.top = bits(q2, 3, 2) == 0 ? 4 : 5;
        }

        void begin() {
            int highest = 12 + 9 * top - 1;
            if (!canonical(highest)) {
                state.fault(0x80);
            } else if (!canonical(Math.min(highest, state.unit.guestBits() - 1))) {
                state.fault(0x83);
            } else {
                level(bits(q2, 51, 12) * 4096, top, true, true, true);
            }
        }

        /** Whether all bits from the highest up are alike. */
        private boolean canonical(int highest) {
            long upper = bits(state.request.iova(), 63, highest);
            return upper == 0 || upper == bits(-1, 63, highest);
        }

        private void level(long table, int level, boolean mayWrite, boolean user, boolean mayExecute) {
            int low = 12 + 9 * (level - 1);
            long address = table + 8 * bits(state.request.iova(), low + 8, low);
            if (!nested) {
                entry(address, address, level, mayWrite, user, mayExecute);
            } else if (bits(address, 63, second.width) != 0) {
                state.fault(0x74);
            } else {
                Codes codes = new Codes(0x7B, 0x78, level == top ? 0x75 : 0x76, 0x7A);
                second(
                        second,
                        address,
                        false,
                        codes,
                        Use.NESTED_TABLE,
                        hpa -> entry(hpa, address, level, mayWrite, user, mayExecute));
            }
        }

        private void entry(long at, long address, int level, boolean mayWrite, boolean user, boolean mayExecute) {
            if (!state.exists(at, 8)) {
                state.fault(level == top ? 0x73 : 0x70);
                return;
            }
            state.eachEntry(at, level, state.since.first(), state.since.firstLeaf(), entry -> {
                boolean write = mayWrite && bits(entry, 1, 1) == 1;
                boolean forUser = user && bits(entry, 2, 2) == 1;
                boolean execute = mayExecute && bits(entry, 63, 63) == 0;
                boolean large = level > 1 && bits(entry, 7, 7) == 1;
                visited.add(new Visited(at, address, entry));
                if (bits(entry, 0, 0) == 0) {
                    state.fault(0x71);
                } else if (reserved(entry, level, large)) {
                    state.fault(0x72);
                } else if (level == 1 || large) {
                    leaf(entry, level, write, forUser, execute);
                } else {
                    level(bits(entry, 51, 12) * 4096, level - 1, write, forUser, execute);
                }
                visited.removeLast();
            });
        }

        private boolean reserved(long entry, int level, boolean large) {
            boolean noExecute = bits(q2, 5, 5) == 1;
            int hostBits = state.unit.hostBits();
            return !noExecute && bits(entry, 63, 63) == 1
                    || !nested && hostBits < 52 && bits(entry, 51, hostBits) != 0
                    || large && level >= 4
                    || large && level == 3 && bits(entry, 29, 13) != 0
                    || large && level == 2 && bits(entry, 20, 13) != 0;
        }

        private void leaf(long entry, int level, boolean write, boolean user, boolean execute) {
            ReferenceState.Request request = state.request;
            boolean writable = request.supervisor() ? write || bits(q2, 4, 4) == 0 : write;
            boolean executable = execute && !(request.supervisor() && user && bits(q2, 6, 6) == 1);
            int low = 12 + 9 * (level - 1);
            long address = bits(entry, 51, low) << low | bits(request.iova(), low - 1, 0);
            if (!request.supervisor() && !user) {
                state.fault(0x81);
            } else if (request.execute() && !executable) {
                state.fault(0x82);
            } else if (request.write() && !writable) {
                state.fault(0x85);
            } else if (!nested) {
                mark(0, address);
            } else if (bits(address, 63, second.width) != 0) {
                state.fault(0x74);
            } else {
                Codes codes = new Codes(0x7B, 0x78, 0x79, 0x7A);
                second(second, address, request.write(), codes, Use.NESTED_PAGE, hpa -> mark(0, hpa));
            }
        }

        /** Marks the entries from the top down, the way to {@code hpa} being found: nested, by writes that need the second level. */
        private void mark(int index, long hpa) {
            if (index == visited.size()) {
                state.deliver(hpa);
                return;
            }
            Visited one = visited.get(index);
            boolean dirties = index == visited.size() - 1 && state.request.write();
            long wanted = ACCESSED | (bits(q2, 7, 7) == 1 ? EXTENDED : 0) | (dirties ? DIRTY : 0);
            boolean due = state.lacks(one.hpa, one.entry, wanted);
            state.through(new Mark(one.hpa, wanted, true), () -> {
                if (due && !second.snoops) {
                    state.fault(FIRST_NO_SNOOP);
                } else if (due && nested) {
                    Codes codes = new Codes(0x7B, 0x78, 0x77, 0x7A);
                    Found next = state.cachesEmpty ? allowed -> mark(index + 1, hpa) : allowed -> {};
                    second(second, one.address, true, codes, Use.NESTED_TABLE, next);
                }
                // What a cache remembers needs no marking any more.
                if (!due || second.snoops && !nested || !state.cachesEmpty) {
                    mark(index + 1, hpa);
                }
            });
        }
    }
}
