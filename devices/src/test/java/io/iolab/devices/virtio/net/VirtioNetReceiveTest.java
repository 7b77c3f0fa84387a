package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.queue.SplitRing;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioNetReceiveTest {
    private DmaTap tap;
    private final Lab lab = new Lab((l, dma) -> tap = new DmaTap(dma));

    @AfterEach
    void close() {
        lab.close();
    }

    @Test
    @Spec(id = "V14.3", section = "virtio 1.2 4.1.4.5.1")
    @Spec(id = "V21.2", section = "virtio 1.2 2.7.8.2")
    @Spec(id = "V27.1", section = "virtio 1.2 5.1.6.4.1")
    @DisplayName("V27, 5.1.6.3: without MRG_RXBUF one buffer takes header and frame, num_buffers is 1")
    void shouldFillOneBufferWhenNotMergeable() {
        lab.start(0, 16);
        byte[] frame = Lab.frame(60, 3);
        long gpa = lab.receiveBuffer(1526);

        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);

        SplitRing rx = lab.rings[Lab.RX];
        assertThat(rx.usedIdx()).as("published at once").isEqualTo(1);
        assertThat(rx.usedLength(0)).isEqualTo(72);
        assertThat(lab.bytes(gpa, 12)).containsExactly(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0);
        assertThat(lab.bytes(gpa + 12, 60)).isEqualTo(frame);
        assertThat(lab.bytes(gpa + 72, 8)).containsOnly(0xAA);
        assertThat(lab.pin).as("the interrupt waits for poll").isFalse();
        lab.poll();
        assertThat(lab.pin).isTrue();
        assertThat(lab.isr()).isEqualTo(1);
    }

    @Test
    @Spec(id = "V27.2", section = "virtio 1.2 5.1.6.4.1")
    @Spec(id = "V27.3", section = "virtio 1.2 5.1.6.4.1")
    @DisplayName(
            "V27, 5.1.6.4: with MRG_RXBUF a packet fills all its buffers but the last; one header; one index update")
    void shouldSpanBuffersWhenMergeable() {
        lab.start(Lab.MRG, 16);
        SplitRing rx = lab.rings[Lab.RX];
        long[] buffers = new long[5];
        for (int i = 0; i < 5; i++) {
            buffers[i] = lab.receiveBuffer(100);
        }
        byte[] frame = Lab.frame(300, 3);
        tap.requests.clear();
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);

        assertThat(rx.usedIdx()).isEqualTo(4);
        byte[] packet = new byte[312];
        packet[10] = 4;
        System.arraycopy(frame, 0, packet, 12, 300);
        for (int i = 0; i < 4; i++) {
            int part = i < 3 ? 100 : 12;
            assertThat(rx.usedId(i)).isEqualTo(i);
            assertThat(rx.usedLength(i)).isEqualTo(part);
            assertThat(lab.bytes(buffers[i], part)).isEqualTo(Arrays.copyOfRange(packet, 100 * i, 100 * i + part));
        }
        assertThat(lab.bytes(buffers[3] + 12, 88)).containsOnly(0xAA);
        assertThat(tap.requests.stream().filter(r -> r.op() == DmaTap.Op.STORE && r.iova() == rx.used + 2))
                .hasSize(1);

        assertThat(lab.arrive(Lab.frame(60, 1)))
                .as("the next packet takes the next buffer")
                .isEqualTo(Delivery.ACCEPTED);
        assertThat(rx.usedId(4)).isEqualTo(4);
        assertThat(lab.bytes(buffers[4] + 10, 2)).containsExactly(1, 0);
    }

    @Test
    @DisplayName(
            "5.1.6.3: without buffers, or without enough of them, the frame stays with the sender and no buffer is used")
    void shouldBeBusyWhenBuffersRunOut() {
        lab.start(Lab.MRG, 16);
        byte[] frame = Lab.frame(300, 3);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.BUSY);
        long first = lab.receiveBuffer(200);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.BUSY);
        assertThat(lab.bytes(first, 200)).containsOnly(0xAA);
        assertThat(lab.rings[Lab.RX].usedIdx()).isZero();
        assertThat(lab.device.counters().rxBusy()).isEqualTo(2);

        lab.receiveBuffer(200);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
        assertThat(lab.rings[Lab.RX].usedIdx()).isEqualTo(2);
        assertThat(lab.bytes(first + 10, 2)).containsExactly(2, 0);
    }

    @Test
    @DisplayName(
            "5.1.6.3.1: without MRG_RXBUF a frame that exceeds its buffer is dropped; the buffer serves the next frame")
    void shouldDropFrameWhenBufferIsTooSmall() {
        lab.start(0, 16);
        lab.receiveBuffer(100);
        lab.receiveBuffer(2000);
        assertThat(lab.arrive(Lab.frame(89, 1))).isEqualTo(Delivery.DROPPED);
        assertThat(lab.device.counters().rxBufferTooSmallDrops()).isEqualTo(1);
        assertThat(lab.rings[Lab.RX].usedIdx()).isZero();
        assertThat(lab.arrive(Lab.frame(88, 2))).isEqualTo(Delivery.ACCEPTED);
        assertThat(lab.rings[Lab.RX].usedId(0)).isZero();
        assertThat(lab.rings[Lab.RX].usedLength(0)).isEqualTo(100);
    }

    @Test
    @DisplayName("a frame that all buffers of a full ring cannot hold is dropped, not waited for")
    void shouldDropFrameWhenFullRingIsTooSmall() {
        lab.start(Lab.MRG, 4);
        for (int i = 0; i < 4; i++) {
            lab.receiveBuffer(64);
        }
        assertThat(lab.arrive(Lab.frame(300, 1))).isEqualTo(Delivery.DROPPED);
        assertThat(lab.arrive(Lab.frame(244, 1))).isEqualTo(Delivery.ACCEPTED);
        assertThat(lab.rings[Lab.RX].usedIdx()).isEqualTo(4);
    }

    @Test
    @DisplayName("2.7.4: a buffer in many pieces, some empty, some readable before it, takes the packet in order")
    void shouldFillPiecesWhenBufferIsScattered() {
        lab.start(0, 64);
        SplitRing rx = lab.rings[Lab.RX];
        long area = lab.allocate(4096, 1);
        lab.ram.fill(area, 4096, (byte) 0xAA);
        rx.descriptor(0, area + 4000, 50, SplitRing.NEXT, 1);
        for (int i = 1; i < 40; i++) {
            int flags = i < 39 ? SplitRing.NEXT | SplitRing.WRITE : SplitRing.WRITE;
            rx.descriptor(i, area + 50L * i, i % 5 == 0 ? 0 : 7, flags, i + 1);
        }
        rx.offer(0);
        rx.publish();
        byte[] frame = Lab.frame(120, 5);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
        byte[] packet = new byte[132];
        packet[10] = 1;
        System.arraycopy(frame, 0, packet, 12, 120);
        int from = 0;
        for (int i = 1; from < packet.length; i++) {
            int part = i % 5 == 0 ? 0 : Math.min(7, packet.length - from);
            assertThat(lab.bytes(area + 50L * i, part)).isEqualTo(Arrays.copyOfRange(packet, from, from + part));
            from += part;
        }
        assertThat(lab.bytes(area + 4000, 50))
                .as("V19: readable is not written")
                .containsOnly(0xAA);
        assertThat(rx.usedLength(0)).isEqualTo(132);
    }

    @Test
    @DisplayName("a packet over hundreds of one-byte pieces")
    void shouldFillPiecesWhenTheyAreManyAndTiny() {
        lab.start(Lab.INDIRECT, 256);
        long area = lab.allocate(256, 1);
        long table = lab.allocate(16 * 256, 16);
        for (int i = 0; i < 256; i++) {
            int flags = i < 255 ? SplitRing.NEXT | SplitRing.WRITE : SplitRing.WRITE;
            SplitRing.writeDescriptor(lab.ram, table + 16L * i, area + 255 - i, 1, flags, i + 1);
        }
        lab.rings[Lab.RX].add(table, 16 * 256, SplitRing.INDIRECT);
        byte[] frame = Lab.frame(200, 1);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
        byte[] written = lab.bytes(area, 256);
        for (int i = 0; i < 200; i++) {
            assertThat(written[255 - 12 - i]).isEqualTo(frame[i]);
        }
    }

    @Test
    @DisplayName("STYLE 11: a buffer that cannot be written loses the packet; all its chains come back with length 0")
    void shouldDropFrameWhenBufferIsUnreachable() {
        lab.start(Lab.MRG, 16);
        SplitRing rx = lab.rings[Lab.RX];
        lab.receiveBuffer(100);
        rx.add(1L << 40, 100, SplitRing.WRITE);
        lab.receiveBuffer(100);
        assertThat(lab.arrive(Lab.frame(150, 1))).isEqualTo(Delivery.DROPPED);
        assertThat(rx.usedIdx()).isEqualTo(2);
        assertThat(rx.usedLength(0)).isZero();
        assertThat(rx.usedLength(1)).isZero();
        assertThat(lab.device.counters().rxDmaFaultDrops()).isEqualTo(1);
        assertThat(lab.arrive(Lab.frame(60, 1))).isEqualTo(Delivery.ACCEPTED);
        assertThat(lab.status()).isEqualTo(0xF);
    }

    @Test
    @DisplayName("NetworkFunction: frames are filtered without driver, receive queue or link")
    void shouldFilterWhenNobodyListens() {
        byte[] frame = Lab.frame(60, 1);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.FILTERED);
        lab.negotiate(0);
        lab.enableQueue(Lab.TX, 8);
        lab.status(0xF);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.FILTERED);
        lab.start(0, 8);
        lab.receiveBuffer(2000);
        lab.device.setLink(false);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.FILTERED);
        lab.device.setLink(true);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
        lab.status(0x8F);
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.FILTERED);
        assertThat(lab.device.counters().rxFiltered()).isEqualTo(4);
    }

    @ParameterizedTest
    @CsvSource({"0,DROPPED", "13,DROPPED", "14,ACCEPTED", "16384,ACCEPTED", "16385,DROPPED", "100000,DROPPED"})
    @DisplayName("FramePort: frames of 14 to 16384 bytes")
    void shouldDropFrameWhenLengthIsImpossible(int length, Delivery expected) {
        lab.start(0, 8);
        lab.receiveBuffer(65601);
        assertThat(lab.arrive(new byte[length])).isEqualTo(expected);
        assertThat(lab.device.counters().rxSizeDrops()).isEqualTo(expected == Delivery.DROPPED ? 1 : 0);
    }

    @Test
    @DisplayName("FramePort: the frame starts at its offset")
    void shouldTakeFrameFromOffset() {
        lab.start(0, 8);
        long gpa = lab.receiveBuffer(2000);
        byte[] surrounding = Lab.frame(100, 1);
        assertThat(lab.device.send(surrounding, 20, 60)).isEqualTo(Delivery.ACCEPTED);
        assertThat(lab.bytes(gpa + 12, 60)).isEqualTo(Arrays.copyOfRange(surrounding, 20, 80));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    @DisplayName(
            "5.1.6.3, 5.1.6.4: any mix of frames and buffers arrives complete, in order, with the right num_buffers")
    void shouldDeliverEveryFrameWhenLoadIsRandom(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        lab.start(Lab.MRG | (seed % 2 == 0 ? Lab.EVENT_IDX : 0), 32);
        SplitRing rx = lab.rings[Lab.RX];
        long area = lab.allocate(32 * 1024, 16);
        int[] lengths = new int[32];
        int next = 0;
        int free = 32;
        int reaped = 0;
        byte[] waiting = Lab.frame(random.nextInt(14, 3000), 0);
        for (int delivered = 0; delivered < 3000; ) {
            for (int n = random.nextInt(free + 1); n > 0; n--, free--) {
                lengths[next] = random.nextInt(12, 1024);
                rx.add(area + 1024L * next, lengths[next], SplitRing.WRITE);
                next = (next + 1) % 32;
            }
            while (lab.arrive(waiting) == Delivery.ACCEPTED) {
                int buffers = lab.ram.readShort(area + 1024L * (reaped % 32) + 10);
                assertThat(reaped + buffers & 0xFFFF).as("seed %d", seed).isEqualTo(rx.usedIdx());
                byte[] packet = new byte[0];
                for (int i = 0; i < buffers; i++, reaped++, free++) {
                    int length = (int) rx.usedLength(reaped);
                    assertThat(rx.usedId(reaped)).isEqualTo(reaped % 32);
                    assertThat(i < buffers - 1 ? lengths[reaped % 32] : length).isEqualTo(length);
                    byte[] part = lab.bytes(area + 1024L * (reaped % 32), length);
                    int at = packet.length;
                    packet = Arrays.copyOf(packet, at + length);
                    System.arraycopy(part, 0, packet, at, length);
                }
                assertThat(Arrays.copyOfRange(packet, 12, packet.length))
                        .as("seed %d", seed)
                        .isEqualTo(waiting);
                waiting = Lab.frame(random.nextInt(14, 3000), ++delivered);
            }
        }
        assertThat(lab.status()).isEqualTo(0xF);
    }
}
