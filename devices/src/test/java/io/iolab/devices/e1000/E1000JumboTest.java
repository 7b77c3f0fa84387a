package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import java.util.Arrays;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames longer than a buffer (82540 SDM 3.2.3, 3.3.3 and 13.4, RCTL.LPE), and bounds on the descriptors they take. */
class E1000JumboTest {
    private static final int RING = 256;

    @ParameterizedTest
    @CsvSource({"9014,4096", "9014,1448", "16288,4096", "16288,100"})
    @DisplayName("3.3.3: a jumbo frame in pieces leaves whole, as legacy and as data descriptors")
    void shouldSendJumboFrames(int length, int piece) {
        byte[] frame = frame(PEER, length);
        try (Bench bench = Bench.i82540em()) {
            bench.openTransmit(RING);
            bench.ram.write(TX_BUFFERS, frame, 0, length);
            for (boolean data : new boolean[] {false, true}) {
                for (int at = 0; at < length; at += piece) {
                    int take = Math.min(piece, length - at);
                    int command = IFCS | (at + take == length ? EOP | RS : 0);
                    bench.describe(
                            bench.txTail, TX_BUFFERS + at, data ? data(take, command, 0, 0) : legacy(take, command));
                    bench.txTail = (bench.txTail + 1) % RING;
                }
                bench.kick();
                while (bench.device.workPending()) {
                    bench.poll();
                }
            }
            assertThat(bench.sent).containsExactly(frame, frame);
        }
    }

    @Test
    @DisplayName("3.3.3: a byte more than 16 288 is no packet, and the next one is not hurt")
    void shouldDropOversized() {
        try (Bench bench = Bench.i82540em()) {
            bench.openTransmit(8);
            bench.describe(0, TX_BUFFERS, legacy(16288, IFCS));
            bench.describe(1, TX_BUFFERS, legacy(1, IFCS | EOP | RS));
            bench.describe(2, TX_BUFFERS, legacy(60, IFCS | EOP | RS));
            bench.txTail = 3;
            bench.kick();
            assertThat(bench.sent).hasSize(1);
            assertThat(bench.sent.getFirst()).hasSize(60);
            assertThat(bench.device.counters().txMalformed()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "256,3",
        "512,2",
        "1024,1",
        "2048,0",
        "4096,0x02030000",
        "8192,0x02020000",
        "16384,0x02010000",
    })
    @DisplayName(
            "13.4 RCTL: every buffer size holds every jumbo frame, split where the buffer ends, length in each descriptor")
    void shouldReceiveJumboFrames(int size, String bits) {
        int rctl = size <= 2048 ? Integer.decode(bits) << 16 : Integer.decode(bits);
        try (Bench bench = Bench.i82540em()) {
            bench.openReceive(RING, RX_SECRC | RX_LPE | rctl);
            for (int i = 0; i < RING; i++) {
                bench.ram.writeLong(RX_RING + 16L * i, 0x200000 + 0x4000L * i);
            }
            int slot = 0;
            for (int length : new int[] {1519, 9014, 16380}) {
                byte[] frame = frame(MAC, length);
                assertThat(bench.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
                for (int at = 0; at < length; at += size) {
                    int take = Math.min(size, length - at);
                    boolean last = at + take == length;
                    assertThat(bench.rxLength(slot)).isEqualTo(take);
                    assertThat(bench.rxStatus(slot) & 3).as("DD, EOP").isEqualTo(last ? 3 : 1);
                    byte[] stored = new byte[take];
                    bench.ram.read(0x200000 + 0x4000L * slot, stored, 0, take);
                    assertThat(stored).isEqualTo(Arrays.copyOfRange(frame, at, at + take));
                    slot++;
                }
            }
            assertThat(bench.read(RDH)).isEqualTo(slot);
        }
    }

    @Test
    @DisplayName("13.4 RCTL.LPE: 16 384 bytes with FCS are the most; LPE off, 1522")
    void shouldLimitLength() {
        try (Bench bench = Bench.i82540em()) {
            bench.openReceive(RING, RX_LPE);
            assertThat(bench.arrive(frame(MAC, 16380))).isEqualTo(Delivery.ACCEPTED);
            assertThat(bench.arrive(frame(MAC, 16381))).isEqualTo(Delivery.FILTERED);
            bench.write(RCTL, RX_EN);
            assertThat(bench.arrive(frame(MAC, 1518))).isEqualTo(Delivery.ACCEPTED);
            assertThat(bench.arrive(frame(MAC, 1519))).isEqualTo(Delivery.FILTERED);
            assertThat(bench.read(0x40AC)).as("ROC").isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8, 15})
    @DisplayName("82574 RCTL.FLXBUF: buffers of n KB, whatever BSIZE says")
    void shouldUseFlexibleBuffers(int kilobytes) {
        try (Bench bench = Bench.i82574l()) {
            bench.openReceive(RING, RX_SECRC | RX_LPE | 3 << 16 | kilobytes << 27);
            for (int i = 0; i < RING; i++) {
                bench.ram.writeLong(RX_RING + 16L * i, 0x200000 + 0x4000L * i);
            }
            bench.arrive(frame(MAC, 16380));
            assertThat(bench.rxLength(0)).isEqualTo(1024 * kilobytes);
            assertThat(bench.read(RDH)).isEqualTo((16380 + 1024 * kilobytes - 1) / (1024 * kilobytes));
        }
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName(
            "A frame takes 128 descriptors at most: among null buffers it is lost as an overrun, and the rest go on")
    void shouldGiveUpAmongNullBuffers(E1000Model model) {
        try (Bench bench = new Bench(model)) {
            bench.openReceive(RING);
            for (int i = 0; i < 200; i++) {
                bench.ram.writeLong(RX_RING + 16L * i, 0);
            }
            bench.arrive(frame(MAC, 60));
            assertThat(bench.read(RDH)).isEqualTo(128);
            assertThat(bench.read(0x4010)).as("MPC").isEqualTo(1);
            bench.arrive(frame(MAC, 60));
            assertThat(bench.read(RDH)).isEqualTo(201);
            assertThat(bench.rxLength(200)).isEqualTo(60);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 16})
    @DisplayName("One poll handles sixteen descriptors for each frame of its budget, and goes on where it stopped")
    void shouldBoundDescriptorsPerPoll(int budget) {
        try (Bench bench = Bench.i82540em()) {
            bench.openTransmit(512);
            for (int i = 0; i < 500; i++) {
                bench.describe(i, TX_BUFFERS, legacy(i == 499 ? 60 : 0, i == 499 ? EOP | RS : RS));
            }
            bench.write(TDT, 500);
            int polls = 0;
            while (bench.device.workPending()) {
                int before = bench.read(TDH);
                bench.device.poll(budget);
                assertThat(bench.read(TDH) - before).isBetween(1, 16 * budget);
                polls++;
            }
            assertThat(polls).isEqualTo((500 + 16 * budget - 1) / (16 * budget));
            assertThat(bench.sent).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 31, 63})
    @DisplayName(
            "13.4 TXDCTL, RXDCTL: no threshold of write-back, prefetch or host ever holds a completion past the poll")
    void shouldWriteBackWhateverThresholds(int threshold) {
        for (E1000Model model : E1000Model.values()) {
            try (Bench bench = new Bench(model)) {
                bench.openTransmit(64);
                bench.openReceive(64);
                int all = threshold << 16 | threshold << 8 | threshold;
                for (int granularity : new int[] {0, 1 << 24}) {
                    bench.write(TXDCTL, all | granularity);
                    bench.write(0x2828, all | granularity);
                    int slot = bench.txTail;
                    bench.queue(frame(PEER, 60));
                    bench.kick();
                    assertThat(bench.txStatus(slot) & 1).isEqualTo(1);
                    bench.arrive(frame(MAC, 60));
                    assertThat(bench.rxStatus(slot) & 1).isEqualTo(1);
                    assertThat(bench.read(RDH)).isEqualTo(slot + 1);
                }
            }
        }
    }
}
