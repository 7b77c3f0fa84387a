package io.iolab.iommu;

import io.iolab.iommu.cache.CacheGeometry;
import io.iolab.iommu.cache.CacheVersion;
import io.iolab.iommu.cache.ContextCache;
import io.iolab.iommu.cache.Iotlb;
import io.iolab.iommu.cache.PagingStructureCache;
import io.iolab.iommu.cache.PasidCache;
import io.iolab.iommu.cache.TranslationCaches;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.register.VtdRegisters;

/**
 * What a remapping unit is built to offer. Start from {@link #builder()}, whose defaults are those of a current server part in
 * legacy mode: 39- and 48-bit tables, 2 MiB and 1 GiB pages, queued invalidation, pass-through, coherent walks. Every function
 * beyond that is off until it is asked for.
 *
 * @param capabilities the CAP and ECAP that follow
 * @param contextCache context entries by requester
 * @param pasidCache PASID table entries by requester and PASID
 * @param pagingStructureCache of each level above the leaves; {@link CacheGeometry#NONE} walks every level on every miss
 * @param iotlb4K translations of 4 KiB pages
 * @param iotlb2M translations of 2 MiB pages
 * @param iotlb1G translations of 1 GiB pages
 * @param interruptCache interrupt-remapping table entries
 * @param compressFaults whether faults of a source with a fault record pending are merged into it
 */
public record RemappingOptions(
        Capabilities capabilities,
        CacheGeometry contextCache,
        CacheGeometry pasidCache,
        CacheGeometry pagingStructureCache,
        CacheGeometry iotlb4K,
        CacheGeometry iotlb2M,
        CacheGeometry iotlb1G,
        CacheGeometry interruptCache,
        boolean compressFaults) {

    /** @throws IllegalArgumentException if the capabilities contradict each other, or a cache is missing */
    public RemappingOptions {
        String rule = capabilities.brokenRule();
        if (rule != null) {
            throw new IllegalArgumentException(rule);
        }
        contextCache.required();
        pasidCache.required();
        iotlb4K.required();
        iotlb2M.required();
        iotlb1G.required();
        interruptCache.required();
    }

    /** Empty caches of these sizes. */
    TranslationCaches caches() {
        CacheVersion version = new CacheVersion();
        return new TranslationCaches(
                version,
                new ContextCache(contextCache, version),
                new PasidCache(pasidCache, version),
                new PagingStructureCache(pagingStructureCache),
                new Iotlb(iotlb4K, iotlb2M, iotlb1G));
    }

    public static RemappingOptions defaults() {
        return builder().build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects options. Every setter checks its range and throws {@link IllegalArgumentException}. */
    public static final class Builder {
        private static final int MAXIMUM_ADDRESS_MASK = 18;
        private static final int MAXIMUM_HANDLE_MASK = 15;

        private int sagaw = 1 << 1 | 1 << 2;
        private int guestAddressWidth = 48;
        private int hostAddressWidth = 46;
        private int domainIdBits = 16;
        private int faultRecords = 8;
        private boolean largePages2M = true;
        private boolean largePages1G = true;
        private boolean cachingMode;
        private boolean writeBufferFlush;
        private boolean coherentWalks = true;
        private boolean queuedInvalidation = true;
        private boolean pageSelectiveInvalidation = true;
        private boolean passThrough = true;
        private boolean zeroLengthReads = true;
        /** Flags of CAP and of ECAP beyond those above. */
        private long moreCap;

        private long moreEcap;
        private int pasidBits;
        private int handleMask;
        private CacheGeometry contextCache = new CacheGeometry(16, 4);
        private CacheGeometry pasidCache = new CacheGeometry(16, 4);
        private CacheGeometry pagingStructureCache = CacheGeometry.NONE;
        private CacheGeometry iotlb4K = new CacheGeometry(16, 4);
        private CacheGeometry iotlb2M = new CacheGeometry(16, 4);
        private CacheGeometry iotlb1G = new CacheGeometry(16, 4);
        private CacheGeometry interruptCache = new CacheGeometry(32, 4);
        private boolean compressFaults = true;

        private Builder() {}

        private static int inRange(String what, int value, int low, int high) {
            if (value < low || value > high) {
                throw new IllegalArgumentException(what + " " + value + " is not in " + low + ".." + high);
            }
            return value;
        }

        /**
         * SAGAW: the widths that page tables may have, of 39 (3 levels), 48 (4) and 57 (5). MGAW becomes the largest.
         *
         * @param widths one or more
         */
        public Builder addressWidths(int... widths) {
            int bits = 0;
            int largest = 0;
            for (int width : widths) {
                if (width != 39 && width != 48 && width != 57) {
                    throw new IllegalArgumentException("address width " + width + " is not 39, 48 or 57");
                }
                bits |= 1 << (width - 30) / 9;
                largest = Math.max(largest, width);
            }
            sagaw = bits;
            guestAddressWidth = inRange("largest address width", largest, 39, 57);
            return this;
        }

        /** MGAW + 1: bits in the largest guest address, where narrower than the tables. Comes after {@link #addressWidths}. */
        public Builder guestAddressWidth(int bits) {
            guestAddressWidth = inRange("guest address width", bits, 30, 57);
            return this;
        }

        /** Bits in a host physical address, 32 to 52; address bits above are reserved in every table. */
        public Builder hostAddressWidth(int bits) {
            hostAddressWidth = inRange("host address width", bits, 32, 52);
            return this;
        }

        /** 4 to 16, even (CAP.ND). */
        public Builder domainIdBits(int bits) {
            domainIdBits = inRange("domain id bits", bits & ~1, 4, 16);
            return this;
        }

        /** Fault recording registers, 1 to 222. */
        public Builder faultRecords(int count) {
            faultRecords = inRange("fault records", count, 1, VtdRegisters.MAX_FAULT_RECORDS);
            return this;
        }

        /** SLLPS: which large pages exist. */
        public Builder largePages(boolean offer2M, boolean offer1G) {
            largePages2M = offer2M;
            largePages1G = offer1G;
            return this;
        }

        /** CM: absent entries are cached too, so software must invalidate after every change. */
        public Builder cachingMode(boolean on) {
            cachingMode = on;
            return this;
        }

        /** RWBF: software must use GCMD.WBF. */
        public Builder writeBufferFlush(boolean on) {
            writeBufferFlush = on;
            return this;
        }

        /** ECAP.C. Announced only: the lab's processors have no caches that could hold a table back. */
        public Builder coherentWalks(boolean on) {
            coherentWalks = on;
            return this;
        }

        public Builder queuedInvalidation(boolean on) {
            queuedInvalidation = on;
            return this;
        }

        /** PSI; without it software must invalidate whole domains. */
        public Builder pageSelectiveInvalidation(boolean on) {
            pageSelectiveInvalidation = on;
            return this;
        }

        public Builder passThrough(boolean on) {
            passThrough = on;
            return this;
        }

        /** ZLR: zero-length reads of write-only pages succeed. */
        public Builder zeroLengthReads(boolean on) {
            zeroLengthReads = on;
            return this;
        }

        private Builder cap(boolean on, long bit) {
            moreCap = on ? moreCap | bit : moreCap & ~bit;
            return this;
        }

        private Builder ecap(boolean on, long bit) {
            moreEcap = on ? moreEcap | bit : moreEcap & ~bit;
            return this;
        }

        /** PLMR and PHMR: memory that no device reaches, whatever the tables say. */
        public Builder protectedMemory(boolean low, boolean high) {
            cap(low, Capabilities.PROTECTED_LOW);
            return cap(high, Capabilities.PROTECTED_HIGH);
        }

        /** DWD and DRD. */
        public Builder drains(boolean writes, boolean reads) {
            cap(writes, Capabilities.WRITE_DRAIN);
            return cap(reads, Capabilities.READ_DRAIN);
        }

        /** ESRTPS: setting the root pointer empties the caches by itself. */
        public Builder setRootFlushes(boolean on) {
            return cap(on, Capabilities.SET_ROOT_FLUSHES);
        }

        /** ESIRTPS: setting the interrupt table empties its cache by itself. */
        public Builder setInterruptTableFlushes(boolean on) {
            return cap(on, Capabilities.SET_INTERRUPT_TABLE_FLUSHES);
        }

        /** SMTS: root, context and PASID tables of scalable mode. Offers nothing yet that these could lead to but pass-through. */
        public Builder scalableMode(boolean on) {
            ecap(on, Capabilities.SCALABLE_COHERENT);
            ecap(on, Capabilities.REQUESTER_PASID);
            return ecap(on, Capabilities.SCALABLE_MODE);
        }

        /** SMPWCS; without it accessed and dirty bits need PWSNP in the PASID entry. On with {@link #scalableMode}. */
        public Builder walkSnoop(boolean on) {
            return ecap(on, Capabilities.SCALABLE_COHERENT);
        }

        /** RPS; without it requests that carry no PASID have PASID 0. On with {@link #scalableMode}. */
        public Builder requesterPasid(boolean on) {
            return ecap(on, Capabilities.REQUESTER_PASID);
        }

        /** RPRIVS: context entries say with which privilege requests without a PASID are made. */
        public Builder requesterPrivilege(boolean on) {
            return ecap(on, Capabilities.REQUESTER_PRIVILEGE);
        }

        /** SLTS: second-level tables in scalable mode. */
        public Builder secondLevel(boolean on) {
            return ecap(on, Capabilities.SECOND_LEVEL);
        }

        /** SLADS: accessed and dirty bits in second-level entries. */
        public Builder secondLevelAccessedDirty(boolean on) {
            return ecap(on, Capabilities.SECOND_LEVEL_ACCESSED_DIRTY);
        }

        /** FLTS: first-level tables in scalable mode, of four levels. */
        public Builder firstLevel(boolean on) {
            return ecap(on, Capabilities.FIRST_LEVEL);
        }

        /** FL5LP and FL1GP: what first-level tables may have beyond four levels and 2 MiB pages. */
        public Builder firstLevelExtras(boolean fiveLevels, boolean pages1G) {
            cap(fiveLevels, Capabilities.FIRST_LEVEL_5);
            return cap(pages1G, Capabilities.FIRST_LEVEL_1G);
        }

        /** EAFS: the extended accessed flag of first-level entries. */
        public Builder extendedAccessed(boolean on) {
            return ecap(on, Capabilities.EXTENDED_ACCESSED);
        }

        /** NEST: first-level tables whose addresses go through second-level tables. */
        public Builder nested(boolean on) {
            return ecap(on, Capabilities.NESTED);
        }

        /** PASID and PSS: bits in a PASID, 1 to 20; 0 for no requests with a PASID. */
        public Builder pasidBits(int bits) {
            pasidBits = inRange("PASID bits", bits, 0, 20);
            return this;
        }

        /** SRS and ERS: requests with a PASID may ask for supervisor privilege, and to execute. */
        public Builder privilegedRequests(boolean supervisor, boolean execute) {
            ecap(supervisor, Capabilities.SUPERVISOR_REQUESTS);
            return ecap(execute, Capabilities.EXECUTE_REQUESTS);
        }

        /** DT: address translation services. */
        public Builder deviceTlb(boolean on) {
            return ecap(on, Capabilities.DEVICE_TLB);
        }

        /** NWFS: a translation request can say that it will not write. */
        public Builder noWriteFlag(boolean on) {
            return ecap(on, Capabilities.NO_WRITE_FLAG);
        }

        /** PRS and PDS: page requests, and a wait that drains them. */
        public Builder pageRequests(boolean on) {
            ecap(on, Capabilities.PAGE_REQUEST_DRAIN);
            return ecap(on, Capabilities.PAGE_REQUESTS);
        }

        /** IR, with the largest MHMV. */
        public Builder interruptRemapping(boolean on) {
            handleMask = on ? MAXIMUM_HANDLE_MASK : 0;
            return ecap(on, Capabilities.INTERRUPT_REMAPPING);
        }

        /** EIM. */
        public Builder extendedInterruptMode(boolean on) {
            return ecap(on, Capabilities.EXTENDED_INTERRUPT_MODE);
        }

        /** PI. */
        public Builder postedInterrupts(boolean on) {
            return cap(on, Capabilities.POSTED_INTERRUPTS);
        }

        /** SC: second-level leaves may ask for snooping, and SNP is no reserved bit. */
        public Builder snoopControl(boolean on) {
            return ecap(on, Capabilities.SNOOP_CONTROL);
        }

        /** ADMS: TTM=11 blocks every request. */
        public Builder abortDma(boolean on) {
            return ecap(on, Capabilities.ABORT_DMA);
        }

        /** Translations of each page size: entries are sets times ways, sets a power of two. The default, 16 by 4, holds 64. */
        public Builder iotlb(int sets, int ways) {
            iotlb4K = new CacheGeometry(sets, ways);
            return iotlbLarge(iotlb4K, iotlb4K);
        }

        /** Translations of large pages, where they have a different share. Comes after {@link #iotlb}. */
        public Builder iotlbLarge(CacheGeometry pages2M, CacheGeometry pages1G) {
            iotlb2M = pages2M;
            iotlb1G = pages1G;
            return this;
        }

        public Builder contextCache(int sets, int ways) {
            contextCache = new CacheGeometry(sets, ways);
            return this;
        }

        /** Interrupt-remapping table entries. The default, 32 by 4, holds 128. */
        public Builder interruptCache(int sets, int ways) {
            interruptCache = new CacheGeometry(sets, ways);
            return this;
        }

        /** Whether a source with a fault record pending gets no second one, so that it cannot fill the records. On by default. */
        public Builder compressFaults(boolean on) {
            compressFaults = on;
            return this;
        }

        public Builder pasidCache(int sets, int ways) {
            pasidCache = new CacheGeometry(sets, ways);
            return this;
        }

        /** Table addresses of each level by the part of the address that led there; 0 and 0, the default, for none. */
        public Builder pagingStructureCache(int sets, int ways) {
            pagingStructureCache = new CacheGeometry(sets, ways);
            return this;
        }

        private static long flag(boolean on, long bit) {
            return on ? bit : 0;
        }

        /** @throws IllegalArgumentException if an option needs another that is off */
        public RemappingOptions build() {
            return new RemappingOptions(
                    new Capabilities(cap(), ecap(), hostAddressWidth),
                    contextCache,
                    pasidCache,
                    pagingStructureCache,
                    iotlb4K,
                    iotlb2M,
                    iotlb1G,
                    interruptCache,
                    compressFaults);
        }

        private long cap() {
            return (domainIdBits - 4) / 2
                    | flag(writeBufferFlush, Capabilities.WRITE_BUFFER_FLUSH)
                    | flag(cachingMode, Capabilities.CACHING_MODE)
                    | (long) sagaw << Capabilities.SAGAW_SHIFT
                    | (long) (guestAddressWidth - 1) << Capabilities.MGAW_SHIFT
                    | flag(zeroLengthReads, Capabilities.ZERO_LENGTH_READ)
                    | (long) (VtdRegisters.FRCD / 16) << Capabilities.FRO_SHIFT
                    | flag(largePages2M, Capabilities.LARGE_PAGES_2M)
                    | flag(largePages1G, Capabilities.LARGE_PAGES_1G)
                    | flag(pageSelectiveInvalidation, Capabilities.PAGE_SELECTIVE)
                    | (long) (faultRecords - 1) << Capabilities.NFR_SHIFT
                    | (long) (pageSelectiveInvalidation ? MAXIMUM_ADDRESS_MASK : 0) << Capabilities.MAMV_SHIFT
                    | moreCap;
        }

        private long ecap() {
            return flag(coherentWalks, Capabilities.COHERENT)
                    | flag(queuedInvalidation, Capabilities.QUEUED_INVALIDATION)
                    | flag(passThrough, Capabilities.PASS_THROUGH)
                    | (long) (VtdRegisters.IVA / 16) << Capabilities.IRO_SHIFT
                    | (long) handleMask << Capabilities.MHMV_SHIFT
                    | flag(pasidBits != 0, Capabilities.PASID)
                    | (long) Math.max(0, pasidBits - 1) << Capabilities.PSS_SHIFT
                    | moreEcap;
        }
    }
}
