package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.iommu.fault.FaultReason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What a unit remembers of second-level tables below first-level ones goes by domain and guest physical address (VT-d 6.2.5), and so
 * outlives the PASID entry that led there, and an invalidation that names the request's address.
 */
class NestedStaleTableTest {
    private static final long QUEUE = 0x40_0000;
    private static final long ROOT = 0x1_0000;
    private static final long CONTEXT = 0x1_1000;
    private static final long DIRECTORY = 0x1_2000;
    private static final long PASID_ENTRY = 0x1_3000 + 64;
    private static final long SECOND_LEVEL = 0x1_4000;
    private static final long FIRST_LEVEL = 0x2_0000;
    private static final long PAGE = 0x20_0000;
    /** Nothing is there. */
    private static final long NOWHERE = 0x7000_0000L;

    private static final int RID = 0x0020;
    private static final int DOMAIN = 5;
    private static final int PASID = 1;
    private static final long IOVA = 0x1_2345_6000L;
    private static final int NESTED = 3 << 6;
    private static final int FOUR_LEVELS = 2 << 2;
    private static final int RW_USER_ACCESSED_DIRTY = 0x67;

    private static final int PASID_CACHE = 7;
    private static final int IOTLB_DOMAIN = 2 | 2 << 4;
    private static final int IOTLB_PAGES = 2 | 3 << 4;

    private final Bench bench = new Bench(DescriptorTest.everything()
            .firstLevel(true)
            .secondLevel(true)
            .nested(true)
            .pagingStructureCache(16, 2)
            .build());
    private int tail;

    @BeforeEach
    void build() {
        bench.memory.writeLong(ROOT, CONTEXT | 1);
        bench.memory.writeLong(CONTEXT + 32L * RID, DIRECTORY | 1 << 3 | 1);
        bench.memory.writeLong(DIRECTORY, PASID_ENTRY & -4096L | 1);
        secondLevelTop(SECOND_LEVEL);
        bench.memory.writeLong(PASID_ENTRY + 8, DOMAIN);
        bench.memory.writeLong(PASID_ENTRY + 16, FIRST_LEVEL);
        // Guest memory as it is: 4 MiB in two pages.
        bench.memory.writeLong(SECOND_LEVEL, SECOND_LEVEL + 0x1000 | 3);
        bench.memory.writeLong(SECOND_LEVEL + 0x1000, SECOND_LEVEL + 0x2000 | 3);
        for (int large = 0; large < 2; large++) {
            bench.memory.writeLong(SECOND_LEVEL + 0x2000 + 8 * large, (long) large << 21 | 0x83);
        }
        int[] shifts = {39, 30, 21, 12};
        for (int level = 0; level < 4; level++) {
            long next = level == 3 ? PAGE : FIRST_LEVEL + 0x1000L * (level + 1);
            long slot = IOVA >>> shifts[level] & 0x1FF;
            bench.memory.writeLong(FIRST_LEVEL + 0x1000L * level + 8 * slot, next | RW_USER_ACCESSED_DIRTY);
        }
        bench.store64(Bench.RTADDR, ROOT | 1 << 10);
        bench.store32(Bench.GCMD, Bench.SRTP);
        bench.store64(Bench.IQA, QUEUE | 1 << 11);
        bench.store32(Bench.GCMD, Bench.QIE);
        bench.store32(Bench.GCMD, Bench.QIE | Bench.TE);
    }

    @AfterEach
    void release() {
        bench.close();
    }

    private void secondLevelTop(long hpa) {
        bench.memory.writeLong(PASID_ENTRY, hpa | NESTED | FOUR_LEVELS | 1);
    }

    private void invalidate(int descriptor, long high) {
        bench.memory.writeLong(QUEUE + tail, descriptor | (long) DOMAIN << 16);
        bench.memory.writeLong(QUEUE + tail + 8, high);
        tail += 32;
        bench.store32(Bench.IQT, tail);
        assertThat(bench.load32(Bench.IQH)).isEqualTo(tail);
    }

    private DmaFault read() {
        byte[] bytes = new byte[1];
        return bench.unit.translationPortFor(RID).withPasid(PASID, 0).read(IOVA, bytes, 0, 1, DmaKind.PAYLOAD);
    }

    @Test
    @DisplayName("6.2.5, 6.5.2: tables remembered below a new top are gone only with their domain's")
    void shouldFindTheOldSecondLevelUntilTheDomainIsInvalidated() {
        assertThat(read()).isEqualTo(DmaFault.NONE);
        secondLevelTop(NOWHERE);
        invalidate(PASID_CACHE, 0);
        invalidate(IOTLB_PAGES, IOVA);
        assertThat(read()).as("the table of level 2 is remembered").isEqualTo(DmaFault.NONE);
        invalidate(IOTLB_DOMAIN, 0);
        assertThat(read()).isEqualTo(DmaFault.BAD_TABLE);
        assertThat(bench.unit.countersFor(RID).faults(FaultReason.SECOND_LEVEL_TOP_UNREADABLE))
                .isEqualTo(1);
    }
}
