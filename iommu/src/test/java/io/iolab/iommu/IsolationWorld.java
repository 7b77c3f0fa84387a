package io.iolab.iommu;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.iommu.ReferenceState.Outcome;
import io.iolab.iommu.ReferenceState.Request;
import io.iolab.iommu.fault.FaultReason;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A unit with random tables beside the reference, and what happens to them: requests, changes that nobody is told of, invalidations. */
final class IsolationWorld implements AutoCloseable {
    static final int GUEST_BITS = 57;
    static final int HOST_BITS = 46;
    private static final int BYTES = 12 << 20;

    /** Copies of a megabyte and more are logged by the library below. */
    private static final int CHUNK = 1 << 16;

    private static final long QUEUE = 0xA0_0000;

    final Bench bench;
    final SplittableRandom random;
    final boolean scalable;
    final WordHistory history;
    final IsolationTables tables;
    final ReferenceTables reference;

    private record Asked(int requester, Request request) {}

    private final CacheClock[][] clocks = new CacheClock[IsolationTables.REQUESTERS][IsolationTables.PASIDS];
    private final byte[] buffer = new byte[8];
    private final byte[] image = new byte[BYTES];
    private final WordLog log;
    private final Asked[] fruitful = new Asked[16];
    private Asked last = new Asked(0, new Request(0, -1, false, false, 0, false));
    private boolean cachesEmpty = true;
    private boolean done;
    private int tail;
    private long translations;
    private long marked;

    IsolationWorld(RemappingOptions options, SplittableRandom random, boolean scalable) {
        this.random = random;
        this.scalable = scalable;
        WordLog[] made = new WordLog[1];
        bench = new Bench(options, BYTES, memory -> made[0] = new WordLog(memory));
        log = made[0];
        history = new WordHistory(bench.memory);
        tables = new IsolationTables(bench.memory, random.split());
        tables.build();
        reference = new ReferenceTables(
                bench.memory,
                history,
                new ReferenceState.Unit(
                        List.of(3, 4, 5), GUEST_BITS, HOST_BITS, 16, true, true, true, true, true, false));
        Arrays.fill(fruitful, last);
        for (CacheClock[] each : clocks) {
            Arrays.setAll(each, i -> new CacheClock());
        }
        bench.store64(Bench.IQA, QUEUE | (scalable ? 1 << 11 : 0));
        bench.setRoot(scalable ? IsolationTables.SCALABLE_ROOT | 1 << 10 : IsolationTables.LEGACY_ROOT);
        bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.QIE);
        bench.translation(true);
        copy(image);
        log.forget();
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
        for (CacheClock[] each : clocks) {
            for (CacheClock clock : each) {
                clock.structuresEmptied(now);
                clock.secondEmptied(now);
            }
        }
        cachesEmpty = true;
    }

    /** One of the invalidations that concern one domain, more often than not that of the last request and around its address. */
    void invalidateSome() {
        boolean again = random.nextInt(4) != 0;
        int requester = again ? last.requester : random.nextInt(IsolationTables.REQUESTERS);
        int pasid = !scalable
                ? 0
                : again && last.request.pasid() >= 0 ? last.request.pasid() : random.nextInt(IsolationTables.PASIDS);
        long iova = (again ? last.request.iova() : tables.iova()) & -4096L;
        long domain = (long) domain(requester, pasid) << 16;
        CacheClock clock = clocks[requester][pasid];
        int addressMask = random.nextInt(4) == 0 ? random.nextInt(19) : random.nextInt(3);
        // Only the page of the request need be named: bits below the mask do not count.
        long block = iova ^ (4096L << addressMask) - 4096 & random.nextLong();
        boolean leafOnly = random.nextInt(3) == 0;
        long address = block & -4096L | (leafOnly ? 1 << 6 : 0) | addressMask;
        switch (random.nextInt(scalable ? 7 : 4)) {
            case 0 -> invalidateStructures(requester, domain, clock);
            case 1 -> {
                submit(2 | 2 << 4 | domain, 0);
                clock.secondEmptied(history.tick());
            }
            case 2, 3 -> {
                submit(2 | 3 << 4 | domain, address);
                clock.secondInvalidated(history.tick(), iova, addressMask, leafOnly);
            }
            case 4 -> {
                submit(6 | 2 << 4 | domain | (long) pasid << 32, 0);
                clock.firstEmptied(history.tick());
            }
            default -> {
                submit(6 | 3 << 4 | domain | (long) pasid << 32, address);
                clock.firstInvalidated(history.tick(), iova, addressMask, leafOnly);
            }
        }
    }

    private void invalidateStructures(int requester, long domain, CacheClock clock) {
        // What is absent is kept under domain 0 (VT-d 6.1).
        for (long tag : new long[] {domain, 0}) {
            submit(1 | 3 << 4 | tag | (long) IsolationTables.rid(requester) << 32, 0);
            if (scalable) {
                submit(7 | tag, 0);
            }
        }
        clock.structuresEmptied(history.tick());
    }

    /** Changes a word that the last request came by, and tells nobody. */
    void change() {
        tables.change(history, reference.last().touched)
                .ifPresent(hpa -> LittleEndian.putLong(image, (int) hpa, bench.memory.readLong(hpa)));
    }

    /** More often than not one that was asked before: caches have to be hit to be wrong. */
    private Asked next() {
        int choice = random.nextInt(4);
        Asked again = choice == 0 ? last : fruitful[random.nextInt(fruitful.length)];
        if (choice < 3 && again.request.iova() != 0) {
            Request request = again.request;
            return new Asked(
                    again.requester,
                    new Request(
                            request.rid(),
                            request.pasid(),
                            request.execute(),
                            request.supervisor(),
                            request.iova(),
                            random.nextBoolean()));
        }
        int requester = random.nextInt(IsolationTables.REQUESTERS);
        int pasid = scalable ? random.nextInt(-1, IsolationTables.PASIDS) : random.nextInt(40) == 0 ? 1 : -1;
        boolean execute = pasid >= 0 && random.nextInt(6) == 0;
        boolean supervisor = pasid >= 0 && random.nextInt(4) == 0;
        long iova = tables.iova();
        return new Asked(
                requester,
                new Request(IsolationTables.rid(requester), pasid, execute, supervisor, iova, random.nextBoolean()));
    }

    /** Makes a random request and says what is wrong with what came of it, or null. */
    @Nullable
    String request() {
        Asked asked = next();
        Request request = asked.request;
        if (request.iova() >>> 20 == 0xFEE) {
            return null;
        }
        last = asked;
        Set<Outcome> allowed = reference.translate(
                scalable,
                scalable ? IsolationTables.SCALABLE_ROOT : IsolationTables.LEGACY_ROOT,
                request,
                since(asked.requester, request.pasid(), request.iova()),
                cachesEmpty);
        translations++;
        done = false;
        String wrong = perform(request, allowed);
        cachesEmpty = false;
        wrong = wrong == null ? marks() : wrong;
        log.forget();
        return wrong == null ? null : request + ": " + wrong + ", allowed " + allowed;
    }

    /** What came through RID_PASID may be any PASID's, so the oldest of them counts. */
    private ReferenceState.Since since(int requester, int pasid, long iova) {
        if (!scalable || pasid >= 0) {
            return clocks[requester][scalable ? pasid : 0].since(iova);
        }
        ReferenceState.Since since = clocks[requester][0].since(iova);
        for (CacheClock clock : clocks[requester]) {
            since = ReferenceState.Since.older(since, clock.since(iova));
        }
        return since;
    }

    /** The unit has written nothing but accessed and dirty bits that were due, and has written those (VT-d 3.6.3, 3.7.2). */
    private @Nullable String marks() {
        for (Map.Entry<Long, Long> word : log.before().entrySet()) {
            long hpa = word.getKey();
            long before = word.getValue();
            long now = bench.memory.readLong(hpa);
            if ((before & ~now) != 0 || (now & ~before & ~reference.last().settable(hpa)) != 0) {
                return String.format("the word at %x went from %x to %x", hpa, before, now);
            }
            LittleEndian.putLong(image, (int) hpa, now);
            if (now != before && IsolationTables.isStructure(hpa)) {
                // A walk may take a structure for a table, and mark it; caches hold it as it was.
                history.changed(hpa, before);
            }
        }
        if (done) {
            if (reference.last().walked()) {
                fruitful[random.nextInt(fruitful.length)] = last;
            }
            for (ReferenceState.Mark mark : reference.last().marks()) {
                // A page may hold the entry that leads to it; then the write has gone over it.
                boolean overwritten = reference.last().outcomes.contains(new Outcome(0, mark.hpa()));
                if (!overwritten && (bench.memory.readLong(mark.hpa()) & mark.bits()) != mark.bits()) {
                    return String.format(
                            "%x at %x lacks bits of %x", bench.memory.readLong(mark.hpa()), mark.hpa(), mark.bits());
                }
                marked += mark.bits() == 0 ? 0 : 1;
            }
        }
        return null;
    }

    /** How many entries were predicted to be marked, and were. */
    long marked() {
        return marked;
    }

    private void copy(byte[] into) {
        for (int at = 0; at < BYTES; at += CHUNK) {
            bench.memory.read(at, into, at, CHUNK);
        }
    }

    /** Whether memory is, byte by byte, what software's changes and predicted marks have made of it, but for the queue. */
    boolean asPredicted() {
        byte[] memory = new byte[BYTES];
        copy(memory);
        int queue = (int) QUEUE;
        return Arrays.equals(memory, 0, queue, image, 0, queue)
                && Arrays.equals(memory, queue + 4096, BYTES, image, queue + 4096, BYTES);
    }

    private @Nullable String perform(Request request, Set<Outcome> allowed) {
        TranslationPort requester = bench.unit.translationPortFor(request.rid());
        RequesterCounters counters = bench.unit.countersFor(request.rid());
        int wanted = (request.execute() ? TranslationPort.EXECUTE : 0)
                | (request.supervisor() ? TranslationPort.PRIVILEGED : 0);
        DmaPort port = request.pasid() < 0 ? requester.untranslated() : requester.withPasid(request.pasid(), wanted);
        long blocked = counters.blocked();
        long[] before = faults(counters, allowed);
        boolean write = request.write() && allowed.stream().allMatch(IsolationWorld::isDataOrFault);
        if (request.write() && !write) {
            return null;
        }
        LittleEndian.putLong(buffer, 0, write ? -1 - translations : 0);
        long[] overwritten = words(allowed);
        DmaFault fault = write
                ? port.write(request.iova(), buffer, 0, 8, DmaKind.PAYLOAD)
                : port.read(request.iova(), buffer, 0, 8, DmaKind.PAYLOAD);
        done = fault == DmaFault.NONE;
        if (done) {
            return write ? written(allowed, overwritten) : read(allowed);
        }
        if (counters.blocked() == blocked) {
            boolean unbacked = allowed.stream().anyMatch(o -> o.code() == 0 && !bench.memory.contains(o.hpa(), 8));
            done = fault == DmaFault.BEYOND_MEMORY && unbacked;
            return done ? null : "no record of " + fault;
        }
        int at = 0;
        for (Outcome outcome : allowed) {
            FaultReason reason = FaultReason.ofCode(outcome.code());
            if (outcome.code() != 0 && counters.faults(Objects.requireNonNull(reason)) > before[at]) {
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
