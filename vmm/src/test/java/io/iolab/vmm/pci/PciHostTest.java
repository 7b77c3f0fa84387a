package io.iolab.vmm.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.driver.pci.EcamConfigAccess;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.PciDevice;
import io.iolab.devices.driver.pci.PortConfigAccess;
import io.iolab.devices.driver.pci.ResourceWindow;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.vmm.memory.Allocations;
import io.iolab.vmm.vcpu.IoApic;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("PCI host")
class PciHostTest {
    private static final int CF8 = 0xCF8;
    private static final int CFC = 0xCFC;
    private static final int COMMAND = 0x04;
    private static final int STATUS = 0x06;
    private static final int BAR0 = 0x10;
    private static final int BAR1 = 0x14;
    private static final int BAR2 = 0x18;
    private static final int BAR3 = 0x1C;

    private final List<Integer> pins = new ArrayList<>();
    private final PciHost host = new PciHost(gsi -> {
        pins.add(gsi);
        return InterruptPin.UNCONNECTED;
    });
    private final CountingCpu cpu = new CountingCpu(host);
    private final PortConfigAccess config = new PortConfigAccess(cpu);

    /** BAR0 128 KiB of memory, BAR1 64 bytes of I/O, BAR2 16 KiB of 64-bit memory; pin INTA#. */
    private static FakeFunction nic() {
        return new FakeFunction(new ConfigSpace(0x8086, 0x100E, 3, 0x02_0000)
                .bar(new Bar(0, Bar.Kind.MEMORY32, 0x2_0000, false))
                .bar(new Bar(1, Bar.Kind.IO, 0x40, false))
                .bar(new Bar(2, Bar.Kind.MEMORY64, 0x4000, true))
                .interruptPin(1)
                .seal());
    }

    private int plug(int device) {
        return host.add(device, 0, nic());
    }

    private void place(int rid, int bar, long address) {
        config.write(rid, BAR0 + 4 * bar, 4, (int) address);
    }

    private void command(int rid, int value) {
        config.write(rid, COMMAND, 2, value);
    }

    @Test
    @DisplayName("PCI 3.0 6.1: a scan of an empty bus is 32 device reads: 64 port accesses by CF8/CFC, 32 by ECAM")
    void shouldCostThirtyTwoReadsToScanAnEmptyBus() {
        assertThat(scanPorts()).isEmpty();
        assertThat(cpu.portAccesses).isEqualTo(64);
        assertThat(scan(new EcamConfigAccess(cpu, 0xB000_0000L))).isEmpty();
        assertThat(cpu.memoryAccesses).isEqualTo(32);
        assertThat(cpu.portAccesses).isEqualTo(64);
    }

    private List<PciDevice> scanPorts() {
        return scan(config);
    }

    private List<PciDevice> scan(io.iolab.devices.driver.pci.ConfigAccess access) {
        return new PciBus(
                        cpu,
                        access,
                        new ResourceWindow("MMIO", 0xE000_0000L, 0x1000_0000L),
                        new ResourceWindow("I/O", 0xC000, 0x3000))
                .scan();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("PCI 3.0 6.2.5.1: functions are found, sized, placed, and claim what was placed")
    void shouldBeEnumeratedByADriver(boolean byEcam) {
        FakeFunction first = nic();
        FakeFunction second = nic();
        second.config().put(0x0E, 1, 0x80);
        host.add(2, 0, first);
        host.add(31, 0, second);
        host.add(31, 7, nic());
        List<PciDevice> found = byEcam ? scan(new EcamConfigAccess(cpu, 0xB000_0000L)) : scanPorts();
        assertThat(found).extracting(PciDevice::rid).containsExactly(2 << 3, 31 << 3, 31 << 3 | 7);
        assertThat(found).allSatisfy(device -> assertThat(device.bars()).hasSize(3));
        found.get(1).enable(PciDevice.COMMAND_MEMORY | PciDevice.COMMAND_IO);
        long memory = found.get(1).memoryBar(0).address();
        int port = (int) found.get(1).ioBar().address();
        assertThat(host.findMemory(memory + 0x1_FFFC, 4))
                .isEqualTo(new BarTarget(second, 31 << 3, 0, memory, 0x2_0000));
        assertThat(host.findMemory(memory + 0x1_FFFC, 4).offset(memory + 0x1_FFFC))
                .isEqualTo(0x1_FFFC);
        assertThat(host.findIo(port + 4, 4)).isEqualTo(new BarTarget(second, 31 << 3, 1, port, 0x40));
        assertThat(host.findMemory(found.get(0).memoryBar(0).address(), 4))
                .as("decoding is off")
                .isNull();
    }

    @Test
    @DisplayName("PCI 3.0 6.1: an absent function reads all ones in every width and swallows writes")
    void shouldAnswerForAbsentFunctionsWithOnes() {
        plug(3);
        for (int rid : new int[] {0, 3 << 3 | 1, 4 << 3, 1 << 8 | 3 << 3, 0xFFFF}) {
            assertThat(config.read(rid, 0, 4)).isEqualTo(-1);
            assertThat(config.read(rid, 2, 2)).isEqualTo(0xFFFF);
            assertThat(config.read(rid, 3, 1)).isEqualTo(0xFF);
            assertThat(host.ecam().read((long) rid << 12, 4)).isEqualTo(0xFFFF_FFFFL);
            assertThat(host.ecam().read((long) rid << 12, 8)).isEqualTo(-1);
            config.write(rid, COMMAND, 2, 3);
            host.ecam().write((long) rid << 12 | COMMAND, 2, 3);
        }
        assertThat(config.read(3 << 3, COMMAND, 2)).isZero();
        assertThat(host.function(1 << 8 | 3 << 3)).isNull();
    }

    @Test
    @DisplayName(
            "PCI 3.0 3.2.2.3.2: the address register takes doublewords only; reserved bits read 0; disabled claims nothing")
    void shouldKeepTheAddressRegister() {
        int rid = plug(3);
        cpu.out(CF8, 4, -1);
        assertThat(cpu.in(CF8, 4)).isEqualTo(0x80FF_FFFC);
        cpu.out(CF8, 4, 1 << 31 | rid << 8);
        cpu.out(CF8, 1, 0x55);
        cpu.out(CF8 + 1, 1, 0x0E);
        cpu.out(CF8, 2, 0x5555);
        assertThat(cpu.in(CF8, 4)).isEqualTo(1 << 31 | rid << 8);
        assertThat(cpu.in(CF8 + 1, 1)).isEqualTo(0xFF);
        assertThat(cpu.in(CFC, 4)).isEqualTo(0x100E_8086);
        cpu.out(CF8, 4, rid << 8);
        assertThat(cpu.in(CFC, 4)).isEqualTo(-1);
        cpu.out(CF8, 4, rid << 8 | 0x3C);
        cpu.out(CFC, 1, 0x77);
        assertThat(config.read(rid, 0x3C, 1)).isNotEqualTo(0x77);
    }

    @Test
    @DisplayName("PCI 3.0 3.2.2.3.2: the data port's low bits are byte lanes")
    void shouldAddressBytesByLane() {
        int rid = plug(3);
        cpu.out(CF8, 4, 1 << 31 | rid << 8);
        assertThat(cpu.in(CFC, 1)).isEqualTo(0x86);
        assertThat(cpu.in(CFC + 1, 1)).isEqualTo(0x80);
        assertThat(cpu.in(CFC + 2, 1)).isEqualTo(0x0E);
        assertThat(cpu.in(CFC + 3, 1)).isEqualTo(0x10);
        assertThat(cpu.in(CFC, 2)).isEqualTo(0x8086);
        assertThat(cpu.in(CFC + 2, 2)).isEqualTo(0x100E);
        assertThat(cpu.in(CFC + 1, 2)).as("unaligned, by byte enables").isEqualTo(0x0E80);
        assertThat(cpu.in(CFC + 3, 2)).as("beyond the port").isEqualTo(0xFFFF);
        assertThat(cpu.in(CFC + 1, 4)).isEqualTo(-1);
        cpu.out(CF8, 4, 1 << 31 | rid << 8 | 0x3C);
        cpu.out(CFC + 1, 2, 0x55AA);
        assertThat(cpu.in(CFC, 4)).as("pin, Min_Gnt are read-only").isEqualTo(0x0000_0100 | PciHost.gsi(3, 1));
    }

    @Test
    @DisplayName("PCI 3.0 6.2.3: a byte or word written to the command register leaves write-one-to-clear status alone")
    void shouldKeepStatusWhenCommandIsWritten() {
        FakeFunction nic = nic();
        int rid = host.add(3, 0, nic);
        nic.config().put(STATUS, 2, 0xF900);
        config.write(rid, COMMAND, 1, 0xFF);
        config.write(rid, COMMAND, 2, 0xFFFF);
        config.write(rid, COMMAND, 4, 0x0000_0007);
        assertThat(config.read(rid, STATUS, 2)).isEqualTo(0xF900);
        cpu.out(CF8, 4, 1 << 31 | rid << 8 | COMMAND);
        cpu.out(CFC + 3, 1, 0x80);
        assertThat(config.read(rid, STATUS, 2)).isEqualTo(0x7900);
        assertThat(config.read(rid, COMMAND, 2)).isEqualTo(7);
    }

    @Test
    @DisplayName("PCI 3.0 6.2.5: a BAR claims its range while the command bit is set, and moves with its address")
    void shouldFollowTheBars() {
        int rid = plug(3);
        place(rid, 0, 0xE002_0000L);
        place(rid, 1, 0xC040);
        assertThat(host.decoded()).isEmpty();
        command(rid, 2);
        assertThat(host.findMemory(0xE002_0000L, 4)).isNotNull();
        assertThat(host.findIo(0xC040, 4)).as("I/O decoding is off").isNull();
        command(rid, 3);
        assertThat(host.findIo(0xC07F, 1)).isNotNull();
        assertThat(host.findIo(0xC07F, 2)).as("crosses the end").isNull();
        assertThat(host.findIo(0xC080, 1)).isNull();
        assertThat(host.findMemory(0xE002_0000L - 1, 1)).isNull();
        assertThat(host.findMemory(0xE003_FFFEL, 4)).as("crosses the end").isNull();
        place(rid, 0, 0xE100_0000L);
        assertThat(host.findMemory(0xE002_0000L, 4)).isNull();
        assertThat(host.findMemory(0xE100_0010L, 8).offset(0xE100_0010L)).isEqualTo(0x10);
        command(rid, 1);
        assertThat(host.findMemory(0xE100_0000L, 4)).isNull();
        assertThat(host.decoded()).extracting(BarTarget::bar).containsExactly(1);
    }

    @Test
    @DisplayName("PCI 3.0 6.2.5.1: a 64-bit BAR may lie above 4 GiB; halves take effect as they are written")
    void shouldClaimAbove4GiB() {
        int rid = plug(3);
        command(rid, 2);
        config.write(rid, BAR2, 4, 0x0000_8000);
        assertThat(host.findMemory(0x8000, 4)).isNotNull();
        config.write(rid, BAR3, 4, 0x12);
        assertThat(host.findMemory(0x8000, 4)).isNull();
        assertThat(host.findMemory(0x12_0000_BFFCL, 4).bar()).isEqualTo(2);
        config.write(rid, BAR3, 4, -1);
        assertThat(host.findMemory(0xFFFF_FFFF_0000_8000L, 4)).isNotNull();
    }

    @Test
    @DisplayName("Sizing with decoding on claims nothing: a window at 0 or up to the top is unmapped")
    void shouldTolerateSizingWhileDecoding() {
        int rid = plug(3);
        place(rid, 0, 0xE000_0000L);
        place(rid, 1, 0xC000);
        command(rid, 3);
        for (int offset = BAR0; offset <= BAR3; offset += 4) {
            config.write(rid, offset, 4, -1);
        }
        assertThat(host.decoded()).isEmpty();
        assertThat(host.findMemory(0xFFFF_FFF0L, 4)).isNull();
        assertThat(config.read(rid, BAR0, 4)).isEqualTo(0xFFFE_0000);
        assertThat(config.read(rid, BAR1, 4)).isEqualTo(0xFFFF_FFC1);
        for (int offset = BAR0; offset <= BAR3; offset += 4) {
            config.write(rid, offset, 4, 0);
        }
        assertThat(host.decoded()).isEmpty();
    }

    @Test
    @DisplayName("Overlapping BARs: the lower requester id claims, whoever was programmed first")
    void shouldLetTheLowerFunctionWinAnOverlap() {
        int high = plug(9);
        int low = plug(3);
        for (int rid : new int[] {high, low}) {
            place(rid, 0, 0xE000_0000L);
            command(rid, 2);
        }
        assertThat(host.findMemory(0xE000_0000L, 4).rid()).isEqualTo(low);
        place(high, 0, 0xE002_0000L);
        place(high, 0, 0xE000_0000L);
        assertThat(host.findMemory(0xE000_0000L, 4).rid()).isEqualTo(low);
        config.write(high, BAR2, 4, 0xE000_4000);
        assertThat(host.findMemory(0xE000_4000L, 4).rid()).isEqualTo(low);
        command(low, 0);
        assertThat(host.findMemory(0xE000_4000L, 4).bar())
                .as("the lower BAR of the other")
                .isZero();
        place(high, 0, 0xE100_0000L);
        assertThat(host.findMemory(0xE000_4000L, 4).bar()).isEqualTo(2);
    }

    @Test
    void shouldTellOfEveryChangeOfRoutesAndOfNothingElse() {
        int rid = plug(3);
        List<Integer> sizes = new ArrayList<>();
        host.onRoutesChanged(() -> sizes.add(host.decoded().size()));
        place(rid, 0, 0xE000_0000L);
        command(rid, 4);
        assertThat(sizes).isEmpty();
        command(rid, 6);
        command(rid, 2);
        config.write(rid, 0x3C, 1, 5);
        place(rid, 1, 0xC000);
        assertThat(sizes).containsExactly(1);
        place(rid, 0, 0xE002_0000L);
        command(rid, 3);
        assertThat(sizes).containsExactly(1, 1, 2);
    }

    @Test
    @DisplayName("PCI 3.0 4.3: a function's reset takes its BARs off the bus")
    void shouldReleaseBarsOnReset() {
        FakeFunction nic = nic();
        int rid = host.add(3, 0, nic);
        place(rid, 0, 0xE000_0000L);
        command(rid, 2);
        nic.reset();
        assertThat(host.decoded()).isEmpty();
        assertThat(config.read(rid, 0x3C, 1)).isZero();
        host.writeInterruptLines();
        assertThat(config.read(rid, 0x3C, 1)).isEqualTo(PciHost.gsi(3, 1));
    }

    @Test
    @DisplayName("PCI Express 7.2.2: ECAM reaches all 4 KiB; odd widths arrive as bytes or doublewords")
    void shouldReachExtendedSpaceByEcam() {
        FakeFunction nic = nic();
        nic.config().field(0x100, 4, 0x1402_0003, -1, 0).field(0xFFC, 4, 0x1122_3344, -1, 0);
        long page = (long) host.add(3, 5, nic) << 12;
        assertThat(host.ecam().read(page, 4)).isEqualTo(0x100E_8086);
        assertThat(host.ecam().read(page | 0x100, 4)).isEqualTo(0x1402_0003);
        assertThat(host.ecam().read(page | 0x100, 8)).isEqualTo(0x1402_0003);
        assertThat(host.ecam().read(page | 0x0FF, 2)).isEqualTo(0x0300);
        assertThat(host.ecam().read(page | 0xFFD, 4))
                .as("the end of the function's page")
                .isEqualTo(0xFF11_2233L);
        host.ecam().write(page | 0xFFB, 4, 0xAABB_CCDDL);
        assertThat(host.ecam().read(page | 0xFFC, 4)).isEqualTo(0x11AA_BBCCL);
        host.ecam().write(page | BAR2, 8, 0x0000_0012_0000_8000L);
        host.ecam().write(page | COMMAND, 2, 2);
        assertThat(host.findMemory(0x12_0000_8000L, 4)).isNotNull();
    }

    @ParameterizedTest
    @CsvSource({
        "2,1,22", "2,2,23", "2,3,20", "0,1,20", "3,1,23", "4,1,20", "24,1,20", "25,1,16", "29,4,19", "30,1,20",
        "30,4,23", "31,1,16"
    })
    @DisplayName("q35 interrupt routing: slot 2 INTA# is PIRQ G, GSI 22; written to Interrupt Line (PCI 3.0 6.2.4)")
    void shouldRoutePinsAsQ35Does(int device, int pin, int gsi) {
        assertThat(PciHost.gsi(device, pin)).isEqualTo(gsi);
        host.intx(device, pin);
        assertThat(pins).containsExactly(gsi);
        int rid = host.add(
                device,
                0,
                new FakeFunction(new ConfigSpace(0x1AF4, 0x1041, 1, 0x02_0000)
                        .interruptPin(pin)
                        .seal()));
        assertThat(config.read(rid, 0x3C, 2)).isEqualTo(pin << 8 | gsi);
    }

    @Test
    void shouldWirePinsToTheIoApic() {
        List<Integer> vectors = new ArrayList<>();
        IoApic ioApic = new IoApic((destination, logical, mode, vector, level) -> vectors.add(vector));
        PciHost wired = new PciHost(ioApic::pin);
        ioApic.write(0x00, 4, 0x10 + 2 * 22);
        ioApic.write(0x10, 4, 1 << 15 | 0x51);
        InterruptPin first = wired.intx(2, 1);
        InterruptPin shared = wired.intx(6, 1);
        first.set(true);
        shared.set(true);
        first.set(false);
        ioApic.endOfInterrupt(0x51);
        assertThat(vectors).as("still asserted by the other slot").containsExactly(0x51, 0x51);
    }

    @Test
    void shouldRefusePlacesThatDoNotExist() {
        plug(3);
        for (int[] place : new int[][] {{3, 0}, {32, 0}, {-1, 0}, {0, 8}, {0, -1}}) {
            assertThatThrownBy(() -> host.add(place[0], place[1], nic())).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> PciHost.gsi(2, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PciHost.gsi(32, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Whatever a guest writes, nothing throws, and the winner is the first function whose BAR holds the access. */
    @Test
    void shouldSurviveAnyAccessAndRouteByTheRule() {
        long seed = 35;
        SplittableRandom random = new SplittableRandom(seed);
        int[] rids = {plug(1), plug(2), plug(31)};
        for (int i = 0; i < 20_000; i++) {
            int rid = rids[random.nextInt(3)];
            switch (random.nextInt(4)) {
                case 0 -> host.configPorts().write(random.nextInt(8), 1 << random.nextInt(3), random.nextLong());
                case 1 -> config.write(rid, BAR0 + 4 * random.nextInt(6), 4, 0xE000_0000 + random.nextInt(1 << 18));
                case 2 -> command(rid, random.nextInt(8));
                default ->
                    host.ecam()
                            .write((long) rid << 12 | random.nextInt(4096), 1 << random.nextInt(4), random.nextLong());
            }
            host.configPorts().read(random.nextInt(8), 1 << random.nextInt(4));
            long gpa = 0xE000_0000L + random.nextInt(1 << 18);
            BarTarget expected = null;
            for (BarTarget target : host.decoded()) {
                boolean holds = gpa - target.base() >= 0 && gpa + 4 - target.base() <= target.size();
                if (expected == null && target.bar() != 1 && holds) {
                    expected = target;
                }
            }
            assertThat(host.findMemory(gpa, 4)).as("seed %d, round %d", seed, i).isSameAs(expected);
        }
    }

    @Test
    void shouldAllocateNothingPerLookUp() {
        int rid = plug(3);
        int other = plug(4);
        place(rid, 0, 0xE000_0000L);
        place(rid, 1, 0xC000);
        place(other, 0, 0xE002_0000L);
        command(rid, 3);
        command(other, 3);
        long bytes = Allocations.bytesOf(10_000, () -> {
            BarTarget target = host.findMemory(0xE000_3818L, 4);
            BarTarget second = host.findMemory(0xE002_00C0L, 4);
            if (target == null || second == null || host.findIo(0xC000, 4) == null || host.findMemory(1, 1) != null) {
                throw new AssertionError();
            }
            cpu.out(CF8, 4, 1 << 31 | rid << 8);
            if (cpu.in(CFC, 4) != 0x100E_8086) {
                throw new AssertionError();
            }
        });
        assertThat(bytes).as("bytes in 10,000 rounds").isLessThan(1_000);
    }
}
