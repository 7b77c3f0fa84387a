package io.iolab.iommu.register;

import org.jspecify.annotations.Nullable;

/**
 * What a unit offers, as software reads it from CAP and ECAP. The model asks this record too, so that what it announces and
 * what it does cannot differ.
 *
 * @param cap the CAP register (VT-d 10.4.2)
 * @param ecap the ECAP register (VT-d 10.4.3)
 * @param hostAddressWidth bits in a host physical address, 32 to 52; told to software by the DMAR table, not by a register
 */
public record Capabilities(long cap, long ecap, int hostAddressWidth) {
    /** CAP.RWBF: structures that change from not present to present need GCMD.WBF. */
    public static final long WRITE_BUFFER_FLUSH = 1L << 4;

    /** CAP.PLMR: a protected low-memory region. */
    public static final long PROTECTED_LOW = 1L << 5;

    /** CAP.PHMR: a protected high-memory region. */
    public static final long PROTECTED_HIGH = 1L << 6;

    /** CAP.CM: absent entries are cached as well. */
    public static final long CACHING_MODE = 1L << 7;

    /** CAP.ZLR: zero-length reads of write-only pages succeed. */
    public static final long ZERO_LENGTH_READ = 1L << 22;

    /** CAP.SLLPS, second-level pages of 2 MiB. */
    public static final long LARGE_PAGES_2M = 1L << 34;

    /** CAP.SLLPS, second-level pages of 1 GiB. */
    public static final long LARGE_PAGES_1G = 1L << 35;

    /** CAP.PSI: page-selective invalidation. */
    public static final long PAGE_SELECTIVE = 1L << 39;

    /** CAP.DWD: an invalidation can drain writes. */
    public static final long WRITE_DRAIN = 1L << 54;

    /** CAP.DRD: an invalidation can drain reads. */
    public static final long READ_DRAIN = 1L << 55;

    /** CAP.FL1GP: first-level pages of 1 GiB. */
    public static final long FIRST_LEVEL_1G = 1L << 56;

    /** CAP.PI: posted interrupts. */
    public static final long POSTED_INTERRUPTS = 1L << 59;

    /** CAP.FL5LP: first-level tables of five levels. */
    public static final long FIRST_LEVEL_5 = 1L << 60;

    /** CAP.ESIRTPS: GCMD.SIRTP empties the interrupt entry cache. */
    public static final long SET_INTERRUPT_TABLE_FLUSHES = 1L << 62;

    /** CAP.ESRTPS: GCMD.SRTP empties context cache, PASID cache and IOTLB. */
    public static final long SET_ROOT_FLUSHES = 1L << 63;

    /** ECAP.C: page walks snoop the processor's caches. */
    public static final long COHERENT = 1L << 0;

    /** ECAP.QI. */
    public static final long QUEUED_INVALIDATION = 1L << 1;

    /** ECAP.DT: address translation services. */
    public static final long DEVICE_TLB = 1L << 2;

    /** ECAP.IR. */
    public static final long INTERRUPT_REMAPPING = 1L << 3;

    /** ECAP.EIM: 32-bit APIC ids. */
    public static final long EXTENDED_INTERRUPT_MODE = 1L << 4;

    /** ECAP.PT. */
    public static final long PASS_THROUGH = 1L << 6;

    /** ECAP.SC: SNP in second-level leaves. */
    public static final long SNOOP_CONTROL = 1L << 7;

    /** ECAP.MTS. */
    public static final long MEMORY_TYPES = 1L << 25;

    /** ECAP.NEST: nested translation. */
    public static final long NESTED = 1L << 26;

    /** ECAP.PRS: page requests. */
    public static final long PAGE_REQUESTS = 1L << 29;

    /** ECAP.ERS: requests that ask to execute. */
    public static final long EXECUTE_REQUESTS = 1L << 30;

    /** ECAP.SRS: requests with supervisor privilege. */
    public static final long SUPERVISOR_REQUESTS = 1L << 31;

    /** ECAP.NWFS: translation requests that will not write. */
    public static final long NO_WRITE_FLAG = 1L << 33;

    /** ECAP.EAFS: the extended accessed flag of first-level entries. */
    public static final long EXTENDED_ACCESSED = 1L << 34;

    /** ECAP.PASID: requests with a PASID. */
    public static final long PASID = 1L << 40;

    /** ECAP.DIT. */
    public static final long DEVICE_TLB_THROTTLE = 1L << 41;

    /** ECAP.PDS: a wait can drain page requests. */
    public static final long PAGE_REQUEST_DRAIN = 1L << 42;

    /** ECAP.SMTS. */
    public static final long SCALABLE_MODE = 1L << 43;

    /** ECAP.SLADS: accessed and dirty bits in second-level entries. */
    public static final long SECOND_LEVEL_ACCESSED_DIRTY = 1L << 45;

    /** ECAP.SLTS: second-level tables in scalable mode. */
    public static final long SECOND_LEVEL = 1L << 46;

    /** ECAP.FLTS: first-level tables in scalable mode. */
    public static final long FIRST_LEVEL = 1L << 47;

    /** ECAP.SMPWCS: walks of scalable-mode structures snoop. */
    public static final long SCALABLE_COHERENT = 1L << 48;

    /** ECAP.RPS: the RID_PASID field of context entries. */
    public static final long REQUESTER_PASID = 1L << 49;

    /** ECAP.ADMS: TTM=11 blocks all requests. */
    public static final long ABORT_DMA = 1L << 52;

    /** ECAP.RPRIVS: the RID_PRIV field of context entries. */
    public static final long REQUESTER_PRIVILEGE = 1L << 53;

    public static final int SAGAW_SHIFT = 8;
    public static final int MGAW_SHIFT = 16;
    public static final int FRO_SHIFT = 24;
    public static final int NFR_SHIFT = 40;
    public static final int MAMV_SHIFT = 48;
    public static final int IRO_SHIFT = 8;
    public static final int MHMV_SHIFT = 20;
    public static final int PSS_SHIFT = 35;

    /** Bits in a domain id: 4 + 2 ND. */
    public int domainIdBits() {
        return 4 + 2 * (int) (cap & 7);
    }

    /** Whether SAGAW has the bit of this AW code: 1 for 39 bits, 2 for 48, 3 for 57. */
    public boolean supportsWidth(int awCode) {
        return awCode >= 0 && awCode <= 4 && (cap >>> SAGAW_SHIFT + awCode & 1) != 0;
    }

    /** Bits in the largest guest address: MGAW + 1. */
    public int guestAddressWidth() {
        return (int) (cap >>> MGAW_SHIFT & 0x3F) + 1;
    }

    /** MAMV: a page-selective invalidation covers at most 2 to this power 4 KiB pages. */
    public int maximumAddressMask() {
        return (int) (cap >>> MAMV_SHIFT & 0x3F);
    }

    public int faultRecords() {
        return (int) (cap >>> NFR_SHIFT & 0xFF) + 1;
    }

    /** MHMV: an index-selective invalidation covers at most 2 to this power interrupt entries. */
    public int maximumHandleMask() {
        return (int) (ecap >>> MHMV_SHIFT & 0xF);
    }

    /** Bits in a PASID, 1 to 20; 0 for a unit that takes no requests with a PASID. */
    public int pasidBits() {
        return pasid() ? (int) (ecap >>> PSS_SHIFT & 0x1F) + 1 : 0;
    }

    /** Ones in the bits of a host physical address. */
    public long hostAddressMask() {
        return (1L << hostAddressWidth) - 1;
    }

    /** CAP.RWBF: structures that change from not present to present need GCMD.WBF. */
    public boolean writeBufferFlush() {
        return (cap & WRITE_BUFFER_FLUSH) != 0;
    }

    /** CAP.PLMR: a protected low-memory region. */
    public boolean protectedLowMemory() {
        return (cap & PROTECTED_LOW) != 0;
    }

    /** CAP.PHMR: a protected high-memory region. */
    public boolean protectedHighMemory() {
        return (cap & PROTECTED_HIGH) != 0;
    }

    /** CAP.CM: absent entries are cached as well. */
    public boolean cachingMode() {
        return (cap & CACHING_MODE) != 0;
    }

    /** CAP.ZLR: zero-length reads of write-only pages succeed. */
    public boolean zeroLengthReads() {
        return (cap & ZERO_LENGTH_READ) != 0;
    }

    /** CAP.SLLPS, second-level pages of 2 MiB. */
    public boolean largePages2M() {
        return (cap & LARGE_PAGES_2M) != 0;
    }

    /** CAP.SLLPS, second-level pages of 1 GiB. */
    public boolean largePages1G() {
        return (cap & LARGE_PAGES_1G) != 0;
    }

    /** CAP.PSI: page-selective invalidation. */
    public boolean pageSelective() {
        return (cap & PAGE_SELECTIVE) != 0;
    }

    /** CAP.DWD: an invalidation can drain writes. */
    public boolean writeDrain() {
        return (cap & WRITE_DRAIN) != 0;
    }

    /** CAP.DRD: an invalidation can drain reads. */
    public boolean readDrain() {
        return (cap & READ_DRAIN) != 0;
    }

    /** CAP.FL1GP: first-level pages of 1 GiB. */
    public boolean firstLevel1G() {
        return (cap & FIRST_LEVEL_1G) != 0;
    }

    /** CAP.PI: posted interrupts. */
    public boolean postedInterrupts() {
        return (cap & POSTED_INTERRUPTS) != 0;
    }

    /** CAP.FL5LP: first-level tables of five levels. */
    public boolean firstLevel5() {
        return (cap & FIRST_LEVEL_5) != 0;
    }

    /** CAP.ESIRTPS: GCMD.SIRTP empties the interrupt entry cache. */
    public boolean setInterruptTableFlushes() {
        return (cap & SET_INTERRUPT_TABLE_FLUSHES) != 0;
    }

    /** CAP.ESRTPS: GCMD.SRTP empties context cache, PASID cache and IOTLB. */
    public boolean setRootFlushes() {
        return (cap & SET_ROOT_FLUSHES) != 0;
    }

    /** ECAP.C: page walks snoop the processor's caches. */
    public boolean coherentWalks() {
        return (ecap & COHERENT) != 0;
    }

    /** ECAP.QI. */
    public boolean queuedInvalidation() {
        return (ecap & QUEUED_INVALIDATION) != 0;
    }

    /** ECAP.DT: address translation services. */
    public boolean deviceTlb() {
        return (ecap & DEVICE_TLB) != 0;
    }

    /** ECAP.IR. */
    public boolean interruptRemapping() {
        return (ecap & INTERRUPT_REMAPPING) != 0;
    }

    /** ECAP.EIM: 32-bit APIC ids. */
    public boolean extendedInterruptMode() {
        return (ecap & EXTENDED_INTERRUPT_MODE) != 0;
    }

    /** ECAP.PT. */
    public boolean passThrough() {
        return (ecap & PASS_THROUGH) != 0;
    }

    /** ECAP.SC: SNP in second-level leaves. */
    public boolean snoopControl() {
        return (ecap & SNOOP_CONTROL) != 0;
    }

    /** ECAP.MTS. */
    public boolean memoryTypes() {
        return (ecap & MEMORY_TYPES) != 0;
    }

    /** ECAP.NEST: nested translation. */
    public boolean nested() {
        return (ecap & NESTED) != 0;
    }

    /** ECAP.PRS: page requests. */
    public boolean pageRequests() {
        return (ecap & PAGE_REQUESTS) != 0;
    }

    /** ECAP.ERS: requests that ask to execute. */
    public boolean executeRequests() {
        return (ecap & EXECUTE_REQUESTS) != 0;
    }

    /** ECAP.SRS: requests with supervisor privilege. */
    public boolean supervisorRequests() {
        return (ecap & SUPERVISOR_REQUESTS) != 0;
    }

    /** ECAP.NWFS: translation requests that will not write. */
    public boolean noWriteFlag() {
        return (ecap & NO_WRITE_FLAG) != 0;
    }

    /** ECAP.EAFS: the extended accessed flag of first-level entries. */
    public boolean extendedAccessed() {
        return (ecap & EXTENDED_ACCESSED) != 0;
    }

    /** ECAP.PASID: requests with a PASID. */
    public boolean pasid() {
        return (ecap & PASID) != 0;
    }

    /** ECAP.DIT. */
    public boolean deviceTlbThrottle() {
        return (ecap & DEVICE_TLB_THROTTLE) != 0;
    }

    /** ECAP.PDS: a wait can drain page requests. */
    public boolean pageRequestDrain() {
        return (ecap & PAGE_REQUEST_DRAIN) != 0;
    }

    /** ECAP.SMTS. */
    public boolean scalableMode() {
        return (ecap & SCALABLE_MODE) != 0;
    }

    /** ECAP.SLADS: accessed and dirty bits in second-level entries. */
    public boolean secondLevelAccessedDirty() {
        return (ecap & SECOND_LEVEL_ACCESSED_DIRTY) != 0;
    }

    /** ECAP.SLTS: second-level tables in scalable mode. */
    public boolean secondLevel() {
        return (ecap & SECOND_LEVEL) != 0;
    }

    /** ECAP.FLTS: first-level tables in scalable mode. */
    public boolean firstLevel() {
        return (ecap & FIRST_LEVEL) != 0;
    }

    /** ECAP.SMPWCS: walks of scalable-mode structures snoop. */
    public boolean scalableCoherentWalks() {
        return (ecap & SCALABLE_COHERENT) != 0;
    }

    /** ECAP.RPS: the RID_PASID field of context entries. */
    public boolean requesterPasid() {
        return (ecap & REQUESTER_PASID) != 0;
    }

    /** ECAP.ADMS: TTM=11 blocks all requests. */
    public boolean abortDma() {
        return (ecap & ABORT_DMA) != 0;
    }

    /** ECAP.RPRIVS: the RID_PRIV field of context entries. */
    public boolean requesterPrivilege() {
        return (ecap & REQUESTER_PRIVILEGE) != 0;
    }

    /**
     * The first rule among capabilities that this combination breaks (VT-d 10.4.2, 10.4.3: each field that names another as its
     * condition).
     *
     * @return null for a unit that can exist, otherwise the rule in words
     */
    public @Nullable String brokenRule() {
        String rule = brokenInterruptRule();
        if (rule == null) {
            rule = brokenScalableRule();
        }
        if (rule == null) {
            rule = broken(deviceTlb(), queuedInvalidation(), "device TLBs need queued invalidation");
        }
        return rule == null ? broken(pageRequests(), deviceTlb(), "page requests need device TLBs") : rule;
    }

    private @Nullable String brokenInterruptRule() {
        String rule = broken(
                extendedInterruptMode(), interruptRemapping(), "extended interrupt mode needs interrupt remapping");
        if (rule == null) {
            rule = broken(postedInterrupts(), interruptRemapping(), "posted interrupts need interrupt remapping");
        }
        return rule == null
                ? broken(interruptRemapping(), queuedInvalidation(), "interrupt remapping needs queued invalidation")
                : rule;
    }

    private @Nullable String brokenScalableRule() {
        boolean scalableOnly =
                firstLevel() || secondLevel() || pasid() || requesterPasid() || secondLevelAccessedDirty();
        String rule = broken(scalableMode(), queuedInvalidation(), "scalable mode needs queued invalidation");
        if (rule == null) {
            rule = broken(
                    scalableOnly,
                    scalableMode(),
                    "first- and second-level tables by PASID, PASIDs and second-level A/D need scalable mode");
        }
        if (rule == null) {
            rule = broken(nested(), firstLevel() && secondLevel(), "nesting needs first- and second-level tables");
        }
        return rule == null
                ? broken(
                        firstLevel5() || firstLevel1G() || extendedAccessed(),
                        firstLevel(),
                        "first-level features need first-level tables")
                : rule;
    }

    private static @Nullable String broken(boolean feature, boolean needed, String rule) {
        return feature && !needed ? rule : null;
    }
}
