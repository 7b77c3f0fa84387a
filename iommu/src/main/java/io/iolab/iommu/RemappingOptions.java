package io.iolab.iommu;

import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.register.VtdRegisters;

/**
 * What a remapping unit is built to offer. Start from {@link #builder()}, whose defaults are those of a current server part in
 * legacy mode: 39- and 48-bit tables, 2 MiB and 1 GiB pages, queued invalidation, pass-through, coherent walks.
 *
 * @param capabilities the CAP and ECAP that follow
 * @param iotlbSets a power of two
 * @param iotlbWays 1 to 64
 * @param contextSets a power of two
 * @param contextWays 1 to 64
 */
public record RemappingOptions(
        Capabilities capabilities, int iotlbSets, int iotlbWays, int contextSets, int contextWays) {

    public RemappingOptions {
        checkGeometry("IOTLB", iotlbSets, iotlbWays);
        checkGeometry("context cache", contextSets, contextWays);
    }

    private static void checkGeometry(String cache, int sets, int ways) {
        if (sets < 1 || sets > 1 << 16 || Integer.bitCount(sets) != 1 || ways < 1 || ways > 64) {
            throw new IllegalArgumentException(cache + " of " + sets + " sets and " + ways + " ways");
        }
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
        private int iotlbSets = 16;
        private int iotlbWays = 4;
        private int contextSets = 16;
        private int contextWays = 4;

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

        /** Entries are sets times ways; sets a power of two. The default, 16 by 4, holds 64. */
        public Builder iotlb(int sets, int ways) {
            iotlbSets = sets;
            iotlbWays = ways;
            return this;
        }

        public Builder contextCache(int sets, int ways) {
            contextSets = sets;
            contextWays = ways;
            return this;
        }

        private static long flag(boolean on, long bit) {
            return on ? bit : 0;
        }

        public RemappingOptions build() {
            long cap = (domainIdBits - 4) / 2
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
                    | (long) (pageSelectiveInvalidation ? MAXIMUM_ADDRESS_MASK : 0) << Capabilities.MAMV_SHIFT;
            long ecap = flag(coherentWalks, Capabilities.COHERENT)
                    | flag(queuedInvalidation, Capabilities.QUEUED_INVALIDATION)
                    | flag(passThrough, Capabilities.PASS_THROUGH)
                    | (long) (VtdRegisters.IVA / 16) << Capabilities.IRO_SHIFT;
            return new RemappingOptions(
                    new Capabilities(cap, ecap, hostAddressWidth), iotlbSets, iotlbWays, contextSets, contextWays);
        }
    }
}
