package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.queue.PackedRing;
import io.iolab.devices.virtio.queue.RingFeatures;
import io.iolab.devices.virtio.queue.SplitRing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requirements about when something happens, or that it does not, and about the shape of the capabilities (virtio 1.2). */
class DeviceRulesTest {
    private static final int COMMON = 1;
    private static final int NOTIFY = 2;
    private static final int ISR = 3;
    private static final int DEVICE = 4;
    private static final int CONFIGURATION_ACCESS = 5;
    private static final int CTRL = 2;
    private static final long CTRL_VQ = 1L << 17;
    private static final long CTRL_RX = 1L << 18;
    private static final long ANNOUNCE = 1L << 21;
    private static final long CTRL_MAC_ADDR = 1L << 23;
    private static final byte[] OTHER = {2, 0, 0, 0, 0, 1};

    @SuppressWarnings("NullAway.Init") // set by lab()
    private DmaTap tap;

    private Lab lab(VirtioNetOptions options) {
        return new Lab(options, (l, dma) -> tap = new DmaTap(dma));
    }

    private Lab lab() {
        return lab(VirtioNetOptions.defaults(Lab.MAC));
    }

    private static VirtioNetOptions offering(long features) {
        return VirtioNetOptions.defaults(Lab.MAC).withFeatures(features);
    }

    /** A structure that a capability points to; of the notification structure, with its multiplier. */
    private record Structure(int bar, long offset, long length, long multiplier) {}

    private static long field(ConfigSpace config, int at) {
        return config.read(at, 4) & 0xFFFF_FFFFL;
    }

    /** The first capability of each type, found as section 4.1.4 has drivers find them. */
    private static Map<Integer, Structure> structures(ConfigSpace config) {
        Map<Integer, Structure> found = new HashMap<>();
        for (int at = config.read(0x34, 1); at != 0; at = config.read(at + 1, 1)) {
            if (config.read(at, 1) == 9) {
                int type = config.read(at + 3, 1);
                long multiplier = type == NOTIFY ? field(config, at + 16) : 0;
                found.putIfAbsent(
                        type,
                        new Structure(
                                config.read(at + 4, 1), field(config, at + 8), field(config, at + 12), multiplier));
            }
        }
        return found;
    }

    @Test
    @Spec(id = "V2.1", section = "virtio 1.2 4.1.4.3.1")
    @Spec(id = "V2.2", section = "virtio 1.2 4.1.4.6")
    @Spec(id = "V2.3", section = "virtio 1.2 4.1.4.4.1")
    @Spec(id = "V2.4", section = "virtio 1.2 4.1.4.5.1")
    @Spec(id = "V2.5", section = "virtio 1.2 4.1.4.9.1")
    @Spec(id = "V3.1", section = "virtio 1.2 4.1.4.3.1")
    @Spec(id = "V3.4", section = "virtio 1.2 4.1.4.6.1")
    @DisplayName("4.1.4: one structure of each kind, inside of its BAR, aligned as its kind wants")
    void shouldListAStructureOfEachKind() {
        try (Lab lab = lab()) {
            ConfigSpace config = lab.device.config();
            Map<Integer, Structure> found = structures(config);
            assertThat(found).containsKeys(COMMON, NOTIFY, ISR, DEVICE, CONFIGURATION_ACCESS);
            assertThat(found.get(COMMON).offset() % 4).isZero();
            assertThat(found.get(COMMON).length()).isGreaterThanOrEqualTo(0x38);
            assertThat(found.get(DEVICE).offset() % 4).isZero();
            for (int type : new int[] {COMMON, NOTIFY, ISR, DEVICE}) {
                Structure each = found.get(type);
                assertThat(each.offset() + each.length())
                        .as("type %d", type)
                        .isLessThanOrEqualTo(config.bar(each.bar()).size());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"0,1,2", "0,8,2", "0x4000000000,1,4", "0x4000000000,8,4"})
    @Spec(id = "V3.2", section = "virtio 1.2 4.1.4.4.1")
    @Spec(id = "V3.3", section = "virtio 1.2 4.1.4.4.1")
    @DisplayName("4.1.4.4.1: there is room to kick every queue, with 16 bits, or with 32 for NOTIFICATION_DATA")
    void shouldHaveRoomForEveryKick(String features, int pairs, int width) {
        long more = Long.decode(features);
        try (Lab lab = lab(offering(more).withQueuePairs(pairs))) {
            assertThat(lab.offeredFeatures() >>> 38 & 1).isEqualTo(more >>> 38);
            Structure notify = structures(lab.device.config()).get(NOTIFY);
            long multiplier = notify.multiplier();
            assertThat(notify.offset() % width).isZero();
            assertThat(Long.bitCount(multiplier)).isLessThanOrEqualTo(1);
            if (width == 2) {
                assertThat(multiplier == 0 || Long.numberOfTrailingZeros(multiplier) % 2 == 0)
                        .isTrue();
            } else {
                assertThat(multiplier % 4).isZero();
            }
            int queues = (int) lab.common(Lab.NUM_QUEUES, 2);
            assertThat(queues).isGreaterThanOrEqualTo(2 * pairs);
            for (int q = 0; q < queues; q++) {
                lab.common(Lab.QUEUE_SELECT, 2, q);
                assertThat(lab.common(Lab.QUEUE_NOTIFY_OFF, 2) * multiplier + width)
                        .isLessThanOrEqualTo(notify.length());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Spec(id = "V6.4", section = "virtio 1.2 2.4.1")
    @DisplayName("2.4.1: between a reset and the next initialisation the device touches no memory and tells nothing")
    void shouldRestAfterReset(boolean msix) {
        try (Lab lab = lab()) {
            lab.start(Lab.NET_STATUS, 8);
            if (msix) {
                lab.enableMsix();
                lab.mapVectors(0, 1, 2);
            }
            lab.receiveBuffer(2000);
            lab.receiveBuffer(2000);
            lab.arrive(Lab.frame(60, 1));
            lab.transmit(Lab.frame(60, 2));
            lab.kick(Lab.TX);
            lab.status(0);
            assertThat(lab.status()).isZero();
            tap.requests.clear();
            lab.messages.clear();
            lab.transmit(Lab.frame(60, 3));
            lab.kick(Lab.TX);
            lab.kick(Lab.RX);
            lab.poll();
            lab.arrive(Lab.frame(60, 4));
            lab.device.setLink(false);
            lab.poll();
            lab.status(1);
            lab.status(3);
            lab.poll();
            assertThat(tap.requests).isEmpty();
            assertThat(lab.messages).isEmpty();
            assertThat(lab.pin).isFalse();
            assertThat(lab.sent).isEmpty();
        }
    }

    @Test
    @Spec(id = "V7.3", section = "virtio 1.2 2.2.2")
    @DisplayName("2.2.2: what was negotiated once is accepted after any reset")
    void shouldAcceptTheSameFeaturesAfterAReset() {
        try (Lab lab = lab(offering(NetFeatures.USUAL | NetFeatures.OFFLOADS))) {
            long all = lab.offeredFeatures();
            for (long features : new long[] {0, Lab.MRG, all, all & ~Lab.EVENT_IDX, 0}) {
                for (int reset = 0; reset < 4; reset++) {
                    if (reset == 3) {
                        lab.device.reset();
                        lab.device.config().write(0x04, 2, 0x6);
                    }
                    lab.negotiate(features);
                    assertThat(lab.status()).isEqualTo(0xB);
                }
            }
        }
    }

    @Test
    @Spec(id = "V14.2", section = "virtio 1.2 4.1.4.5.1")
    @DisplayName("4.1.4.5.1: when the message of a configuration change goes out, ISR says why")
    void shouldSetIsrBeforeTheConfigurationMessage() {
        try (Lab lab = lab()) {
            lab.enableMsix();
            lab.start(Lab.NET_STATUS, 8);
            lab.mapVectors(0, 1, 2);
            List<Integer> seen = new ArrayList<>();
            tap.before = (op, iova, length) -> {
                if (iova == 0xFEE0_0000L) {
                    seen.add(lab.isr());
                }
            };
            lab.device.setLink(false);
            assertThat(seen).containsExactly(2);
        }
    }

    /** Eight frames, of which one is out of reach and one has a header that makes no sense. */
    private static long[] buffers(Lab lab) {
        long[] gpas = new long[8];
        for (int i = 0; i < gpas.length; i++) {
            gpas[i] = i == 2 ? 1L << 40 : lab.packet(Lab.frame(60, i));
        }
        // A segment size of 0.
        lab.ram.write(gpas[5], new byte[] {1, 1, 54, 0, 0, 0, 34, 0, 16, 0, 0, 0}, 0, 12);
        return gpas;
    }

    private static final long IN_ORDER = RingFeatures.IN_ORDER;
    private static final long CUTTING = 1 | 1L << 11;

    @Test
    @Spec(id = "V24.1", section = "virtio 1.2 2.7.9")
    @DisplayName("2.7.9: with IN_ORDER buffers are used in the order of the ring, those that were dropped included")
    void shouldUseSplitBuffersInOrder() {
        try (Lab lab = lab(offering(IN_ORDER | CUTTING))) {
            lab.start(IN_ORDER | CUTTING, 16);
            SplitRing tx = lab.rings[Lab.TX];
            for (long gpa : buffers(lab)) {
                tx.add(gpa, 72, 0);
            }
            lab.kick(Lab.TX);
            for (int done = 0; done < 8; done = tx.usedIdx()) {
                lab.device.poll(1);
                int used = tx.usedIdx();
                assertThat(used).isGreaterThan(done);
                // Elements before a batch's last one may be left out.
                assertThat(tx.usedId(used - 1)).isEqualTo(used - 1);
            }
            assertThat(lab.sent).hasSize(6);
            SplitRing rx = lab.rings[Lab.RX];
            for (int i = 0; i < 8; i++) {
                lab.receiveBuffer(100);
            }
            for (int i = 0; i < 8; i++) {
                lab.arrive(Lab.frame(60, i));
                assertThat(rx.usedIdx()).isEqualTo(i + 1);
                assertThat(rx.usedId(i)).isEqualTo(i);
            }
        }
    }

    @Test
    @Spec(id = "V24.2", section = "virtio 1.2 2.8.8")
    @DisplayName("2.8.8: the same on packed rings, where one used descriptor may stand for several buffers")
    void shouldUsePackedBuffersInOrder() {
        long features = RingFeatures.RING_PACKED | IN_ORDER | CUTTING;
        try (Lab lab = lab(offering(features))) {
            lab.negotiate(features);
            PackedRing[] rings = new PackedRing[2];
            for (int i = 0; i < 2; i++) {
                rings[i] = new PackedRing(lab.ram, 16, lab.allocate(256, 16), lab.allocate(4, 4), lab.allocate(4, 4));
                lab.placeQueue(i, 16, rings[i].desc, rings[i].driver, rings[i].device);
                lab.common(Lab.QUEUE_ENABLE, 2, 1);
            }
            lab.status(0xF);
            long[] gpas = buffers(lab);
            for (int i = 0; i < 8; i++) {
                rings[Lab.TX].add(gpas[i], 72, i, 0);
                rings[Lab.RX].add(lab.allocate(100, 1), 100, i, PackedRing.WRITE);
            }
            lab.kick(Lab.TX);
            for (int i = 0; i < 8; i++) {
                lab.device.poll(1);
                lab.arrive(Lab.frame(60, i));
            }
            expectInOrder(rings[Lab.TX]);
            expectInOrder(rings[Lab.RX]);
        }
    }

    private static void expectInOrder(PackedRing ring) {
        int next = 0;
        while (ring.hasUsed()) {
            int id = ring.id(ring.used);
            assertThat(id).isGreaterThanOrEqualTo(next);
            ring.used += id + 1 - next;
            next = id + 1;
        }
        assertThat(next).isEqualTo(8);
    }

    @Test
    @Spec(id = "V26.2", section = "virtio 1.2 5.1.4.1")
    @DisplayName("5.1.4.1: mtu stays what it was, whatever the driver does")
    void shouldKeepTheMtu() {
        try (Lab lab = lab(VirtioNetOptions.defaults(Lab.MAC).withMtu(68))) {
            assertThat(lab.device.readBar(4, 0x200A, 2)).isEqualTo(68);
            lab.device.writeBar(4, 0x200A, 2, 1500);
            assertThat(lab.device.readBar(4, 0x200A, 2)).isEqualTo(68);
            lab.start(Lab.NET_STATUS, 8);
            lab.device.writeBar(4, 0x200A, 2, 1500);
            lab.device.setLink(false);
            lab.status(0);
            assertThat(lab.device.readBar(4, 0x200A, 2)).isEqualTo(68);
        }
    }

    private static byte[] to(byte[] address) {
        byte[] frame = Lab.frame(60, 1);
        System.arraycopy(address, 0, frame, 0, 6);
        return frame;
    }

    private static void startWithControl(Lab lab, long features) {
        lab.negotiate(features | CTRL_VQ);
        lab.enableQueue(Lab.RX, 16);
        lab.enableQueue(Lab.TX, 16);
        lab.enableQueue(CTRL, 16);
        lab.status(0xF);
        lab.device.poll(1);
    }

    @Test
    @Spec(id = "V29.1", section = "virtio 1.2 5.1.6.5.2.1")
    @Spec(id = "V29.3", section = "virtio 1.2 5.1.6.5.2.1")
    @Spec(id = "V29.4", section = "virtio 1.2 5.1.6.5.4.2")
    @DisplayName("5.1.6.5.2.1, 5.1.6.5.4.2: what a command changes has changed when its buffer is marked used")
    void shouldChangeStateBeforeTheCommandIsUsed() {
        try (Lab lab = lab(offering(NetFeatures.USUAL))) {
            startWithControl(lab, CTRL_RX | CTRL_MAC_ADDR | ANNOUNCE | Lab.NET_STATUS);
            ControlPort control = new ControlPort(lab, CTRL);
            control.send(0, 0, 0);
            lab.receiveBuffer(2000);
            assertThat(lab.arrive(to(OTHER))).isEqualTo(Delivery.FILTERED);
            lab.device.requestAnnouncement();
            List<String> seen = new ArrayList<>();
            long usedIdx = lab.rings[CTRL].used + 2;
            boolean[] looking = {true};
            tap.before = (op, iova, length) -> {
                if (op == DmaTap.Op.STORE && iova == usedIdx && looking[0]) {
                    looking[0] = false;
                    String mac =
                            HexFormat.of().toHexDigits(Long.reverseBytes(lab.device.readBar(4, 0x2000, 4)) >>> 32, 8);
                    seen.add(lab.arrive(to(OTHER)) + " " + mac + " " + lab.device.readBar(4, 0x2006, 2));
                }
            };
            control.send(1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0);
            looking[0] = true;
            control.send(1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
            looking[0] = true;
            control.send(1, 1, 2, 0, 7, 7, 0, 9);
            looking[0] = true;
            control.send(3, 0);
            assertThat(seen)
                    .containsExactly(
                            "ACCEPTED 52540012 3", "FILTERED 52540012 3", "FILTERED 02000707 3", "FILTERED 02000707 1");
        }
    }
}
