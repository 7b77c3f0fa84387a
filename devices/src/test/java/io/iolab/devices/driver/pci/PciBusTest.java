package io.iolab.devices.driver.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform.MessageTarget;
import io.iolab.devices.driver.pci.PciBar.Kind;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class PciBusTest {
    private static final long ECAM = 0xB000_0000L;

    /** Configuration spaces by requester id, reached through CF8/CFC and ECAM; everything else is written down. */
    private static final class Host implements CpuPort {
        private final Map<Integer, ConfigSpace> spaces = new HashMap<>();
        private final List<String> stores = new ArrayList<>();
        private int address;
        private int portAccesses;
        private int loads;

        @Override
        public long load(long pa, int width) {
            loads++;
            ConfigSpace space = spaces.get((int) (pa - ECAM >>> 12));
            return space == null ? 0xFFFF_FFFFL : space.read((int) pa & 0xFFF, width) & 0xFFFF_FFFFL;
        }

        @Override
        public void store(long pa, int width, long value) {
            ConfigSpace space = spaces.get((int) (pa - ECAM >>> 12));
            if (space != null) {
                space.write((int) pa & 0xFFF, width, (int) value);
            } else {
                stores.add(String.format("%x=%x", pa, value));
            }
        }

        @Override
        public int in(int port, int width) {
            portAccesses++;
            ConfigSpace space = spaces.get(address >>> 8 & 0xFFFF);
            return space == null ? -1 : space.read(address & 0xFC | port & 3, width);
        }

        @Override
        public void out(int port, int width, int value) {
            portAccesses++;
            if (port == 0xCF8) {
                address = value;
            } else if (spaces.get(address >>> 8 & 0xFFFF) instanceof ConfigSpace space) {
                space.write(address & 0xFC | port & 3, width, value);
            }
        }
    }

    private final Host host = new Host();

    private PciBus bus() {
        return new PciBus(
                host,
                new PortConfigAccess(host),
                new ResourceWindow("MMIO", 0xE000_0000L, 0x10_0000),
                new ResourceWindow("I/O", 0xC000, 0x100));
    }

    private ConfigSpace plug(int rid, int device) {
        ConfigSpace space = new ConfigSpace(0x1234, device, 7, 0x020000);
        host.spaces.put(rid, space);
        return space;
    }

    private PciDevice only() {
        List<PciDevice> found = bus().scan();
        assertThat(found).hasSize(1);
        return found.getFirst();
    }

    @Test
    @DisplayName("an empty bus is 32 reads: 64 port accesses by CF8/CFC")
    void shouldProbeAnEmptyBusWith64PortAccesses() {
        assertThat(bus().scan()).isEmpty();
        assertThat(host.portAccesses).isEqualTo(64);
    }

    @Test
    @DisplayName("an empty bus is 32 loads by ECAM")
    void shouldProbeAnEmptyBusWith32Loads() {
        PciBus bus = new PciBus(
                host,
                new EcamConfigAccess(host, ECAM),
                new ResourceWindow("MMIO", 0, 0),
                new ResourceWindow("I/O", 0, 0));
        assertThat(bus.scan()).isEmpty();
        assertThat(host.loads).isEqualTo(32);
        assertThat(host.portAccesses).isZero();
    }

    @Test
    @DisplayName("PCI 3.0 6.2.5.1: sizes by writing ones, of each kind")
    void shouldSizeAndPlaceBars() {
        ConfigSpace space = plug(8, 1)
                .bar(new Bar(0, Bar.Kind.MEMORY32, 0x20000, false))
                .bar(new Bar(2, Bar.Kind.IO, 64, false))
                .bar(new Bar(4, Bar.Kind.MEMORY64, 0x4000, true));
        PciDevice device = only();
        assertThat(device.bars())
                .containsExactly(
                        new PciBar(0, Kind.MEMORY32, 0xE000_0000L, 0x20000, false),
                        new PciBar(2, Kind.IO, 0xC000, 64, false),
                        new PciBar(4, Kind.MEMORY64, 0xE002_0000L, 0x4000, true));
        assertThat(space.barAddress(0)).isEqualTo(0xE000_0000L);
        assertThat(space.barAddress(2)).isEqualTo(0xC000);
        assertThat(space.barAddress(4)).isEqualTo(0xE002_0000L);
        assertThat(device.classCode()).isEqualTo(0x020000);
        assertThat(device.revision()).isEqualTo(7);
        assertThat(device).hasToString("00:01.0 1234:0001");
    }

    @Test
    @DisplayName("what firmware has placed stays, and nothing is put over it")
    void shouldKeepPlacedBars() {
        ConfigSpace first = plug(8, 1).bar(new Bar(0, Bar.Kind.MEMORY32, 0x1000, false));
        ConfigSpace second = plug(16, 2)
                .bar(new Bar(0, Bar.Kind.MEMORY32, 0x1000, false))
                .bar(new Bar(2, Bar.Kind.MEMORY64, 0x1000, false));
        second.write(0x10, 4, 0xE000_0000);
        second.write(0x18, 4, 0);
        second.write(0x1C, 4, 8);
        bus().scan();
        assertThat(first.barAddress(0)).isEqualTo(0xE000_1000L);
        assertThat(second.barAddress(0)).isEqualTo(0xE000_0000L);
        assertThat(second.barAddress(2)).isEqualTo(0x8_0000_0000L);
    }

    @Test
    @DisplayName("decoding is off while a BAR is full of ones, and on again afterwards")
    void shouldNotDecodeWhileSizing() {
        ConfigSpace space = plug(8, 1).bar(new Bar(0, Bar.Kind.MEMORY32, 0x1000, false));
        space.write(ConfigSpace.COMMAND, 2, 7);
        boolean[] decoded = {false};
        space.onWrite(0x10, 4, () -> decoded[0] |= space.memoryEnabled());
        bus().scan();
        assertThat(decoded[0]).isFalse();
        assertThat(space.get(ConfigSpace.COMMAND, 2)).isEqualTo(7);
    }

    @Test
    void shouldSayWhenTheWindowIsFull() {
        plug(8, 1).bar(new Bar(0, Bar.Kind.MEMORY32, 0x20_0000, false));
        assertThatThrownBy(() -> bus().scan())
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("0x200000 bytes in the MMIO window");
    }

    @Test
    @DisplayName("functions 1 to 7 are looked at only where header type bit 7 says so")
    void shouldFindFunctionsOfAMultiFunctionDevice() {
        plug(8, 1).put(ConfigSpace.HEADER_TYPE, 1, 0x80);
        plug(8 + 5, 2);
        plug(16, 3);
        plug(16 + 1, 4);
        assertThat(bus().scan()).extracting(PciDevice::deviceId).containsExactly(1, 2, 3);
    }

    @Test
    @DisplayName("bridges are descended into by their secondary bus; a bridge that points back ends there")
    void shouldDescendIntoBridges() {
        ConfigSpace bridge = plug(8, 0xB);
        bridge.put(ConfigSpace.HEADER_TYPE, 1, 1);
        bridge.put(0x19, 1, 2);
        plug(0x200, 1);
        plug(0x208, 2);
        ConfigSpace back = plug(0x210, 0xC);
        back.put(ConfigSpace.HEADER_TYPE, 1, 1);
        back.put(0x19, 1, 2);
        assertThat(bus().scan()).extracting(PciDevice::rid).containsExactly(0x200, 0x208);
    }

    @Test
    @DisplayName("PCI Express 7.3.1: behind a root port there is device 0 alone")
    void shouldLookAtDevice0BehindARootPort() {
        ConfigSpace port = plug(8, 0xB).capability(0x40, 0x10).field(0x42, 2, 0x42, 0, 0);
        port.put(ConfigSpace.HEADER_TYPE, 1, 1);
        port.put(0x19, 1, 2);
        plug(0x200, 1);
        plug(0x208, 2);
        assertThat(bus().scan()).extracting(PciDevice::rid).containsExactly(0x200);
    }

    @Test
    @DisplayName("PCI 3.0 6.7: capabilities are followed in order; a list that loops ends")
    void shouldWalkCapabilities() {
        ConfigSpace space = plug(8, 1).capability(0x40, 9).capability(0x60, 5).capability(0x50, 9);
        PciDevice device = only();
        assertThat(device.findCapability(9)).isEqualTo(0x40);
        assertThat(device.nextCapability(0x40, 9)).isEqualTo(0x50);
        assertThat(device.nextCapability(0x50, 9)).isZero();
        assertThat(device.findCapability(5)).isEqualTo(0x60);
        space.put(0x51, 1, 0x60);
        assertThat(device.findCapability(0x11)).isZero();
    }

    @Test
    void shouldFindNoCapabilityWithoutTheStatusBit() {
        ConfigSpace space = plug(8, 1).capability(0x40, 9);
        space.put(ConfigSpace.STATUS, 2, 0);
        assertThat(only().findCapability(9)).isZero();
    }

    private ConfigSpace withMsix(int vectors) {
        return plug(8, 1)
                .bar(new Bar(1, Bar.Kind.MEMORY32, 0x1000, false))
                .capability(0x70, 0x11)
                .field(0x72, 2, vectors - 1, 0xC000, 0)
                .field(0x74, 4, 0x801, 0, 0);
    }

    @Test
    @DisplayName(
            "Linux's order: enable with function mask, mask entries, forbid INTx, lift the mask; then address, data, unmask")
    void shouldProgramMsixInOrder() {
        ConfigSpace space = withMsix(2);
        PciDevice device = only();
        List<String> order = new ArrayList<>();
        space.onWrite(0x72, 2, () -> order.add(String.format("control %x", space.get(0x72, 2))));
        space.onWrite(4, 2, () -> order.add(String.format("command %x", space.get(4, 2))));
        host.stores.clear();
        MsixVectors vectors = device.enableMsix(2);
        assertThat(order).containsExactly("command 2", "control c001", "command 402", "control 8001");
        assertThat(host.stores).containsExactly("e000080c=1", "e000081c=1");
        host.stores.clear();
        vectors.route(1, new MessageTarget(0x1_FEE0_1000L, 0x41));
        assertThat(host.stores)
                .containsExactly("e000081c=1", "e0000810=fee01000", "e0000814=1", "e0000818=41", "e000081c=0");
    }

    @Test
    void shouldSayHowManyVectorsAreMissing() {
        withMsix(2);
        PciDevice device = only();
        assertThatThrownBy(() -> device.enableMsix(3))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("0x1, that is 2 vectors, expected at least 3");
    }

    @Test
    void shouldSayThatThereIsNoMsix() {
        plug(8, 1);
        PciDevice device = only();
        assertThatThrownBy(() -> device.enableMsix(1))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("no MSI-X capability");
    }

    @Test
    void shouldRefuseATableOutsideOfItsBar() {
        withMsix(2).field(0x74, 4, 0xFF9, 0, 0);
        PciDevice device = only();
        assertThatThrownBy(() -> device.enableMsix(1))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("MSI-X table offset is 0xff8");
    }
}
