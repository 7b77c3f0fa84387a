package io.iolab.devices.igb;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Configuration space of both kinds of function, and how virtual functions come and go (SR-IOV 1.1 section 3; 82576 datasheet 9). */
class IgbPciTest {
    private final Bench bench = new Bench();
    private final ConfigSpace config = bench.device.config();

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void shouldBeAn82576WithItsCapabilitiesInOrder() {
        assertThat(config.read(0, 4)).isEqualTo(0x10C9_8086);
        assertThat(config.read(0x08, 4)).isEqualTo(0x0200_0001);
        int[] offsets = {0x40, 0x50, 0x70, 0xA0};
        int[] ids = {0x01, 0x05, 0x11, 0x10};
        int at = config.read(0x34, 1);
        for (int i = 0; i < offsets.length; i++) {
            assertThat(at).isEqualTo(offsets[i]);
            assertThat(config.read(at, 1)).isEqualTo(ids[i]);
            at = config.read(at + 1, 1);
        }
        assertThat(at).isZero();
        assertThat(config.read(0x72, 2)).as("ten vectors").isEqualTo(9);
        assertThat(config.read(0xA4, 4) >>> 28 & 1).as("FLR").isEqualTo(1);
    }

    @Test
    @DisplayName("SR-IOV 1.1 section 3.3: the capability at 160h")
    void shouldDescribeItsVirtualFunctions() {
        int at = 0x100;
        int id = 0;
        for (int i = 0; i < 8 && at != 0; i++) {
            id = config.read(at, 4);
            if ((id & 0xFFFF) == 0x0010) {
                break;
            }
            at = id >>> 20;
        }
        assertThat(at).isEqualTo(0x160);
        assertThat(id).isEqualTo(0x0001_0010);
        assertThat(config.read(0x16C, 4)).as("InitialVFs, TotalVFs").isEqualTo(0x0008_0008);
        assertThat(config.read(0x17A, 2)).as("VF device id").isEqualTo(0x10CA);
        assertThat(config.read(0x17C, 4)).as("page sizes").isEqualTo(0x553);
        assertThat(config.read(0x180, 4)).isEqualTo(1);
        for (int bar : new int[] {0x184, 0x190}) {
            config.write(bar, 4, -1);
            assertThat(config.read(bar, 4)).isEqualTo(0xFFFF_C00C);
        }
    }

    @Test
    @DisplayName("First VF offset 180h, with the ARI hierarchy 80h; stride 2")
    void shouldMoveRoutingIdsWithAri() {
        assertThat(config.read(0x174, 4)).isEqualTo(0x0002_0180);
        config.write(0x168, 2, 1 << 4);
        assertThat(config.read(0x174, 4)).isEqualTo(0x0002_0080);
    }

    @Test
    @DisplayName("Routing ids do not move under functions that are enabled")
    void shouldKeepRoutingIdsWhileEnabled() {
        bench.enableVfs(1);
        config.write(0x168, 2, 0x09);
        assertThat(config.read(0x174, 2)).isEqualTo(0x80);
        assertThat(bench.device.functionAt(0x80)).isNotNull();
        config.write(0x168, 2, 0);
        assertThat(config.read(0x174, 2)).isEqualTo(0x180);
    }

    @Test
    void shouldAppearWithVfEnableAndVanishWithoutIt() {
        assertThat(bench.device.functions()).containsExactly(bench.device);
        bench.enableVfs(3);
        assertThat(bench.device.functions()).hasSize(4);
        assertThat(bench.device.functionAt(0)).isSameAs(bench.device);
        assertThat(bench.device.functionAt(0x80))
                .isSameAs(bench.device.functions().get(1));
        assertThat(bench.device.functionAt(0x84))
                .isSameAs(bench.device.functions().get(3));
        assertThat(bench.device.functionAt(0x81)).isNull();
        assertThat(bench.device.functionAt(0x86)).isNull();
        assertThat(bench.device.virtualBarAddress(2, 0)).isEqualTo(0xA000_8000L);
        assertThat(bench.device.virtualBarAddress(1, 3)).isEqualTo(0xA010_4000L);
        assertThat(bench.device.virtualMemoryEnabled()).isTrue();
        PciFunction gone = bench.vf(0);
        config.write(0x168, 2, 0);
        assertThat(bench.device.functions()).containsExactly(bench.device);
        assertThat(bench.device.virtualMemoryEnabled()).isFalse();
        assertThat(gone.readBar(0, 8, 4)).as("nobody answers").isEqualTo(0xFFFF_FFFFL);
    }

    @Test
    @DisplayName("NumVFs takes writes only while VF Enable is clear (SR-IOV 1.1 section 3.3.7)")
    void shouldFreezeNumVfs() {
        bench.enableVfs(2);
        config.write(0x170, 2, 5);
        assertThat(config.read(0x170, 2)).isEqualTo(2);
        assertThat(bench.device.functions()).hasSize(3);
        config.write(0x168, 2, 0);
        config.write(0x170, 2, 5);
        assertThat(config.read(0x170, 2)).isEqualTo(5);
    }

    @Test
    @DisplayName("STATUS 17:14 NumVFs, 18 IOV; VFRE and VFTE lose the bits of functions that appear")
    void shouldShowVirtualFunctionsInStatus() {
        assertThat(bench.read(0x8) >>> 14 & 0x1F).isZero();
        bench.enableVfs(2);
        assertThat(bench.read(0x8) >>> 14 & 0x1F).isEqualTo(0x12);
        assertThat(bench.read(0x0C8C)).isEqualTo(0xFC);
        assertThat(bench.read(0x0C90)).isEqualTo(0xFC);
        assertThat(bench.read(0x0C88)).as("VFLRE").isZero();
    }

    @Test
    void shouldGiveVirtualFunctionsTheirOwnSpace() {
        bench.enableVfs(1);
        ConfigSpace space = bench.vf(0).config();
        assertThat(space.read(0, 4)).isEqualTo(-1);
        for (int bar = 0; bar < 6; bar++) {
            space.write(0x10 + 4 * bar, 4, -1);
            assertThat(space.read(0x10 + 4 * bar, 4)).isZero();
        }
        space.write(0x04, 2, 0xFFFF);
        assertThat(space.read(0x04, 2)).isEqualTo(6);
        assertThat(space.read(0x34, 1)).isEqualTo(0x70);
        assertThat(space.read(0x70, 4)).isEqualTo(0x0002_A011);
        assertThat(space.read(0x74, 4)).as("table in BAR3").isEqualTo(3);
        assertThat(space.read(0x78, 4)).isEqualTo(0x2003);
        assertThat(space.read(0xA0, 2)).isEqualTo(0x0010);
        assertThat(space.read(0xA4, 4) >>> 28 & 1).as("FLR").isEqualTo(1);
        assertThat(space.read(0x100, 2)).as("AER").isEqualTo(1);
        assertThat(space.read(0x150, 2)).as("ARI").isEqualTo(0x0E);
    }

    @Test
    @DisplayName("PCI Express 6.6.2: FLR of a virtual function")
    void shouldResetAVirtualFunctionAlone() {
        bench.openPools(2);
        bench.openReceive(0);
        bench.openReceive(1);
        bench.openVectors(bench.vf(0), 3, 0x10);
        bench.vfWrite(0, 0x1524, 7);
        bench.vf(0).config().write(0xA8, 2, 1 << 15 | 0x2810);
        assertThat(bench.vf(0).config().read(0xA8, 2)).isEqualTo(0x2810);
        assertThat(bench.vf(0).config().read(0x04, 2)).isZero();
        assertThat(bench.vf(0).config().read(0x72, 2)).as("MSI-X off").isEqualTo(2);
        assertThat(bench.vfRead(0, 0x1524)).isZero();
        assertThat(bench.vfRead(0, 0x2828)).as("RXDCTL").isEqualTo(0x0001_0000);
        assertThat(bench.vfRead(1, 0x2828) & Bench.ENABLE)
                .as("the other one goes on")
                .isNotZero();
        assertThat(bench.read(0x0C88)).as("VFLRE").isEqualTo(1);
        assertThat(bench.read(0x0C8C)).isEqualTo(0xFE);
        assertThat(bench.read(0x0C90)).isEqualTo(0xFE);
        bench.write(0x0C88, 1);
        assertThat(bench.read(0x0C88)).isZero();
    }

    @Test
    @DisplayName("PCI Express 6.6.2: FLR of the physical function takes the virtual ones with it")
    void shouldResetEverything() {
        bench.openPools(2);
        config.write(0xA8, 2, 1 << 15);
        assertThat(bench.device.functions()).hasSize(1);
        assertThat(config.read(0x04, 2)).isZero();
        assertThat(config.read(0x168, 2)).isZero();
        assertThat(config.read(0x170, 2)).as("NumVFs").isZero();
        assertThat(bench.read(0x5818)).as("MRQC").isZero();
        assertThat(bench.read(0x0C8C)).isEqualTo(0xFF);
        assertThat(bench.read(0x5400)).as("the station address is back").isEqualTo(0x1200_5452);
        assertThat(bench.read(0x5404)).isEqualTo(0x8004_5634);
    }

    @Test
    void shouldMasterTheBusUnderTheRoutingIdOfTheQueuesFunction() {
        bench.openPools(2);
        for (int queue : new int[] {1, 2}) {
            bench.openReceive(queue);
        }
        bench.masters.clear();
        bench.arrive(Bench.frame(Bench.macOf(1), Bench.PEER, 60));
        assertThat(bench.masters).as("VF 1").containsExactly(0x82);
        bench.masters.clear();
        bench.arrive(Bench.frame(Bench.macOf(2), Bench.PEER, 60));
        assertThat(bench.masters).as("the physical function's pool").containsExactly(0);
    }
}
