package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.NotifyWindow;
import io.iolab.devices.virtio.queue.SplitRing;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kicks and interrupts and their suppression, virtio 1.2 sections 2.7.7, 2.7.10 and 2.7.13.4.1. */
class NotificationTest {
    private DmaTap tap;
    private Lab lab;

    @BeforeEach
    void open() {
        lab = new Lab((l, dma) -> tap = new DmaTap(dma));
    }

    @AfterEach
    void close() {
        lab.close();
    }

    private long features(boolean eventIndex) {
        return eventIndex ? Lab.EVENT_IDX : 0;
    }

    /** Adds a frame as a driver does and kicks only if the device asks for it. */
    private boolean transmitAsAsked(boolean eventIndex, byte[] frame) {
        SplitRing tx = lab.rings[Lab.TX];
        int old = tx.availIdx();
        lab.transmit(frame);
        boolean wanted = tx.kickWanted(eventIndex, old);
        if (wanted) {
            lab.kick(Lab.TX);
        }
        return wanted;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.7.10: no kick is asked for while the device works; one is again when it found the ring empty")
    void shouldSuppressKicksWhilePollWorks(boolean eventIndex) {
        lab.start(features(eventIndex), 16);
        assertThat(transmitAsAsked(eventIndex, Lab.frame(60, 0))).isTrue();
        AtomicInteger added = new AtomicInteger();
        AtomicInteger kicks = new AtomicInteger();
        lab.onWire = frame -> {
            if (added.getAndIncrement() < 5 && transmitAsAsked(eventIndex, Lab.frame(60, 1))) {
                kicks.incrementAndGet();
            }
        };
        assertThat(lab.device.poll(64)).isEqualTo(6);
        assertThat(kicks).hasValue(0);
        assertThat(lab.device.workPending()).isFalse();

        assertThat(transmitAsAsked(eventIndex, Lab.frame(60, 2)))
                .as("asked for again")
                .isTrue();
        lab.poll();
        assertThat(lab.sent).hasSize(7);
        assertThat(lab.device.counters().kicks(Lab.TX)).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName(
            "2.7.10: a device that is polled all the time asks for no kick, and still finds every frame and buffer")
    void shouldNeverAskForKicksWhenPolled(boolean eventIndex) {
        lab.device.polled();
        lab.start(features(eventIndex), 16);
        lab.transmit(Lab.frame(60, 0));
        lab.device.poll(64);
        SplitRing rx = lab.rings[Lab.RX];
        assertThat(lab.arrive(Lab.frame(60, 1))).as("no buffers yet").isEqualTo(Delivery.BUSY);

        for (int i = 0; i < 40; i++) {
            assertThat(transmitAsAsked(eventIndex, Lab.frame(60, i))).isFalse();
            int old = rx.availIdx();
            lab.receiveBuffer(2048);
            assertThat(i > 0 && rx.kickWanted(eventIndex, old)).isFalse();
            assertThat(lab.device.workPending()).isTrue();
            assertThat(lab.device.poll(64)).isOne();
            assertThat(lab.arrive(Lab.frame(60, 1))).isEqualTo(Delivery.ACCEPTED);
            assertThat(lab.device.poll(64)).isZero();
            assertThat(lab.arrive(Lab.frame(60, 1))).as("no buffers left").isEqualTo(Delivery.BUSY);
        }

        assertThat(lab.sent).hasSize(41);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.7.13.4.1: a frame added after the ring was seen empty, before kicks are on again, is not lost")
    void shouldFindFrameWhenAddedBeforeKicksAreEnabled(boolean eventIndex) {
        lab.start(features(eventIndex), 16);
        SplitRing tx = lab.rings[Lab.TX];
        long reEnables = eventIndex ? tx.used + 4 + 8L * tx.size : tx.used;
        AtomicInteger late = new AtomicInteger(3);
        tap.before = (op, iova, length) -> {
            // The store to this field after which the device believes the ring empty: all frames so far are sent.
            boolean enabling = op == DmaTap.Op.STORE && iova == reEnables && lab.sent.size() == tx.availIdx();
            if (enabling && late.getAndDecrement() > 0) {
                assertThat(transmitAsAsked(eventIndex, Lab.frame(60, 9)))
                        .as("the driver sees kicks suppressed")
                        .isFalse();
            }
        };
        transmitAsAsked(eventIndex, Lab.frame(60, 1));
        lab.poll();
        assertThat(lab.sent).hasSize(4);
        assertThat(lab.device.workPending()).isFalse();
        assertThat(lab.device.counters().kicks(Lab.TX)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("NetworkFunction: a budget that is used up leaves kicks off and work pending")
    void shouldKeepKicksOffWhenBudgetIsUsedUp(boolean eventIndex) {
        lab.start(features(eventIndex), 16);
        for (int i = 0; i < 6; i++) {
            transmitAsAsked(eventIndex, Lab.frame(60, i));
        }
        assertThat(lab.device.poll(4)).isEqualTo(4);
        assertThat(lab.device.workPending()).isTrue();
        assertThat(transmitAsAsked(eventIndex, Lab.frame(60, 7))).isFalse();
        assertThat(lab.device.poll(4)).isEqualTo(3);
        assertThat(lab.device.workPending()).isFalse();
        assertThat(transmitAsAsked(eventIndex, Lab.frame(60, 8))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("5.1.6.3: receive kicks are asked for only while the device is out of buffers")
    void shouldAskForReceiveKicksOnlyWhenOutOfBuffers(boolean eventIndex) {
        lab.start(features(eventIndex), 16);
        SplitRing rx = lab.rings[Lab.RX];
        byte[] frame = Lab.frame(60, 1);
        lab.receiveBuffer(2000);
        lab.kick(Lab.RX);
        lab.poll();
        int old = rx.availIdx();
        lab.receiveBuffer(2000);
        assertThat(rx.kickWanted(eventIndex, old)).isFalse();

        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.BUSY);
        old = rx.availIdx();
        lab.receiveBuffer(2000);
        assertThat(rx.kickWanted(eventIndex, old)).isTrue();
        lab.kick(Lab.RX);
        assertThat(lab.device.workPending()).isTrue();
        lab.poll();
        old = rx.availIdx();
        lab.receiveBuffer(2000);
        assertThat(rx.kickWanted(eventIndex, old)).isFalse();
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
        assertThat(lab.device.counters().rxBusy()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.7.13.4.1: a receive buffer added just before kicks are on is used, not waited for")
    void shouldUseBufferWhenAddedBeforeKicksAreEnabled(boolean eventIndex) {
        lab.start(features(eventIndex), 16);
        SplitRing rx = lab.rings[Lab.RX];
        long reEnables = eventIndex ? rx.used + 4 + 8L * rx.size : rx.used;
        AtomicInteger late = new AtomicInteger(1);
        tap.before = (op, iova, length) -> {
            if (op == DmaTap.Op.STORE && iova == reEnables && late.getAndDecrement() > 0) {
                lab.receiveBuffer(2000);
            }
        };
        assertThat(lab.arrive(Lab.frame(60, 1))).isEqualTo(Delivery.ACCEPTED);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("5.1.6.3: receive kicks are off again once a frame found buffers, though no kick came")
    void shouldStopAskingForReceiveKicksWhenFrameWasPlaced(boolean eventIndex) {
        lab.start(features(eventIndex), 16);
        SplitRing rx = lab.rings[Lab.RX];
        assertThat(lab.arrive(Lab.frame(60, 1))).isEqualTo(Delivery.BUSY);
        lab.receiveBuffer(2000);
        assertThat(lab.arrive(Lab.frame(60, 1))).isEqualTo(Delivery.ACCEPTED);
        int old = rx.availIdx();
        lab.receiveBuffer(2000);
        assertThat(rx.kickWanted(eventIndex, old)).isFalse();
    }

    @Test
    @DisplayName("2.7.10: a partly filled packet waits for the next new buffer, not for one that is there already")
    void shouldAskForKickAtNextBufferWhenPacketNeedsMore() {
        lab.start(Lab.EVENT_IDX | Lab.MRG, 16);
        SplitRing rx = lab.rings[Lab.RX];
        lab.receiveBuffer(100);
        lab.receiveBuffer(100);
        assertThat(lab.arrive(Lab.frame(1000, 1))).isEqualTo(Delivery.BUSY);
        int old = rx.availIdx();
        lab.receiveBuffer(900);
        assertThat(rx.kickWanted(true, old)).isTrue();
        assertThat(lab.arrive(Lab.frame(1000, 1))).isEqualTo(Delivery.ACCEPTED);
    }

    @Test
    @DisplayName("NetworkFunction: a burst of received frames costs one interrupt, in the next poll")
    void shouldInterruptOnceWhenBurstArrives() {
        lab.start(0, 16);
        for (int i = 0; i < 10; i++) {
            lab.receiveBuffer(2000);
        }
        for (int i = 0; i < 10; i++) {
            assertThat(lab.arrive(Lab.frame(60, i))).isEqualTo(Delivery.ACCEPTED);
        }
        assertThat(lab.device.workPending()).isTrue();
        lab.poll();
        lab.poll();
        assertThat(lab.pinRises).isEqualTo(1);
        assertThat(lab.device.counters().interruptsSent()).isEqualTo(1);
    }

    @Test
    @DisplayName("2.7.7: NO_INTERRUPT suppresses, and is counted")
    void shouldNotInterruptWhenDriverSuppresses() {
        lab.start(0, 16);
        lab.rings[Lab.TX].availFlags(1);
        lab.transmit(Lab.frame(60, 1));
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.pin).isFalse();
        assertThat(lab.isr()).isZero();
        assertThat(lab.device.counters().interruptsSuppressed()).isEqualTo(1);
    }

    @Test
    @Spec(id = "V8.1", section = "virtio 1.2 2.1.2")
    @DisplayName("V8, 3.1.1: before DRIVER_OK no buffer is consumed; what was offered then is served after it")
    void shouldConsumeNothingWhenDriverIsNotReady() {
        lab.negotiate(0);
        lab.enableQueue(Lab.RX, 8);
        lab.enableQueue(Lab.TX, 8);
        tap.requests.clear();
        lab.transmit(Lab.frame(60, 1));
        lab.receiveBuffer(2000);
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.arrive(Lab.frame(60, 2))).isEqualTo(Delivery.FILTERED);
        assertThat(tap.requests).as("no DMA at all").isEmpty();
        assertThat(lab.device.workPending()).isFalse();
        assertThat(lab.device.counters().kicksIgnored()).isEqualTo(1);
        assertThat(lab.pinRises).as("no notification").isZero();

        lab.status(0xF);
        assertThat(lab.device.workPending()).isTrue();
        lab.poll();
        assertThat(lab.sent).hasSize(1);
    }

    @Test
    @Spec(id = "V18.2", section = "virtio 1.2 2.7.10.2")
    @DisplayName("V18, 4.1.4.4: kicks of 16 and 32 bits count, by address; so does kick(); spurious ones do no harm")
    void shouldTakeKickInAnyOfItsForms() {
        lab.start(0, 8);
        NotifyWindow window = lab.device.notifyWindow();
        assertThat(window).isEqualTo(new NotifyWindow(4, 0x3000, 0x1000, 4));
        long at = window.offset() + Lab.TX * (long) window.multiplier();
        lab.device.writeBar(window.bar(), at, 2, 1);
        lab.device.writeBar(window.bar(), at, 4, 0x8001_0001L);
        lab.device.kick(Lab.TX);
        lab.device.kick(7);
        lab.device.kick(-1);
        lab.poll();
        assertThat(lab.device.counters().kicks(Lab.TX)).isEqualTo(3);
        assertThat(lab.device.counters().kicksIgnored()).isEqualTo(2);
        assertThat(lab.status()).isEqualTo(0xF);
    }

    @Test
    @Spec(id = "V21.1", section = "virtio 1.2 2.7.8.2")
    @DisplayName("V21, 2.7.8: payload before used element before used.idx before the suppression field")
    void shouldWriteInOrderWhenReceiving() {
        lab.start(Lab.EVENT_IDX, 8);
        long buffer = lab.receiveBuffer(2000);
        tap.requests.clear();
        lab.arrive(Lab.frame(60, 1));
        lab.poll();
        SplitRing rx = lab.rings[Lab.RX];
        int payload = indexOf(DmaTap.Op.WRITE, buffer);
        int element = indexOf(DmaTap.Op.WRITE, rx.used + 4);
        int index = indexOf(DmaTap.Op.STORE, rx.used + 2);
        int event = indexOf(DmaTap.Op.LOAD, rx.avail + 4 + 2L * rx.size);
        assertThat(new int[] {payload, element, index, event}).isSorted().doesNotContain(-1);
    }

    private int indexOf(DmaTap.Op op, long iova) {
        for (int i = 0; i < tap.requests.size(); i++) {
            if (tap.requests.get(i).op() == op && tap.requests.get(i).iova() == iova) {
                return i;
            }
        }
        return -1;
    }
}
