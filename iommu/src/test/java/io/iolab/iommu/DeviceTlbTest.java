package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.spec.Spec;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Invalidations of device TLBs, time-outs and page group responses (VT-d 6.5.2.5, 6.5.2.6, 6.5.2.10, 7.7). */
class DeviceTlbTest {
    private static final int RID = 0x0128;
    private static final long STATUS = 0x50_0000;
    private static final int STATUS_WRITE = 1 << 5;
    private static final int INTERRUPT = 1 << 4;
    private static final int IQE = 1 << 4;
    private static final int ICE = 1 << 5;
    private static final int ITE = 1 << 6;

    record Asked(long iova, int shift, int pasid, boolean allPasids) {}

    record Response(int pasid, int group, int code) {}

    /** A device that notes what it is asked, and answers or not. */
    private static final class Device implements AddressTranslationCache {
        final List<Asked> asked = new ArrayList<>();
        final List<Response> responses = new ArrayList<>();
        boolean answers = true;

        @Override
        public boolean invalidate(long iova, int shift, int pasid, boolean allPasids) {
            asked.add(new Asked(iova, shift, pasid, allPasids));
            return answers;
        }

        @Override
        public void pageGroupResponse(int pasid, int group, int code) {
            responses.add(new Response(pasid, group, code));
        }
    }

    private final Bench bench = new Bench(DescriptorTest.everything().build());
    private final Device device = new Device();

    DeviceTlbTest() {
        bench.unit.translationPortFor(RID).attach(device);
    }

    @AfterEach
    void release() {
        bench.close();
    }

    private static long deviceTlb(int rid) {
        return 3 | (long) rid << 32;
    }

    private void await(int flags, int data) {
        bench.queue(5 | flags | (long) data << 32, STATUS);
    }

    @Test
    @Spec(id = "Q3.1", section = "VT-d 3.3 6.5.2.5")
    void shouldAskOneDeviceForOnePageOrForTheSizeInTheAddress() {
        bench.queue(deviceTlb(RID), 0x1234_5000L);
        bench.queue(deviceTlb(RID), 0x1234_4000L | 1);
        bench.queue(deviceTlb(RID), 0x1234_5000L | 1);
        bench.queue(deviceTlb(RID), 0x120F_F000L | 1);
        bench.queue(deviceTlb(RID), ~0xFFFL >>> 1 & ~0xFFFL | 1);
        bench.queue(deviceTlb(RID), ~0xFFFL | 1);
        int none = TranslationPort.NO_PASID;
        assertThat(device.asked)
                .containsExactly(
                        new Asked(0x1234_5000L, 12, none, false),
                        new Asked(0x1234_4000L, 13, none, false),
                        new Asked(0x1234_4000L, 14, none, false),
                        new Asked(0x1200_0000L, 21, none, false),
                        new Asked(0, AddressTranslationCache.ALL, none, false),
                        new Asked(0, AddressTranslationCache.ALL, none, false));
        assertThat(bench.load32(Bench.FSTS)).isZero();
    }

    @Test
    @Spec(id = "Q8.1", section = "VT-d 3.3 6.5.2.6")
    void shouldAskForOnePasidOrForAll() {
        long low = 8 | (long) RID << 16 | 0xABCDEL << 32;
        bench.queue(low, 0x5000);
        bench.queue(low, 0x5000 | 1);
        bench.queue(low, 0x5000 | 1 << 11);
        assertThat(device.asked)
                .containsExactly(
                        new Asked(0x5000, 12, 0xABCDE, false),
                        new Asked(0x5000, 12, 0xABCDE, true),
                        new Asked(0x4000, 14, 0xABCDE, false));
    }

    /** The wait behind is taken out of the queue without being done; what follows waits until ITE is cleared. */
    @Test
    @Spec(id = "Q3.3", section = "VT-d 3.3 6.5.2.5")
    void shouldReportTimeOutAndAbortTheWait() {
        device.answers = false;
        bench.memory.writeInt(STATUS, 1);
        bench.queue(5 | 1 << 6, 0);
        for (int slot = 1; slot < 4; slot++) {
            long hpa = Bench.QUEUE + 16L * slot;
            bench.memory.writeLong(hpa, slot == 1 ? deviceTlb(RID) : 5 | STATUS_WRITE | INTERRUPT | (long) slot << 32);
            bench.memory.writeLong(hpa + 8, slot == 1 ? 0x1000 : STATUS);
        }
        bench.store32(Bench.IQT, 64);
        assertThat(bench.load32(Bench.FSTS)).isEqualTo(ITE);
        assertThat(bench.load64(Bench.IQERCD)).as("ITESID").isEqualTo((long) RID << 32);
        assertThat(bench.load32(Bench.IQH)).as("past the aborted wait").isEqualTo(48);
        assertThat(bench.memory.readInt(STATUS)).isEqualTo(1);
        assertThat(bench.load32(Bench.ICS)).isZero();

        bench.store32(Bench.FSTS, ITE);
        assertThat(bench.load32(Bench.FSTS)).isZero();
        assertThat(bench.load64(Bench.IQERCD)).isZero();
        assertThat(bench.memory.readInt(STATUS)).isEqualTo(3);
        assertThat(bench.load32(Bench.IQH)).isEqualTo(64);
    }

    @Test
    @Spec(id = "Q3.3", section = "VT-d 3.3 6.5.2.5")
    void shouldReportTimeOutWithoutAWaitAndForDetachedOrUnknownDevices() {
        bench.store32(Bench.FEADDR, 0xFEE0_4000);
        bench.store32(Bench.FECTL, 0);
        bench.queue(deviceTlb(0x777), 0x1000);
        assertThat(bench.load64(Bench.IQERCD)).isEqualTo(0x777L << 32);
        assertThat(bench.messages).hasSize(1);
        bench.store32(Bench.FSTS, ITE);
        bench.unit.translationPortFor(RID).detach();
        bench.queue(deviceTlb(RID), 0x1000);
        assertThat(bench.load64(Bench.IQERCD)).isEqualTo((long) RID << 32);
        assertThat(bench.messages).hasSize(2);
        bench.store32(Bench.FSTS, ITE);
        await(STATUS_WRITE, 9);
        assertThat(bench.memory.readInt(STATUS)).as("a later wait is done").isEqualTo(9);
    }

    /** IQE and ITE may be pending together, and the queue goes on when both are cleared. */
    @Test
    @Spec(id = "Q0.9", section = "VT-d 3.3 6.5.2.10")
    void shouldStayFrozenUntilBothErrorsAreCleared() {
        device.answers = false;
        bench.queue(5 | 1 << 6, 0);
        bench.memory.writeLong(Bench.QUEUE + 16, deviceTlb(RID));
        bench.memory.writeLong(Bench.QUEUE + 32, 0);
        bench.store32(Bench.IQT, 48);
        assertThat(bench.load32(Bench.FSTS)).isEqualTo(IQE | ITE);
        assertThat(bench.load64(Bench.IQERCD)).isEqualTo((long) RID << 32 | 3);
        bench.memory.writeLong(Bench.QUEUE + 32, 5 | 1 << 6);
        bench.store32(Bench.FSTS, IQE);
        assertThat(bench.load32(Bench.IQH)).isEqualTo(32);
        assertThat(bench.load64(Bench.IQERCD)).isEqualTo((long) RID << 32);
        bench.store32(Bench.FSTS, ITE);
        assertThat(bench.load32(Bench.IQH)).isEqualTo(48);
    }

    /** ICE is told and cleared like the others, but the queue runs on. */
    @Test
    @Spec(id = "Q0.10", section = "VT-d 3.3 6.5.2.10")
    void shouldReportUnexpectedCompletion() {
        bench.store32(Bench.FEADDR, 0xFEE0_4000);
        bench.store32(Bench.FECTL, 0);
        bench.unit.unexpectedCompletion(RID);
        assertThat(bench.load32(Bench.FSTS)).isEqualTo(ICE);
        assertThat(bench.load64(Bench.IQERCD)).as("ICESID").isEqualTo((long) RID << 48);
        assertThat(bench.messages).hasSize(1);
        await(STATUS_WRITE, 7);
        assertThat(bench.memory.readInt(STATUS)).isEqualTo(7);
        bench.store32(Bench.FSTS, ICE);
        assertThat(bench.load64(Bench.IQERCD)).isZero();
    }

    @Test
    @Spec(id = "Q9.1", section = "VT-d 3.3 7.7")
    void shouldHandResponsesToTheRequester() {
        bench.queue(9 | 1 << 4 | 1 << 12 | (long) RID << 16 | 0x12345L << 32, 0x1FFL << 3 | 4);
        bench.queue(9 | (long) RID << 16, 5L << 3);
        bench.queue(9 | 0x777L << 16, 0);
        assertThat(device.responses)
                .containsExactly(new Response(0x12345, 0x1FF, 1), new Response(TranslationPort.NO_PASID, 5, 0));
        assertThat(bench.load32(Bench.FSTS)).isZero();
    }
}
