package io.iolab.devices.igb;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A virtual function's registers and their aliases in the physical function's window (82576 datasheet 8.26 and 8.27). */
class VfRegisterTest {
    private final Bench bench = new Bench();

    @BeforeEach
    void enable() {
        bench.enableVfs(8);
        bench.set(0x18, Bench.PFRSTD);
        for (int vf = 0; vf < 8; vf++) {
            bench.vfRead(vf, 0x0C40);
        }
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    @DisplayName("After a reset only status, RXDCTL and DCA_TXCTRL of both queues are not zero")
    void shouldReadZeroNearlyEverywhere() {
        Map<Integer, Integer> found = new TreeMap<>();
        for (int offset = 0; offset < 0x4000; offset += 4) {
            int value = bench.vfRead(3, offset);
            if (value != 0) {
                found.put(offset, value);
            }
        }
        assertThat(found)
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        0x0008, 0x83,
                        0x2828, 0x0001_0000,
                        0x2928, 0x0001_0000,
                        0x3814, 0x2A00,
                        0x3914, 0x2A00));
    }

    private void expectAlias(int vf, int vfOffset, int pfOffset, int value) {
        String what = "VF %d %x".formatted(vf, vfOffset);
        bench.vfWrite(vf, vfOffset, value);
        assertThat(bench.vfRead(vf, vfOffset)).as(what).isEqualTo(value);
        assertThat(bench.read(pfOffset)).as(what).isEqualTo(value);
        bench.write(pfOffset, 0);
        assertThat(bench.vfRead(vf, vfOffset)).as(what).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 7})
    void shouldShareTheRegistersOfItsQueues(int vf) {
        for (int q = 0; q < 2; q++) {
            int rx = 0xC000 + 0x40 * (vf + 8 * q);
            int tx = 0xE000 + 0x40 * (vf + 8 * q);
            expectAlias(vf, 0x2800 + 0x100 * q, rx, 0x1234_5680);
            expectAlias(vf, 0x2804 + 0x100 * q, rx + 4, 0x12);
            expectAlias(vf, 0x2808 + 0x100 * q, rx + 8, 0x380);
            expectAlias(vf, 0x280C + 0x100 * q, rx + 0xC, 0x8200_0002);
            expectAlias(vf, 0x2810 + 0x100 * q, rx + 0x10, 3);
            expectAlias(vf, 0x2818 + 0x100 * q, rx + 0x18, 5);
            expectAlias(vf, 0x2828 + 0x100 * q, rx + 0x28, 0x0201_0810);
            expectAlias(vf, 0x3800 + 0x100 * q, tx, 0x1234_5680);
            expectAlias(vf, 0x3808 + 0x100 * q, tx + 8, 0x80);
            expectAlias(vf, 0x3810 + 0x100 * q, tx + 0x10, 1);
            expectAlias(vf, 0x3814 + 0x100 * q, tx + 0x14, 0x200);
            expectAlias(vf, 0x3828 + 0x100 * q, tx + 0x28, 1 << 25);
            expectAlias(vf, 0x3838 + 0x100 * q, tx + 0x38, 0x1001);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 6, 7})
    @DisplayName("VTEITR v is EITR 22-3n+v; VTEIMS, VTEIAC, VTEIAM are three bits of the PF's from 22-3n on")
    void shouldHaveThreeOfThePhysicalFunctionsCauses(int vf) {
        int first = 22 - 3 * vf;
        for (int v = 0; v < 3; v++) {
            expectAlias(vf, 0x1680 + 4 * v, 0x1680 + 4 * (first + v), 0x1E8);
        }
        bench.vfWrite(vf, 0x1524, 5);
        assertThat(bench.read(0x1524)).isEqualTo(5 << first);
        bench.vfWrite(vf, 0x1524, 2);
        assertThat(bench.vfRead(vf, 0x1524)).as("write one to set").isEqualTo(7);
        bench.vfWrite(vf, 0x1528, 5);
        assertThat(bench.vfRead(vf, 0x1524)).as("VTEIMC").isEqualTo(2);
        bench.vfWrite(vf, 0x152C, -1);
        assertThat(bench.read(0x152C)).as("EIAC").isEqualTo(7 << first);
        bench.vfWrite(vf, 0x1530, 6);
        assertThat(bench.read(0x1530)).as("EIAM").isEqualTo(6 << first);
        bench.vfWrite(vf, 0x1520, 4);
        assertThat(bench.read(0x1580)).as("EICR").isEqualTo(4 << first);
    }

    @Test
    void shouldNotWriteStatusCountersAndTimer() {
        for (int offset : new int[] {0x0008, 0x0F10, 0x0F3C, 0x0F50, 0x1048}) {
            int before = bench.vfRead(0, offset);
            bench.vfWrite(0, offset, 0x5555_5555);
            assertThat(bench.vfRead(0, offset)).as("%x", offset).isEqualTo(before);
        }
    }

    @Test
    void shouldShowTheLink() {
        assertThat(bench.vfRead(0, 8)).isEqualTo(0x83);
        bench.device.setLink(false);
        assertThat(bench.vfRead(0, 8)).isEqualTo(0x81);
    }

    @Test
    @DisplayName("Statistics count up, wrap, and are not cleared by reading")
    void shouldCount() {
        bench.openPools(2);
        bench.openReceive(0);
        bench.openTransmit(0);
        bench.arrive(Bench.frame(Bench.macOf(0), Bench.PEER, 100));
        bench.arrive(Bench.frame(Bench.BROADCAST, Bench.PEER, 60));
        bench.transmit(0, Bench.frame(Bench.PEER, Bench.macOf(0), 80));
        int[] offsets = {0x0F10, 0x0F18, 0x0F3C, 0x0F14, 0x0F34, 0x0F40};
        int[] values = {2, 160, 1, 1, 80, 0};
        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < offsets.length; i++) {
                assertThat(bench.vfRead(0, offsets[i])).as("%x", offsets[i]).isEqualTo(values[i]);
            }
        }
    }

    @Test
    void shouldNameItsRegisters() {
        assertThat(bench.vf(0).registerName(0, 0x3818)).isEqualTo("TDT[0]");
        assertThat(bench.vf(4).registerName(0, 0x2918)).isEqualTo("RDT[1]");
        assertThat(bench.vf(4).registerName(0, 0x1584)).isEqualTo("unimplemented");
        assertThat(bench.vf(4).registerName(0, 0x0C40)).isEqualTo("V2PMAILBOX");
        assertThat(bench.vf(4).registerName(0, 0x1524)).isEqualTo("VTEIMS");
        assertThat(bench.vf(4).registerName(3, 0x10)).isEqualTo("MSIX_TABLE");
        assertThat(bench.device.registerName(0, 0x2818)).isEqualTo("RDT[0]");
    }
}
