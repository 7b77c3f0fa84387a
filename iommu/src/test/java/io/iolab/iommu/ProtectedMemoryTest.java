package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.spec.Spec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Protected low and high memory (VT-d 10.4.16 to 10.4.20). The unit's granule is 2 MiB. */
class ProtectedMemoryTest {
    private static final int PLMBASE = 0x68;
    private static final int PLMLIMIT = 0x6C;
    private static final int PHMBASE = 0x70;
    private static final int PHMLIMIT = 0x78;
    private static final int EPM = 1 << 31;
    private static final long MIB = 1 << 20;

    private Bench bench =
            new Bench(RemappingOptions.builder().protectedMemory(true, true).build());
    private final DmaPort port = bench.unit.portFor(Tables.RID);

    @AfterEach
    void release() {
        bench.close();
    }

    /** Low: 2 to 4 MiB. High: 6 to 10 MiB. */
    private void protect() {
        bench.store32(PLMBASE, (int) (2 * MIB));
        bench.store32(PLMLIMIT, (int) (2 * MIB));
        bench.store64(PHMBASE, 6 * MIB);
        bench.store64(PHMLIMIT, 8 * MIB);
        bench.store32(Bench.PMEN, EPM);
    }

    private DmaFault touch(long iova, int length) {
        return port.write(iova, new byte[length], 0, length, DmaKind.PAYLOAD);
    }

    @Test
    @Spec(id = "P1", section = "VT-d 3.3 10.4.16")
    void shouldBlockRegionsWhileTranslationIsOff() {
        assertThat(touch(2 * MIB, 8)).isEqualTo(DmaFault.NONE);
        protect();
        assertThat(bench.load32(Bench.PMEN)).as("EPM, PRS").isEqualTo(EPM | 1);
        for (long inside : new long[] {2 * MIB, 4 * MIB - 8, 6 * MIB, 10 * MIB - 8}) {
            bench.memory.writeLong(inside, -1);
            assertThat(touch(inside, 8)).as("0x%x", inside).isEqualTo(DmaFault.BEYOND_MEMORY);
            assertThat(bench.memory.readLong(inside)).isEqualTo(-1);
            assertThat(port.read(inside, new byte[8], 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.BEYOND_MEMORY);
            assertThat(port.loadShortAcquire(inside, DmaKind.DESCRIPTOR)).isNegative();
            assertThat(port.storeShortRelease(inside, 0, DmaKind.DESCRIPTOR)).isNotEqualTo(DmaFault.NONE);
        }
        for (long outside : new long[] {2 * MIB - 8, 4 * MIB, 6 * MIB - 8, 10 * MIB}) {
            assertThat(touch(outside, 8)).as("0x%x", outside).isEqualTo(DmaFault.NONE);
        }
        assertThat(touch(2 * MIB - 4, 8)).as("across the edge").isEqualTo(DmaFault.BEYOND_MEMORY);
        assertThat(bench.load32(Bench.FSTS)).as("no fault record").isZero();
        assertThat(bench.unit.counters().protectedBlocked()).isEqualTo(17);

        bench.store32(Bench.PMEN, 0);
        assertThat(bench.load32(Bench.PMEN)).isZero();
        assertThat(touch(2 * MIB, 8)).isEqualTo(DmaFault.NONE);
    }

    @Test
    @Spec(id = "P2", section = "VT-d 3.3 10.4.16")
    void shouldBlockPassThroughAndNotTranslatedRequestsWhileTranslationIsOn() {
        Tables.build(bench.memory);
        int passing = 0x0028;
        Tables.context(bench.memory, passing, 2, 2, 9, 0);
        bench.setRoot(Tables.ROOT);
        bench.translation(true);
        DmaPort other = bench.unit.portFor(passing);
        assertThat(other.write(Tables.PAGE, new byte[8], 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        protect();
        assertThat(other.write(Tables.PAGE, new byte[8], 0, 8, DmaKind.PAYLOAD))
                .as("cached pass-through")
                .isEqualTo(DmaFault.BEYOND_MEMORY);
        assertThat(touch(Tables.IOVA, 8)).as("translated into the region").isEqualTo(DmaFault.NONE);
        assertThat(other.write(4 * MIB, new byte[8], 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
    }

    @Test
    @Spec(id = "P3", section = "VT-d 3.3 10.4.17")
    void shouldAlignAndIgnoreReversedRegions() {
        bench.store32(PLMBASE, -1);
        bench.store32(PLMLIMIT, -1);
        assertThat(bench.load32(PLMBASE)).isEqualTo(0xFFE0_0000);
        assertThat(bench.load32(PLMLIMIT)).isEqualTo(0xFFE0_0000);
        bench.store64(PHMBASE, -1);
        assertThat(bench.load64(PHMBASE)).isEqualTo((1L << 46) - 2 * MIB);
        bench.store64(PHMLIMIT, 0);
        bench.store32(PLMLIMIT, (int) (4 * MIB));
        bench.store32(Bench.PMEN, EPM);
        assertThat(touch(4 * MIB, 8)).isEqualTo(DmaFault.NONE);
        assertThat(touch(0, 8)).isEqualTo(DmaFault.NONE);
    }

    /** Interrupt messages are no accesses to memory, whatever region they fall into. */
    @Test
    void shouldLetMessagesPass() {
        bench.store32(PLMBASE, 0);
        bench.store32(PLMLIMIT, -1);
        bench.store32(Bench.PMEN, EPM);
        assertThat(port.write(0xFEE0_1000L, new byte[4], 0, 4, DmaKind.MESSAGE)).isEqualTo(DmaFault.NONE);
        assertThat(bench.messages).hasSize(1);
    }
}
