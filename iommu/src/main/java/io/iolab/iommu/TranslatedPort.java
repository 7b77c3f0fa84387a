package io.iolab.iommu;

import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.CacheVersion;
import io.iolab.iommu.walk.RequestType;

/**
 * The way to memory of one requester's translated requests (AT=10). If its context entry allows them at all, the address is believed:
 * whatever the tables say of it, it is host physical (VT-d 4.2.2). The only range that stays closed is that of interrupts.
 */
final class TranslatedPort extends MovingPort {
    private static final long NEVER = -1;

    private final RemappedPort plain;
    private final Translator translator;
    private final CacheVersion caches;
    private long admittedUnder = NEVER;
    private boolean admitted;

    TranslatedPort(RemappedPort plain, Translator translator, Memory hostMemory, ProtectedMemory protectedMemory) {
        super(hostMemory, protectedMemory, true, plain.counters());
        this.plain = plain;
        this.translator = translator;
        this.caches = translator.version;
    }

    /** Decides for the next request already; what happens to the tables meanwhile comes too late for it. */
    DmaFault admit(long hpa, boolean read) {
        DmaFault fault = decide(hpa, read);
        admitted = fault == DmaFault.NONE;
        return fault;
    }

    void withdraw() {
        admitted = false;
    }

    private DmaFault decide(long hpa, boolean read) {
        long bindings = caches.bindings();
        if (admittedUnder == bindings && translator.mode().translates()) {
            counters.contextHits++;
            return DmaFault.NONE;
        }
        DmaFault fault = translator.admitTranslated(plain, hpa, read);
        if (fault != null) {
            return fault;
        }
        // Read before the look-up: a later change of the tables' caches must be looked up again.
        admittedUnder = bindings;
        return DmaFault.NONE;
    }

    @Override
    long translate(long hpa, long access) {
        DmaFault fault = admitted ? DmaFault.NONE : decide(hpa, access != WRITES);
        admitted = false;
        if (fault != DmaFault.NONE) {
            return fault.asResult();
        }
        // An address with the top bit set would read as a fault; no memory lies there.
        return hpa < 0 ? DmaFault.BEYOND_MEMORY.asResult() : hpa;
    }

    @Override
    DmaFault interruptRange(long hpa, long access) {
        return translator.mode() == TranslationMode.OFF
                ? DmaFault.NOT_MAPPED
                : translator.blockInterruptRange(plain, hpa, access != WRITES, RequestType.TRANSLATED);
    }
}
