package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.fault.RingFault;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.queue.PackedRing;
import io.iolab.devices.virtio.queue.RingFeatures;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The network device on packed rings (virtio 1.2 section 2.8): frames, notifications and their suppression, faults. */
class PackedRingsTest {
    private static final long PACKED = 1L << 34;
    private static final int FRAMES = 10_000;
    private static final int SIZE = 11;

    private DmaTap tap;
    private Lab lab;
    private final PackedRing[] rings = new PackedRing[2];

    @BeforeEach
    void open() {
        VirtioNetOptions options = new VirtioNetOptions(Lab.MAC, 256, NetFeatures.DEFAULT | RingFeatures.RING_PACKED);
        lab = new Lab(options, (l, dma) -> tap = new DmaTap(dma));
    }

    @AfterEach
    void close() {
        lab.close();
    }

    private void start(long features, int size) {
        lab.negotiate(features | PACKED);
        for (int i = 0; i < 2; i++) {
            rings[i] =
                    new PackedRing(lab.ram, size, lab.allocate(16L * size, 16), lab.allocate(4, 4), lab.allocate(4, 4));
            lab.placeQueue(i, size, rings[i].desc, rings[i].driver, rings[i].device);
            lab.common(Lab.QUEUE_ENABLE, 2, 1);
        }
        lab.status(0xF);
        lab.device.poll(1);
    }

    private static long features(boolean eventIndex) {
        return eventIndex ? Lab.EVENT_IDX : 0;
    }

    /** Adds a frame as a driver does and kicks only if the device asks for it. */
    private boolean transmitAsAsked(byte[] frame) {
        PackedRing tx = rings[Lab.TX];
        long old = tx.offered;
        tx.add(lab.packet(frame), 12 + frame.length, (int) (old % tx.size), 0);
        boolean wanted = tx.kickWanted(old);
        if (wanted) {
            lab.kick(Lab.TX);
        }
        return wanted;
    }

    private long receiveBuffer(int length) {
        PackedRing rx = rings[Lab.RX];
        long gpa = lab.allocate(length, 1);
        rx.add(gpa, length, (int) (rx.offered % rx.size), PackedRing.WRITE);
        return gpa;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.8.10: no kick is asked for while the device works; one is again when it found the ring empty")
    void shouldSuppressKicksWhilePollWorks(boolean eventIndex) {
        start(features(eventIndex), SIZE);
        for (int lap = 0; lap < 5; lap++) {
            assertThat(transmitAsAsked(Lab.frame(60, 0))).isTrue();
            AtomicInteger added = new AtomicInteger();
            AtomicInteger kicks = new AtomicInteger();
            lab.onWire = frame -> {
                if (added.getAndIncrement() < 7 && transmitAsAsked(Lab.frame(60, 1))) {
                    kicks.incrementAndGet();
                }
            };
            assertThat(lab.device.poll(64)).isEqualTo(8);
            assertThat(kicks).hasValue(0);
            assertThat(lab.device.workPending()).isFalse();
        }
        assertThat(lab.device.counters().kicks(Lab.TX)).isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.8.21.3.1: a frame added after the ring was seen empty, before kicks are on again, is not lost")
    void shouldFindFrameWhenAddedBeforeKicksAreEnabled(boolean eventIndex) {
        start(features(eventIndex), SIZE);
        PackedRing tx = rings[Lab.TX];
        long reEnables = eventIndex ? tx.device : tx.device + 2;
        AtomicInteger late = new AtomicInteger(3);
        tap.before = (op, iova, length) -> {
            boolean enabling = op == DmaTap.Op.STORE && iova == reEnables && lab.sent.size() == tx.offered;
            if (enabling && late.getAndDecrement() > 0) {
                assertThat(transmitAsAsked(Lab.frame(60, 9)))
                        .as("the driver sees kicks suppressed")
                        .isFalse();
            }
        };
        transmitAsAsked(Lab.frame(60, 1));
        lab.poll();
        assertThat(lab.sent).hasSize(4);
        assertThat(lab.device.workPending()).isFalse();
        assertThat(lab.device.counters().kicks(Lab.TX)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("5.1.6.3: receive kicks are asked for only while the device is out of buffers, for many laps")
    void shouldAskForReceiveKicksOnlyWhenOutOfBuffers(boolean eventIndex) {
        start(features(eventIndex), SIZE);
        PackedRing rx = rings[Lab.RX];
        byte[] frame = Lab.frame(60, 1);
        for (int round = 0; round < 50; round++) {
            long old = rx.offered;
            receiveBuffer(2000);
            assertThat(rx.kickWanted(old)).as("round %d", round).isEqualTo(round == 40);
            assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
            if (round == 39) {
                assertThat(lab.arrive(frame)).isEqualTo(Delivery.BUSY);
            }
        }
    }

    @Test
    @DisplayName("2.8.14: DISABLE suppresses, and is counted")
    void shouldNotInterruptWhenDriverSuppresses() {
        start(0, SIZE);
        rings[Lab.TX].driverEvent(0, PackedRing.DISABLE);
        transmitAsAsked(Lab.frame(60, 1));
        lab.poll();
        assertThat(lab.pin).isFalse();
        assertThat(lab.device.counters().interruptsSuppressed()).isEqualTo(1);
        rings[Lab.TX].driverEvent(0, PackedRing.ENABLE);
        transmitAsAsked(Lab.frame(60, 1));
        lab.poll();
        assertThat(lab.pin).isTrue();
    }

    @Test
    @DisplayName("2.8.22: payload before the used descriptor before its flags before the driver's events")
    void shouldWriteInOrderWhenReceiving() {
        start(Lab.EVENT_IDX, SIZE);
        long buffer = receiveBuffer(2000);
        tap.requests.clear();
        lab.arrive(Lab.frame(60, 1));
        lab.poll();
        PackedRing rx = rings[Lab.RX];
        int payload = indexOf(DmaTap.Op.WRITE, buffer);
        int descriptor = indexOf(DmaTap.Op.WRITE, rx.desc);
        int flags = indexOf(DmaTap.Op.STORE, rx.desc + 14);
        int events = indexOf(DmaTap.Op.LOAD, rx.driver + 2);
        assertThat(new int[] {payload, descriptor, flags, events}).isSorted().doesNotContain(-1);
    }

    private int indexOf(DmaTap.Op op, long iova) {
        for (int i = 0; i < tap.requests.size(); i++) {
            if (tap.requests.get(i).op() == op && tap.requests.get(i).iova() == iova) {
                return i;
            }
        }
        return -1;
    }

    @Test
    @DisplayName("5.1.6.4: a frame over several buffers appears as a whole, with one used descriptor for each")
    void shouldShowAMergedFrameAtOnce() {
        start(Lab.MRG, SIZE);
        PackedRing rx = rings[Lab.RX];
        for (int round = 0; round < 20; round++) {
            long first = receiveBuffer(100);
            receiveBuffer(100);
            receiveBuffer(100);
            assertThat(lab.arrive(Lab.frame(240, round))).isEqualTo(Delivery.ACCEPTED);
            assertThat(lab.ram.readShort(first + 10)).isEqualTo((short) 3);
            for (int share : new int[] {100, 100, 52}) {
                assertThat(rx.hasUsed()).isTrue();
                assertThat(rx.id(rx.used)).isEqualTo((int) (rx.used % SIZE));
                assertThat(rx.length(rx.used++)).isEqualTo(share);
            }
            assertThat(rx.hasUsed()).isFalse();
        }
    }

    @Test
    @DisplayName("2.1.2: a malformed packed ring stops the device, with DEVICE_NEEDS_RESET")
    void shouldAskForAResetWhenTheRingIsMalformed() {
        start(0, SIZE);
        rings[Lab.TX].add(0x1000, 64, SIZE, 0);
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.status()).isEqualTo(0x4F);
        assertThat(lab.device.counters().ringFaults(RingFault.INDEX_OUT_OF_RANGE))
                .isEqualTo(1);
        lab.poll();
        assertThat(lab.device.counters().needsReset()).isEqualTo(1);
        start(0, SIZE);
        transmitAsAsked(Lab.frame(60, 1));
        lab.poll();
        assertThat(lab.sent).hasSize(1);
    }

    private static long allocated(Runnable work) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        work.run();
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Lab.EVENT_IDX | Lab.INDIRECT | Lab.MRG})
    @DisplayName("DESIGN rule 7: nothing is allocated per frame, either way")
    void shouldAllocateNothing(long features) {
        VirtioNetOptions options = new VirtioNetOptions(Lab.MAC, 256, NetFeatures.DEFAULT | RingFeatures.RING_PACKED);
        lab.close();
        lab = new Lab(options, (l, dma) -> dma);
        start(features, 250);
        lab.keepSent = false;
        byte[] frame = Lab.frame(60, 1);
        long out = lab.packet(frame);
        long in = lab.allocate(2048, 16);
        Runnable work = () -> {
            for (int i = 0; i < FRAMES / 50; i++) {
                for (int j = 0; j < 50; j++) {
                    rings[Lab.TX].add(out, 72, j, 0);
                    rings[Lab.RX].add(in, 2048, j, PackedRing.WRITE);
                    lab.device.send(frame, 0, 60);
                }
                lab.device.kick(Lab.TX);
                lab.device.poll(64);
            }
        };
        work.run();
        work.run();
        assertThat(allocated(work)).isLessThan(FRAMES / 10);
        assertThat(lab.device.counters().txFrames()).isEqualTo(3 * FRAMES);
        assertThat(lab.device.counters().rxFrames()).isEqualTo(3 * FRAMES);
    }
}
