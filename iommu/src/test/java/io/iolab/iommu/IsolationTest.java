package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.ReferenceTables.Outcome;
import io.iolab.iommu.ReferenceTables.Request;
import io.iolab.iommu.fault.FaultReason;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The property that everything else is for: whatever tables, changes, invalidations and requests come in whatever order, no request
 * reaches a byte that its tables do not map now or did not map since its caches were last emptied, and what is refused is refused for
 * the reason that those tables give (VT-d 3, 6.2, 6.5, 7).
 */
class IsolationTest {
    private static final long QUEUE = 0xA0_0000;
    private static final int ROUND = 8_000;

    /** What may stand in caches multiplies with each change along a way: beyond so many words all of it is invalidated. */
    private static final int MOST_WORDS = 5_000;

    private static final int GUEST_BITS = 57;
    private static final int HOST_BITS = 46;

    /** Since when each kind of cache may hold what concerns one requester and PASID. */
    private static final class Clock {
        long structures;
        long structuresPending;
        long first;
        long second;

        /** The structure caches are empty of it; what the IOTLB took through them is not yet. */
        void structuresEmptied(long now) {
            structuresPending = now;
        }

        void secondEmptied(long now) {
            second = now;
            first = now;
            structures = structuresPending;
        }

        void firstEmptied(long now) {
            first = now;
        }
    }

    private static final class World implements AutoCloseable {
        final Bench bench;
        final SplittableRandom random;
        final boolean scalable;
        final WordHistory history;
        final IsolationTables tables;
        final ReferenceTables reference;
        final Clock[][] clocks = new Clock[IsolationTables.REQUESTERS][IsolationTables.PASIDS + 1];
        private final byte[] buffer = new byte[8];
        private int tail;
        long translations;

        World(RemappingOptions options, SplittableRandom random, boolean scalable) {
            this.random = random;
            this.scalable = scalable;
            bench = new Bench(options);
            history = new WordHistory(bench.memory);
            tables = new IsolationTables(bench.memory, random.split());
            tables.build();
            reference = new ReferenceTables(
                    bench.memory,
                    history,
                    new ReferenceTables.Unit(
                            List.of(3, 4, 5), GUEST_BITS, HOST_BITS, 16, true, true, true, true, true));
            for (Clock[] each : clocks) {
                Arrays.setAll(each, i -> new Clock());
            }
            bench.store64(Bench.IQA, QUEUE | (scalable ? 1 << 11 : 0));
            bench.setRoot(scalable ? IsolationTables.SCALABLE_ROOT | 1 << 10 : IsolationTables.LEGACY_ROOT);
            bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.QIE);
            bench.translation(true);
        }

        @Override
        public void close() {
            bench.close();
        }

        private void submit(long low, long high) {
            int bytes = scalable ? 32 : 16;
            bench.memory.writeLong(QUEUE + tail, low);
            bench.memory.writeLong(QUEUE + tail + 8, high);
            tail = tail + bytes & 4095;
            bench.store32(Bench.IQT, tail);
            bench.cpu.stores.clear();
            if (bench.load32(Bench.IQH) != tail) {
                throw new IllegalStateException("descriptor refused: " + bench.load64(Bench.IQERCD));
            }
        }

        private int domain(int requester, int pasid) {
            return scalable ? IsolationTables.pasidDomain(requester, pasid) : IsolationTables.legacyDomain(requester);
        }

        /** Every cache, in the order that software has to keep. */
        void invalidateAll() {
            submit(1 | 1 << 4, 0);
            if (scalable) {
                submit(7 | 3 << 4, 0);
            }
            submit(2 | 1 << 4, 0);
            long now = history.tick();
            for (Clock[] each : clocks) {
                for (Clock clock : each) {
                    clock.structuresEmptied(now);
                    clock.secondEmptied(now);
                }
            }
        }

        void invalidateSome() {
            int requester = random.nextInt(IsolationTables.REQUESTERS);
            int pasid = scalable ? random.nextInt(IsolationTables.PASIDS) : 0;
            int domain = domain(requester, pasid);
            Clock clock = clocks[requester][pasid];
            switch (random.nextInt(scalable ? 5 : 3)) {
                case 0 -> {
                    // What is absent is kept under domain 0 (VT-d 6.1).
                    for (long tag : new long[] {domain, 0}) {
                        submit(1 | 3 << 4 | tag << 16 | (long) IsolationTables.rid(requester) << 32, 0);
                        if (scalable) {
                            submit(7 | tag << 16, 0);
                        }
                    }
                    clock.structuresEmptied(history.tick());
                }
                case 1 -> {
                    submit(2 | 2 << 4 | (long) domain << 16, 0);
                    clock.secondEmptied(history.tick());
                }
                case 2 -> submit(2 | 3 << 4 | (long) domain << 16, tables.iova() & -4096L | random.nextInt(19));
                case 3 -> {
                    submit(6 | 2 << 4 | (long) domain << 16 | (long) pasid << 32, 0);
                    clock.firstEmptied(history.tick());
                }
                default ->
                    submit(
                            6 | 3 << 4 | (long) domain << 16 | (long) pasid << 32,
                            tables.iova() & -4096L | random.nextInt(19));
            }
        }

        /** Makes a random request and says what is wrong with what came of it, or null. */
        @Nullable
        String request() {
            int requester = random.nextInt(IsolationTables.REQUESTERS);
            int pasid = scalable ? random.nextInt(-1, IsolationTables.PASIDS) : random.nextInt(40) == 0 ? 1 : -1;
            boolean execute = pasid >= 0 && random.nextInt(6) == 0;
            boolean supervisor = pasid >= 0 && random.nextInt(4) == 0;
            long iova = tables.iova();
            if (iova >>> 20 == 0xFEE) {
                return null;
            }
            Request request =
                    new Request(IsolationTables.rid(requester), pasid, execute, supervisor, iova, random.nextBoolean());
            Set<Outcome> allowed = reference.translate(
                    scalable,
                    scalable ? IsolationTables.SCALABLE_ROOT : IsolationTables.LEGACY_ROOT,
                    request,
                    since(requester, pasid));
            translations++;
            String wrong = perform(request, allowed);
            return wrong == null ? null : request + ": " + wrong + ", allowed " + allowed;
        }

        /** What came through RID_PASID may be any PASID's, so the oldest of them counts. */
        private ReferenceTables.Since since(int requester, int pasid) {
            long structures = Long.MAX_VALUE;
            long first = Long.MAX_VALUE;
            long second = Long.MAX_VALUE;
            for (int i = 0; i < IsolationTables.PASIDS; i++) {
                if (!scalable && i == 0 || scalable && (pasid < 0 || pasid == i)) {
                    Clock clock = clocks[requester][i];
                    structures = Math.min(structures, clock.structures);
                    first = Math.min(first, clock.first);
                    second = Math.min(second, clock.second);
                }
            }
            return new ReferenceTables.Since(structures, first, second, second, second);
        }

        private @Nullable String perform(Request request, Set<Outcome> allowed) {
            TranslationPort requester = bench.unit.translationPortFor(request.rid());
            RequesterCounters counters = bench.unit.countersFor(request.rid());
            int wanted = (request.execute() ? TranslationPort.EXECUTE : 0)
                    | (request.supervisor() ? TranslationPort.PRIVILEGED : 0);
            DmaPort port =
                    request.pasid() < 0 ? requester.untranslated() : requester.withPasid(request.pasid(), wanted);
            long blocked = counters.blocked();
            long[] before = faults(counters, allowed);
            boolean write = request.write() && allowed.stream().allMatch(World::isDataOrFault);
            if (request.write() && !write) {
                return null;
            }
            LittleEndian.putLong(buffer, 0, write ? -1 - translations : 0);
            long[] overwritten = words(allowed);
            DmaFault fault = write
                    ? port.write(request.iova(), buffer, 0, 8, DmaKind.PAYLOAD)
                    : port.read(request.iova(), buffer, 0, 8, DmaKind.PAYLOAD);
            if (fault == DmaFault.NONE) {
                return write ? written(allowed, overwritten) : read(allowed);
            }
            if (counters.blocked() == blocked) {
                boolean unbacked = allowed.stream().anyMatch(o -> o.code() == 0 && !bench.memory.contains(o.hpa(), 8));
                return fault == DmaFault.BEYOND_MEMORY && unbacked ? null : "no record of " + fault;
            }
            int at = 0;
            for (Outcome outcome : allowed) {
                FaultReason reason = FaultReason.ofCode(outcome.code());
                if (outcome.code() != 0 && counters.faults(java.util.Objects.requireNonNull(reason)) > before[at]) {
                    return reason.dmaFault() == fault ? null : "the device sees " + fault;
                }
                at++;
            }
            return "refused for another reason, the device sees " + fault + " " + reasons(counters);
        }

        private static String reasons(RequesterCounters counters) {
            return Arrays.stream(FaultReason.values())
                    .filter(reason -> counters.faults(reason) > 0)
                    .toList()
                    .toString();
        }

        private static boolean isDataOrFault(Outcome outcome) {
            return outcome.code() != 0
                    || outcome.hpa() >= IsolationTables.DATA && outcome.hpa() < IsolationTables.DATA_END
                    || outcome.hpa() >= 1L << 30;
        }

        private static long[] faults(RequesterCounters counters, Set<Outcome> allowed) {
            return allowed.stream()
                    .mapToLong(outcome -> {
                        FaultReason reason = FaultReason.ofCode(outcome.code());
                        return reason == null ? 0 : counters.faults(reason);
                    })
                    .toArray();
        }

        /** What was read must be what stands at an address that is allowed; data pages tell theirs. */
        private @Nullable String read(Set<Outcome> allowed) {
            long seen = LittleEndian.getLong(buffer, 0);
            for (Outcome outcome : allowed) {
                if (outcome.code() == 0
                        && bench.memory.contains(outcome.hpa(), 8)
                        && bench.memory.readLong(outcome.hpa()) == seen) {
                    return null;
                }
            }
            return "read " + Long.toHexString(seen);
        }

        /** What was written must have arrived where it may, and nowhere else: the mark is then taken away again. */
        private @Nullable String written(Set<Outcome> allowed, long[] overwritten) {
            long mark = LittleEndian.getLong(buffer, 0);
            int at = 0;
            for (Outcome outcome : allowed) {
                if (outcome.code() == 0
                        && bench.memory.contains(outcome.hpa(), 8)
                        && bench.memory.readLong(outcome.hpa()) == mark) {
                    bench.memory.writeLong(outcome.hpa(), overwritten[at]);
                    return null;
                }
                at++;
            }
            return "the write went elsewhere";
        }

        /** What stands where a request may go: a data page may have been made a table, whose entries are not the write's to change. */
        private long[] words(Set<Outcome> allowed) {
            return allowed.stream()
                    .mapToLong(outcome -> outcome.code() == 0 && bench.memory.contains(outcome.hpa(), 8)
                            ? bench.memory.readLong(outcome.hpa())
                            : 0)
                    .toArray();
        }
    }

    private static RemappingOptions.Builder everything(boolean cachingMode) {
        return RemappingOptions.builder()
                .addressWidths(39, 48, 57)
                .hostAddressWidth(HOST_BITS)
                .cachingMode(cachingMode)
                .snoopControl(true)
                .deviceTlb(true)
                .scalableMode(true)
                .secondLevel(true)
                .firstLevel(true)
                .firstLevelExtras(true, true)
                .extendedAccessed(true)
                .secondLevelAccessedDirty(true)
                .nested(true)
                .pasidBits(20)
                .privilegedRequests(true, true);
    }

    private static RemappingOptions options(boolean cachingMode, int tables) {
        return everything(cachingMode)
                .iotlb(16, 4)
                .contextCache(2, 2)
                .pasidCache(4, 2)
                .pagingStructureCache(tables, tables == 0 ? 0 : 2)
                .build();
    }

    /**
     * @param changes one change of a table in so many requests; 0 for none
     * @return how often each reason came up
     */
    private static int[] run(long seed, boolean scalable, RemappingOptions options, int changes, long requests) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] seen = new int[256];
        for (long done = 0; done < requests; done += ROUND) {
            try (World world = new World(options, random.split(), scalable)) {
                for (int i = 0; i < ROUND; i++) {
                    String wrong = world.request();
                    if (wrong != null) {
                        throw new AssertionError("seed " + seed + ", request " + (done + i) + ": " + wrong);
                    }
                    world.reference.last().forEach(outcome -> seen[outcome.code()]++);
                    if (changes != 0 && random.nextInt(changes) == 0) {
                        world.tables.change(world.history, world.reference.touched());
                    }
                    if (changes != 0 && random.nextInt(changes) == 0) {
                        world.invalidateSome();
                    }
                    boolean tooMany = world.reference.touched().size() > MOST_WORDS;
                    if (tooMany || changes != 0 && random.nextInt(20 * changes) == 0) {
                        world.invalidateAll();
                    }
                }
            }
        }
        return seen;
    }

    private static void reached(int[] seen, int... codes) {
        // A comparison that never got anywhere would prove nothing.
        assertThat(seen[0]).as("translated").isGreaterThan(1_000);
        for (int code : codes) {
            assertThat(seen[code]).as("reason %x", code).isPositive();
        }
    }

    @Spec(id = "T0C", section = "VT-d 3.3 7.1.3")
    @ParameterizedTest
    @CsvSource({"101, false, 0, 0", "102, false, 16, 6", "103, true, 0, 6", "104, true, 8, 6"})
    void shouldReachOnlyWhatTablesMapInLegacyMode(long seed, boolean cachingMode, int tables, int changes) {
        int[] seen = run(seed, false, options(cachingMode, tables), changes, 24_000);
        reached(seen, 4, 5, 6, 7, 0xC, 0xE, 0x31);
    }

    @ParameterizedTest
    @CsvSource({"201, false, 0, 0", "202, false, 16, 6", "203, true, 0, 6", "204, true, 8, 6"})
    void shouldReachOnlyWhatTablesMapInScalableMode(long seed, boolean cachingMode, int tables, int changes) {
        int[] seen = run(seed, true, options(cachingMode, tables), changes, 32_000);
        reached(seen, 0x45, 0x59, 0x5C, 0x71, 0x72, 0x76, 0x79, 0x7A, 0x80, 0x81, 0x84, 0x85, 0x86, 0x87);
    }

    @Tag("nightly")
    @Test
    void shouldReachOnlyWhatTablesMapTenMillionTimes() {
        for (int i = 0; i < 4; i++) {
            run(1_000 + i, i % 2 == 1, options(i >= 2, 8 * (i & 2)), 6, 2_500_000);
        }
    }
}
