package io.iolab.iommu;

import io.iolab.devices.dma.PageRequestPort;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.CacheVersion;
import io.iolab.iommu.cache.Iotlb;
import io.iolab.iommu.cache.TranslationCaches;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.fault.FaultRecorder;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.walk.AddressSpace;
import io.iolab.iommu.walk.PageWalk;
import io.iolab.iommu.walk.RequestType;
import org.jspecify.annotations.Nullable;

/**
 * Translation with the caches around the walk. What a requester cannot answer from the caches, or with a walk of its own, comes
 * here: unknown requesters, denials, faults, absent pages, walks that an invalidation has overtaken.
 *
 * <pre>
 *   RemappedPort --hit, no lock--> AddressSpace, Iotlb
 *        +------miss, no lock----> PageWalk --> fill, unless something has changed meanwhile
 *        +------otherwise--------> Translator (lock) --> Structures, Iotlb --miss--> PageWalk --> fill
 *                                       +--fault--> FaultRecorder
 * </pre>
 *
 * <p>Threading: the object itself is the unit's lock. {@link #mode} and look-ups in the caches need none.
 */
final class Translator {
    /** In place of a response code (PCIe 4.0 10.4.2): the request waits for software. */
    static final int QUEUED = -1;

    private static final int INVALID_REQUEST = 1;
    private static final int RESPONSE_FAILURE = 15;

    final TranslationCaches caches;
    final CacheVersion version;
    final Iotlb iotlb;
    final Capabilities capabilities;
    private final Memory memory;
    private final FaultRecorder faults;
    private final Structures structures;

    private volatile TranslationMode mode = TranslationMode.OFF;
    private volatile @Nullable PageRequestPort pageRequests;
    private boolean enabled;
    private int tableMode;

    Translator(RemappingOptions options, Memory hostMemory, TranslationCaches caches, FaultRecorder faults) {
        this.capabilities = options.capabilities();
        this.memory = hostMemory;
        this.caches = caches;
        this.iotlb = caches.iotlb();
        this.version = caches.version();
        this.faults = faults;
        this.structures = new Structures(capabilities, hostMemory, caches);
    }

    TranslationMode mode() {
        return mode;
    }

    /** Where valid page requests go; without one they are answered with a failure. */
    void pageRequestsTo(PageRequestPort port) {
        pageRequests = port;
    }

    PageWalk newWalk() {
        return new PageWalk(memory, capabilities, caches.tables());
    }

    /** GCMD.TE. Cached entries stay: what software has not invalidated is still in force when translation returns. */
    synchronized void enable(boolean on) {
        enabled = on;
        updateMode();
    }

    /** GCMD.SRTP: takes the root pointer and TTM over from RTADDR. Cached entries stay; with CAP.ESRTPS the caller empties them. */
    synchronized void latchRoot(long rtaddr) {
        tableMode = (int) (rtaddr >>> 10) & 3;
        structures.setRoot(rtaddr & ~0xFFFL, tableMode == 1);
        updateMode();
    }

    private void updateMode() {
        mode = TranslationMode.of(enabled, tableMode, capabilities.scalableMode(), capabilities.abortDma());
        caches.forgetBindings();
    }

    private static FaultReason modeReason(TranslationMode mode) {
        return mode == TranslationMode.ABORT ? FaultReason.DMA_ABORTED : FaultReason.TABLE_MODE_INVALID;
    }

    /**
     * Translates one address, with every cache, count and fault that goes with it.
     *
     * @param access {@link Iotlb#READ}, {@link Iotlb#WRITE} or both, of which one is enough
     * @return the host physical address, or a fault as a negative {@link DmaFault#asResult}
     */
    synchronized long translate(RemappedPort port, long iova, long access) {
        TranslationMode current = mode;
        if (current == TranslationMode.OFF) {
            return port.pasid() == TranslationPort.NO_PASID ? iova : DmaFault.NOT_MAPPED.asResult();
        }
        AddressSpace space = port.space();
        FaultReason reason =
                current.translates() ? structures.bind(port, space, RequestType.UNTRANSLATED) : modeReason(current);
        boolean faultsDisabled = current.translates() && structures.faultsDisabled();
        if (reason == null && space.isPassThrough() && space.covers(iova)) {
            port.rememberPassThrough(iova, version.current());
            return iova;
        }
        long entry = 0;
        if (reason == null) {
            entry = lookUp(port, space, iova, space.needs(access), access == Iotlb.WRITE);
            reason = lookUpReason;
        }
        if (reason != null) {
            int flags = flags(port, access != Iotlb.WRITE, RequestType.UNTRANSLATED);
            block(port, reason, faultsDisabled, iova, flags);
            return reason.dmaFault().asResult();
        }
        long hpa = Iotlb.hpa(entry, iova);
        port.rememberPage(iova, hpa, entry, version.current());
        return hpa;
    }

    private @Nullable FaultReason lookUpReason;

    /**
     * The entry that translates an address, from the IOTLB or from tables. The lock keeps invalidations away, but not what other ports
     * enter after walks of their own: the whole of it is a change of the caches, so that no look-up reads half of an entry.
     *
     * @return meaningful when {@link #lookUpReason} is null afterwards
     */
    private long lookUp(RemappedPort port, AddressSpace space, long iova, long needs, boolean write) {
        lookUpReason = null;
        if (!space.covers(iova)) {
            lookUpReason =
                    space.isScalable() ? FaultReason.SECOND_LEVEL_BEYOND_WIDTH : FaultReason.ADDRESS_BEYOND_WIDTH;
            return 0;
        }
        version.beginChange();
        try {
            return lookUpAlone(port, space, iova, needs, write);
        } finally {
            version.endChange();
        }
    }

    private long lookUpAlone(RemappedPort port, AddressSpace space, long iova, long needs, boolean write) {
        RequesterCounters counters = port.counters();
        long entry = iotlb.find(space.space(), iova);
        if (entry == 0) {
            counters.iotlbMisses++;
        } else {
            counters.iotlbHits++;
            boolean toDirty = write && (entry & Iotlb.CLEAN) != 0;
            if (!toDirty) {
                lookUpReason = space.allows(entry, needs) ? null : Denial.reason(space, entry, needs);
                return entry;
            }
        }
        PageWalk walk = port.walk();
        entry = walk.page(space, iova, needs, write);
        FaultReason reason = entry != 0 ? null : walk.reason();
        counters.walkAccesses += walk.accesses();
        if (reason == null) {
            iotlb.fill(space.space(), iova, entry);
            walk.fillTables();
        } else if (capabilities.cachingMode() && walk.notPresent()) {
            iotlb.fill(space.space(), iova, Denial.absent(reason, walk));
        }
        lookUpReason = reason;
        return entry;
    }

    private void block(RemappedPort port, FaultReason reason, boolean faultsDisabled, long iova, int flags) {
        port.counters().fault(reason);
        faults.record(reason, faultsDisabled, port.rid(), iova, flags, port.pasid());
    }

    /** A request with a PASID to the interrupt range, or a translated one: messages carry neither (VT-d 3.14). */
    synchronized DmaFault blockInterruptRange(RemappedPort port, long iova, boolean read, RequestType type) {
        FaultReason reason = mode == TranslationMode.SCALABLE
                ? FaultReason.SCALABLE_INTERRUPT_RANGE
                : port.pasid() == TranslationPort.NO_PASID
                        ? FaultReason.INTERRUPT_RANGE
                        : FaultReason.PASID_IN_LEGACY_MODE;
        block(port, reason, false, iova, flags(port, read, type));
        return reason.dmaFault();
    }

    private static int flags(RemappedPort port, boolean read, RequestType type) {
        return (read ? FaultRecorder.READ : 0)
                | port.recordFlags()
                | type.ordinal() << FaultRecorder.ADDRESS_TYPE_SHIFT;
    }

    /**
     * Whether a requester may send translated requests.
     *
     * @return null if so, otherwise what it sees of the refusal, which is recorded
     */
    synchronized @Nullable DmaFault admitTranslated(RemappedPort port, long hpa, boolean read) {
        TranslationMode current = mode;
        if (current == TranslationMode.OFF) {
            return DmaFault.NOT_MAPPED;
        }
        FaultReason reason = current.translates()
                ? structures.admit(port.rid(), TranslationPort.NO_PASID, RequestType.TRANSLATED, port.counters())
                : modeReason(current);
        if (reason == null) {
            return null;
        }
        boolean faultsDisabled = current.translates() && structures.faultsDisabled();
        block(port, reason, faultsDisabled, hpa, flags(port, read, RequestType.TRANSLATED));
        return reason.dmaFault();
    }

    /**
     * A translation request (VT-d 4.1; PCIe 4.0 10.2.3). An absent or denied page is a success without rights and no fault; what is wrong before any
     * page table is an unsupported request, what is wrong in one is a completer abort, and both are recorded.
     */
    synchronized TranslationStatus complete(RemappedPort port, long iova, int wanted, TranslationCompletion into) {
        TranslationMode current = mode;
        if (current == TranslationMode.OFF) {
            return TranslationStatus.UNSUPPORTED_REQUEST;
        }
        AddressSpace space = port.space();
        FaultReason reason = current.translates()
                ? structures.bind(port, space, RequestType.TRANSLATION_REQUEST)
                : modeReason(current);
        if (reason != null) {
            boolean faultsDisabled = current.translates() && structures.faultsDisabled();
            block(port, reason, faultsDisabled, iova, flags(port, true, RequestType.TRANSLATION_REQUEST));
            return TranslationStatus.UNSUPPORTED_REQUEST;
        }
        if (port.pasid() == TranslationPort.NO_PASID && MessagePort.claims(iova)) {
            into.set(iova & ~0xFFFL, 12, TranslationPort.WRITE);
            into.mark(true, false, false, false);
            return TranslationStatus.SUCCESS;
        }
        if (space.isPassThrough() && space.covers(iova)) {
            into.set(iova & ~0xFFFL, 12, TranslationPort.READ | TranslationPort.WRITE);
            return TranslationStatus.SUCCESS;
        }
        boolean write = (wanted & TranslationPort.WRITE) != 0;
        long entry = lookUp(port, space, iova, Iotlb.READ | space.writeRights(), write);
        reason = lookUpReason;
        if (reason == null) {
            Denial.completion(space, entry, iova, wanted, into);
            return TranslationStatus.SUCCESS;
        }
        if (reason.dmaFault() == DmaFault.BAD_TABLE) {
            boolean faultsDisabled = space.faultsDisabled();
            block(port, reason, faultsDisabled, iova, flags(port, true, RequestType.TRANSLATION_REQUEST));
            return TranslationStatus.COMPLETER_ABORT;
        }
        into.set(iova & ~0xFFFL, 12, 0);
        return TranslationStatus.SUCCESS;
    }

    /**
     * A page request message (VT-d 7.4), passed on under the lock to where valid ones go.
     *
     * @return the response code of a request that goes no further, or {@link #QUEUED}
     */
    synchronized int requestPage(RemappedPort port, long iova, int wanted, int group, boolean last) {
        TranslationMode current = mode;
        PageRequestPort queue = pageRequests;
        if (current == TranslationMode.OFF || queue == null) {
            return RESPONSE_FAILURE;
        }
        FaultReason reason = pageRequestReason(port, current);
        if (reason == null) {
            queue.pageRequest(port.rid(), port.pasid(), iova, wanted, group, last);
            return QUEUED;
        }
        boolean faultsDisabled = current == TranslationMode.SCALABLE && structures.faultsDisabled();
        boolean read = (wanted & TranslationPort.WRITE) == 0;
        block(port, reason, faultsDisabled, iova, flags(port, read, RequestType.UNTRANSLATED));
        return INVALID_REQUEST;
    }

    private @Nullable FaultReason pageRequestReason(RemappedPort port, TranslationMode current) {
        if (current == TranslationMode.LEGACY) {
            return FaultReason.PAGE_REQUEST_IN_LEGACY_MODE;
        }
        if (current != TranslationMode.SCALABLE) {
            return modeReason(current);
        }
        FaultReason reason =
                structures.admit(port.rid(), port.pasid(), RequestType.TRANSLATION_REQUEST, port.counters());
        return reason == null && !structures.pageRequestsAllowed() ? FaultReason.PAGE_REQUESTS_DISABLED : reason;
    }
}
