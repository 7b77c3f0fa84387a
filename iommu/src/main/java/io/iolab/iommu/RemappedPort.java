package io.iolab.iommu;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.CacheSpace;
import io.iolab.iommu.cache.CacheVersion;
import io.iolab.iommu.cache.ContextCache;
import io.iolab.iommu.cache.Iotlb;
import io.iolab.iommu.table.ContextEntry;
import io.iolab.iommu.walk.PageWalk;
import io.iolab.iommu.walk.RequestType;

/**
 * The way to memory of one requester. Requests are split at 4 KiB and each part is translated by itself; those to the interrupt
 * range are messages and are never translated as DMA.
 *
 * <p>The port keeps its recent translations. One stands for a hit in both caches and is counted as such, which is exact: it is used
 * only while the version of the caches is the one under which it was found there.
 *
 * <p>A translated address that no memory backs fails with {@link DmaFault#BEYOND_MEMORY} and leaves no fault record: the unit has
 * done its part, it is the memory controller that does not answer.
 *
 * <p>Threading: one thread at a time; different ports of a unit may run on different threads. The unit does not drain: a request
 * that was translated when an invalidation completed on another thread may still move its bytes, which is what CAP.DRD=0 and
 * CAP.DWD=0 say.
 */
final class RemappedPort implements DmaPort {
    private static final int RECENT = 64;
    private static final int SLOT_SHIFT = 2;
    private static final int PAGE = 0;
    private static final int VERSION = 1;
    private static final int FRAME = 2;

    /** In a frame, above its rights (bits 1:0): the translation came from the IOTLB, and was not a pass-through. */
    private static final int IOTLB_SHIFT = 2;

    /** Of no cache ever: the version of an empty slot. */
    private static final long NEVER = -1;

    private final int rid;
    private final Translator translator;
    private final CacheVersion caches;
    private final ContextCache contexts;
    private final Iotlb iotlb;
    private final Memory memory;
    private final MessagePort messages;
    private final ProtectedMemory protectedMemory;
    private final DmaPort untranslated;
    private final int zeroLengthReadNeeds;
    private final RequesterCounters counters = new RequesterCounters();

    /** Direct-mapped by page number; each slot is page, version, frame with the flags below, and one word of padding. */
    private final long[] recent = new long[RECENT << SLOT_SHIFT];

    RemappedPort(
            int rid, Translator translator, Memory hostMemory, MessagePort messages, ProtectedMemory protectedMemory) {
        this.rid = rid;
        this.translator = translator;
        this.caches = translator.version;
        this.contexts = translator.contexts;
        this.iotlb = translator.iotlb;
        this.memory = hostMemory;
        this.messages = messages;
        this.protectedMemory = protectedMemory;
        this.untranslated = protectedMemory.guard(new DirectDma(hostMemory, this::message));
        this.zeroLengthReadNeeds = translator.capabilities.zeroLengthReads() ? PageWalk.NEEDS_ANY : PageWalk.NEEDS_READ;
        java.util.Arrays.fill(recent, NEVER);
    }

    int rid() {
        return rid;
    }

    RequesterCounters counters() {
        return counters;
    }

    /** Where every interrupt message of this requester passes, translation on or off. */
    private void message(long address, int data) {
        counters.messages++;
        messages.message(address, data);
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        if (translator.mode() == TranslationMode.OFF) {
            return untranslated.read(iova, target, offset, length, kind);
        }
        if (length == 0) {
            return DmaFault.of((int) Math.min(0, locate(iova, 0, zeroLengthReadNeeds)));
        }
        for (int done = 0; done < length; ) {
            int part = Math.min(length - done, AddressRange.bytesToPageEnd(iova + done));
            long hpa = locate(iova + done, part, PageWalk.NEEDS_READ);
            if (hpa < 0) {
                return DmaFault.of((int) hpa);
            }
            memory.read(hpa, target, offset + done, part);
            counters.bytesRead += part;
            done += part;
        }
        return DmaFault.NONE;
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        if (translator.mode() == TranslationMode.OFF || MessagePort.claims(iova)) {
            return untranslated.write(iova, source, offset, length, kind);
        }
        if (length == 0) {
            return DmaFault.of((int) Math.min(0, locate(iova, 0, PageWalk.NEEDS_WRITE)));
        }
        for (int done = 0; done < length; ) {
            int part = Math.min(length - done, AddressRange.bytesToPageEnd(iova + done));
            long hpa = locate(iova + done, part, PageWalk.NEEDS_WRITE);
            if (hpa < 0) {
                return DmaFault.of((int) hpa);
            }
            memory.write(hpa, source, offset + done, part);
            counters.bytesWritten += part;
            done += part;
        }
        return DmaFault.NONE;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        if (translator.mode() == TranslationMode.OFF) {
            return untranslated.loadShortAcquire(iova, kind);
        }
        if ((iova & 1) != 0) {
            return DmaFault.BEYOND_MEMORY.asResult();
        }
        long hpa = locate(iova, 2, PageWalk.NEEDS_READ);
        if (hpa < 0) {
            return (int) hpa;
        }
        counters.bytesRead += 2;
        return memory.loadShortAcquire(hpa) & 0xFFFF;
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        if (translator.mode() == TranslationMode.OFF) {
            return untranslated.storeShortRelease(iova, value, kind);
        }
        if ((iova & 1) != 0) {
            return DmaFault.BEYOND_MEMORY;
        }
        long hpa = locate(iova, 2, PageWalk.NEEDS_WRITE);
        if (hpa < 0) {
            return DmaFault.of((int) hpa);
        }
        counters.bytesWritten += 2;
        memory.storeShortRelease(hpa, (short) value);
        return DmaFault.NONE;
    }

    /**
     * Where a part of a request, within one page, lies in memory.
     *
     * @return an address with {@code length} bytes of memory behind it, or a negative {@link DmaFault#asResult}
     */
    private long locate(long iova, int length, int needs) {
        // Only whole dword writes to the interrupt range are messages, and those never come here.
        if (MessagePort.claims(iova)) {
            return DmaFault.BEYOND_MEMORY.asResult();
        }
        long hpa = translate(iova, needs);
        if (hpa < 0) {
            return hpa;
        }
        counters.requests++;
        if (hpa == iova && protectedMemory.blocks(hpa, length)) {
            return DmaFault.BEYOND_MEMORY.asResult();
        }
        if (!memory.contains(hpa, length)) {
            counters.unbacked++;
            return DmaFault.BEYOND_MEMORY.asResult();
        }
        return hpa;
    }

    private long translate(long iova, int needs) {
        long version = caches.current();
        long page = iova >>> AddressRange.PAGE_SHIFT;
        int slot = slot(page);
        long frame = recent[slot + FRAME];
        if (recent[slot + PAGE] == page
                && recent[slot + VERSION] == version
                && (frame & needs) != 0
                && translator.mode() == TranslationMode.LEGACY) {
            counters.contextHits++;
            counters.iotlbHits += frame >>> IOTLB_SHIFT & 1;
            return frame & -AddressRange.PAGE_SIZE | iova & AddressRange.PAGE_SIZE - 1;
        }
        long hpa = translator.mode() == TranslationMode.LEGACY ? cached(iova, needs, version) : -1;
        return hpa >= 0 ? hpa : translator.translate(this, iova, needs);
    }

    /** A hit in both caches, without the lock; -1 for anything else, uncounted. */
    private long cached(long iova, int needs, long version) {
        int context = contexts.find(rid, false);
        if (context < 0 || contexts.reason(context) != null) {
            return -1;
        }
        long low = contexts.low(context);
        long high = contexts.high(context);
        if (translator.walk.request(low, high, iova, RequestType.UNTRANSLATED) != null) {
            return -1;
        }
        if (ContextEntry.translationType(low) == ContextEntry.TYPE_PASS_THROUGH) {
            if (!caches.holds(version)) {
                return -1;
            }
            counters.contextHits++;
            rememberPassThrough(iova, version);
            return iova;
        }
        long entry = iotlb.find(CacheSpace.ofDomain(ContextEntry.domain(high)), iova);
        if ((entry & needs) == 0) {
            return -1;
        }
        int rights = (int) entry & PageWalk.NEEDS_ANY;
        long hpa = Iotlb.hpa(entry, iova);
        if (!caches.holds(version)) {
            return -1;
        }
        counters.contextHits++;
        counters.iotlbHits++;
        rememberPage(iova, hpa, rights, version);
        return hpa;
    }

    void rememberPassThrough(long iova, long version) {
        remember(iova, iova, PageWalk.NEEDS_ANY, version, 0);
    }

    void rememberPage(long iova, long hpa, int rights, long version) {
        remember(iova, hpa, rights, version, 1);
    }

    private void remember(long iova, long hpa, int rights, long version, int fromIotlb) {
        long page = iova >>> AddressRange.PAGE_SHIFT;
        int slot = slot(page);
        recent[slot + PAGE] = page;
        recent[slot + VERSION] = version;
        recent[slot + FRAME] = hpa & -AddressRange.PAGE_SIZE | (long) fromIotlb << IOTLB_SHIFT | rights;
    }

    private static int slot(long page) {
        return ((int) page & RECENT - 1) << SLOT_SHIFT;
    }
}
