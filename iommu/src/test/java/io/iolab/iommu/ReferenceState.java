package io.iolab.iommu;

import io.iolab.devices.memory.Memory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * One request on its way through the reference: what it asks, since when caches may hold what, where it may lead, and what it may
 * change in paging entries.
 */
final class ReferenceState {
    private static final int UPDATE_FAILED = 0x91;

    /**
     * What a unit offers. Scalable mode has all kinds of tables, with NXE, execute and supervisor requests.
     *
     * @param coherent SMPWCS: accessed and dirty bits can be set whatever PWSNP says
     */
    record Unit(
            List<Integer> levels,
            int guestBits,
            int hostBits,
            int domainBits,
            boolean twoMiB,
            boolean oneGiB,
            boolean snoopControl,
            boolean deviceTlb,
            boolean fiveFirstLevels,
            boolean coherent) {}

    /** @param code 0, or the fault reason; @param hpa where, for code 0 */
    record Outcome(int code, long hpa) {}

    /** @param pasid -1 for none */
    record Request(int rid, int pasid, boolean execute, boolean supervisor, long iova, boolean write) {}

    /**
     * Since when caches may hold values that concern the address of a request: of structures; of first-level entries that lead to a
     * table, and of those that lead to a page; of second-level entries likewise; nested, of PASID entries that led to second-level
     * tables, of second-level entries that lead to a table, that map a first-level table, and that map the page.
     */
    record Since(
            long structures,
            long first,
            long firstLeaf,
            long second,
            long secondLeaf,
            long nestedStructures,
            long nestedTables,
            long nestedLeaf,
            long nestedPage) {
        /** What may be of either. */
        static Since older(Since a, Since b) {
            return new Since(
                    Math.min(a.structures, b.structures),
                    Math.min(a.first, b.first),
                    Math.min(a.firstLeaf, b.firstLeaf),
                    Math.min(a.second, b.second),
                    Math.min(a.secondLeaf, b.secondLeaf),
                    Math.min(a.nestedStructures, b.nestedStructures),
                    Math.min(a.nestedTables, b.nestedTables),
                    Math.min(a.nestedLeaf, b.nestedLeaf),
                    Math.min(a.nestedPage, b.nestedPage));
        }
    }

    /** Bits that are set in an entry on the way to a translation: accessed, extended accessed, dirty. */
    record Mark(long hpa, long bits, boolean firstLevel) {}

    final Unit unit;
    final Set<Outcome> outcomes = new LinkedHashSet<>();
    final List<Long> touched = new ArrayList<>();
    private final Map<Long, Long> settable = new HashMap<>();
    private final List<Mark> path = new ArrayList<>();
    private final Memory memory;
    private final WordHistory history;
    private List<Mark> marksOfOnlyWay = List.of();
    private int ways;
    private boolean walked;
    Request request = new Request(0, -1, false, false, 0, false);
    Since since = new Since(0, 0, 0, 0, 0, 0, 0, 0, 0);
    boolean scalable;

    /** Whether caches are known to be empty, so that the walk is the one and only. */
    boolean cachesEmpty;

    ReferenceState(Memory memory, WordHistory history, Unit unit) {
        this.memory = memory;
        this.history = history;
        this.unit = unit;
    }

    void begin(boolean scalableMode, Request asked, Since times, boolean emptyCaches) {
        outcomes.clear();
        touched.clear();
        settable.clear();
        path.clear();
        marksOfOnlyWay = List.of();
        ways = 0;
        walked = false;
        scalable = scalableMode;
        request = asked;
        since = times;
        cachesEmpty = emptyCaches;
    }

    /** Bits that the request may set in a word, whatever way it takes. */
    long settable(long hpa) {
        return settable.getOrDefault(hpa, 0L);
    }

    /** Bits that are set once the request has succeeded; empty where that depends on what caches hold. */
    List<Mark> marks() {
        return ways == 1 ? marksOfOnlyWay : List.of();
    }

    /** Whether the request came by any page table. */
    boolean walked() {
        return walked;
    }

    private void end(Outcome outcome) {
        outcomes.add(outcome);
        if (ways++ == 0) {
            marksOfOnlyWay = List.copyOf(path);
        }
    }

    void fault(int code) {
        end(new Outcome(code, -1));
    }

    void passThrough() {
        end(new Outcome(0, request.iova));
    }

    void deliver(long hpa) {
        if (hpa >= 0xFEE0_0000L && hpa <= 0xFEEF_FFFFL) {
            fault(scalable ? 0x87 : 0xE);
        } else {
            end(new Outcome(0, hpa));
        }
    }

    /** One step further, with an entry that is marked if the way is gone to its end. */
    void through(Mark mark, Runnable next) {
        walked = true;
        if (mark.bits != 0) {
            settable.merge(mark.hpa, mark.bits, (a, b) -> a | b);
            // A word that is an entry of both kinds is changed under the eyes of the walk.
            if (path.stream().anyMatch(other -> other.hpa == mark.hpa && other.firstLevel != mark.firstLevel)) {
                fault(UPDATE_FAILED);
            }
        }
        path.add(mark);
        next.run();
        path.removeLast();
    }

    boolean exists(long hpa, int bytes) {
        return memory.contains(hpa, bytes);
    }

    long present(long hpa) {
        return memory.readLong(hpa);
    }

    /** Whether an entry that stands there now lacks bits that a walk sets. */
    boolean lacks(long hpa, long entry, long bits) {
        return entry == present(hpa) && (entry & bits) != bits;
    }

    void each(long hpa, long from, LongConsumer next) {
        touched.add(hpa);
        for (long value : history.values(hpa, from)) {
            next.accept(value);
        }
    }

    /** Each value of a paging entry, which may have been kept for different times as a table's entry and as a page's. */
    void eachEntry(long hpa, int level, long tableSince, long leafSince, LongConsumer next) {
        each(hpa, Math.min(tableSince, leafSince), entry -> {
            boolean leaf = level == 1 || bits(entry, 7, 7) == 1;
            if (contains(history.values(hpa, leaf ? leafSince : tableSince), entry)) {
                next.accept(entry);
            }
        });
    }

    void structure(long hpa, LongConsumer next) {
        each(hpa, since.structures, next);
    }

    private static boolean contains(long[] values, long value) {
        for (long each : values) {
            if (each == value) {
                return true;
            }
        }
        return false;
    }

    /** Bits high..low of a word. */
    static long bits(long word, int high, int low) {
        return high - low == 63 ? word : word >>> low & (1L << high - low + 1) - 1;
    }

    long page(long word) {
        return bits(word, unit.hostBits - 1, 12) * 4096;
    }

    boolean beyondHost(long word) {
        return bits(word, 63, unit.hostBits) != 0;
    }
}
