package io.iolab.iommu;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.CacheSpace;
import io.iolab.iommu.cache.CacheVersion;
import io.iolab.iommu.cache.ContextCache;
import io.iolab.iommu.cache.Iotlb;
import io.iolab.iommu.cache.TranslationCaches;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.fault.FaultRecorder;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.table.ContextEntry;
import io.iolab.iommu.walk.PageWalk;
import io.iolab.iommu.walk.RequestType;
import org.jspecify.annotations.Nullable;

/**
 * Translation with the caches around the walk. What a requester cannot answer from the caches alone comes here: misses, denials,
 * faults.
 *
 * <pre>
 *   RemappedPort --hit, no lock--> ContextCache, Iotlb
 *        +------otherwise--------> Translator (lock) --> caches --miss--> PageWalk --> fill
 *                                       +--fault--> FaultRecorder
 * </pre>
 *
 * <p>Threading: the object itself is the unit's lock. {@link #mode} and look-ups in the caches need none.
 */
final class Translator {
    final CacheVersion version;
    final ContextCache contexts;
    final Iotlb iotlb;
    final PageWalk walk;
    final Capabilities capabilities;
    private final FaultRecorder faults;

    private volatile TranslationMode mode = TranslationMode.OFF;
    private boolean enabled;
    private boolean legacyTables = true;
    private long rootTableHpa;

    Translator(RemappingOptions options, Memory hostMemory, TranslationCaches caches, FaultRecorder faults) {
        this.capabilities = options.capabilities();
        this.contexts = caches.contexts();
        this.iotlb = caches.iotlb();
        this.version = caches.version();
        this.faults = faults;
        this.walk = new PageWalk(hostMemory, capabilities);
    }

    TranslationMode mode() {
        return mode;
    }

    /** GCMD.TE. Cached entries stay: what software has not invalidated is still in force when translation returns. */
    synchronized void enable(boolean on) {
        enabled = on;
        updateMode();
    }

    /** GCMD.SRTP: takes the root pointer and TTM over from RTADDR. Cached entries stay, since CAP.ESRTPS is not offered. */
    synchronized void latchRoot(long rtaddr) {
        rootTableHpa = rtaddr & ~0xFFFL;
        legacyTables = (rtaddr >>> 10 & 3) == 0;
        updateMode();
    }

    private void updateMode() {
        mode = !enabled ? TranslationMode.OFF : legacyTables ? TranslationMode.LEGACY : TranslationMode.BLOCKED;
    }

    /**
     * Translates one address, with every cache, count and fault that goes with it.
     *
     * @param needs rights as {@link PageWalk} names them
     * @return the host physical address, or a fault as a negative {@link io.iolab.devices.fault.DmaFault#asResult}
     */
    synchronized long translate(RemappedPort port, long iova, int needs) {
        TranslationMode current = mode;
        if (current == TranslationMode.OFF) {
            return iova;
        }
        if (current == TranslationMode.BLOCKED) {
            return blocked(port, FaultReason.TABLE_MODE_INVALID, 0, iova, needs);
        }
        RequesterCounters counters = port.counters();
        int slot = contexts.find(port.rid(), false);
        FaultReason reason;
        long low;
        long high;
        if (slot >= 0) {
            counters.contextHits++;
            reason = contexts.reason(slot);
            low = contexts.low(slot);
            high = contexts.high(slot);
        } else {
            counters.contextMisses++;
            reason = fetchContext(port);
            low = walk.contextLow();
            high = walk.contextHigh();
        }
        if (reason == null) {
            reason = walk.request(low, high, iova, RequestType.UNTRANSLATED);
        }
        if (reason != null) {
            return blocked(port, reason, low, iova, needs);
        }
        if (ContextEntry.translationType(low) == ContextEntry.TYPE_PASS_THROUGH) {
            port.rememberPassThrough(iova, version.current());
            return iova;
        }
        return page(port, low, high, iova, needs);
    }

    private @Nullable FaultReason fetchContext(RemappedPort port) {
        long before = walk.accesses();
        FaultReason reason = walk.context(rootTableHpa, port.rid());
        port.counters().walkAccesses += walk.accesses() - before;
        if (reason == null) {
            contexts.fill(port.rid(), false, walk.contextLow(), walk.contextHigh());
        } else if (capabilities.cachingMode()
                && (reason == FaultReason.ROOT_NOT_PRESENT || reason == FaultReason.CONTEXT_NOT_PRESENT)) {
            contexts.fillNegative(port.rid(), false, walk.contextLow(), reason);
        }
        return reason;
    }

    private long page(RemappedPort port, long low, long high, long iova, int needs) {
        RequesterCounters counters = port.counters();
        int domain = ContextEntry.domain(high);
        long space = CacheSpace.ofDomain(domain);
        long entry = iotlb.find(space, iova);
        if (entry != 0) {
            counters.iotlbHits++;
            int rights = (int) entry & PageWalk.NEEDS_ANY;
            if ((rights & needs) == 0) {
                FaultReason denied = needs == PageWalk.NEEDS_WRITE ? FaultReason.WRITE_DENIED : FaultReason.READ_DENIED;
                return blocked(port, denied, low, iova, needs);
            }
            long hpa = Iotlb.hpa(entry, iova);
            port.rememberPage(iova, hpa, rights, version.current());
            return hpa;
        }
        counters.iotlbMisses++;
        long before = walk.accesses();
        FaultReason reason = walk.page(low, high, iova, needs);
        counters.walkAccesses += walk.accesses() - before;
        if (reason != null) {
            if (capabilities.cachingMode() && walk.notPresent()) {
                fill(space, iova, Iotlb.entry(12, 0, 0));
            }
            return blocked(port, reason, low, iova, needs);
        }
        fill(space, iova, Iotlb.entry(walk.pageShift(), walk.frameHpa(), walk.rights()));
        long hpa = walk.frameHpa() + (iova & (1L << walk.pageShift()) - 1);
        port.rememberPage(iova, hpa, walk.rights(), version.current());
        return hpa;
    }

    private void fill(long space, long iova, long entry) {
        version.beginChange();
        iotlb.fill(space, iova, entry);
        version.endChange();
    }

    private long blocked(RemappedPort port, FaultReason reason, long contextLow, long iova, int needs) {
        port.counters().fault(reason);
        faults.record(
                reason,
                ContextEntry.faultsDisabled(contextLow),
                port.rid(),
                iova,
                needs != PageWalk.NEEDS_WRITE,
                RequestType.UNTRANSLATED.ordinal());
        return reason.dmaFault().asResult();
    }
}
