package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 82540 SDM 13.7. */
class E1000StatisticsTest {
    private static final byte[] GROUP = {0x01, 0x00, 0x5E, 0, 0, 1};
    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82540em();
        bench.openTransmit(64);
        bench.openReceive(64, RX_BAM | RX_MPE | RX_LPE | RX_SECRC);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @ParameterizedTest
    @CsvSource({
        "60,0x405C",
        "61,0x4060",
        "123,0x4060",
        "124,0x4064",
        "251,0x4064",
        "252,0x4068",
        "507,0x4068",
        "508,0x406C",
        "1019,0x406C",
        "1020,0x4070",
        "1518,0x4070",
        "4000,0x4070",
    })
    @DisplayName(
            "Sizes include the FCS: 64, 65-127, 128-255, 256-511, 512-1023, 1024 and up; PTC follows PRC 7Ch later")
    void shouldSortBySize(int length, String register) {
        int expected = Integer.decode(register);
        bench.arrive(frame(MAC, length));
        byte[] frame = frame(PEER, length);
        bench.ram.write(0x400000, frame, 0, length);
        bench.describe(0, 0x400000, legacy(length, EOP | IFCS | RS));
        bench.txTail = 1;
        bench.kick();
        for (int offset = 0x405C; offset <= 0x4070; offset += 4) {
            assertThat(bench.read(offset)).as("%x", offset).isEqualTo(offset == expected ? 1 : 0);
            assertThat(bench.read(offset + 0x7C)).as("%x", offset + 0x7C).isEqualTo(offset == expected ? 1 : 0);
        }
    }

    @Test
    @DisplayName("Frames and octets, by class, each register cleared by its own read")
    void shouldCountFramesAndOctets() {
        byte[][] destinations = {MAC, BROADCAST, GROUP};
        for (byte[] destination : destinations) {
            bench.arrive(frame(destination, 96));
            bench.queue(frame(destination == MAC ? PEER : destination, 96));
            bench.kick();
        }
        assertThat(bench.read(0x4074)).as("GPRC").isEqualTo(3);
        assertThat(bench.read(0x4074)).as("GPRC again").isZero();
        assertThat(bench.read(0x40D0)).as("TPR").isEqualTo(3);
        assertThat(bench.read(0x4078)).as("BPRC").isEqualTo(1);
        assertThat(bench.read(0x407C)).as("MPRC").isEqualTo(1);
        assertThat(bench.read(0x4080)).as("GPTC").isEqualTo(3);
        assertThat(bench.read(0x40D4)).as("TPT").isEqualTo(3);
        assertThat(bench.read(0x40F0)).as("MPTC").isEqualTo(1);
        assertThat(bench.read(0x40F4)).as("BPTC").isEqualTo(1);
        assertThat(bench.read(0x4090)).as("GOTCL").isEqualTo(300);
        assertThat(bench.read(0x40C8)).as("TOTL").isEqualTo(300);
        assertThat(bench.read(0x4088)).as("GORCL").isEqualTo(300);
    }

    @Test
    @DisplayName("64-bit pairs: low then high; the read of the high half clears both")
    void shouldClearPairByHighHalf() {
        bench.arrive(frame(MAC, 96));
        assertThat(bench.read(0x4088)).isEqualTo(100);
        assertThat(bench.read(0x4088)).as("not cleared by the low half").isEqualTo(100);
        assertThat(bench.read(0x408C)).isZero();
        assertThat(bench.read(0x4088)).isZero();
        assertThat(bench.read(0x40C0)).as("TORL is its own").isEqualTo(100);
        bench.arrive(frame(MAC, 96));
        assertThat(bench.device.readBar(0, 0x4088, 8)).as("one 8-byte access").isEqualTo(100);
        assertThat(bench.read(0x4088)).isZero();
    }

    @Test
    @DisplayName("A reset clears all of it; counters of the model go on")
    void shouldClearOnReset() {
        bench.arrive(frame(MAC, 96));
        bench.write(CTRL, 1 << 26);
        for (int offset = 0x4000; offset < 0x4100; offset += 4) {
            assertThat(bench.read(offset)).as("%x", offset).isZero();
        }
        assertThat(bench.device.counters().rxFrames()).isEqualTo(1);
    }

    @Test
    @DisplayName("What was read before a reset is not counted against what comes after it")
    void shouldCountFromZeroAfterReset() {
        for (int i = 0; i < 3; i++) {
            bench.arrive(frame(MAC, 96));
        }
        assertThat(bench.read(0x4074)).isEqualTo(3);
        bench.write(CTRL, 1 << 26);
        bench.openReceive(64);
        bench.arrive(frame(BROADCAST, 96));
        assertThat(bench.read(0x4074)).isEqualTo(1);
        assertThat(bench.read(0x40D0)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    @DisplayName("BPRC and BPTC count FF:FF:FF:FF:FF:FF only: a group address that differs in one byte is a multicast")
    void shouldTellBroadcastsFromMulticasts(int different) {
        byte[] group = BROADCAST.clone();
        group[different] = 0x7F;
        bench.arrive(frame(group, 96));
        bench.queue(frame(group, 96));
        bench.kick();
        assertThat(bench.read(0x4078)).as("BPRC").isZero();
        assertThat(bench.read(0x407C)).as("MPRC").isEqualTo(1);
        assertThat(bench.read(0x40F4)).as("BPTC").isZero();
        assertThat(bench.read(0x40F0)).as("MPTC").isEqualTo(1);
    }

    @Test
    @DisplayName("TPT and TOT count a PAUSE frame of ours, GPTC and GOTC do not")
    void shouldCountPauseFramesInTotalsOnly() {
        bench.set(CTRL, 1 << 28);
        bench.queue(frame(PEER, 96));
        bench.kick();
        bench.set(TCTL, 1 << 22);
        bench.poll();
        assertThat(bench.sent).hasSize(2);
        assertThat(bench.read(0x4054)).as("XOFFTXC").isEqualTo(1);
        assertThat(bench.read(0x4080)).as("GPTC").isEqualTo(1);
        assertThat(bench.read(0x40D4)).as("TPT").isEqualTo(2);
        assertThat(bench.read(0x4090)).as("GOTCL").isEqualTo(100);
        assertThat(bench.read(0x40C8)).as("TOTL").isEqualTo(164);
    }

    @Test
    @DisplayName("Statistics take no writes")
    void shouldIgnoreWrites() {
        bench.arrive(frame(MAC, 96));
        bench.write(0x4074, 0x55);
        assertThat(bench.read(0x4074)).isEqualTo(1);
    }
}
