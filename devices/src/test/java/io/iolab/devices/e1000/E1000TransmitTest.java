package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 82540 SDM chapter 3.3 to 3.5: descriptors, ring, interrupts. */
class E1000TransmitTest {
    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82540em();
        bench.openTransmit(8);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    @DisplayName("3.4: nothing is sent before TCTL.EN; setting it is enough to start")
    void shouldStartWhenEnabled() {
        bench.write(TCTL, 0);
        bench.queue(frame(BROADCAST, 60));
        bench.kick();
        assertThat(bench.sent).isEmpty();
        assertThat(bench.read(TDH)).isZero();
        assertThat(bench.read(ICR)).isZero();

        bench.write(TCTL, TX_EN);
        assertThat(bench.device.workPending()).isTrue();
        assertThat(bench.poll()).isEqualTo(1);
        assertThat(bench.sent).containsExactly(frame(BROADCAST, 60));
        assertThat(bench.read(TDH)).isEqualTo(1);
        assertThat(bench.txStatus(0)).isEqualTo(1);
    }

    @Test
    @DisplayName("3.3.3: write-back sets DD and leaves the rest of the descriptor as it was; TXDW and TXQE are raised")
    void shouldWriteBackDoneWhenReportStatusIsSet() {
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.ram.readLong(TX_RING)).isEqualTo(TX_BUFFERS);
        assertThat(bench.ram.readLong(TX_RING + 8)).isEqualTo(legacy(60, EOP | IFCS | RS) | 1L << 32);
        assertThat(bench.read(ICR)).isEqualTo(0x3);
    }

    @Test
    @DisplayName("3.4.3: without RS there is no DD and no TXDW, only TXQE")
    void shouldNotReportWhenReportStatusIsClear() {
        bench.queue(frame(PEER, 60), EOP | IFCS);
        bench.kick();
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.txStatus(0)).isZero();
        assertThat(bench.read(ICR)).isEqualTo(0x2);
        assertThat(bench.read(TDH)).isEqualTo(1);
    }

    @Test
    @DisplayName("3.3.3: a frame may span descriptors; DD goes to those that ask for it")
    void shouldGatherFrameFromSeveralDescriptors() {
        byte[] frame = frame(PEER, 100);
        bench.ram.write(0x300001, frame, 0, 33);
        bench.ram.write(0x304FF0, frame, 33, 67);
        bench.describe(0, 0x300001, legacy(33, IFCS));
        bench.describe(1, 0x304FF0, legacy(67, EOP | IFCS | RS));
        bench.txTail = 2;
        bench.kick();
        assertThat(bench.sent).containsExactly(frame);
        assertThat(bench.txStatus(0)).isZero();
        assertThat(bench.txStatus(1)).isEqualTo(1);
    }

    @Test
    @DisplayName("13.4 TCTL.PSP pads to 64 bytes with FCS; without it a frame leaves as it is")
    void shouldPadShortFramesWhenPspIsSet() {
        bench.queue(frame(PEER, 20));
        bench.kick();
        assertThat(bench.sent.getFirst()).hasSize(60).startsWith(frame(PEER, 20));
        assertThat(bench.sent.getFirst()[59]).isZero();

        bench.write(TCTL, TX_EN);
        bench.queue(frame(PEER, 20));
        bench.kick();
        assertThat(bench.sent.getLast()).isEqualTo(frame(PEER, 20));
    }

    @Test
    @DisplayName("3.4: the ring wraps; hardware never processes the slot that TDT names")
    void shouldWrapAroundTheRing() {
        for (int i = 0; i < 50; i++) {
            bench.queue(frame(PEER, 60 + i));
            bench.kick();
            assertThat(bench.read(TDH)).isEqualTo((i + 1) % 8);
        }
        assertThat(bench.sent).hasSize(50);
        assertThat(bench.sent.getLast()).isEqualTo(frame(PEER, 109));
        bench.write(TDT, bench.txTail);
        assertThat(bench.poll()).isZero();
    }

    @Test
    @DisplayName("A full ring over the wrap point goes out in order, by one doorbell")
    void shouldSendWholeRingInOrder() {
        bench.openTransmit(64);
        for (int i = 0; i < 40; i++) {
            bench.queue(frame(PEER, 60));
        }
        bench.kick();
        bench.sent.clear();
        for (int i = 0; i < 63; i++) {
            bench.queue(frame(PEER, 60 + i));
        }
        bench.kick();
        assertThat(bench.sent).hasSize(63);
        for (int i = 0; i < 63; i++) {
            assertThat(bench.sent.get(i)).hasSize(60 + i);
        }
        for (int i = 0; i < 64; i++) {
            assertThat(bench.txStatus(i)).as("descriptor %d", i).isEqualTo(1);
        }
    }

    @Test
    @DisplayName("poll sends no more than its budget and says so")
    void shouldHonourBudget() {
        for (int i = 0; i < 7; i++) {
            bench.queue(frame(PEER, 60));
        }
        bench.write(TDT, bench.txTail);
        assertThat(bench.device.poll(3)).isEqualTo(3);
        assertThat(bench.read(TDH)).isEqualTo(3);
        assertThat(bench.read(ICR)).as("TXDW, queue not empty").isEqualTo(1);
        assertThat(bench.device.poll(3)).isEqualTo(3);
        assertThat(bench.device.poll(3)).isEqualTo(1);
        assertThat(bench.device.workPending()).isFalse();
    }

    @Test
    @DisplayName(
            "A wire without room takes nothing: the frame is kept and offered again, then everything follows in order")
    void shouldKeepFrameWhenWireIsBusy() {
        bench.wireAnswer = Delivery.BUSY;
        bench.queue(frame(PEER, 61));
        bench.queue(frame(PEER, 62));
        bench.kick();
        bench.poll();
        assertThat(bench.sent).isEmpty();
        assertThat(bench.txStatus(0)).isZero();
        assertThat(bench.device.workPending()).isTrue();
        assertThat(bench.device.counters().txBusy()).isEqualTo(2);

        bench.wireAnswer = Delivery.ACCEPTED;
        assertThat(bench.poll()).isEqualTo(2);
        assertThat(bench.sent).containsExactly(frame(PEER, 61), frame(PEER, 62));
        assertThat(bench.txStatus(1)).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(
            value = Delivery.class,
            names = {"DROPPED", "FILTERED"})
    @DisplayName("A frame that the wire side throws away is sent all the same")
    void shouldCompleteWhenWireRefuses(Delivery answer) {
        bench.wireAnswer = answer;
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.txStatus(0)).isEqualTo(1);
        assertThat(bench.device.counters().txFrames()).isEqualTo(1);
        assertThat(bench.device.counters().txDropped() + bench.device.counters().txFiltered())
                .isEqualTo(1);
    }

    @Test
    @DisplayName("3.4.3.2: IDE delays TXDW by TIDV, TADV caps it, RS without IDE ends it")
    void shouldDelayTransmitInterrupt() {
        bench.write(TIDV, 100);
        bench.write(IMS, 1);
        bench.queue(frame(PEER, 60), EOP | IFCS | RS | IDE);
        bench.kick();
        assertThat(bench.pin).isFalse();
        assertThat(bench.txStatus(0)).as("written back all the same").isEqualTo(1);
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 100 * 1024);
        bench.now += 100 * 1024 - 1;
        bench.poll();
        assertThat(bench.pin).isFalse();
        bench.now += 1;
        bench.poll();
        assertThat(bench.pin).isTrue();
        assertThat(bench.read(ICR) & 1).isEqualTo(1);
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);

        bench.write(TADV, 150);
        long start = bench.now;
        for (int i = 0; i < 3; i++) {
            bench.queue(frame(PEER, 60), EOP | IFCS | RS | IDE);
            bench.kick();
            bench.now += 60 * 1024;
        }
        assertThat(bench.device.nextDeadlineNanos()).as("absolute limit").isEqualTo(start + 150 * 1024);
        bench.queue(frame(PEER, 60), EOP | IFCS | RS);
        bench.kick();
        assertThat(bench.read(ICR) & 1).isEqualTo(1);
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @DisplayName("3.4: TXD_LOW when descriptors fall to 8 x LWTHRESH")
    void shouldRaiseLowThreshold() {
        bench.openTransmit(64);
        bench.write(TXDCTL, 2 << 25);
        for (int i = 0; i < 30; i++) {
            bench.queue(frame(PEER, 60));
        }
        bench.write(TDT, bench.txTail);
        bench.device.poll(13);
        assertThat(bench.read(ICR) & 1 << 15).isZero();
        bench.device.poll(1);
        assertThat(bench.read(ICR) & 1 << 15).isNotZero();
        bench.device.poll(1);
        assertThat(bench.read(ICR) & 1 << 15).as("once per crossing").isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 9, 100, 0xFFFF})
    @DisplayName("TDT beyond the ring: nothing is sent, nothing hangs, it is counted, and a good TDT goes on")
    void shouldStandStillWhenTailIsBeyondRing(int tail) {
        bench.queue(frame(PEER, 60));
        bench.write(TDT, tail);
        bench.poll();
        assertThat(bench.sent).isEmpty();
        assertThat(bench.device.counters().ringFaults()).isEqualTo(1);
        assertThat(bench.device.workPending()).isFalse();
        bench.kick();
        assertThat(bench.sent).hasSize(1);
    }

    @Test
    @DisplayName("TDLEN 0: nothing is sent and nothing hangs")
    void shouldStandStillWhenRingHasNoLength() {
        bench.write(TDLEN, 0);
        bench.write(TDT, 5);
        assertThat(bench.poll()).isZero();
        assertThat(bench.device.counters().ringFaults()).isEqualTo(1);
    }

    @Test
    @DisplayName("A ring that DMA cannot reach stops the queue until the next doorbell")
    void shouldStopWhenRingIsUnreachable() {
        bench.write(TDBAH, 1);
        bench.queue(frame(PEER, 60));
        bench.kick();
        bench.poll();
        assertThat(bench.device.counters().dmaFaults()).isEqualTo(1);
        assertThat(bench.device.workPending()).isFalse();
        bench.write(TDBAH, 0);
        bench.kick();
        assertThat(bench.sent).hasSize(1);
    }

    @Test
    @DisplayName("A buffer that DMA cannot reach loses its packet only")
    void shouldDropPacketWhenBufferIsUnreachable() {
        bench.describe(0, 1L << 40, legacy(60, IFCS | RS));
        bench.describe(1, TX_BUFFERS, legacy(60, EOP | IFCS | RS));
        bench.txTail = 2;
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.sent).containsExactly(frame(PEER, 60));
        assertThat(bench.txStatus(1)).isEqualTo(1);
        assertThat(bench.device.counters().txUnreachable()).isEqualTo(1);
    }

    @Test
    @DisplayName("An oversized packet and an unknown descriptor type are dropped and completed")
    void shouldDropMalformedPackets() {
        for (int i = 0; i < 3; i++) {
            bench.describe(i, TX_BUFFERS, data(0xFFFFF, i == 2 ? EOP | RS : RS, 0, 0));
        }
        bench.describe(3, TX_BUFFERS, 60 | 7L << 20 | (long) (EOP | RS | DEXT) << 24);
        bench.txTail = 4;
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.device.counters().txMalformed()).isEqualTo(2);
        for (int i = 0; i < 5; i++) {
            assertThat(bench.txStatus(i)).isEqualTo(1);
        }
    }

    @Test
    @DisplayName("3.3.3: a null descriptor is completed and sends nothing")
    void shouldSkipNullDescriptor() {
        bench.describe(0, 0, legacy(0, EOP | RS));
        bench.txTail = 1;
        bench.kick();
        assertThat(bench.sent).isEmpty();
        assertThat(bench.txStatus(0)).isEqualTo(1);
        assertThat(bench.device.counters().txMalformed()).isZero();
    }

    @Test
    @DisplayName("Without link frames stay queued and leave when it is back")
    void shouldHoldFramesWithoutLink() {
        bench.device.setLink(false);
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.sent).isEmpty();
        assertThat(bench.device.workPending()).isFalse();
        bench.device.setLink(true);
        bench.poll();
        assertThat(bench.sent).hasSize(1);
    }

    @Test
    @DisplayName("PCI 6.2.2: with bus mastering off no descriptor is fetched")
    void shouldNotFetchWithoutBusMaster() {
        bench.device.config().write(0x04, 2, 0x3);
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.read(TDH)).isZero();
        bench.device.config().write(0x04, 2, 0x7);
        bench.poll();
        assertThat(bench.sent).hasSize(1);
    }
}
