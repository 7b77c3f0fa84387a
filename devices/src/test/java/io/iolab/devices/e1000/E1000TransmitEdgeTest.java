package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The transmitter where things stop half-way: resets and moved rings inside packets, budgets, faults, what is counted. */
class E1000TransmitEdgeTest {
    private static final int TSE = 4;
    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82540em();
        bench.openTransmit(16);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private E1000Counters counters() {
        return bench.device.counters();
    }

    /** A TCP/IPv4 segmentation context, then one data descriptor. */
    private void segmented(int payload, int mss, int command, int options, long iova) {
        bench.describe(
                bench.txTail,
                TestFrames.context(14, 24, 33, 34, 50, 0),
                payload | 0x2700_0000L | 54L << 40 | (long) mss << 48);
        bench.describe(bench.txTail + 1, iova, data(54 + payload, TSE | EOP | IFCS | RS | command, options, 7));
        bench.txTail += 2;
    }

    private byte[] segmentedFrame(int payload) {
        byte[] frame = TestFrames.tcpFrame(payload);
        bench.ram.write(TX_BUFFERS, frame, 0, frame.length);
        return frame;
    }

    @ParameterizedTest
    @ValueSource(strings = {"reset", "TDBAL", "TDBAH", "TDLEN", "TDH"})
    @DisplayName("13.4: a reset or a moved ring inside a packet forgets the packet's first part")
    void shouldForgetPartOfPacket(String how) {
        byte[] frame = frame(PEER, 100);
        bench.ram.write(TX_BUFFERS, frame, 0, 100);
        bench.describe(0, TX_BUFFERS, legacy(40, IFCS));
        bench.txTail = 1;
        bench.kick();
        assertThat(bench.read(TDH)).isEqualTo(1);
        switch (how) {
            case "reset" -> {
                bench.write(CTRL, 1 << 26);
                assertThat(bench.read(TDH)).isZero();
                bench.openTransmit(16);
            }
            case "TDBAL" -> bench.write(TDBAL, (int) TX_RING);
            case "TDBAH" -> bench.write(TDBAH, 0);
            case "TDLEN" -> bench.write(TDLEN, 256);
            default -> bench.write(TDH, 1);
        }
        assertThat(bench.read(TDH)).as("the head stays").isEqualTo(how.equals("reset") ? 0 : 1);
        int slot = bench.read(TDH);
        bench.describe(slot, TX_BUFFERS, legacy(100, IFCS | EOP | RS));
        bench.write(TDT, slot + 1);
        bench.poll();
        assertThat(bench.sent).containsExactly(frame);
    }

    @Test
    @DisplayName("13.4 TDBAH, TDLEN: each takes effect by its own write, in any order, on either queue")
    void shouldFollowEveryRingRegister() {
        try (Bench express = Bench.i82574l()) {
            for (int queue : new int[] {0, 0x100}) {
                express.sent.clear();
                byte[] frame = frame(PEER, 60);
                express.ram.write(TX_BUFFERS, frame, 0, 60);
                express.describe(0, TX_BUFFERS, legacy(60, EOP | IFCS | RS));
                express.write(TCTL, TX_EN);
                express.write(TDBAL + queue, (int) TX_RING);
                express.write(TDT + queue, 1);
                express.poll();
                assertThat(express.sent).as("no length").isEmpty();
                express.write(TDBAH + queue, 1);
                express.write(TDLEN + queue, 128);
                express.poll();
                assertThat(express.sent).as("beyond memory").isEmpty();
                express.write(TDBAH + queue, 0);
                express.write(TDT + queue, 1);
                express.poll();
                assertThat(express.sent).as("queue %x", queue).containsExactly(frame);
                assertThat(express.read(TDH + queue)).isEqualTo(1);
            }
            assertThat(express.device.counters().ringFaults()).isEqualTo(2);
        }
    }

    @Test
    @DisplayName("A head at or beyond the end of the ring stands still")
    void shouldStandStillWhenHeadIsBeyondRing() {
        bench.write(TDH, 16);
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.sent).isEmpty();
        assertThat(counters().ringFaults()).isEqualTo(1);
        bench.write(TDH, 0);
        bench.write(TDT, 1);
        bench.poll();
        assertThat(bench.sent).hasSize(1);
        assertThat(counters().ringFaults()).isEqualTo(1);
    }

    @Test
    @DisplayName(
            "A poll whose budget ends inside a block has written back what it sent; segments count against the budget")
    void shouldWriteBackAtEndOfBudget() {
        segmentedFrame(600);
        bench.describe(0, TX_BUFFERS, legacy(60, EOP | IFCS | RS));
        bench.txTail = 1;
        segmented(600, 100, 0, 0, TX_BUFFERS);
        bench.write(TDT, bench.txTail);
        assertThat(bench.device.poll(1)).isEqualTo(1);
        assertThat(bench.txStatus(0)).isEqualTo(1);
        assertThat(bench.device.poll(2)).isEqualTo(2);
        assertThat(bench.sent).hasSize(3);
        bench.write(CTRL, 1 << 26);
        bench.openTransmit(16);
        bench.describe(0, TX_BUFFERS, legacy(60, EOP | IFCS | RS));
        bench.txTail = 1;
        segmented(600, 100, 0, 0, TX_BUFFERS);
        bench.write(TDT, bench.txTail);
        assertThat(bench.device.poll(4)).isEqualTo(4);
        assertThat(bench.sent).hasSize(7);
    }

    @Test
    @DisplayName("Counters: descriptors and their transfers, frames and bytes, exactly")
    void shouldCountTransfers() {
        for (int i = 0; i < 5; i++) {
            bench.queue(frame(PEER, 100));
        }
        bench.kick();
        assertThat(counters().descriptorFetches()).isEqualTo(1);
        assertThat(counters().descriptorsFetched()).isEqualTo(5);
        assertThat(counters().writeBacks()).isEqualTo(1);
        assertThat(counters().descriptorsWrittenBack()).isEqualTo(5);
        assertThat(counters().txFrames()).isEqualTo(5);
        assertThat(counters().txBytes()).isEqualTo(500);
        bench.wireAnswer = Delivery.BUSY;
        bench.queue(frame(PEER, 100));
        bench.kick();
        bench.poll();
        assertThat(counters().txBusy()).isEqualTo(2);
        bench.wireAnswer = Delivery.DROPPED;
        bench.poll();
        assertThat(counters().txDropped()).isEqualTo(1);
        assertThat(counters().dmaFaults() + counters().ringFaults()).isZero();
    }

    @Test
    @DisplayName("3.5: two segmented packets in a row start over; without IXSM and TXSM no checksum is touched")
    void shouldSegmentTwice() {
        byte[] frame = segmentedFrame(150);
        segmented(150, 100, 0, 0, TX_BUFFERS);
        segmented(150, 100, 0, 0, TX_BUFFERS);
        bench.kick();
        assertThat(bench.sent.stream().map(f -> f.length).toList()).containsExactly(154, 104, 154, 104);
        assertThat(bench.sent.get(2)).isEqualTo(bench.sent.get(0));
        assertThat(bench.sent.get(3)).isEqualTo(bench.sent.get(1));
        for (byte[] segment : bench.sent) {
            assertThat(Arrays.copyOfRange(segment, 24, 26))
                    .as("IP sum as found")
                    .isEqualTo(new byte[2]);
            assertThat(Arrays.copyOfRange(segment, 50, 52)).isEqualTo(Arrays.copyOfRange(frame, 50, 52));
        }
        assertThat(bench.read(0x40F8)).isEqualTo(2);
    }

    @Test
    @DisplayName("3.5: IXSM alone and TXSM alone set one checksum each")
    void shouldInsertEachChecksumAlone() {
        byte[] frame = segmentedFrame(100);
        segmented(100, 100, 0, 1, TX_BUFFERS);
        segmented(100, 100, 0, 2, TX_BUFFERS);
        bench.kick();
        assertThat(TestFrames.onesSum(bench.sent.get(0), 14, 34)).isEqualTo(0xFFFF);
        assertThat(Arrays.copyOfRange(bench.sent.get(0), 50, 52)).isEqualTo(Arrays.copyOfRange(frame, 50, 52));
        assertThat(Arrays.copyOfRange(bench.sent.get(1), 24, 26)).isEqualTo(new byte[2]);
        assertThat(Arrays.copyOfRange(bench.sent.get(1), 50, 52)).isNotEqualTo(Arrays.copyOfRange(frame, 50, 52));
    }

    @Test
    @DisplayName("9.2: with CTRL.VME set, what does not carry VLE is not tagged, segmented or not")
    void shouldTagOnRequestOnly() {
        bench.set(CTRL, 1 << 30);
        byte[] frame = segmentedFrame(100);
        segmented(100, 100, 0, 0, TX_BUFFERS);
        segmented(100, 100, VLE, 0, TX_BUFFERS);
        bench.describe(4, TX_BUFFERS, legacy(frame.length, EOP | IFCS | RS, 7, 0, 0));
        bench.txTail = 5;
        bench.kick();
        assertThat(bench.sent.stream().map(f -> f.length).toList()).containsExactly(154, 158, 154);
        assertThat(Arrays.copyOfRange(bench.sent.get(1), 12, 16)).isEqualTo(bytes("81000007"));
    }

    @Test
    @DisplayName(
            "3.5: a segmented packet whose payload cannot be read is dropped and counted in TSCTFC; the next one leaves")
    void shouldDropUnreachableSegments() {
        segmentedFrame(150);
        bench.describe(0, TestFrames.context(14, 24, 33, 34, 50, 0), 150 | 0x2700_0000L | 54L << 40 | 100L << 48);
        bench.describe(1, TX_BUFFERS, data(54, TSE | IFCS, 0, 0));
        bench.describe(2, 1L << 40, data(100, TSE | IFCS, 0, 0));
        bench.describe(3, TX_BUFFERS, data(50, TSE | EOP | IFCS | RS, 0, 0));
        bench.txTail = 4;
        segmented(150, 100, 0, 0, TX_BUFFERS);
        bench.kick();
        assertThat(bench.sent).hasSize(2);
        assertThat(counters().txUnreachable()).isEqualTo(1);
        assertThat(counters().dmaFaults()).isEqualTo(1);
        assertThat(bench.read(0x40FC)).as("TSCTFC").isEqualTo(1);
        assertThat(bench.read(0x40F8)).as("TSCTC").isEqualTo(1);
        assertThat(bench.txStatus(3)).isEqualTo(1);
    }

    @Test
    @DisplayName(
            "3.5: a packet that ends inside its header is malformed and fails; a context that cannot be used as well")
    void shouldCountMalformedSegmentation() {
        segmentedFrame(150);
        bench.describe(0, TestFrames.context(14, 24, 33, 34, 50, 0), 150 | 0x2700_0000L | 54L << 40 | 100L << 48);
        bench.describe(1, TX_BUFFERS, data(40, TSE | EOP | IFCS | RS, 0, 0));
        bench.txTail = 2;
        bench.kick();
        assertThat(counters().txMalformed()).isEqualTo(1);
        assertThat(bench.read(0x40FC)).isEqualTo(1);
        segmented(150, 0, 0, 0, TX_BUFFERS);
        bench.kick();
        assertThat(counters().txMalformed()).isEqualTo(2);
        assertThat(bench.read(0x40FC)).isEqualTo(1);
        assertThat(bench.sent).isEmpty();
    }

    @Test
    @DisplayName("3.5: a packet with less payload than PAYLEN sends what there is and counts as failed")
    void shouldCountShortSegmentation() {
        segmentedFrame(150);
        bench.describe(0, TestFrames.context(14, 24, 33, 34, 50, 0), 500 | 0x2700_0000L | 54L << 40 | 100L << 48);
        bench.describe(1, TX_BUFFERS, data(204, TSE | EOP | IFCS | RS, 0, 0));
        bench.txTail = 2;
        bench.kick();
        assertThat(bench.sent.stream().map(f -> f.length).toList()).containsExactly(154, 104);
        assertThat(bench.read(0x40F8) + bench.read(0x40FC)).isEqualTo(1);
    }

    @Test
    @DisplayName("A packet of fewer bytes than an Ethernet header is dropped while PSP is clear; fourteen bytes leave")
    void shouldDropHeaderlessPacket() {
        bench.write(TCTL, TX_EN);
        bench.queue(frame(PEER, 14));
        bench.ram.write(TX_BUFFERS + 2048, new byte[13], 0, 13);
        bench.describe(1, TX_BUFFERS + 2048, legacy(13, EOP | IFCS | RS));
        bench.txTail = 2;
        bench.kick();
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.sent.getFirst()).hasSize(14);
        assertThat(counters().txMalformed()).isEqualTo(1);
        assertThat(bench.txStatus(1)).isEqualTo(1);
    }

    @Test
    @DisplayName("13.4 TXDCTL.LWTHRESH: TXD_LOW counts descriptors across the end of the ring")
    void shouldRaiseLowThresholdAcrossWrap() {
        bench.write(TDH, 12);
        bench.txTail = 12;
        bench.write(TXDCTL, 1 << 25);
        for (int i = 0; i < 9; i++) {
            bench.queue(frame(PEER, 60));
        }
        bench.write(TDT, bench.txTail);
        assertThat(bench.device.poll(1)).isEqualTo(1);
        assertThat(bench.read(ICR) & 1 << 15).as("eight are left").isNotZero();
        bench.poll();
        assertThat(bench.read(ICR) & 1 << 15).as("below already").isZero();
        assertThat(bench.read(TDH)).isEqualTo(5);
    }

    @Test
    @DisplayName(
            "82574 TARC.ENABLE: a queue that is switched off waits, and the other one goes on; both share the wire in turn")
    void shouldArbitrateQueues() {
        try (Bench express = Bench.i82574l()) {
            byte[][] frames = {frame(PEER, 60), frame(PEER, 61)};
            express.ram.write(TX_BUFFERS, frames[0], 0, 60);
            express.ram.write(TX_BUFFERS + 2048, frames[1], 0, 61);
            for (int i = 0; i < 4; i++) {
                express.describe(i, TX_BUFFERS, legacy(60, EOP | RS));
                express.ram.writeLong(0x18000 + 16L * i, TX_BUFFERS + 2048);
                express.ram.writeLong(0x18008 + 16L * i, legacy(61, EOP | RS));
            }
            express.write(TDBAL, (int) TX_RING);
            express.write(TDLEN, 128);
            express.write(0x3900, 0x18000);
            express.write(0x3908, 128);
            express.write(TCTL, TX_EN);
            express.write(0x3940, 3);
            express.write(TDT, 1);
            express.write(0x3918, 1);
            express.poll();
            assertThat(express.sent).containsExactly(frames[0]);
            assertThat(express.device.workPending()).as("queue 1 is off").isFalse();
            express.write(0x3940, 0x403);
            assertThat(express.device.workPending()).isTrue();
            express.poll();
            assertThat(express.sent).containsExactly(frames[0], frames[1]);
            express.sent.clear();
            express.write(TDT, 4);
            express.write(0x3918, 4);
            express.device.poll(1);
            express.device.poll(1);
            assertThat(express.sent.stream().map(f -> f.length).toList()).containsExactlyInAnyOrder(60, 61);
        }
    }

    @Test
    @DisplayName("3.4.3.2: FPD in TIDV ends a running delay, and only then raises TXDW; a plain write does not")
    void shouldFlushByTidv() {
        bench.write(TIDV, 1000);
        bench.write(TIDV, 1000 | 1 << 31);
        assertThat(bench.read(ICR)).as("nothing runs").isZero();
        bench.queue(frame(PEER, 60), EOP | IFCS | RS | IDE);
        bench.kick();
        bench.write(TIDV, 1000);
        assertThat(bench.read(ICR) & 1).isZero();
        bench.write(TIDV, 1000 | 1 << 31);
        assertThat(bench.read(ICR) & 1).isEqualTo(1);
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
        bench.queue(frame(PEER, 60), EOP | IFCS | RS | IDE);
        bench.kick();
        assertThat(bench.device.counters().moderated()).isEqualTo(2);
        bench.write(CTRL, 1 << 26);
        assertThat(bench.device.nextDeadlineNanos()).as("a reset ends it").isEqualTo(Long.MAX_VALUE);
    }
}
