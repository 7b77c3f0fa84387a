package io.iolab.vmm.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.driver.pci.PortConfigAccess;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The machine around the devices, as a client sees it. */
class QtestMachineTest {
    private static final int BAR0 = 0x10;
    private static final int COMMAND = 0x04;
    private static final long EDU = 0xE000_0000L;
    private static final int SLOT_3 = 3 << 3;

    private Served served;
    private PortConfigAccess config;

    private void start(String... arguments) throws IOException {
        served = Served.start(arguments);
        config = new PortConfigAccess(served.client());
    }

    @AfterEach
    void end() throws IOException {
        served.close();
    }

    private QtestClient client() {
        return served.client();
    }

    private void place(int rid) {
        config.write(rid, BAR0, 4, (int) EDU);
        config.write(rid, COMMAND, 2, 0x6);
    }

    private boolean eduAnswers() {
        return client().load32(EDU) == 0x0100_00ED;
    }

    // ---- buses

    @Test
    void shouldHaveTheHostBridgeOfItsMachine() throws IOException {
        start("-machine", "q35");
        assertThat(config.read(0, 0, 4)).isEqualTo(0x29C0_8086);
        end();
        start("-machine", "pc");
        assertThat(config.read(0, 0, 4)).isEqualTo(0x1237_8086);
        assertThat(config.read(1 << 3, 0, 4)).isEqualTo(0x7000_8086);
    }

    /** 82G33 family data sheet, PCIEXBAR: bit 0 enables, bits 2:1 choose 256, 128 or 64 MiB. */
    @Test
    void shouldMoveConfigurationSpaceWithPciexbar() throws IOException {
        start("-machine", "q35", "-device", "edu,addr=03.0");
        long edu = 3 << 15;
        assertThat(client().load32(0xB000_0000L + edu)).as("off at reset").isZero();
        config.write(0, 0x60, 4, 0xC000_0001);
        assertThat(client().load32(0xC000_0000L + edu)).isEqualTo(0x11E8_1234);
        assertThat(client().load32(0xC000_0000L + (5 << 15))).as("nobody").isEqualTo(-1);
        config.write(0, 0x60, 4, 0xC400_0005);
        assertThat(client().load32(0xC400_0000L + edu)).as("64 MiB").isEqualTo(0x11E8_1234);
        assertThat(client().load32(0xC000_0000L + edu)).isZero();
        client().monitor("system_reset", "{}");
        assertThat(client().load32(0xC400_0000L + edu)).isZero();
    }

    /** As QEMU: the first free slots, in the order of the command line. */
    @Test
    void shouldFindSlotsForDevicesWithoutAddress() throws IOException {
        start("-machine", "q35", "-device", "edu,addr=02.0", "-device", "e1000", "-device", "e1000e");
        assertThat(config.read(1 << 3, 0, 4)).isEqualTo(0x100E_8086);
        assertThat(config.read(2 << 3, 0, 4)).isEqualTo(0x11E8_1234);
        assertThat(config.read(3 << 3, 0, 4)).isEqualTo(0x10D3_8086);
        // There is no firmware that would have written it.
        assertThat(config.read(1 << 3, 0x3C, 4)).isEqualTo(0x0100);
    }

    /** PCI-to-PCI Bridge 1.2 sections 3.2.4 and 4.4: bus numbers lead configuration accesses, windows lead memory accesses. */
    @Test
    void shouldReachDevicesBehindARootPortOnceItIsProgrammed() throws IOException {
        start("-machine", "q35", "-device", "pcie-root-port,id=rp,addr=03.0", "-device", "edu,bus=rp");
        int behind = 7 << 8;
        assertThat(config.read(SLOT_3 + 0, 0x0E, 1)).isEqualTo(1);
        assertThat(config.read(behind, 0, 4)).isEqualTo(-1);
        config.write(SLOT_3, 0x18, 4, 0x0007_0700);
        assertThat(config.read(behind, 0, 4)).isEqualTo(0x11E8_1234);
        place(behind);
        assertThat(eduAnswers()).as("the port's window is closed").isFalse();
        config.write(SLOT_3, 0x20, 4, 0xE000_E000);
        assertThat(eduAnswers()).as("the port does not decode").isFalse();
        config.write(SLOT_3, COMMAND, 2, 0x6);
        assertThat(eduAnswers()).isTrue();
        client().command("irq_intercept_in ioapic");
        client().store32(EDU + 0x60, 1);
        // Device 0 behind the port keeps its pin: slot 3, INTA#, GSI 23.
        assertThat(client().interrupts()).containsExactly("raise 23");
        client().monitor("system_reset", "{}");
        assertThat(config.read(behind, 0, 4)).isEqualTo(-1);
    }

    /** 82371SB data sheet, PIRQRC: bit 7 disables a route; slot 3's INTA# is PIRQ C. */
    @Test
    void shouldRouteInterruptsOfAPcThroughItsIsaBridge() throws IOException {
        start("-machine", "pc", "-device", "edu,addr=03.0");
        place(SLOT_3);
        client().command("irq_intercept_in ioapic");
        client().store32(EDU + 0x60, 1);
        assertThat(client().interrupts()).isEmpty();
        config.write(1 << 3, 0x62, 1, 11);
        assertThat(client().interrupts()).containsExactly("raise 11");
        config.write(1 << 3, 0x62, 1, 0x80);
        assertThat(client().interrupts()).containsExactly("raise 11", "lower 11");
    }

    // ---- remapping

    /** VT-d 6.2.2, 6.3.1 and 10.4: behind an empty root table no request gets through, and the unit records why. */
    @Test
    void shouldTranslateDmaOfDevicesBehindTheRemappingUnit() throws IOException {
        start("-machine", "q35", "-device", "intel-iommu,aw-bits=48", "-device", "edu,addr=03.0");
        long unit = RemoteMachine.IOMMU_BASE;
        assertThat(client().load32(unit)).as("version").isEqualTo(0x10);
        place(SLOT_3);
        client().store32(0x5000, 0x1234_5678);
        assertThat(copyWithEdu(0x5000, 0x6000)).as("translation is off").isEqualTo(0x1234_5678);
        // An empty root table at 0x8000.
        client().store(unit + 0x20, 8, 0x8000);
        client().store32(unit + 0x18, 1 << 30);
        client().store32(unit + 0x18, 1 << 31);
        assertThat(client().load32(unit + 0x1C) >>> 30)
                .as("table set, translation on")
                .isEqualTo(3);
        assertThat(copyWithEdu(0x5000, 0x7000)).isZero();
        assertThat(client().load32(unit + 0x34) & 2).as("a fault is pending").isEqualTo(2);
        client().monitor("system_reset", "{}");
        assertThat(client().load32(unit + 0x1C)).isZero();
        place(SLOT_3);
        assertThat(copyWithEdu(0x5000, 0x7000)).isEqualTo(0x1234_5678);
    }

    private int copyWithEdu(int from, int to) {
        transfer(from, 0x40000, 1);
        transfer(0x40000, to, 3);
        return client().load32(to);
    }

    private void transfer(int from, int to, int command) {
        client().store32(EDU + 0x80, from);
        client().store32(EDU + 0x88, to);
        client().store32(EDU + 0x90, 4);
        client().store32(EDU + 0x98, command);
        client().command("clock_step 100000000");
    }

    @Test
    void shouldHaveNoRemappingUnitUnlessAskedFor() throws IOException {
        start("-machine", "q35");
        assertThat(client().load32(RemoteMachine.IOMMU_BASE)).isZero();
    }

    // ---- monitor

    @Test
    void shouldResetDevicesButNotMemory() throws IOException {
        start("-machine", "q35", "-device", "edu,addr=03.0");
        place(SLOT_3);
        client().store32(0x1000, 77);
        assertThat(client().monitor("system_reset", "{}")).isEqualTo("{\"return\":{}}");
        assertThat(config.read(SLOT_3, COMMAND, 2)).isZero();
        assertThat(client().load32(0x1000)).isEqualTo(77);
    }

    @Test
    void shouldPlugAndUnplugCablesByAdapterOrNetdev() throws IOException {
        start("-machine", "q35", "-netdev", "hubport,hubid=0,id=n0", "-device", "e1000,addr=03.0,id=nic,netdev=n0");
        place(SLOT_3);
        // 82540 SDM 13.4.2: STATUS.LU.
        assertThat(client().load32(EDU + 8) & 2).isEqualTo(2);
        client().monitor("set_link", "{\"name\": \"nic\", \"up\": false}");
        assertThat(client().load32(EDU + 8) & 2).isZero();
        client().monitor("set_link", "{\"name\": \"n0\", \"up\": true}");
        assertThat(client().load32(EDU + 8) & 2).isEqualTo(2);
        assertThat(client().monitor("set_link", "{\"name\": \"x\", \"up\": true}"))
                .contains("DeviceNotFound");
    }

    @Test
    void shouldAnswerTheMonitorsQuestions() throws IOException {
        start("-machine", "q35");
        assertThat(client().monitor("query-status", "{}")).contains("\"running\":true");
        assertThat(client().monitor("query-version", "{}")).contains("iolab test");
        assertThat(client().monitor("nonsense", "{}")).contains("CommandNotFound");
        assertThat(client().monitor("qmp_capabilities", "{}")).contains("CommandNotFound");
        assertThat(client().monitor("device_del", "{\"id\": \"x\"}")).contains("DeviceNotFound");
    }

    @Test
    void shouldEndWhenAskedToQuit() throws IOException {
        start("-machine", "q35");
        assertThat(client().monitor("quit", "{}")).isEqualTo("{\"return\":{}}");
        assertThat(served.ended()).isEmpty();
    }

    // ---- command line

    @Test
    void shouldWarnOfWhatItDoesNotKnow() throws IOException {
        start("-machine", "q35", "-frobnicate", "1", "-device", "e1000,colour=red", "-bios", "x.rom", "-accel", "tcg");
        assertThat(served.ask("clock_step 1")).isEqualTo("FAIL Unknown command 'clock_step'");
        assertThat(served.end())
                .containsExactly(
                        "unknown option -frobnicate, ignored",
                        "-bios is ignored: there is no processor to run it",
                        "-accel tcg: nothing is executed; time follows the host's clock",
                        "-device e1000: property colour is not known here, ignored");
        start("-machine", "q35");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-machine isapc",
                "-m 3G",
                "-m lots",
                "-m 0",
                "-device nosuch",
                "-device e1000,addr=99.0",
                "-device e1000,addr=04.9",
                "-device e1000,mac=01:00:00:00:00:00",
                "-device e1000,mac=soup",
                "-device e1000,netdev=none",
                "-device e1000,bus=none",
                "-device edu,addr=3 -device edu,addr=3",
                "-device edu,dma_mask=x",
                "-netdev user,id=n",
                "-netdev socket,id=n",
                "-netdev socket,fd=x,id=n",
                "-netdev hubport",
                "-device intel-iommu,aw-bits=40",
                "-device intel-iommu -device intel-iommu",
                "-machine pc -device intel-iommu",
                "-mon chardev=none,mode=control",
                "-device {}",
                "disk.img",
                "-device",
                "-device virtio-net-pci,rx_queue_size=3",
                "-device virtio-net-pci,packed=maybe"
            })
    void shouldRefuseWhatMakesNoSense(String words) throws IOException {
        start("-machine", "q35");
        List<String> all = new java.util.ArrayList<>(List.of("-qtest", "unix:/nonexistent", "-machine", "q35"));
        all.addAll(Arrays.asList(words.split(" ")));
        assertThatThrownBy(() -> new QtestServer(QtestOptions.parse(all), "test").close())
                .isInstanceOf(OptionException.class)
                .hasMessageMatching("(?s).{10,}");
    }

    @Test
    void shouldSayWhichSocketIsMissing() throws IOException {
        start("-machine", "q35");
        QtestOptions options = options("-qtest", "unix:/nonexistent/socket");
        assertThatThrownBy(() -> new QtestServer(options, "test").close())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("/nonexistent/socket");
        QtestOptions descriptor = options("-qtest", "unix:/x", "-netdev", "socket,fd=999,id=n");
        assertThatThrownBy(() -> new QtestServer(descriptor, "test").close())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("999");
        assertThatThrownBy(() -> QtestOptions.parse(List.of("-m", "16M")))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("-qtest");
    }

    private static QtestOptions options(String... words) {
        try {
            return QtestOptions.parse(List.of(words));
        } catch (OptionException e) {
            throw new AssertionError(e);
        }
    }
}
