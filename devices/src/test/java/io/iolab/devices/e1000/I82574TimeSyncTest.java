package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** 82574 datasheet 10.2: the IEEE 1588 clock and its time stamps. */
class I82574TimeSyncTest {
    private static final int SYSTIML = 0xB600;
    private static final int SYSTIMH = 0xB604;
    private static final int TIMINCA = 0xB608;
    private static final int TSYNCTXCTL = 0xB614;
    private static final int TXSTMPL = 0xB618;
    private static final int TXSTMPH = 0xB61C;
    private static final int TSYNCRXCTL = 0xB620;
    private static final int RXSTMPL = 0xB624;
    private static final int RXSTMPH = 0xB628;
    private static final int RXMTRL = 0xB634;
    private static final int RXUDP = 0xB638;
    private static final int VALID = 1;
    private static final int ENABLE = 0x10;
    /** 40 ns in units of 2^-18 ns, each clock: what Linux sets. */
    private static final int LINUX = 0x01A0_0000;

    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82574l();
        bench.write(RFCTL, 1 << 15);
        bench.openReceive(16, RX_BAM | RX_MPE | RX_SECRC);
        bench.openTransmit(8);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private long systim() {
        return bench.read(SYSTIML) & 0xFFFF_FFFFL | (long) bench.read(SYSTIMH) << 32;
    }

    @Test
    @DisplayName("TIMINCA: nanoseconds in units of 2^-18 when period 1 and 40 << 18 are set; period 0 stands still")
    void shouldRunSystemTime() {
        bench.now += 1_000_000;
        assertThat(systim()).isZero();
        bench.write(TIMINCA, LINUX);
        bench.now += 39;
        assertThat(systim()).isZero();
        bench.now++;
        assertThat(systim() >>> 18).isEqualTo(40);
        bench.now += 1_000_000_000 - 40;
        assertThat(systim() >>> 18).isEqualTo(1_000_000_000L);
        bench.write(TIMINCA, LINUX + 0x0100_0000);
        bench.now += 1_000_000_000;
        assertThat(systim() >>> 18).as("half as fast").isEqualTo(1_500_000_000L);
        bench.write(TIMINCA, 0);
        bench.now += 1_000_000_000;
        assertThat(systim() >>> 18).isEqualTo(1_500_000_000L);
    }

    @Test
    @DisplayName("SYSTIM is set half by half; a read of the low half latches the high one")
    void shouldLatchHighHalf() {
        bench.write(SYSTIML, 0xFFFF_FFFF);
        bench.write(SYSTIMH, 0x12);
        assertThat(bench.read(SYSTIMH)).isEqualTo(0x12);
        bench.write(TIMINCA, 0x0100_0001);
        assertThat(bench.read(SYSTIML)).isEqualTo(-1);
        bench.now += 40;
        assertThat(bench.read(SYSTIMH)).as("as of the low read").isEqualTo(0x12);
        assertThat(systim()).isEqualTo(0x13_0000_0000L);
        bench.write(CTRL, 1 << 26);
        assertThat(systim()).isZero();
    }

    private void sendStamped(int extended) {
        byte[] frame = frame(PEER, 60);
        bench.ram.write(TX_BUFFERS, frame, 0, 60);
        bench.describe(bench.txTail, TX_BUFFERS, data(60, EOP | IFCS | RS, 0, 0) | (long) extended << 32);
        bench.txTail++;
        bench.kick();
    }

    @Test
    @DisplayName("TSYNCTXCTL: the frame whose descriptor asks is stamped; the stamp stays until its high half is read")
    void shouldStampTransmitted() {
        bench.write(TIMINCA, 0x0100_0001);
        bench.now += 4000;
        sendStamped(0x10);
        assertThat(bench.read(TSYNCTXCTL)).as("disabled").isZero();
        bench.write(TSYNCTXCTL, ENABLE);
        sendStamped(0);
        assertThat(bench.read(TSYNCTXCTL)).as("not asked for").isEqualTo(ENABLE);
        sendStamped(0x10);
        assertThat(bench.read(TSYNCTXCTL)).isEqualTo(ENABLE | VALID);
        bench.now += 4000;
        sendStamped(0x10);
        assertThat(bench.read(TXSTMPL)).as("the older one").isEqualTo(100);
        assertThat(bench.read(TSYNCTXCTL)).isEqualTo(ENABLE | VALID);
        assertThat(bench.read(TXSTMPH)).isZero();
        assertThat(bench.read(TSYNCTXCTL)).isEqualTo(ENABLE);
        sendStamped(0x10);
        assertThat(bench.read(TXSTMPL)).isEqualTo(200);
        bench.write(TSYNCTXCTL, 0);
        assertThat(bench.read(TSYNCTXCTL)).as("a write leaves VALID alone").isEqualTo(VALID);
        assertThat(bench.sent).hasSize(5);
    }

    private static byte[] layer2(int message) {
        byte[] frame = frame(bytes("011B19000000"), 80);
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xF7;
        frame[14] = (byte) (0xA0 | message);
        return frame;
    }

    private static byte[] layer4(int port, int message, int control) {
        byte[] frame = frame(MAC, 90);
        byte[] header = bytes("0800 45000000 00000000 40110000 0A000001 0A000002 0000");
        System.arraycopy(header, 0, frame, 12, header.length);
        frame[36] = (byte) (port >> 8);
        frame[37] = (byte) port;
        frame[42] = (byte) message;
        frame[42 + 32] = (byte) control;
        return frame;
    }

    @ParameterizedTest
    @CsvSource({
        // type, layer 2 message 1, layer 2 message 2, layer 4 message 1 control 5, layer 4 message 1 control 6, other
        // port
        "0,true,false,false,false,false",
        "1,false,false,true,false,false",
        "2,true,false,true,true,false",
        "3,false,false,false,false,false",
        "4,true,true,true,true,true",
        "5,true,true,true,true,false",
    })
    @DisplayName(
            "TSYNCRXCTL type: by EtherType or UDP port, and message type, as RXMTRL and RXUDP say; TST tells software")
    void shouldStampReceived(int type, boolean two1, boolean two2, boolean four5, boolean four6, boolean other) {
        bench.write(RXMTRL, 0x0105_88F7);
        bench.write(RXUDP, 319);
        bench.write(TSYNCRXCTL, ENABLE | type << 1);
        byte[][] frames = {layer2(1), layer2(2), layer4(319, 1, 5), layer4(319, 1, 6), layer4(320, 1, 5)};
        boolean[] stamped = {two1, two2, four5, four6, other};
        for (int i = 0; i < frames.length; i++) {
            bench.arrive(frames[i]);
            assertThat(bench.ram.readInt(RX_RING + 16L * i + 8) >> 8 & 1)
                    .as("frame %d", i)
                    .isEqualTo(stamped[i] ? 1 : 0);
            assertThat(bench.read(TSYNCRXCTL)).isEqualTo(ENABLE | type << 1 | (stamped[i] ? VALID : 0));
            bench.read(RXSTMPH);
        }
    }

    @Test
    @DisplayName("Event messages are 0 to 3; a stamp that was not read is kept, and the next frame has none")
    void shouldKeepOldStamp() {
        bench.write(TIMINCA, 0x0100_0001);
        bench.write(TSYNCRXCTL, ENABLE | 5 << 1);
        bench.now += 40 * 7;
        bench.arrive(layer2(4));
        assertThat(bench.read(TSYNCRXCTL) & VALID).isZero();
        bench.arrive(layer2(3));
        bench.now += 40;
        bench.arrive(layer2(0));
        assertThat(bench.ram.readInt(RX_RING + 16 + 8) >> 8 & 1).isEqualTo(1);
        assertThat(bench.ram.readInt(RX_RING + 32 + 8) >> 8 & 1).isZero();
        assertThat(bench.read(RXSTMPL)).isEqualTo(7);
        bench.write(TSYNCRXCTL, 5 << 1);
        bench.read(RXSTMPH);
        bench.arrive(layer2(0));
        assertThat(bench.read(TSYNCRXCTL)).as("disabled").isEqualTo(5 << 1);
    }

    @Test
    @DisplayName("What only looks like a datagram is none")
    void shouldSurviveOddHeaders() {
        bench.write(RXUDP, 319);
        bench.write(TSYNCRXCTL, ENABLE | 2 << 1);
        bench.write(RXMTRL, 0x0100_88F7);
        byte[] version = layer4(319, 1, 0);
        version[14] = 0x65;
        byte[] tcp = layer4(319, 1, 0);
        tcp[23] = 6;
        byte[] longHeader = layer4(319, 1, 0);
        longHeader[14] = 0x4F;
        byte[] cut = java.util.Arrays.copyOf(layer4(319, 1, 0), 60);
        cut[14] = 0x4F;
        for (byte[] frame : new byte[][] {version, tcp, longHeader, cut}) {
            bench.arrive(frame);
            assertThat(bench.read(TSYNCRXCTL) & VALID).isZero();
        }
        byte[] options = new byte[94];
        byte[] plain = layer4(319, 1, 0);
        System.arraycopy(plain, 0, options, 0, 34);
        System.arraycopy(plain, 34, options, 38, 56);
        options[14] = 0x46;
        bench.arrive(options);
        assertThat(bench.read(TSYNCRXCTL) & VALID).as("with one option").isEqualTo(VALID);
    }
}
