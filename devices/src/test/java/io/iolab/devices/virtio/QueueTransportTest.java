package io.iolab.devices.virtio;

import static io.iolab.devices.virtio.TransportLab.CONTROL;
import static io.iolab.devices.virtio.TransportLab.NOTIFICATION_DATA;
import static io.iolab.devices.virtio.TransportLab.NOTIF_CONFIG_DATA;
import static io.iolab.devices.virtio.TransportLab.NOTIF_DATA;
import static io.iolab.devices.virtio.TransportLab.QUEUES;
import static io.iolab.devices.virtio.TransportLab.QUEUE_DESC;
import static io.iolab.devices.virtio.TransportLab.QUEUE_ENABLE;
import static io.iolab.devices.virtio.TransportLab.QUEUE_NOTIFY_OFF;
import static io.iolab.devices.virtio.TransportLab.QUEUE_RESET;
import static io.iolab.devices.virtio.TransportLab.QUEUE_SELECT;
import static io.iolab.devices.virtio.TransportLab.QUEUE_SIZE;
import static io.iolab.devices.virtio.TransportLab.QUEUE_VECTOR;
import static io.iolab.devices.virtio.TransportLab.RING_PACKED;
import static io.iolab.devices.virtio.TransportLab.RING_RESET;
import static io.iolab.devices.virtio.TransportLab.STATUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.queue.PackedRing;
import io.iolab.devices.virtio.queue.SplitRing;
import io.iolab.devices.virtio.queue.Virtqueue;
import io.iolab.devices.virtio.queue.Virtqueue.Take;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Queues as the transport presents them: sizes, layouts, kicks and reset (virtio 1.2 sections 2.6.1, 2.9 and 4.1). */
class QueueTransportTest {
    private static final int NO_VECTOR = 0xFFFF;
    private static final long DESC = 0x1000;
    private static final long DRIVER = 0x5000;
    private static final long DEVICE = 0x6000;

    private final TransportLab lab = new TransportLab();

    @AfterEach
    void close() {
        lab.close();
    }

    private Virtqueue queue(int index) {
        Virtqueue queue = lab.queues[index];
        if (queue == null) {
            throw new AssertionError("no queue " + index);
        }
        return queue;
    }

    private boolean enable(int queue, int size) {
        return lab.enable(queue, size, DESC, DRIVER, DEVICE);
    }

    @Test
    @Spec(id = "V12.1", section = "virtio 1.2 4.1.4.3.1")
    @DisplayName("4.1.4.3: each queue has its own size and place to kick; one that does not exist has size 0")
    void shouldPresentSeventeenQueues() {
        assertThat(lab.get(TransportLab.NUM_QUEUES, 2)).isEqualTo(QUEUES);
        for (int i = 0; i < QUEUES; i++) {
            lab.set(QUEUE_SELECT, 2, i);
            assertThat(lab.get(QUEUE_SIZE, 2)).isEqualTo(i == CONTROL ? 64 : 256);
            assertThat(lab.get(QUEUE_NOTIFY_OFF, 2)).isEqualTo(i);
        }
        lab.set(QUEUE_SELECT, 2, QUEUES);
        assertThat(lab.get(QUEUE_SIZE, 2)).isZero();
    }

    @Test
    @Spec(id = "V13.1", section = "virtio 1.2 4.1.5.1.2.1")
    @DisplayName("4.1.5.1.2: a vector for each queue and one for the configuration; others cannot be mapped")
    void shouldMapAVectorForEachQueue() {
        lab.enableMsix();
        for (int i = 0; i < QUEUES; i++) {
            lab.set(QUEUE_SELECT, 2, i);
            lab.set(QUEUE_VECTOR, 2, i + 1);
            assertThat(lab.get(QUEUE_VECTOR, 2)).isEqualTo(i + 1);
            lab.transport.interrupt(i);
        }
        assertThat(lab.messages).hasSize(QUEUES).startsWith(0x41).endsWith(0x40 + QUEUES);
        lab.set(QUEUE_VECTOR, 2, QUEUES + 1);
        assertThat(lab.get(QUEUE_VECTOR, 2)).isEqualTo(NO_VECTOR);
    }

    @ParameterizedTest
    @CsvSource({"256,true,true", "1,true,true", "3,false,true", "200,false,true", "0,false,false", "257,false,false"})
    @Spec(id = "V12.2", section = "virtio 1.2 4.1.4.3.1")
    @DisplayName("2.7, 2.8: a split queue's size is a power of two, a packed one's is not bound to that")
    void shouldTakeSizesByTheFormOfTheRing(int size, boolean split, boolean packed) {
        for (boolean isPacked : new boolean[] {false, true}) {
            assertThat(lab.negotiate(isPacked ? RING_PACKED : 0)).isTrue();
            lab.set(QUEUE_SELECT, 2, 0);
            lab.set(QUEUE_SIZE, 2, size);
            assertThat(lab.get(QUEUE_SIZE, 2)).isEqualTo((isPacked ? packed : split) ? size : 256);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0x1000,0x5000,0x6000,true",
        "0x1010,0x5004,0x6004,true",
        "0x1008,0x5000,0x6000,false",
        "0x1000,0x5002,0x6000,false",
        "0x1000,0x5000,0x6002,false",
        "-16,0x5000,0x6000,false"
    })
    @DisplayName("2.8.10.1: ring aligned to 16 bytes, event suppression to 4")
    void shouldEnableAPackedQueueOnlyWhereItFits(String desc, String driver, String device, boolean fits) {
        lab.negotiate(RING_PACKED);
        assertThat(lab.enable(0, 3, Long.decode(desc), Long.decode(driver), Long.decode(device)))
                .isEqualTo(fits);
    }

    @Test
    @DisplayName("6: the form of the ring is the negotiated one")
    void shouldServePackedQueuesWhenNegotiated() {
        lab.negotiate(RING_PACKED);
        enable(5, 3);
        lab.set(STATUS, 1, 0xF);
        PackedRing ring = new PackedRing(lab.ram, 3, DESC, DRIVER, DEVICE);
        ring.add(0x8000, 10, 2, 0);
        assertThat(queue(5).take()).isEqualTo(Take.CHAIN);
        assertThat(queue(5).token()).isEqualTo(2);
    }

    @Test
    @Spec(id = "V18.1", section = "virtio 1.2 4.1.5.2")
    @Spec(id = "V18.2", section = "virtio 1.2 2.7.10.2")
    @DisplayName("2.9: kicks of 32 bits with the driver's place; wrong and needless ones do no harm")
    void shouldTakeKicksWithData() {
        lab.negotiate(NOTIFICATION_DATA);
        enable(3, 8);
        lab.set(STATUS, 1, 0xF);
        lab.told.clear();
        SplitRing ring = new SplitRing(lab.ram, 8, DESC, DRIVER, DEVICE);
        lab.kick(3, 4, 3 | 1 << 16);
        assertThat(queue(3).take()).as("no buffer, whatever the kick says").isEqualTo(Take.EMPTY);
        ring.add(0x8000, 1, 0);
        lab.kick(3, 4, 3 | 0x8001L << 16);
        lab.kick(3, 4, 0xFFFF_FFFFL);
        lab.kick(3, 2, 3);
        lab.kick(9, 4, 9);
        assertThat(lab.told).containsExactly("kick 3", "kick 3", "kick 3", "kick 3", "kick 9");
        assertThat(queue(3).take()).isEqualTo(Take.CHAIN);
        assertThat(queue(3).take()).isEqualTo(Take.EMPTY);
        assertThat(queue(3).fault()).isNull();
    }

    @Test
    @DisplayName("4.1.4.3: queue_notif_config_data is there only with the feature, and differs from queue to queue")
    void shouldPresentANumberForKicks() {
        lab.negotiate(0);
        lab.set(QUEUE_SELECT, 2, 2);
        assertThat(lab.get(NOTIF_DATA, 2)).isZero();
        lab.negotiate(NOTIF_CONFIG_DATA);
        enable(2, 8);
        lab.set(STATUS, 1, 0xF);
        lab.told.clear();
        long number = lab.get(NOTIF_DATA, 2);
        lab.set(NOTIF_DATA, 2, 1);
        assertThat(lab.get(NOTIF_DATA, 2)).as("read-only").isEqualTo(number);
        lab.kick(2, 2, number);
        assertThat(lab.told).containsExactly("kick 2");
        lab.set(QUEUE_SELECT, 2, 3);
        assertThat(lab.get(NOTIF_DATA, 2)).isNotEqualTo(number);
    }

    private void startWithReset(long features) {
        lab.enableMsix();
        lab.negotiate(features | RING_RESET);
        enable(4, 8);
        lab.set(QUEUE_VECTOR, 2, 5);
        lab.set(STATUS, 1, 0xF);
        lab.told.clear();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, RING_PACKED})
    @Spec(id = "V17.1", section = "virtio 1.2 2.6.1.1.1")
    @DisplayName("2.6.1: after a reset queue_reset and queue_enable are 0 and nothing of the queue is left")
    void shouldResetOneQueue(long features) {
        startWithReset(features);
        lab.set(QUEUE_RESET, 2, 1);
        assertThat(lab.get(QUEUE_RESET, 2)).isZero();
        assertThat(lab.get(QUEUE_ENABLE, 2)).isZero();
        assertThat(lab.get(QUEUE_SIZE, 2)).isEqualTo(256);
        assertThat(lab.get(QUEUE_VECTOR, 2)).isEqualTo(NO_VECTOR);
        assertThat(lab.get(QUEUE_DESC, 4)).isZero();
        assertThat(lab.told).containsExactly("stop 4");
        assertThat(lab.get(STATUS, 1)).as("the device goes on").isEqualTo(0xF);
        lab.kick(4, 2, 4);
        assertThat(lab.get(STATUS, 1)).isEqualTo(0xF);
    }

    @Test
    @Spec(id = "V17.3", section = "virtio 1.2 2.6.1.2.1")
    @DisplayName(
            "2.6.1: a reset queue may be set up anew, elsewhere and with another size, and starts from the beginning")
    void shouldStartAResetQueueAnew() {
        startWithReset(0);
        SplitRing old = new SplitRing(lab.ram, 8, DESC, DRIVER, DEVICE);
        old.add(0x8000, 1, 0);
        Virtqueue before = queue(4);
        assertThat(before.take()).isEqualTo(Take.CHAIN);
        lab.set(QUEUE_RESET, 2, 1);
        assertThat(lab.enable(4, 16, 0x1_0000, 0x1_1000, 0x1_2000)).isTrue();
        assertThat(lab.get(QUEUE_RESET, 2)).isZero();
        assertThat(lab.told).containsExactly("stop 4", "start 4");
        SplitRing ring = new SplitRing(lab.ram, 16, 0x1_0000, 0x1_1000, 0x1_2000);
        ring.add(0x9000, 1, 0);
        assertThat(queue(4)).isNotSameAs(before);
        assertThat(queue(4).take()).isEqualTo(Take.CHAIN);
        queue(4).complete(queue(4).token(), 0);
        queue(4).publish();
        assertThat(ring.usedIdx()).isEqualTo(1);
    }

    @Test
    @Spec(id = "V17.2", section = "virtio 1.2 2.6.1.1.1")
    @DisplayName("2.6.1: no notification after the reset, not even one that was held back by a mask")
    void shouldForgetAPendingMessage() {
        startWithReset(0);
        lab.mask(5, true);
        lab.transport.interrupt(4);
        lab.set(QUEUE_RESET, 2, 1);
        lab.mask(5, false);
        assertThat(lab.messages).isEmpty();
    }

    @Test
    @DisplayName("2.6.1: a message that another queue may have sent with the same vector stays")
    void shouldKeepAPendingMessageOfAnotherQueue() {
        startWithReset(0);
        lab.set(STATUS, 1, 0);
        lab.negotiate(RING_RESET);
        for (int queue = 4; queue < 6; queue++) {
            enable(queue, 8);
            lab.set(QUEUE_VECTOR, 2, 5);
        }
        lab.set(STATUS, 1, 0xF);
        lab.mask(5, true);
        lab.transport.interrupt(4);
        lab.set(QUEUE_RESET, 2, 1);
        lab.mask(5, false);
        assertThat(lab.messages).containsExactly(0x45);
    }

    @Test
    @DisplayName(
            "4.1.4.3.2: no reset without the feature, of a queue that is not enabled or not there, or by another value")
    void shouldIgnoreResetsThatMakeNoSense() {
        lab.negotiate(0);
        enable(4, 8);
        lab.set(STATUS, 1, 0xF);
        lab.set(QUEUE_RESET, 2, 1);
        assertThat(lab.get(QUEUE_ENABLE, 2)).isEqualTo(1);
        lab.told.clear();
        startWithReset(0);
        lab.set(QUEUE_RESET, 2, 0);
        lab.set(QUEUE_RESET, 2, 2);
        assertThat(lab.get(QUEUE_ENABLE, 2)).isEqualTo(1);
        for (int queue : new int[] {3, QUEUES, 0xFFFF}) {
            lab.set(QUEUE_SELECT, 2, queue);
            lab.set(QUEUE_RESET, 2, 1);
        }
        assertThat(lab.told).isEmpty();
        lab.set(QUEUE_SELECT, 2, 3);
        assertThat(enable(3, 8)).as("too late for a queue that was not reset").isFalse();
    }
}
