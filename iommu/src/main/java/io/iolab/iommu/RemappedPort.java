package io.iolab.iommu;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.CacheVersion;
import io.iolab.iommu.cache.Iotlb;
import io.iolab.iommu.fault.FaultRecorder;
import io.iolab.iommu.walk.AddressSpace;
import io.iolab.iommu.walk.PageWalk;
import io.iolab.iommu.walk.RequestType;

/**
 * The way to memory of one requester's untranslated requests, plain or with one PASID. Plain writes to the interrupt range are
 * messages and are never translated as DMA.
 *
 * <p>The port keeps its recent translations. One stands for a hit in all caches and is counted as such, which is exact: it is used
 * only while the version of the caches is the one under which it was found there. What misses the IOTLB is walked for on the
 * requester's own thread, and entered if nothing has changed meanwhile; everything out of the ordinary is the {@link Translator}'s.
 */
final class RemappedPort extends MovingPort {
    /** Recent translations kept: as many as the IOTLB has for 4 KiB pages, within these bounds. */
    private static final int FEWEST = 64;

    private static final int MOST = 1024;
    private static final int SLOT_SHIFT = 2;
    private static final int PAGE = 0;
    private static final int VERSION = 1;
    private static final int FRAME = 2;

    /** In a frame, above the access it grants (bits 1:0): the translation came from the IOTLB, and was not a pass-through. */
    private static final int IOTLB_SHIFT = 2;

    /** Of no cache ever: the version of an empty slot. */
    private static final long NEVER = -1;

    private final int rid;
    private final int pasid;
    private final boolean privileged;
    private final boolean executes;
    private final Translator translator;
    private final CacheVersion caches;
    private final Iotlb iotlb;
    private final DmaPort untranslated;
    private final AddressSpace space = new AddressSpace();
    private final PageWalk walk;

    /** Direct-mapped by page number; each slot is page, version, frame with the flags below, and one word of padding. */
    private final long[] recent;

    /**
     * @param pasid 20 bits, or {@link TranslationPort#NO_PASID}
     * @param wanted {@link TranslationPort#EXECUTE} and {@link TranslationPort#PRIVILEGED}, or 0
     */
    RemappedPort(Requester requester, int pasid, int wanted, Translator translator, Memory hostMemory) {
        super(hostMemory, requester.protectedMemory(), translator.capabilities.zeroLengthReads(), requester.counters());
        this.rid = requester.rid();
        this.pasid = pasid;
        this.executes = (wanted & TranslationPort.EXECUTE) != 0;
        this.privileged = (wanted & TranslationPort.PRIVILEGED) != 0;
        this.translator = translator;
        this.caches = translator.version;
        this.iotlb = translator.iotlb;
        this.untranslated = requester.direct();
        this.walk = translator.newWalk();
        recent = new long[Integer.highestOneBit(Math.clamp(iotlb.smallPages(), FEWEST, MOST)) << SLOT_SHIFT];
        java.util.Arrays.fill(recent, NEVER);
    }

    int rid() {
        return rid;
    }

    int pasid() {
        return pasid;
    }

    /** Whether requests claim supervisor privilege. */
    boolean privileged() {
        return privileged;
    }

    /** Whether requests ask to execute. */
    boolean executes() {
        return executes;
    }

    /** EXE and PRIV of a fault record. */
    int recordFlags() {
        return (executes ? FaultRecorder.EXECUTE : 0) | (privileged ? FaultRecorder.PRIVILEGED : 0);
    }

    RequesterCounters counters() {
        return counters;
    }

    AddressSpace space() {
        return space;
    }

    PageWalk walk() {
        return walk;
    }

    private boolean isDirect() {
        return translator.mode() == TranslationMode.OFF && pasid == TranslationPort.NO_PASID;
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        return isDirect()
                ? untranslated.read(iova, target, offset, length, kind)
                : super.read(iova, target, offset, length, kind);
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        return isDirect() || MessagePort.claims(iova) && pasid == TranslationPort.NO_PASID
                ? untranslated.write(iova, source, offset, length, kind)
                : super.write(iova, source, offset, length, kind);
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        return isDirect() ? untranslated.loadShortAcquire(iova, kind) : super.loadShortAcquire(iova, kind);
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        return isDirect()
                ? untranslated.storeShortRelease(iova, value, kind)
                : super.storeShortRelease(iova, value, kind);
    }

    @Override
    DmaFault interruptRange(long iova, long access) {
        return pasid == TranslationPort.NO_PASID || translator.mode() == TranslationMode.OFF
                ? DmaFault.BEYOND_MEMORY
                : translator.blockInterruptRange(this, iova, access != WRITES, RequestType.UNTRANSLATED);
    }

    @Override
    long translate(long iova, long access) {
        long version = caches.current();
        long page = iova >>> AddressRange.PAGE_SHIFT;
        int slot = slot(page);
        long frame = recent[slot + FRAME];
        if (recent[slot + PAGE] == page && recent[slot + VERSION] == version && (frame & access) != 0) {
            counters.contextHits++;
            counters.pasidHits += space.isScalable() ? 1 : 0;
            counters.iotlbHits += frame >>> IOTLB_SHIFT & 1;
            return frame & -AddressRange.PAGE_SIZE | iova & AddressRange.PAGE_SIZE - 1;
        }
        long hpa = space.currentUnder(caches.bindings()) ? unlocked(iova, access, version) : -1;
        return hpa >= 0 ? hpa : translator.translate(this, iova, access);
    }

    /**
     * A hit in all caches, or a walk, without the lock; -1 for anything else, uncounted. The version was read before the bindings: an
     * invalidation of context or PASID entries that this request does not see comes before an IOTLB invalidation that it must fail on.
     */
    private long unlocked(long iova, long access, long version) {
        if (!space.covers(iova)) {
            return -1;
        }
        if (space.isPassThrough()) {
            return passThrough(iova, version);
        }
        long needs = space.needs(access);
        long entry = iotlb.find(space.space(), iova);
        if (entry == 0) {
            return walked(iova, needs, access == WRITES, version);
        }
        if (!space.allows(entry, needs) || !caches.holds(version)) {
            return -1;
        }
        counters.iotlbHits++;
        counted();
        long hpa = Iotlb.hpa(entry, iova);
        rememberPage(iova, hpa, entry, version);
        return hpa;
    }

    private long walked(long iova, long needs, boolean write, long version) {
        long entry = walk.page(space, iova, needs, write);
        if (entry == 0 || !caches.tryBeginChange(version)) {
            return -1;
        }
        // It was not there when the walk began, and nothing has changed since.
        iotlb.add(space.space(), iova, entry);
        walk.fillTables();
        long filled = caches.endChange();
        counters.iotlbMisses++;
        counters.walkAccesses += walk.accesses();
        counted();
        long hpa = Iotlb.hpa(entry, iova);
        rememberPage(iova, hpa, entry, filled);
        return hpa;
    }

    private long passThrough(long iova, long version) {
        if (!caches.holds(version)) {
            return -1;
        }
        counted();
        rememberPassThrough(iova, version);
        return iova;
    }

    private void counted() {
        counters.contextHits++;
        counters.pasidHits += space.isScalable() ? 1 : 0;
    }

    void rememberPassThrough(long iova, long version) {
        remember(iova, iova, EITHER, version, 0);
    }

    /** @param entry of the IOTLB, one that lets this port's requests through */
    void rememberPage(long iova, long hpa, long entry, long version) {
        remember(iova, hpa, space.access(entry), version, 1);
    }

    private void remember(long iova, long hpa, long access, long version, int fromIotlb) {
        long page = iova >>> AddressRange.PAGE_SHIFT;
        int slot = slot(page);
        recent[slot + PAGE] = page;
        recent[slot + VERSION] = version;
        recent[slot + FRAME] = hpa & -AddressRange.PAGE_SIZE | (long) fromIotlb << IOTLB_SHIFT | access;
    }

    private int slot(long page) {
        return (int) page << SLOT_SHIFT & recent.length - 1;
    }
}
