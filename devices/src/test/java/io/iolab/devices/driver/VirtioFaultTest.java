package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.driver.virtio.VirtioFeatures;
import io.iolab.devices.driver.virtio.VirtioNetDriver;
import io.iolab.devices.driver.virtio.VirtioOptions;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the virtio-net driver refuses, and how it stops when a device breaks the rules. */
class VirtioFaultTest {
    private static final byte[] MAC = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    private static final int RID = 5 << 3;

    private final TestMachine machine = new TestMachine();
    private final Wire wire = new Wire();
    private final TamperedFunction device = new TamperedFunction(
            new VirtioNet(VirtioNetOptions.defaults(MAC), machine.dma(), machine.pin(5), wire, machine.clock()));
    private final Map<String, Long> ringAddresses = new HashMap<>();

    @AfterEach
    void close() {
        machine.close();
    }

    private VirtioNetDriver open(VirtioOptions options) {
        machine.plug(RID, device);
        NetDrivers.Options all =
                new NetDrivers.Options(NetDrivers.Options.defaults().e1000(), options);
        VirtioNetDriver driver = (VirtioNetDriver) NetDrivers.probe(machine, machine.bus(), all);
        driver.open();
        machine.serviceInterrupts();
        driver.poll(64, (frame, offset, length) -> {});
        return driver;
    }

    private VirtioNetDriver open() {
        return open(VirtioOptions.defaults());
    }

    @Test
    @Spec(id = "D36.2", section = "virtio 1.2 3.1.1")
    @Spec(id = "D36.3", section = "virtio 1.2 2.1.1")
    @DisplayName("virtio 1.2 3.1.1 step 6: FEATURES_OK is read again; a refusal leaves FAILED behind")
    void shouldGiveUpWhenFeaturesAreRefused() {
        device.lie("device_status", value -> value & ~8);
        long[] written = {0};
        machine.onStore((register, value) -> written[0] = register.equals("device_status") ? value : written[0]);
        assertThatThrownBy(this::open)
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("device_status is 0x3")
                .hasMessageContaining("FEATURES_OK");
        assertThat(written[0] & 128).isEqualTo(128);
    }

    @Test
    @Spec(id = "D37.3", section = "virtio 1.2 6.1")
    @DisplayName("virtio 1.2 6.1: VERSION_1 must be offered")
    void shouldRefuseALegacyDevice() {
        device.lie("device_feature", value -> value & ~1);
        assertThatThrownBy(this::open).isInstanceOf(DriverException.class).hasMessageContaining("VERSION_1");
    }

    @Test
    @Spec(id = "D45.1", section = "virtio 1.2 4.1.5.1.2.2")
    @DisplayName("virtio 1.2 4.1.5.1.2: a vector that reads back FFFFh was not mapped")
    void shouldRefuseAVectorThatWasNotMapped() {
        device.lie("queue_msix_vector", value -> 0xFFFF);
        assertThatThrownBy(this::open)
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("queue_msix_vector of queue 0 is 0xffff");
    }

    @Test
    @Spec(id = "D45.1", section = "virtio 1.2 4.1.5.1.2.2")
    void shouldRefuseAConfigVectorThatWasNotMapped() {
        device.lie("config_msix_vector", value -> 0xFFFF);
        assertThatThrownBy(this::open)
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("config_msix_vector is 0xffff");
    }

    @Test
    @Spec(id = "D39.1", section = "virtio 1.2 2.7")
    @DisplayName("virtio 1.2 2.7: the queue size is a power of two; 0 is a queue that does not exist")
    void shouldRefuseAnOddQueueSize() {
        device.lie("queue_size", value -> 0);
        assertThatThrownBy(this::open)
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("queue_size of queue 0");
    }

    @Test
    @Spec(id = "D36.4", section = "virtio 1.2 4.1.4.3.2")
    @DisplayName("virtio 1.2 4.1.4.3.2: a reset is over when device_status reads 0")
    void shouldNotWaitForeverForAReset() {
        device.lie("device_status", value -> 4);
        assertThatThrownBy(this::open)
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("device_status is 0x4, expected 0 after a reset");
    }

    @Test
    @Spec(id = "D43.3", section = "virtio 1.2 2.7.10.1")
    @DisplayName("virtio 1.2 2.7.10.1: kicks that the device has not asked for are saved and counted")
    void shouldCountKicksThatWereSuppressed() {
        VirtioNetDriver driver = open();
        long rung = driver.transmitDoorbells();
        long saved = driver.doorbellsSuppressed();
        // The wire is busy: the device has seen the first kick and does not need another while it has work.
        wire.busy = true;
        for (int i = 0; i < 5; i++) {
            byte[] frame = Wire.frame(MAC, i);
            driver.queue(frame, 0, frame.length);
            driver.flush();
        }
        assertThat(driver.transmitDoorbells() - rung).isEqualTo(1);
        assertThat(driver.doorbellsSuppressed() - saved).isEqualTo(4);
    }

    @Test
    @DisplayName("no transmit interrupt in the data path")
    void shouldSendWithoutInterrupts() {
        VirtioNetDriver driver = open();
        for (int i = 0; i < 10_000; i++) {
            byte[] frame = Wire.frame(MAC, i);
            assertThat(driver.queue(frame, 0, frame.length)).isTrue();
            driver.flush();
            assertThat(wire.taken().remove()).isEqualTo(frame);
        }
        // The first after a start may come unasked: what the device compares against is not valid yet.
        assertThat(machine.interruptPending() ? 1 : 0).isLessThanOrEqualTo(1);
        machine.serviceInterrupts();
        long taken = machine.interrupts();
        for (int i = 0; i < 70_000; i++) {
            byte[] frame = Wire.frame(MAC, i);
            driver.queue(frame, 0, frame.length);
            driver.flush();
            wire.taken().clear();
        }
        machine.serviceInterrupts();
        assertThat(machine.interrupts()).isEqualTo(taken);
    }

    @Test
    void shouldMakeUpAnAddressWithoutTheFeature() {
        VirtioNetDriver driver = open(VirtioOptions.defaults().without(VirtioFeatures.MAC));
        assertThat(driver.macAddress()).containsExactly(2, 0, 0, 0, 0, RID);
    }

    @Test
    @DisplayName("virtio 1.2 2.1.2: DEVICE_NEEDS_RESET comes with a configuration change notification")
    void shouldStopWhenTheDeviceNeedsAReset() {
        device.lie("device_status", value -> value);
        VirtioNetDriver driver = open();
        device.lie("device_status", value -> value | 64);
        device.setLink(false);
        assertThat(machine.serviceInterrupts()).isTrue();
        driver.poll(64, (frame, offset, length) -> {});
        assertThat(driver.failure()).contains("DEVICE_NEEDS_RESET");
        assertThat(driver.queue(new byte[60], 0, 60)).isFalse();
        assertThat(driver.transmitHung()).isTrue();
    }

    @Test
    @DisplayName("virtio 1.2 5.1.4: status bit 0 is the link")
    void shouldFollowTheLink() {
        VirtioNetDriver driver = open();
        assertThat(driver.linkUp()).isTrue();
        device.setLink(false);
        machine.serviceInterrupts();
        driver.poll(64, (frame, offset, length) -> {});
        assertThat(driver.linkUp()).isFalse();
    }

    @Test
    @DisplayName("virtio 1.2 2.7.8: a used id that is no buffer of the device's stops the driver")
    void shouldStopAtAUsedIdThatItNeverGave() {
        machine.onStore(
                (register, value) -> ringAddresses.putIfAbsent(register + ringAddresses.containsKey(register), value));
        VirtioNetDriver driver = open();
        long used = ringAddresses.get("queue_device" + false) + (1L << 32) - TestMachine.BUS_DISTANCE;
        assertThat(driver.failure()).isNull();
        machine.ram().writeInt(used + 4, 0x4000);
        machine.ram().writeShort(used + 2, (short) 1);
        assertThat(driver.poll(64, (frame, offset, length) -> {})).isZero();
        assertThat(driver.failure()).contains("queue 0").contains("0x4000");
    }
}
