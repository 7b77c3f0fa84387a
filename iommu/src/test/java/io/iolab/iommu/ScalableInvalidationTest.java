package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.spec.Spec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What invalidations by PASID reach (VT-d 6.5.2.2, 6.5.2.4). One device with two PASIDs in one domain, each with first-level tables
 * that lead {@link #IOVA} to a page of its own.
 */
class ScalableInvalidationTest {
    private static final long QUEUE = 0x40_0000;
    private static final long ROOT = 0x1_0000;
    private static final long CONTEXT = 0x1_1000;
    private static final long DIRECTORY = 0x1_2000;
    private static final long PASIDS = 0x1_3000;
    private static final long TABLES = 0x2_0000;
    private static final long PAGES = 0x20_0000;
    private static final int RID = 0x0020;
    private static final int DOMAIN = 5;
    private static final long IOVA = 0x1_2345_6000L;
    private static final int FIRST_LEVEL = 1 << 6;
    private static final int RW_USER_ACCESSED_DIRTY = 0x67;

    private final Bench bench =
            new Bench(DescriptorTest.everything().firstLevel(true).build());
    private int tail;

    @BeforeEach
    void build() {
        bench.memory.writeLong(ROOT, CONTEXT | 1);
        long context = CONTEXT + 32L * RID;
        bench.memory.writeLong(context, DIRECTORY | 1 << 3 | 1);
        bench.memory.writeLong(DIRECTORY, PASIDS | 1);
        for (int pasid = 1; pasid <= 2; pasid++) {
            entry(pasid, 1);
            long table = TABLES + 0x4000L * pasid;
            int[] shifts = {39, 30, 21, 12};
            for (int level = 0; level < 4; level++) {
                long next = level == 3 ? PAGES + 0x1000L * pasid : table + 0x1000L * (level + 1);
                long slot = IOVA >>> shifts[level] & 0x1FF;
                bench.memory.writeLong(table + 0x1000L * level + 8 * slot, next | RW_USER_ACCESSED_DIRTY);
            }
            bench.memory.writeLong(PAGES + 0x1000L * pasid, pasid);
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

    private void entry(int pasid, int present) {
        long entry = PASIDS + 64L * pasid;
        bench.memory.writeLong(entry, FIRST_LEVEL | present);
        bench.memory.writeLong(entry + 8, DOMAIN);
        bench.memory.writeLong(entry + 16, TABLES + 0x4000L * pasid);
    }

    private void queue(long low, long high) {
        bench.memory.writeLong(QUEUE + tail, low);
        bench.memory.writeLong(QUEUE + tail + 8, high);
        bench.memory.writeLong(QUEUE + tail + 16, 0);
        bench.memory.writeLong(QUEUE + tail + 24, 0);
        tail += 32;
        bench.store32(Bench.IQT, tail);
        assertThat(bench.load32(Bench.IQH)).isEqualTo(tail);
    }

    private boolean reaches(int pasid) {
        DmaPort port = bench.unit.translationPortFor(RID).withPasid(pasid, 0);
        byte[] bytes = new byte[1];
        DmaFault fault = port.read(IOVA, bytes, 0, 1, DmaKind.PAYLOAD);
        assertThat(fault != DmaFault.NONE || bytes[0] == pasid).isTrue();
        return fault == DmaFault.NONE;
    }

    private void expect(boolean first, boolean second) {
        assertThat(reaches(1)).as("PASID 1").isEqualTo(first);
        assertThat(reaches(2)).as("PASID 2").isEqualTo(second);
    }

    /** Leaves of both PASIDs, absent while both are cached. */
    private void removeLeaves() {
        expect(true, true);
        for (int pasid = 1; pasid <= 2; pasid++) {
            bench.memory.writeLong(TABLES + 0x4000L * pasid + 0x3000 + 8 * (IOVA >>> 12 & 0x1FF), 0);
        }
        expect(true, true);
    }

    private void removeEntries() {
        expect(true, true);
        entry(1, 0);
        entry(2, 0);
        expect(true, true);
    }

    private static long pasidIotlb(int granularity, int domain, int pasid) {
        return 6 | granularity << 4 | (long) domain << 16 | (long) pasid << 32;
    }

    @Test
    @Spec(id = "Q6.1", section = "VT-d 3.3 6.5.2.4")
    void shouldDropTranslationsOfOnePasid() {
        removeLeaves();
        queue(pasidIotlb(2, DOMAIN + 1, 1), 0);
        expect(true, true);
        queue(pasidIotlb(2, DOMAIN, 1), 0);
        expect(false, true);
    }

    @Test
    @Spec(id = "Q6.1", section = "VT-d 3.3 6.5.2.4")
    void shouldDropBlockOfPagesOfOnePasid() {
        removeLeaves();
        queue(pasidIotlb(3, DOMAIN, 1), IOVA + 0x1000);
        expect(true, true);
        queue(pasidIotlb(3, DOMAIN, 1), IOVA + 0x1000 | 1 << 6 | 1);
        expect(false, true);
    }

    @Test
    @Spec(id = "Q2.1", section = "VT-d 3.3 6.5.2.3")
    void shouldDropFirstLevelTranslationsWithTheirDomain() {
        removeLeaves();
        queue(2 | 2 << 4 | (long) DOMAIN << 16, 0);
        expect(false, false);
    }

    @Test
    @Spec(id = "Q7.1", section = "VT-d 3.3 6.5.2.2")
    void shouldDropPasidEntriesOfOnePasid() {
        removeEntries();
        queue(7 | 1 << 4 | (long) (DOMAIN + 1) << 16 | 1L << 32, 0);
        expect(true, true);
        queue(7 | 1 << 4 | (long) DOMAIN << 16 | 1L << 32, 0);
        expect(false, true);
    }

    @Test
    @Spec(id = "Q7.1", section = "VT-d 3.3 6.5.2.2")
    void shouldDropPasidEntriesOfADomain() {
        removeEntries();
        queue(7 | (long) (DOMAIN + 1) << 16, 0);
        expect(true, true);
        queue(7 | (long) DOMAIN << 16, 0);
        expect(false, false);
    }

    @Test
    @Spec(id = "Q7.1", section = "VT-d 3.3 6.5.2.2")
    void shouldDropEveryPasidEntry() {
        removeEntries();
        queue(7 | 3 << 4, 0);
        expect(false, false);
    }
}
