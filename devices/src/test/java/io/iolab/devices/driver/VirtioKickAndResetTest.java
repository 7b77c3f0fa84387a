package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.driver.virtio.VirtioFeatures;
import io.iolab.devices.driver.virtio.VirtioNetDriver;
import io.iolab.devices.spec.Spec;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When the driver kicks and with what, and how it resets a queue (virtio 1.2 sections 2.6 to 2.9). */
class VirtioKickAndResetTest extends VirtioRules {
    @ParameterizedTest
    @ValueSource(longs = {0, PACKED})
    @DisplayName("2.9: a kick's 32 bits tell queue, place and lap")
    void shouldTellThePlaceInKicks(long form) {
        VirtioNetDriver driver = open(form | VirtioFeatures.NOTIFICATION_DATA);
        long place = 0;
        for (int i = 0; i < 300; i++) {
            stores.clear();
            send(driver, 3);
            wire.taken().clear();
            place += 3;
            long next = form == 0 ? place & 0xFFFF : place % 256 | (place / 256 % 2 == 0 ? 0x8000 : 0);
            assertThat(stores).containsExactly(new Store("queue_notify", 1 | next << 16));
        }
    }

    @Test
    @DisplayName("4.1.5.2: with NOTIF_CONFIG_DATA kicks carry what the device asked for")
    void shouldKickWithTheDevicesNumber() {
        device.lie("queue_notif_config_data", value -> 0x1234);
        VirtioNetDriver driver = open(VirtioFeatures.NOTIF_CONFIG_DATA);
        stores.clear();
        send(driver, 1);
        assertThat(stores).containsExactly(new Store("queue_notify", 0x1234));
    }

    @Test
    @Spec(id = "D44.3", section = "virtio 1.2 2.8.14")
    @DisplayName("2.8.14: the device's structure decides about kicks: always, never, or at a place")
    void shouldKickAsTheDeviceAsks() {
        VirtioNetDriver driver = open(PACKED);
        long events = area("queue_device", 1);
        wire.busy = true;
        int[][] cases = {
            // flags, place: kicks of a frame at slots 0 to 4
            {0, 0, 1}, {1, 0, 0}, {2, 0x8000 | 2, 1}, {2, 0x8000 | 4, 0}, {2, 4, 0}
        };
        for (int[] each : cases) {
            machine.ram().writeInt(events, each[0] << 16 | each[1]);
            stores.clear();
            send(driver, 1);
            assertThat(stores).as("flags %d place %x", each[0], each[1]).hasSize(each[2]);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, PACKED, PACKED | VirtioFeatures.IN_ORDER, VirtioFeatures.IN_ORDER})
    @DisplayName("2.6.1: both queues work as before after a reset, from the beginning of their rings")
    void shouldResetQueuesUnderTraffic(long form) {
        VirtioNetDriver driver = open(form | VirtioFeatures.RING_RESET);
        for (int round = 0; round < 5; round++) {
            send(driver, 100);
            assertThat(wire.taken()).hasSize(100);
            wire.taken().clear();
            arrive(driver, 50);
            wire.busy = true;
            send(driver, 30);
            int slots = driver.transmitSlots();
            driver.resetTransmitQueue();
            assertThat(driver.transmitSlots()).isEqualTo(slots + 30);
            wire.busy = false;
            driver.resetReceiveQueue();
            poll(driver);
            assertThat(wire.taken()).as("what was in flight is gone").isEmpty();
            assertThat(driver.failure()).isNull();
        }
        send(driver, 10);
        assertThat(wire.taken()).hasSize(10);
        arrive(driver, 10);
    }

    @Test
    @Spec(id = "D48.1", section = "virtio 1.2 2.6.1.1.2")
    @DisplayName("2.6.1.2: a queue is not enabled again before queue_reset reads 0")
    void shouldWaitForTheEndOfAReset() {
        VirtioNetDriver driver = open(VirtioFeatures.RING_RESET);
        int[] busy = {3};
        device.lie("queue_reset", value -> busy[0]-- > 0 ? 1 : value);
        driver.resetTransmitQueue();
        assertThat(busy[0]).isEqualTo(-1);
        device.lie("queue_reset", value -> 1);
        stores.clear();
        assertThatThrownBy(driver::resetTransmitQueue)
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("queue_reset");
        assertThat(stores).doesNotContain(new Store("queue_enable", 1));
    }

    @Test
    void shouldNotResetQueuesWithoutTheFeature() {
        VirtioNetDriver driver = open(0);
        assertThatThrownBy(driver::resetTransmitQueue).isInstanceOf(IllegalStateException.class);
    }
}
