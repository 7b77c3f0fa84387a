package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.driver.virtio.NetCommands.ReceiveMode;
import io.iolab.devices.driver.virtio.VirtioFeatures;
import io.iolab.devices.driver.virtio.VirtioNetDriver;
import io.iolab.devices.driver.virtio.VirtioOptions;
import io.iolab.devices.net.PacketOffload;
import io.iolab.devices.net.PacketOffload.Segmentation;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the virtio-net driver waits for, when it looks whether to kick, and what it leaves alone (virtio 1.2). */
class VirtioDriverRulesTest {
    private static final byte[] MAC = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    private static final int RID = 5 << 3;
    private static final int RING = 256;
    private static final int TX = 1;
    private static final int CTRL = 2;
    private static final int NEXT = 1;
    private static final int WRITE = 2;

    private final TestMachine machine = new TestMachine();
    private final Wire wire = new Wire();
    private final TamperedFunction device = new TamperedFunction(new VirtioNet(
            new VirtioNetOptions(MAC, RING, NetFeatures.IMPLEMENTED),
            machine.dma(),
            machine.pin(5),
            wire,
            machine.clock()));
    /** The registers that the driver wrote, and what. */
    private final List<String> registers = new ArrayList<>();

    private final List<Long> values = new ArrayList<>();

    @AfterEach
    void close() {
        machine.close();
    }

    private VirtioNetDriver open(VirtioOptions options) {
        machine.plug(RID, device);
        machine.onStore((register, value) -> {
            registers.add(register);
            values.add(value);
        });
        NetDrivers.Options all =
                new NetDrivers.Options(NetDrivers.Options.defaults().e1000(), options);
        VirtioNetDriver driver = (VirtioNetDriver) NetDrivers.probe(machine, machine.bus(), all);
        driver.open();
        machine.serviceInterrupts();
        driver.poll(64, (frame, offset, length) -> {});
        return driver;
    }

    /** The physical address that was written into a 64-bit register of a queue: lower half, then upper half. */
    private long area(String register, long queue) {
        long selected = -1;
        for (int i = 0; i < registers.size(); i++) {
            if (registers.get(i).equals("queue_select")) {
                selected = values.get(i);
            } else if (registers.get(i).equals(register) && selected == queue) {
                return values.get(i) + (values.get(i + 1) << 32) - TestMachine.BUS_DISTANCE;
            }
        }
        throw new AssertionError("no " + register);
    }

    private void queueFrame(VirtioNetDriver driver, int number) {
        byte[] frame = Wire.frame(MAC, number);
        assertThat(driver.queue(frame, 0, frame.length)).isTrue();
    }

    @Test
    @Spec(id = "D36.4", section = "virtio 1.2 4.1.4.3.2")
    @DisplayName("4.1.4.3.2: nothing is written between a reset and the moment that device_status reads 0")
    void shouldWaitForTheEndOfAReset() {
        int[] busy = {5};
        int[] early = {0};
        device.lie("device_status", value -> busy[0] > 0 && busy[0]-- > 0 ? 15 : value);
        machine.plug(RID, device);
        machine.onStore((register, value) -> early[0] += busy[0] > 0 && value != 0 ? 1 : 0);
        VirtioNetDriver driver = (VirtioNetDriver) NetDrivers.probe(
                machine,
                machine.bus(),
                new NetDrivers.Options(NetDrivers.Options.defaults().e1000(), VirtioOptions.defaults()));
        driver.open();
        assertThat(busy[0]).isZero();
        assertThat(early[0]).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Spec(id = "D41.1", section = "virtio 1.2 2.7.4.2")
    @DisplayName("2.7.4.2, 2.7.5.3.1: a command's chain ends, fits the queue, and has its writable part last")
    void shouldPutWritableDescriptorsLast(boolean eventIndex) {
        VirtioOptions options =
                VirtioOptions.defaults().with(VirtioFeatures.CONTROL).without(VirtioFeatures.INDIRECT_DESC);
        VirtioNetDriver driver = open(eventIndex ? options : options.without(VirtioFeatures.EVENT_IDX));
        driver.commands().receiveMode(ReceiveMode.PROMISCUOUS, true);
        long table = area("queue_desc", CTRL);
        long avail = area("queue_driver", CTRL);
        int at = machine.ram().readShort(avail + 4) & 0xFFFF;
        List<Integer> writable = new ArrayList<>();
        int flags = NEXT;
        while ((flags & NEXT) != 0) {
            flags = machine.ram().readShort(table + 16L * at + 12);
            writable.add(flags & WRITE);
            assertThat(writable).hasSizeLessThanOrEqualTo(64);
            at = machine.ram().readShort(table + 16L * at + 14) & 0xFFFF;
        }
        assertThat(writable).isSorted().contains(0, WRITE);
    }

    /** The device's wish as of now: no kicks, or the next one. With EVENT_IDX the next frame has this number. */
    private void suppression(boolean eventIndex, boolean kick, int next) {
        long used = area("queue_device", TX);
        if (eventIndex) {
            machine.ram().writeShort(used + 4 + 8L * RING, (short) (kick ? next : next - 1));
        } else {
            machine.ram().writeShort(used, (short) (kick ? 0 : 1));
        }
    }

    private VirtioNetDriver openBusy(boolean eventIndex) {
        VirtioNetDriver driver = open(
                eventIndex ? VirtioOptions.defaults() : VirtioOptions.defaults().without(VirtioFeatures.EVENT_IDX));
        wire.busy = true;
        return driver;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Spec(id = "D42.2", section = "virtio 1.2 2.7.13.4.1")
    @DisplayName("2.7.13.4.1: a device that asks for kicks just before it sees avail.idx is kicked")
    void shouldLookForTheWishAfterTheIndexIsStored(boolean eventIndex) {
        // In the order of the program; what keeps the processor to it is a full fence, which no single thread can
        // observe.
        VirtioNetDriver driver = openBusy(eventIndex);
        for (int i = 0; i < 5; i++) {
            int next = i;
            queueFrame(driver, i);
            suppression(eventIndex, false, next);
            machine.onOrderedStore(() -> {
                machine.onOrderedStore(null);
                suppression(eventIndex, true, next);
            });
            long before = driver.transmitDoorbells();
            driver.flush();
            assertThat(driver.transmitDoorbells() - before).as("frame %d", i).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Spec(id = "D43.3", section = "virtio 1.2 2.7.10.1")
    @DisplayName("2.7.10.1: used.flags decide about kicks, or with EVENT_IDX avail_event alone")
    void shouldKickAsTheDeviceAsks(boolean eventIndex) {
        VirtioNetDriver driver = openBusy(eventIndex);
        boolean[] wishes = {true, false, false, true, true, false};
        for (int i = 0; i < wishes.length; i++) {
            suppression(eventIndex, wishes[i], i);
            if (eventIndex) {
                machine.ram().writeShort(area("queue_device", TX), (short) 1);
            }
            long before = driver.transmitDoorbells();
            queueFrame(driver, i);
            driver.flush();
            assertThat(driver.transmitDoorbells() - before).as("frame %d", i).isEqualTo(wishes[i] ? 1 : 0);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Segmentation.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Spec(id = "D46.2", section = "virtio 1.2 5.1.6.2.1")
    @DisplayName("5.1.6.2.1: no kind of segmentation is asked for that was not negotiated")
    void shouldRefuseSegmentationThatWasNotNegotiated(Segmentation kind) {
        long feature = switch (kind) {
            case TCP_IPV4 -> VirtioFeatures.HOST_TSO4;
            case TCP_IPV6 -> VirtioFeatures.HOST_TSO6;
            default -> VirtioFeatures.HOST_USO;
        };
        VirtioNetDriver driver =
                open(VirtioOptions.defaults().with(VirtioFeatures.OFFLOADS).without(feature));
        PacketOffload offload = new PacketOffload().checksum(34, 16).segments(kind, 1000, 54, false);
        assertThatThrownBy(() -> driver.queue(new byte[3000], 0, 3000, offload))
                .isInstanceOf(IllegalArgumentException.class);
        driver.flush();
        assertThat(wire.taken()).isEmpty();
    }

    @Test
    @Spec(id = "D46.4", section = "virtio 1.2 5.1.4.2")
    @DisplayName("5.1.4.2: the station address is what the configuration says")
    void shouldTakeTheAddressFromTheConfiguration() {
        VirtioNetDriver driver = open(VirtioOptions.defaults());
        assertThat(driver.features() & VirtioFeatures.MAC).isNotZero();
        assertThat(driver.macAddress()).isEqualTo(MAC);
    }
}
