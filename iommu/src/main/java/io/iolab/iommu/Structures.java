package io.iolab.iommu;

import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.CacheVersion;
import io.iolab.iommu.cache.ContextCache;
import io.iolab.iommu.cache.PasidCache;
import io.iolab.iommu.cache.TranslationCaches;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.table.ContextEntry;
import io.iolab.iommu.table.PasidEntry;
import io.iolab.iommu.table.ScalableContextEntry;
import io.iolab.iommu.walk.AddressSpace;
import io.iolab.iommu.walk.RequestType;
import io.iolab.iommu.walk.StructureWalk;
import org.jspecify.annotations.Nullable;

/**
 * From a requester, and its PASID, to an address space: context and PASID entries through their caches (VT-d 3.4, 6.2.2, 6.2.3).
 *
 * <pre>
 *   legacy    rid --ContextCache--> context entry ------------------------------------> AddressSpace
 *   scalable  rid --ContextCache--> context entry, PASID --PasidCache--> PASID entry --> AddressSpace
 *                      miss: StructureWalk
 * </pre>
 *
 * <p>A request is checked against an entry as soon as the entry is known, so that the first obstacle on the way names the fault.
 *
 * <p>Threading: under the unit's lock.
 */
final class Structures {
    private final Capabilities capabilities;
    private final ContextCache contexts;
    private final PasidCache pasids;
    private final CacheVersion version;
    private final StructureWalk walk;
    private long rootTableHpa;
    private boolean scalable;
    private long contextLow;
    private long contextHigh;
    private boolean faultsDisabled;

    Structures(Capabilities capabilities, Memory hostMemory, TranslationCaches caches) {
        this.capabilities = capabilities;
        this.contexts = caches.contexts();
        this.pasids = caches.pasids();
        this.version = caches.version();
        this.walk = new StructureWalk(hostMemory, capabilities);
    }

    void setRoot(long hpa, boolean isScalable) {
        rootTableHpa = hpa;
        scalable = isScalable;
    }

    /** FPD of the entries that the last call came by. */
    boolean faultsDisabled() {
        return faultsDisabled;
    }

    /**
     * Makes {@code space} current for the requests of a port.
     *
     * @return null, or why the port's requests are blocked
     */
    @Nullable
    FaultReason bind(RemappedPort port, AddressSpace space, RequestType type) {
        RequesterCounters counters = port.counters();
        if (space.currentUnder(version.bindings())) {
            counters.contextHits++;
            counters.pasidHits += scalable ? 1 : 0;
            faultsDisabled = space.faultsDisabled();
            return type == RequestType.UNTRANSLATED || space.deviceTlb() ? null : typeBlocked();
        }
        space.forget();
        FaultReason reason = admit(port.rid(), port.pasid(), type, counters);
        if (reason == null && scalable) {
            reason = bindPasid(port, space, counters);
        } else if (reason == null) {
            space.decodeLegacy(contextLow, contextHigh, capabilities);
        }
        if (reason == null) {
            space.decodedUnder(version.bindings());
        }
        return reason;
    }

    private FaultReason typeBlocked() {
        return scalable ? FaultReason.DEVICE_TLB_DISABLED : FaultReason.REQUEST_TYPE_BLOCKED;
    }

    /**
     * Checks a request against the context entry alone, which is all that a translated request and a page request need.
     *
     * @param pasid 20 bits, or {@link TranslationPort#NO_PASID}
     */
    @Nullable
    FaultReason admit(int rid, int pasid, RequestType type, RequesterCounters counters) {
        faultsDisabled = false;
        if (!scalable && pasid != TranslationPort.NO_PASID) {
            return FaultReason.PASID_IN_LEGACY_MODE;
        }
        FaultReason reason = context(rid, counters);
        if (reason != null) {
            return reason;
        }
        if (type != RequestType.UNTRANSLATED && !deviceTlbAllowed()) {
            return typeBlocked();
        }
        return scalable ? checkPasid(pasid, type) : null;
    }

    private boolean deviceTlbAllowed() {
        return scalable
                ? ScalableContextEntry.deviceTlb(contextLow)
                : ContextEntry.translationType(contextLow) == ContextEntry.TYPE_DEVICE_TLB;
    }

    private @Nullable FaultReason checkPasid(int pasid, RequestType type) {
        int limit = ScalableContextEntry.pasidLimit(contextLow);
        if (pasid != TranslationPort.NO_PASID) {
            if (!ScalableContextEntry.pasidEnabled(contextLow)) {
                return FaultReason.PASID_DISABLED;
            }
            return pasid >= limit || pasid >>> capabilities.pasidBits() != 0
                    ? FaultReason.PASID_BEYOND_DIRECTORY
                    : null;
        }
        boolean needed = type != RequestType.TRANSLATED;
        return needed && ScalableContextEntry.requesterPasid(contextHigh, capabilities) >= limit
                ? FaultReason.REQUESTER_PASID_BEYOND_DIRECTORY
                : null;
    }

    /** PRE, for page requests that {@link #admit} lets through (scalable mode). */
    boolean pageRequestsAllowed() {
        return ScalableContextEntry.pageRequests(contextLow);
    }

    private @Nullable FaultReason context(int rid, RequesterCounters counters) {
        int slot = contexts.find(rid, scalable);
        if (slot >= 0) {
            counters.contextHits++;
            contextLow = contexts.low(slot);
            contextHigh = contexts.high(slot);
            faultsDisabled = ContextEntry.faultsDisabled(contextLow);
            return contexts.reason(slot);
        }
        counters.contextMisses++;
        long before = walk.accesses();
        FaultReason reason = scalable ? walk.scalableContext(rootTableHpa, rid) : walk.context(rootTableHpa, rid);
        counters.walkAccesses += walk.accesses() - before;
        contextLow = walk.contextLow();
        contextHigh = walk.contextHigh();
        faultsDisabled = ContextEntry.faultsDisabled(contextLow);
        if (reason == null) {
            contexts.fill(rid, scalable, contextLow, contextHigh);
        } else if (capabilities.cachingMode() && isAbsence(reason)) {
            contexts.fillNegative(rid, scalable, contextLow, reason);
        }
        return reason;
    }

    private @Nullable FaultReason bindPasid(RemappedPort port, AddressSpace space, RequesterCounters counters) {
        int pasid = port.pasid();
        boolean privileged = port.privileged();
        if (pasid == TranslationPort.NO_PASID) {
            pasid = ScalableContextEntry.requesterPasid(contextHigh, capabilities);
            privileged = ScalableContextEntry.requesterPrivilege(contextHigh);
        }
        long contextWord = contextLow;
        int slot = pasids.find(port.rid(), pasid);
        FaultReason reason;
        long word0;
        long word1;
        long word2;
        if (slot >= 0) {
            counters.pasidHits++;
            word0 = pasids.word(slot, 0);
            word1 = pasids.word(slot, 1);
            word2 = pasids.word(slot, 2);
            reason = pasids.reason(slot);
        } else {
            counters.pasidMisses++;
            reason = fetchPasid(port.rid(), pasid, counters);
            word0 = walk.pasidWord(0);
            word1 = walk.pasidWord(1);
            word2 = walk.pasidWord(2);
        }
        faultsDisabled |= ContextEntry.faultsDisabled(word0);
        if (reason != null) {
            return reason;
        }
        reason = checkPrivileges(port, privileged, word2);
        if (reason == null) {
            space.decodeScalable(word0, word1, word2, pasid, contextWord, capabilities);
            space.request(privileged, port.executes());
        }
        return reason;
    }

    private @Nullable FaultReason fetchPasid(int rid, int pasid, RequesterCounters counters) {
        long before = walk.accesses();
        FaultReason reason = walk.pasid(contextLow, pasid);
        counters.walkAccesses += walk.accesses() - before;
        if (reason == null) {
            pasids.fill(rid, pasid, walk.pasidWord(0), walk.pasidWord(1), walk.pasidWord(2));
        } else if (capabilities.cachingMode() && isAbsence(reason)) {
            pasids.fillNegative(rid, pasid, walk.pasidWord(0), reason);
        }
        return reason;
    }

    /** ERE and SRE. They count for requests with a PASID; those without have the privilege that their context entry gives. */
    private static @Nullable FaultReason checkPrivileges(RemappedPort port, boolean privileged, long word2) {
        if (port.executes() && !PasidEntry.executeRequests(word2)) {
            return FaultReason.EXECUTE_REQUESTS_DISABLED;
        }
        return privileged && !PasidEntry.supervisorRequests(word2) ? FaultReason.SUPERVISOR_REQUESTS_DISABLED : null;
    }

    private static boolean isAbsence(FaultReason reason) {
        return switch (reason) {
            case ROOT_NOT_PRESENT,
                    CONTEXT_NOT_PRESENT,
                    SCALABLE_ROOT_NOT_PRESENT,
                    SCALABLE_CONTEXT_NOT_PRESENT,
                    PASID_DIRECTORY_NOT_PRESENT,
                    PASID_ENTRY_NOT_PRESENT -> true;
            default -> false;
        };
    }
}
