package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.queue.SplitRing;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioNetTransmitTest {
    private DmaTap tap;
    private final Lab lab = new Lab((l, dma) -> tap = new DmaTap(dma));

    @AfterEach
    void close() {
        lab.close();
    }

    @Test
    @DisplayName("5.1.6.2: a frame behind a 12-byte header reaches the wire, its chain the used ring with length 0")
    void shouldTransmitFrameWhenKicked() {
        lab.start(0, 16);
        byte[] frame = Lab.frame(60, 1);
        int head = lab.transmit(frame);
        lab.kick(Lab.TX);

        assertThat(lab.sent).as("a kick only marks the queue").isEmpty();
        assertThat(lab.device.workPending()).isTrue();
        assertThat(lab.device.poll(8)).isEqualTo(1);

        assertThat(lab.sent).containsExactly(frame);
        SplitRing tx = lab.rings[Lab.TX];
        assertThat(tx.usedIdx()).isEqualTo(1);
        assertThat(tx.usedId(0)).isEqualTo(head);
        assertThat(tx.usedLength(0)).isZero();
        assertThat(lab.pin).isTrue();
        assertThat(lab.isr()).isEqualTo(1);
        assertThat(lab.pin).isFalse();
        assertThat(lab.device.workPending()).isFalse();
    }

    @Test
    @DisplayName("FramePort: a busy wire keeps the chain unused until a later poll")
    void shouldKeepChainWhenWireIsBusy() {
        lab.start(0, 16);
        lab.wireAnswer = Delivery.BUSY;
        lab.transmit(Lab.frame(60, 1));
        lab.transmit(Lab.frame(61, 2));
        lab.kick(Lab.TX);

        assertThat(lab.device.poll(8)).isZero();
        assertThat(lab.device.poll(8)).isZero();
        assertThat(lab.rings[Lab.TX].usedIdx()).isZero();
        assertThat(lab.device.workPending()).isTrue();
        assertThat(lab.device.counters().txBusy()).isEqualTo(2);

        lab.wireAnswer = Delivery.ACCEPTED;
        assertThat(lab.device.poll(8)).isEqualTo(2);
        assertThat(lab.sent).containsExactly(Lab.frame(60, 1), Lab.frame(61, 2));
        assertThat(lab.rings[Lab.TX].usedIdx()).isEqualTo(2);
    }

    /** Cuts a packet into readable buffers at random places, some of them empty; the pieces' addresses and lengths. */
    private List<long[]> cut(byte[] frame, int pieces, SplittableRandom random) {
        byte[] packet = new byte[12 + frame.length];
        System.arraycopy(frame, 0, packet, 12, frame.length);
        int[] ends = random.ints(pieces - 1, 0, packet.length + 1).sorted().toArray();
        List<long[]> buffers = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < pieces; i++) {
            int to = i < ends.length ? ends[i] : packet.length;
            long gpa = lab.allocate(Math.max(1, to - from), 1);
            lab.ram.write(gpa, packet, from, to - from);
            buffers.add(new long[] {gpa, to - from});
            from = to;
        }
        return buffers;
    }

    /** Writes pieces into consecutive descriptors of the table from {@code first}, linked; the last one ends or goes on. */
    private void direct(int first, List<long[]> pieces, int lastFlags) {
        for (int i = 0; i < pieces.size(); i++) {
            int flags = i < pieces.size() - 1 ? SplitRing.NEXT : lastFlags;
            lab.rings[Lab.TX].descriptor(first + i, pieces.get(i)[0], pieces.get(i)[1], flags, first + i + 1);
        }
    }

    private long table(List<long[]> pieces) {
        long table = lab.allocate(16L * pieces.size(), 16);
        for (int i = 0; i < pieces.size(); i++) {
            int flags = i < pieces.size() - 1 ? SplitRing.NEXT : 0;
            SplitRing.writeDescriptor(lab.ram, table + 16L * i, pieces.get(i)[0], pieces.get(i)[1], flags, i + 1);
        }
        return table;
    }

    private void offerAndServe(int head) {
        lab.rings[Lab.TX].offer(head);
        lab.rings[Lab.TX].publish();
        lab.kick(Lab.TX);
        lab.poll();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 18, 19, 20, 40, 64})
    @Spec(id = "V20.1", section = "virtio 1.2 2.7.5.3.2")
    @Spec(id = "V20.2", section = "virtio 1.2 2.7.5.3.2")
    @DisplayName("2.7.4, 2.7.13: chains of any shape up to the queue size, direct, indirect, or direct then indirect")
    void shouldTransmitWhenChainHasManyDescriptors(int pieces) {
        SplittableRandom random = new SplittableRandom(pieces);
        lab.start(Lab.INDIRECT, 64);
        byte[] frame = Lab.frame(1514, pieces);

        direct(0, cut(frame, pieces, random), 0);
        offerAndServe(0);
        assertThat(lab.sent).as("direct").containsExactly(frame);

        long table = table(cut(frame, pieces, random));
        // Section 2.7.5.3.2: the WRITE flag of the referring descriptor is ignored.
        lab.rings[Lab.TX].descriptor(5, table, 16L * pieces, SplitRing.INDIRECT | SplitRing.WRITE, 0);
        offerAndServe(5);
        assertThat(lab.sent).as("indirect").hasSize(2).last().isEqualTo(frame);

        if (pieces > 1) {
            List<long[]> all = cut(frame, pieces, random);
            int split = 1 + pieces / 3;
            direct(0, all.subList(0, split), SplitRing.NEXT);
            List<long[]> rest = all.subList(split, pieces);
            long[] none = {0, 0};
            List<long[]> tail = rest.isEmpty() ? List.of(none) : rest;
            lab.rings[Lab.TX].descriptor(split, table(tail), 16L * tail.size(), SplitRing.INDIRECT, 0);
            if (split + tail.size() <= 64) {
                offerAndServe(0);
                assertThat(lab.sent)
                        .as("direct, then indirect")
                        .hasSize(3)
                        .last()
                        .isEqualTo(frame);
            }
        }
        assertThat(lab.status()).isEqualTo(0xF);
    }

    @Test
    @DisplayName("V20, 2.7.5.3: an indirect table is walked by its next fields, not in order")
    void shouldFollowNextWhenTableIsScattered() {
        lab.start(Lab.INDIRECT, 256);
        byte[] frame = Lab.frame(200, 7);
        List<long[]> pieces = cut(frame, 4, new SplittableRandom(1));
        long table = lab.allocate(16 * 200, 16);
        int[] places = {0, 150, 3, 199};
        for (int i = 0; i < 4; i++) {
            int flags = i < 3 ? SplitRing.NEXT : 0;
            int next = i < 3 ? places[i + 1] : 0;
            SplitRing.writeDescriptor(
                    lab.ram, table + 16L * places[i], pieces.get(i)[0], pieces.get(i)[1], flags, next);
        }
        lab.rings[Lab.TX].descriptor(0, table, 16 * 200, SplitRing.INDIRECT, 0);
        offerAndServe(0);
        assertThat(lab.sent).containsExactly(frame);
    }

    @ParameterizedTest
    @CsvSource({"14", "60", "1514", "9014", "16384"})
    @DisplayName("5.1.6.2: frames from 14 to 16384 bytes pass")
    void shouldTransmitWhenLengthIsAllowed(int length) {
        lab.start(0, 8);
        lab.transmit(Lab.frame(length, 1));
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.sent).containsExactly(Lab.frame(length, 1));
        assertThat(lab.device.counters().txBytes()).isEqualTo(length);
        assertThat(lab.device.counters().chains()).isEqualTo(1);
        assertThat(lab.device.counters().descriptors()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"16385,1,0", "65535,1,0", "13,0,1", "0,0,1"})
    @DisplayName("STYLE 11: frames that no wire takes are dropped and counted, their chains completed with length 0")
    void shouldDropFrameWhenLengthIsImpossible(int length, int oversize, int runts) {
        lab.start(0, 8);
        lab.transmit(new byte[length]);
        lab.transmit(Lab.frame(60, 1));
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.sent).as("the next frame passes").containsExactly(Lab.frame(60, 1));
        assertThat(lab.device.counters().txOversizeDrops()).isEqualTo(oversize);
        assertThat(lab.device.counters().txRuntDrops()).isEqualTo(runts);
        assertThat(lab.rings[Lab.TX].usedIdx()).isEqualTo(2);
        assertThat(lab.rings[Lab.TX].usedLength(0)).isZero();
    }

    @Test
    @DisplayName("a chain of nearly 2^32 bytes costs no more than its descriptors")
    void shouldNotReadPayloadWhenFrameIsGigantic() {
        lab.start(0, 8);
        lab.rings[Lab.TX].add(0, 0xFFFF_FFF0L, 0);
        tap.requests.clear();
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.device.counters().txOversizeDrops()).isEqualTo(1);
        assertThat(tap.requests).noneMatch(r -> r.kind() == DmaKind.PAYLOAD);
    }

    @Test
    @DisplayName("STYLE 11: payload that cannot be read loses its packet only")
    void shouldDropFrameWhenPayloadIsUnreadable() {
        lab.start(0, 8);
        lab.rings[Lab.TX].add(1L << 40, 72, 0);
        lab.transmit(Lab.frame(60, 1));
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.sent).containsExactly(Lab.frame(60, 1));
        assertThat(lab.device.counters().txDmaFaultDrops()).isEqualTo(1);
        assertThat(lab.rings[Lab.TX].usedIdx()).isEqualTo(2);
        assertThat(lab.status()).isEqualTo(0xF);
    }

    @Test
    @Spec(id = "V19.1", section = "virtio 1.2 2.7.5.1")
    @DisplayName("V19, 2.7.4.2: writable buffers of a transmit chain are neither read nor written")
    void shouldLeaveWritableBuffersAloneWhenTransmitting() {
        lab.start(0, 8);
        byte[] frame = Lab.frame(60, 1);
        long trap = lab.allocate(100, 1);
        lab.ram.fill(trap, 100, (byte) 0x77);
        long packet = lab.packet(frame);
        byte[] before = lab.bytes(packet, 72);
        lab.rings[Lab.TX].descriptor(0, packet, 72, SplitRing.NEXT, 1);
        lab.rings[Lab.TX].descriptor(1, trap, 100, SplitRing.WRITE, 0);
        tap.refusedFrom = trap;
        tap.refusedTo = trap + 100;
        offerAndServe(0);
        assertThat(lab.sent).containsExactly(frame);
        assertThat(lab.bytes(trap, 100)).containsOnly(0x77);
        assertThat(lab.bytes(packet, 72)).as("the readable buffer").isEqualTo(before);
        assertThat(lab.device.counters().txDmaFaultDrops()).isZero();
    }

    @Test
    @DisplayName("V28, 5.1.6.2.2: unknown header flags and unused header fields are ignored")
    void shouldIgnoreHeaderWhenNothingWasNegotiated() {
        lab.start(0, 8);
        byte[] frame = Lab.frame(60, 1);
        long gpa = lab.packet(frame);
        lab.ram.fill(gpa, 12, (byte) 0xFF);
        lab.rings[Lab.TX].add(gpa, 72, 0);
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.sent).containsExactly(frame);
    }

    @Test
    @DisplayName("5.1.4: without a link frames are dropped, their chains completed")
    void shouldDropFrameWhenLinkIsDown() {
        lab.start(0, 8);
        lab.device.setLink(false);
        lab.transmit(Lab.frame(60, 1));
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.sent).isEmpty();
        assertThat(lab.device.counters().txLinkDownDrops()).isEqualTo(1);
        assertThat(lab.rings[Lab.TX].usedIdx()).isEqualTo(1);
    }

    @Test
    @DisplayName("2.4: a frame that waits for the wire is forgotten at reset")
    void shouldForgetHeldFrameWhenReset() {
        lab.start(0, 8);
        lab.wireAnswer = Delivery.BUSY;
        lab.transmit(Lab.frame(60, 1));
        lab.kick(Lab.TX);
        lab.poll();
        lab.wireAnswer = Delivery.ACCEPTED;
        lab.start(0, 8);
        lab.poll();
        assertThat(lab.sent).isEmpty();
        assertThat(lab.rings[Lab.TX].usedIdx()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    @DisplayName(
            "2.7, 5.1.6.2: any mix of frames, shapes, bursts, budgets and busy wires arrives complete and in order")
    void shouldCarryEveryFrameWhenLoadIsRandom(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        boolean eventIndex = seed % 2 == 0;
        lab.start(Lab.INDIRECT | (eventIndex ? Lab.EVENT_IDX : 0), 32);
        SplitRing tx = lab.rings[Lab.TX];
        long packets = lab.allocate(32 * 2048, 16);
        List<byte[]> expected = new ArrayList<>();
        int free = 32;
        int slot = 0;
        while (expected.size() < 3000) {
            int old = tx.availIdx();
            for (int n = random.nextInt(free + 1); n > 0; n--, free--) {
                byte[] frame = Lab.frame(random.nextInt(14, 1515), expected.size());
                long gpa = packets + 2048L * slot;
                lab.ram.write(gpa + 12, frame, 0, frame.length);
                tx.descriptor(slot, gpa, 12 + frame.length, 0, 0);
                tx.offer(slot);
                slot = (slot + 1) % 32;
                expected.add(frame);
            }
            tx.publish();
            if (tx.kickWanted(eventIndex, old)) {
                lab.kick(Lab.TX);
            }
            lab.wireAnswer = random.nextInt(4) == 0 ? Delivery.BUSY : Delivery.ACCEPTED;
            if (lab.device.workPending()) {
                lab.device.poll(random.nextInt(1, 20));
            }
            free += tx.reap();
        }
        lab.wireAnswer = Delivery.ACCEPTED;
        while (lab.device.workPending()) {
            lab.poll();
        }
        assertThat(lab.sent).as("seed %d", seed).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(lab.sent.get(i)).as("seed %d frame %d", seed, i).isEqualTo(expected.get(i));
        }
    }
}
