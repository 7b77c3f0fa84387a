package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.pci.ConfigSpace;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The function on its bus: identity, BARs, capabilities, reset values, register window, power states. */
class E1000PciTest {

    private static int barMask(ConfigSpace config, int bar) {
        config.write(0x10 + 4 * bar, 4, -1);
        int mask = config.read(0x10 + 4 * bar, 4);
        config.write(0x10 + 4 * bar, 4, 0);
        return mask;
    }

    @Test
    @DisplayName("82540EM: 8086:100E, BAR0 128 KiB, no BAR1, I/O window of 64 bytes in BAR2, PM at DCh, PCI-X at E4h")
    void shouldShowConventionalFace() {
        try (Bench bench = Bench.i82540em()) {
            ConfigSpace config = bench.device.config();
            assertThat(config.read(0, 4)).isEqualTo(0x100E_8086);
            assertThat(config.read(8, 4)).isEqualTo(0x0200_0002);
            assertThat(config.read(0x2C, 4)).isEqualTo(0x001E_8086);
            assertThat(config.read(0x3D, 1)).isEqualTo(1);
            assertThat(barMask(config, 0)).isEqualTo(0xFFFE_0000);
            assertThat(barMask(config, 1)).isZero();
            assertThat(barMask(config, 2)).isEqualTo(0xFFFF_FFC1);
            assertThat(config.read(0x34, 1)).isEqualTo(0xDC);
            assertThat(config.read(0xDC, 2)).isEqualTo(0xE401);
            assertThat(config.read(0xE4, 2)).isEqualTo(0x0007);
        }
    }

    @Test
    @DisplayName("82574L: 8086:10D3, four BARs, PM C8h, MSI D0h, PCIe E0h, MSI-X A0h, AER 100h, serial number 140h")
    void shouldShowExpressFace() {
        try (Bench bench = Bench.i82574l()) {
            ConfigSpace config = bench.device.config();
            assertThat(config.read(0, 4)).isEqualTo(0x10D3_8086);
            assertThat(config.read(8, 4)).isEqualTo(0x0200_0000);
            int[] masks = {0xFFFE_0000, 0xFFFE_0000, 0xFFFF_FFE1, 0xFFFF_C000, 0, 0};
            for (int bar = 0; bar < 6; bar++) {
                assertThat(barMask(config, bar)).as("BAR%d", bar).isEqualTo(masks[bar]);
            }
            assertThat(config.read(0x34, 1)).isEqualTo(0xC8);
            assertThat(config.read(0xC8, 4)).isEqualTo(0xC822_D001);
            assertThat(config.read(0xD0, 4)).isEqualTo(0x0080_E005);
            assertThat(config.read(0xE0, 4)).isEqualTo(0x0001_A010);
            assertThat(config.read(0xE4, 4) >>> 28 & 1).as("no FLR").isZero();
            assertThat(config.read(0xEC, 4)).isEqualTo(0x411);
            assertThat(config.read(0xF2, 2)).isEqualTo(0x11);
            assertThat(config.read(0xA0, 4)).isEqualTo(0x0004_0011);
            assertThat(config.read(0xA4, 4)).isEqualTo(0x3);
            assertThat(config.read(0xA8, 4)).isEqualTo(0x2003);
            assertThat(config.read(0x100, 4)).isEqualTo(0x1401_0001);
            assertThat(config.read(0x140, 4)).isEqualTo(0x0001_0003);
            assertThat(config.read(0x144, 4)).isEqualTo(0xFF12_3456);
            assertThat(config.read(0x148, 4)).isEqualTo(0x5254_00FF);
            config.write(0xE8, 2, 0xFFFF);
            assertThat(config.read(0xE8, 2) & 0x8000).as("reset bit reads 0").isZero();
            assertThat(config.read(0xE8, 2) & 0x70EF)
                    .as("sizes and error enables")
                    .isEqualTo(0x70EF);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "I82540EM,STATUS,0x83",
        "I82540EM,EECD,0x100",
        "I82540EM,VET,0x8100",
        "I82540EM,PBA,0x100030",
        "I82540EM,TIPG,0",
        "I82540EM,RXCSUM,0",
        "I82540EM,RAL,0x12005452",
        "I82540EM,RAH,0x80005634",
        "I82540EM,RCTL,0",
        "I82540EM,TCTL,0",
        "I82540EM,RXDCTL,0",
        "I82540EM,TSPMT,0x01000400",
        "I82540EM,MANC,0x222300",
        "I82540EM,LEDCTL,0x07068302",
        "I82574L,CTRL,0x140241",
        "I82574L,STATUS,0x80283",
        "I82574L,EECD,0x300",
        "I82574L,EERD,2",
        "I82574L,TIPG,0x602008",
        "I82574L,LEDCTL,0x68302",
        "I82574L,EXTCNF_CTRL,8",
        "I82574L,POEMB,0x30d",
        "I82574L,PBA,0x140014",
        "I82574L,PBS,0x28",
        "I82574L,EEMNGCTL,0x80000000",
        "I82574L,FLASHT,2",
        "I82574L,EEWR,2",
        "I82574L,FLSWCTL,0xC0000000",
        "I82574L,FLOL,1",
        "I82574L,PSRCTL,0x40402",
        "I82574L,RXDCTL,0x10000",
        "I82574L,TARC,0x403",
        "I82574L,RXCSUM,0x300",
        "I82574L,MANC,0x10000000",
        "I82574L,GCR,0x6800200",
        "I82574L,FACTPS,0x20000004",
        "I82574L,SWSM,1",
        "I82574L,RXCFGL,0x88f7",
        "I82574L,RXUDP,0x319",
    })
    @DisplayName("13.4, 82574 10.2: values after power-on, after CTRL.RST and after a bus reset")
    void shouldResetRegister(E1000Model model, String name, String value) {
        int offset = offsetOf(name);
        int expected = Long.decode(value).intValue();
        try (Bench bench = new Bench(model)) {
            assertThat(bench.read(offset)).isEqualTo(expected);
            bench.write(CTRL, 1 << 26);
            assertThat(bench.read(offset)).isEqualTo(expected);
            bench.device.reset();
            assertThat(bench.read(offset)).isEqualTo(expected);
            assertThat(bench.device.registerName(0, offset)).startsWith(name);
        }
    }

    private static int offsetOf(String name) {
        return switch (name) {
            case "CTRL" -> 0;
            case "STATUS" -> 0x8;
            case "EECD" -> 0x10;
            case "EERD" -> 0x14;
            case "VET" -> 0x38;
            case "RCTL" -> 0x100;
            case "TCTL" -> 0x400;
            case "TIPG" -> 0x410;
            case "LEDCTL" -> 0xE00;
            case "EXTCNF_CTRL" -> 0xF00;
            case "POEMB" -> 0xF10;
            case "PBA" -> 0x1000;
            case "PBS" -> 0x1008;
            case "EEMNGCTL" -> 0x1010;
            case "FLASHT" -> 0x1028;
            case "EEWR" -> 0x102C;
            case "FLSWCTL" -> 0x1030;
            case "FLOL" -> 0x1050;
            case "PSRCTL" -> 0x2170;
            case "RXDCTL" -> 0x2828;
            case "TSPMT" -> 0x3830;
            case "TARC" -> 0x3840;
            case "RXCSUM" -> 0x5000;
            case "RAL" -> 0x5400;
            case "RAH" -> 0x5404;
            case "MANC" -> 0x5820;
            case "GCR" -> 0x5B00;
            case "FACTPS" -> 0x5B30;
            case "SWSM" -> 0x5B50;
            case "RXCFGL" -> 0xB634;
            case "RXUDP" -> 0xB638;
            default -> throw new IllegalArgumentException(name);
        };
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName("13.2: the I/O window reaches every register through IOADDR and IODATA")
    void shouldAccessRegistersByIo(E1000Model model) {
        try (Bench bench = new Bench(model)) {
            bench.device.writeBar(2, 0, 4, VET);
            bench.device.writeBar(2, 4, 4, 0x88A8);
            assertThat(bench.read(VET)).isEqualTo(0x88A8);
            assertThat(bench.device.readBar(2, 0, 4)).isEqualTo(VET);
            bench.device.writeBar(2, 0, 4, STATUS);
            assertThat((int) bench.device.readBar(2, 4, 4)).isEqualTo(bench.read(STATUS));
            bench.device.writeBar(2, 0, 4, 0xFFFF_FFFCL);
            assertThat(bench.device.readBar(2, 4, 4)).isZero();
            assertThat(bench.device.registerName(2, 0)).isEqualTo("IOADDR");
            assertThat(bench.device.registerName(2, 4)).isEqualTo("IODATA");
            bench.device.writeBar(2, 0, 4, 0);
            bench.device.writeBar(2, 4, 4, 1 << 26);
            assertThat(bench.read(VET)).as("reset by I/O").isEqualTo(0x8100);
        }
    }

    @Test
    @DisplayName("Narrow and misaligned accesses, unknown offsets and read-only writes are ignored and counted")
    void shouldIgnoreOddAccesses() {
        try (Bench bench = Bench.i82540em()) {
            E1000Counters counters = bench.device.counters();
            assertThat(bench.device.readBar(0, STATUS, 1)).isZero();
            assertThat(bench.device.readBar(0, STATUS + 2, 2)).isZero();
            bench.device.writeBar(0, VET, 2, 0x1234);
            assertThat(bench.read(VET)).isEqualTo(0x8100);
            assertThat(counters.ignored(RegisterFault.WRONG_WIDTH)).isEqualTo(3);
            assertThat(bench.read(0x1F0)).isZero();
            assertThat(bench.device.registerName(0, 0x1F0)).isEqualTo("unimplemented");
            assertThat(counters.ignored(RegisterFault.UNKNOWN_OFFSET)).isEqualTo(1);
            bench.write(STATUS, 1);
            bench.write(0x5900, 1);
            assertThat(counters.ignored(RegisterFault.READ_ONLY)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0x40,0x5400",
        "0x128,0x2818",
        "0x200,0x5200",
        "0x3FC,0x53FC",
        "0x438,0x3818",
        "0x600,0x5600",
        "0x8000,0x2410"
    })
    @DisplayName("13.2: the 82542's offsets lead to the same registers")
    void shouldDecodeAliases(String alias, String register) {
        try (Bench bench = Bench.i82540em()) {
            bench.write(Integer.decode(alias), 0x155);
            assertThat(bench.read(Integer.decode(register))).isEqualTo(0x155);
            bench.write(Integer.decode(register), 0x2A);
            assertThat(bench.read(Integer.decode(alias))).isEqualTo(0x2A);
        }
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName("CTRL.RST resets the MAC and keeps PCI configuration; an unfinished ring is forgotten")
    void shouldResetMacOnly(E1000Model model) {
        try (Bench bench = new Bench(model)) {
            bench.device.config().write(0x10, 4, 0xFEB0_0000);
            bench.openTransmit(8);
            bench.openReceive(8);
            bench.write(IMS, 4);
            bench.write(ICS, 4);
            assertThat(bench.pin).isTrue();
            bench.write(RAL, 0x1234);
            bench.queue(frame(PEER, 60));
            bench.write(TDT, 1);
            bench.write(CTRL, 1 << 26);
            assertThat(bench.pin).isFalse();
            assertThat(bench.read(CTRL) & 1 << 26).as("self-clearing").isZero();
            assertThat(bench.read(RAL)).as("from the EEPROM again").isEqualTo(0x1200_5452);
            assertThat(bench.read(TDLEN) | bench.read(TDT) | bench.read(RCTL) | bench.read(IMS))
                    .isZero();
            assertThat(bench.poll()).isZero();
            assertThat(bench.sent).isEmpty();
            assertThat(bench.device.config().read(0x10, 4)).isEqualTo(0xFEB0_0000);
            assertThat(bench.read(STATUS) & 2).as("the PHY kept its link").isEqualTo(2);
        }
    }

    @ParameterizedTest
    @CsvSource({"I82540EM,0xE0", "I82574L,0xCC"})
    @DisplayName("PCI PM 3.2.4: in D3hot windows are dead; back in D0 everything starts over")
    void shouldResetOnReturnFromD3(E1000Model model, String pmcsr) {
        int control = Integer.decode(pmcsr);
        try (Bench bench = new Bench(model)) {
            bench.openReceive(8);
            bench.device.config().write(control, 2, 3);
            assertThat(bench.device.readBar(0, STATUS, 4)).isEqualTo(0xFFFF_FFFFL);
            bench.arrive(frame(MAC, 60));
            assertThat(bench.device.workPending()).isFalse();
            bench.device.config().write(control, 2, 1);
            assertThat(bench.device.config().read(control, 2) & 3).as("no D1").isEqualTo(3);
            bench.device.config().write(control, 2, 0);
            assertThat(bench.device.config().read(0x04, 2)).as("command").isZero();
            assertThat(bench.read(RCTL)).isZero();
            assertThat(bench.rxStatus(0)).isZero();
            assertThat(bench.read(STATUS) & 2).isEqualTo(2);
        }
    }

    @Test
    @DisplayName("82574 CTRL.GIO_MASTER_DISABLE: STATUS bit 19 goes to 0 and DMA stops until a reset")
    void shouldDisableMaster() {
        try (Bench bench = Bench.i82574l()) {
            bench.openTransmit(8);
            bench.set(CTRL, 4);
            assertThat(bench.read(STATUS) & 1 << 19).isZero();
            bench.queue(frame(PEER, 60));
            bench.kick();
            assertThat(bench.sent).isEmpty();
            bench.write(CTRL, 1 << 26);
            assertThat(bench.read(STATUS) & 1 << 19).isNotZero();
            assertThat(bench.read(CTRL) & 4).isZero();
        }
    }

    @Test
    @DisplayName("82574: PHY_RST sets STATUS.PHYRA, writing 0 to it clears it; PBA and PBS survive CTRL.RST")
    void shouldKeepWhatSurvives() {
        try (Bench bench = Bench.i82574l()) {
            bench.set(CTRL, 1 << 31);
            bench.write(CTRL, bench.read(CTRL) & ~(1 << 31));
            assertThat(bench.read(STATUS) & 1 << 10).isNotZero();
            bench.write(STATUS, 0);
            assertThat(bench.read(STATUS) & 1 << 10).isZero();
            bench.write(PBA, 32);
            assertThat(bench.read(PBA)).isEqualTo(8 << 16 | 32);
            bench.write(CTRL, 1 << 26);
            assertThat(bench.read(PBA)).isEqualTo(8 << 16 | 32);
            bench.device.reset();
            assertThat(bench.read(PBA)).isEqualTo(0x0014_0014);
        }
    }

    @Test
    @DisplayName("A multicast or short address is refused")
    void shouldRefuseBadStationAddress() {
        byte[] group = {1, 2, 3, 4, 5, 6};
        for (byte[] mac : new byte[][] {group, new byte[5]}) {
            assertThatThrownBy(() -> E1000.create(
                            E1000Model.I82540EM,
                            mac,
                            new io.iolab.devices.dma.DirectDma(
                                    io.iolab.devices.memory.PhysicalMemory.allocate(4096), (a, d) -> {}),
                            io.iolab.devices.irq.InterruptPin.UNCONNECTED,
                            io.iolab.devices.net.FramePort.UNPLUGGED,
                            () -> 0))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
