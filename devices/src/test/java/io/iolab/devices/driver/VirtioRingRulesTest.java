package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.driver.virtio.VirtioFeatures;
import io.iolab.devices.driver.virtio.VirtioNetDriver;
import io.iolab.devices.driver.virtio.VirtioOptions;
import io.iolab.devices.driver.virtio.VirtioOptions.HeaderPlacement;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.spec.Spec;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the driver writes into registers and rings, looked at from outside (virtio 1.2 chapters 2 and 3, section 4.1). */
class VirtioRingRulesTest extends VirtioRules {
    private static final int AVAIL = 0x80;
    private static final int USED = 0x8000;
    private static final int NEXT = 1;
    private static final int INDIRECT = 4;
    private static final int DRIVER_OK = 4;

    @ParameterizedTest
    @ValueSource(longs = {0, PACKED})
    @Spec(id = "D38.1", section = "virtio 1.2 4.1.4.3.2")
    @Spec(id = "D39.1", section = "virtio 1.2 2.7")
    @Spec(id = "D39.2", section = "virtio 1.2 2.8.10.1")
    @Spec(id = "D40.1", section = "virtio 1.2 3.1.1")
    @DisplayName(
            "4.1.4.3.2: a queue is complete before its enable bit, which is never cleared; no kick before DRIVER_OK")
    void shouldSetQueuesUpInOrder(long features) {
        open(features);
        boolean running = false;
        List<String> since = new ArrayList<>();
        int enabled = 0;
        for (Store store : stores) {
            since.add(store.register());
            switch (store.register()) {
                case "device_status" -> running = (store.value() & DRIVER_OK) != 0;
                case "queue_select" -> since.clear();
                case "queue_enable" -> {
                    assertThat(store.value()).isEqualTo(1);
                    assertThat(running).isFalse();
                    assertThat(since)
                            .contains("queue_size", "queue_desc", "queue_driver", "queue_device", "queue_msix_vector");
                    enabled++;
                }
                case "queue_notify" -> assertThat(running).isTrue();
                default -> {}
            }
        }
        assertThat(enabled).isEqualTo(2);
        assertThat(area("queue_desc", 0) % 16).isZero();
        assertThat(area("queue_driver", 0) % (features == 0 ? 2 : 4)).isZero();
        assertThat(area("queue_device", 0) % 4).isZero();
    }

    @Test
    @Spec(id = "D39.1", section = "virtio 1.2 2.7")
    @DisplayName("2.8: a packed queue's size need be no power of two, a split one's must")
    void shouldChooseSizesByTheFormOfTheRing() {
        VirtioOptions odd = VirtioOptions.defaults().with(PACKED).withLargestQueue(100);
        open(odd);
        assertThat(stores).contains(new Store("queue_size", 100));
        assertThatThrownBy(() -> VirtioOptions.defaults().withLargestQueue(100))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @Spec(id = "D39.1", section = "virtio 1.2 2.7")
    @DisplayName("2.7: where packed rings are not offered after all, the size falls to a power of two")
    void shouldFallBackToSplitRings() {
        device.lie("device_feature", value -> value & ~(1 << 2));
        VirtioNetDriver driver = open(VirtioOptions.defaults().with(PACKED).withLargestQueue(100));
        assertThat(driver.features() & PACKED).isZero();
        assertThat(stores).contains(new Store("queue_size", 64));
        send(driver, 3);
        assertThat(wire.taken()).hasSize(3);
    }

    @Test
    @Spec(id = "D36.1", section = "virtio 1.2 3.1.1")
    @Spec(id = "D36.3", section = "virtio 1.2 2.1.1")
    @DisplayName("3.1.1: reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK, DRIVER_OK, and no bit is taken back")
    void shouldInitialiseInOrder() {
        open(0);
        List<String> steps = new ArrayList<>();
        for (Store store : stores) {
            String step = switch (store.register()) {
                case "device_status" -> "status " + store.value();
                case "driver_feature", "queue_enable" -> store.register();
                default -> "";
            };
            if (!step.isEmpty() && (steps.isEmpty() || !steps.getLast().equals(step))) {
                steps.add(step);
            }
        }
        assertThat(steps)
                .containsExactly(
                        "status 0", "status 1", "status 3", "driver_feature", "status 11", "queue_enable", "status 15");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    @Spec(id = "D37.1", section = "virtio 1.2 2.2.1")
    @Spec(id = "D37.3", section = "virtio 1.2 6.1")
    @DisplayName("2.2.1: nothing is accepted that was not offered")
    void shouldAcceptOnlyWhatIsOffered(int seed) {
        // ACCESS_PLATFORM (33) is not a choice of the driver where it is offered (6.1).
        long kept = new java.util.SplittableRandom(seed).nextLong() | 3;
        device.lie("device_feature", value -> value & kept);
        VirtioNetDriver driver = open(VirtioFeatures.ALL);
        assertThat(driver.features() & ~(kept << 32 | kept & 0xFFFF_FFFFL)).isZero();
        assertThat(driver.features() & VirtioFeatures.VERSION_1).isNotZero();
    }

    @Test
    @Spec(id = "D33.1", section = "virtio 1.2 4.1.2.2")
    @Spec(id = "D34.1", section = "virtio 1.2 4.1.4.1")
    @Spec(id = "D34.2", section = "virtio 1.2 4.1.4.1")
    @DisplayName("4.1.4.1: capabilities of unknown types or with reserved BARs are passed over, longer ones taken")
    void shouldPassOverCapabilitiesThatItDoesNotKnow() {
        // The first vendor capability becomes a common one in BAR 6, the ISR one is of no known type, one is longer.
        device.config().put(0x84 + 3, 1, 1);
        device.config().put(0x84 + 4, 1, 6);
        device.config().put(0x50 + 3, 1, 0x77);
        device.config().put(0x40 + 2, 1, 32);
        device.config().put(0x08, 1, 0x44);
        VirtioNetDriver driver = open(0);
        send(driver, 1);
        assertThat(wire.taken()).hasSize(1);
    }

    @Test
    @Spec(id = "D35.1", section = "virtio 1.2 4.1.4.1")
    @DisplayName("4.1.4.1: the virtio capabilities are not written")
    void shouldNotWriteCapabilities() {
        send(open(0), 1);
        // From the common capability at 0x40 to the end of the last virtio one; MSI-X follows, which is written.
        assertThat(machine.configWrites()).isNotEmpty().noneMatch(at -> at >= 0x40 && at < 0x98);
    }

    private int flags(long descriptor) {
        return machine.ram().readShort(descriptor + 14) & 0xFFFF;
    }

    @Test
    @Spec(id = "D44.1", section = "virtio 1.2 2.8.17")
    @DisplayName("2.8.21: nothing is available before flush, and then the first descriptor's flags come last")
    void shouldPublishTheFirstDescriptorLast() {
        VirtioNetDriver driver = open(VirtioOptions.defaults()
                .with(PACKED)
                .withHeader(HeaderPlacement.SEPARATE)
                .without(VirtioFeatures.INDIRECT_DESC));
        long ring = area("queue_desc", 1);
        wire.busy = true;
        byte[] frame = Wire.frame(MAC, 0);
        driver.queue(frame, 0, frame.length);
        driver.queue(frame, 0, frame.length);
        assertThat(flags(ring)).as("hidden").isZero();
        int[] before = new int[4];
        machine.onOrderedStore(() -> {
            machine.onOrderedStore(null);
            for (int i = 0; i < 4; i++) {
                before[i] = flags(ring + 16L * i);
            }
        });
        driver.flush();
        assertThat(before).containsExactly(0, AVAIL, AVAIL | NEXT, AVAIL);
        assertThat(flags(ring)).isEqualTo(AVAIL | NEXT);
        assertThat(machine.ram().readShort(ring + 16 + 12))
                .as("id in the list's last descriptor")
                .isEqualTo((short) 0);
    }

    @Test
    @Spec(id = "D41.2", section = "virtio 1.2 2.7.5.3.1")
    @Spec(id = "D44.2", section = "virtio 1.2 2.8.19")
    @DisplayName("2.8.7: an indirect table stands alone, and its entries say nothing but WRITE")
    void shouldWriteIndirectTablesForPackedRings() {
        VirtioNetDriver driver = open(VirtioOptions.defaults().with(PACKED).withHeader(HeaderPlacement.SEPARATE));
        wire.busy = true;
        send(driver, 1);
        long ring = area("queue_desc", 1);
        assertThat(flags(ring)).isEqualTo(AVAIL | INDIRECT);
        assertThat(machine.ram().readInt(ring + 8)).isEqualTo(32);
        long table = machine.ram().readLong(ring) - TestMachine.BUS_DISTANCE;
        assertThat(flags(table)).isZero();
        assertThat(flags(table + 16)).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Spec(id = "D41.1", section = "virtio 1.2 2.7.4.2")
    @Spec(id = "D41.2", section = "virtio 1.2 2.7.5.3.1")
    @DisplayName("2.7.5.3.1: chains end, stay in the table, and use INDIRECT only if negotiated and without NEXT")
    void shouldWriteChainsForSplitRings(boolean indirect) {
        VirtioOptions options = VirtioOptions.defaults().withHeader(HeaderPlacement.SEPARATE);
        VirtioNetDriver driver = open(indirect ? options : options.without(VirtioFeatures.INDIRECT_DESC));
        wire.busy = true;
        send(driver, 3);
        long ring = area("queue_desc", 1);
        long avail = area("queue_driver", 1);
        for (int i = 0; i < 3; i++) {
            long head = ring + 16L * machine.ram().readShort(avail + 4 + 2 * i);
            int flags = machine.ram().readShort(head + 12);
            assertThat(flags).isEqualTo(indirect ? INDIRECT : NEXT);
            long second = indirect
                    ? machine.ram().readLong(head) - TestMachine.BUS_DISTANCE + 16
                    : ring + 16L * machine.ram().readShort(head + 14);
            assertThat(machine.ram().readShort(second + 12)).as("the end").isZero();
        }
    }

    @Test
    @Spec(id = "D42.3", section = "virtio 1.2 2.7.6.1")
    @Spec(id = "D43.1", section = "virtio 1.2 2.7.7.1")
    @DisplayName("2.7.6, 2.7.7.1: avail.idx only ever moves forward, and avail.flags stay 0 with EVENT_IDX")
    void shouldMoveTheAvailableIndexForward() {
        VirtioNetDriver driver = open(0);
        long avail = area("queue_driver", 1);
        int index = 0;
        for (int i = 0; i < 70_000; i += 7) {
            send(driver, 7);
            wire.taken().clear();
            int now = machine.ram().readShort(avail + 2) & 0xFFFF;
            assertThat(now - index & 0xFFFF).isEqualTo(7);
            assertThat(machine.ram().readShort(avail)).isZero();
            index = now;
        }
    }

    @Test
    @Spec(id = "D47.1", section = "virtio 1.2 2.7.8.3")
    @DisplayName("2.7.8.2, 2.8.3: no byte counts that the used length does not cover")
    void shouldTrustNoByteBeyondTheUsedLength() {
        VirtioNetDriver driver = open(PACKED);
        byte[] frame = Wire.frame(driver.macAddress(), 5);
        assertThat(device.send(frame, 0, frame.length)).isEqualTo(Delivery.ACCEPTED);
        long ring = area("queue_desc", 0);
        machine.ram().writeInt(ring + 8, 12 + 20);
        device.poll(64);
        machine.serviceInterrupts();
        int[] lengths = {-1};
        driver.poll(64, (bytes, offset, length) -> lengths[0] = length);
        assertThat(lengths[0]).isEqualTo(20);
    }

    @Test
    @Spec(id = "D42.1", section = "virtio 1.2 2.7.13.3.1")
    @DisplayName("2.7.13: descriptors and ring entries are in memory when avail.idx is written")
    void shouldShowTheIndexLast() {
        VirtioNetDriver driver = open(0);
        long ring = area("queue_desc", 1);
        long avail = area("queue_driver", 1);
        wire.busy = true;
        byte[] frame = Wire.frame(MAC, 0);
        driver.queue(frame, 0, frame.length);
        int[] length = {0};
        machine.onOrderedStore(() -> {
            machine.onOrderedStore(null);
            assertThat(machine.ram().readShort(avail + 2)).isZero();
            length[0] = machine.ram().readInt(ring + 16L * machine.ram().readShort(avail + 4) + 8);
        });
        driver.flush();
        assertThat(length[0]).isEqualTo(12 + frame.length);
        assertThat(machine.ram().readShort(avail + 2)).isEqualTo((short) 1);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, PACKED})
    @Spec(id = "D43.2", section = "virtio 1.2 2.7.7.1")
    @DisplayName("2.7.7.1: an interrupt that nothing caused does no harm")
    void shouldTolerateSpuriousInterrupts(long form) {
        VirtioNetDriver driver = open(form);
        for (byte vector = 0; vector < 3; vector++) {
            machine.dma().write(0xFEE0_0000L, new byte[] {vector, 0, 0, 0}, 0, 4, DmaKind.MESSAGE);
            assertThat(poll(driver)).isZero();
        }
        assertThat(driver.failure()).isNull();
        arrive(driver, 3);
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 7})
    @DisplayName("2.8.22: a used id that is no buffer of the device's stops the driver")
    void shouldStopAtAPackedIdThatItNeverGave(int id) {
        VirtioNetDriver driver = open(PACKED);
        long ring = area("queue_desc", 1);
        machine.ram().writeShort(ring + 12, (short) id);
        machine.ram().writeShort(ring + 14, (short) (AVAIL | USED));
        poll(driver);
        assertThat(driver.failure()).contains("queue 1").contains(Integer.toHexString(id));
    }
}
