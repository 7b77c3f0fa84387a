package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.cache.DeviceCaches;
import io.iolab.iommu.fault.EventSignal;
import io.iolab.iommu.fault.PageRequestQueue;
import io.iolab.iommu.register.VtdRegisters;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The page-request queue (VT-d 7.4, 10.4.30 to 10.4.37). */
class PageRequestQueueTest {
    private static final int PQH = 0xC0;
    private static final int PQT = 0xC8;
    private static final int PQA = 0xD0;
    private static final int PRS = 0xDC;
    private static final int PECTL = 0xE0;
    private static final int PEADDR = 0xE8;
    private static final int PPR = 1;
    private static final int PRO = 2;
    private static final long QUEUE = 0x2000;
    private static final int RID = 0x0128;

    private final PhysicalMemory memory = PhysicalMemory.allocate(1 << 20);
    private final RegisterFile registers = new RegisterFile(
            VtdRegisters.map(DescriptorTest.everything().build().capabilities()));
    private final DeviceCaches devices = new DeviceCaches();
    private final List<Integer> messages = new ArrayList<>();
    private final List<Integer> codes = new ArrayList<>();
    private final PageRequestQueue queue = new PageRequestQueue(
            registers, memory, devices, new EventSignal(registers, PECTL, (address, data) -> messages.add(data)));

    PageRequestQueueTest() {
        registers.write(PQA, 8, QUEUE);
        registers.write(PEADDR, 4, 0xFEE0_0000L);
        registers.write(PECTL, 4, 0);
        devices.set(RID, new AddressTranslationCache() {
            @Override
            public boolean invalidate(long iova, int shift, int pasid, boolean allPasids) {
                return true;
            }

            @Override
            public void pageGroupResponse(int pasid, int group, int code) {
                codes.add(code);
            }
        });
    }

    @AfterEach
    void release() {
        memory.close();
    }

    private void request(int group, boolean last) {
        queue.pageRequest(RID, TranslationPort.NO_PASID, 0x1234_5678L, TranslationPort.READ, group, last);
    }

    @Test
    @Spec(id = "R1", section = "VT-d 3.3 7.4.1")
    void shouldWriteRequestAndNotifyOnce() {
        memory.fill(QUEUE, 64, (byte) -1);
        queue.pageRequest(
                RID,
                0xABCDE,
                0x7FFF_1234_5678L,
                TranslationPort.WRITE | TranslationPort.PRIVILEGED | TranslationPort.EXECUTE,
                0x155,
                true);
        assertThat(memory.readLong(QUEUE)).isEqualTo(1 | 1 << 8 | (long) RID << 16 | 0xABCDEL << 32 | 3L << 52);
        assertThat(memory.readLong(QUEUE + 8)).isEqualTo(0x7FFF_1234_5000L | 0x155 << 3 | 1 << 2 | 2);
        assertThat(memory.readLong(QUEUE + 16)).isZero();
        assertThat(memory.readLong(QUEUE + 24)).isZero();
        assertThat(registers.read(PQT, 8)).isEqualTo(32);
        assertThat(registers.read(PRS, 4)).isEqualTo(PPR);
        request(3, false);
        assertThat(memory.readLong(QUEUE + 32)).isEqualTo(1 | (long) RID << 16);
        assertThat(memory.readLong(QUEUE + 40)).isEqualTo(0x1234_5000L | 3 << 3 | 1);
        assertThat(messages).as("one event while PPR stays set").hasSize(1);
        registers.write(PRS, 4, PPR);
        assertThat(registers.read(PRS, 4)).isZero();
        request(4, false);
        assertThat(messages).hasSize(2);
        assertThat(queue.queued()).isEqualTo(3);
    }

    /** 128 places of which one stays free. A lost request that is the last of its group is answered, so the device asks again. */
    @Test
    @Spec(id = "R2", section = "VT-d 3.3 7.4.1")
    void shouldOverflowUntilCleared() {
        for (int i = 0; i < 127; i++) {
            request(i, true);
        }
        assertThat(registers.read(PRS, 4)).isEqualTo(PPR);
        request(127, false);
        assertThat(registers.read(PRS, 4)).isEqualTo(PPR | PRO);
        assertThat(codes).isEmpty();
        registers.write(PQH, 8, 64);
        request(128, true);
        assertThat(registers.read(PQT, 8)).as("lost while PRO is set").isEqualTo(127 * 32);
        assertThat(codes).containsExactly(0);
        assertThat(queue.lost()).isEqualTo(2);
        registers.write(PRS, 4, PPR | PRO);
        request(129, true);
        assertThat(registers.read(PQT, 8)).as("wraps").isZero();
        request(130, true);
        assertThat(registers.read(PQT, 8)).isEqualTo(32);
        assertThat(registers.read(PRS, 4)).isEqualTo(PPR);
    }

    @Test
    @Spec(id = "R3", section = "VT-d 3.3 7.4.1")
    void shouldAnswerWithFailureWithoutAQueueInMemory() {
        registers.write(PQA, 8, 1L << 40);
        request(1, true);
        assertThat(codes).containsExactly(15);
        assertThat(registers.read(PRS, 4)).isZero();
    }

    /** In legacy mode there are no page requests. */
    @Test
    @Spec(id = "R3", section = "VT-d 3.3 7.4.1")
    @Spec(id = "T32", section = "VT-d 3.3 7.1.3")
    void shouldRefusePageRequestsInLegacyMode() {
        try (Bench bench = Tables.bench(DescriptorTest.everything().build())) {
            bench.store64(PQA, QUEUE);
            bench.unit
                    .translationPortFor(Tables.RID)
                    .requestPage(Tables.IOVA, TranslationPort.NO_PASID, TranslationPort.READ, 1, true);
            assertThat(bench.load32(Bench.FRCD + 12) & 0xFF).isEqualTo(0x32);
            assertThat(bench.load64(PQT)).isZero();
        }
    }

    @Test
    void shouldMaskEvent() {
        registers.write(PECTL, 4, 1L << 31);
        request(1, false);
        assertThat(messages).isEmpty();
        assertThat((int) registers.read(PECTL, 4)).as("IM, IP").isEqualTo(3 << 30);
        registers.write(PECTL, 4, 0);
        assertThat(messages).hasSize(1);
    }
}
