package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static io.iolab.devices.e1000.TestFrames.*;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** 82540 SDM 3.5 and 9.2: checksum insertion by both descriptor forms, VLAN insertion. */
class E1000TransmitOffloadTest {
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
    @DisplayName("3.5: IC inserts the complement of the sum of [CSS, end] at CSO")
    void shouldInsertLegacyChecksum() {
        byte[] frame = frame(PEER, 60);
        frame[20] = 0;
        frame[21] = 0;
        bench.ram.write(TX_BUFFERS, frame, 0, 60);
        bench.describe(0, TX_BUFFERS, legacy(60, EOP | IFCS | RS | IC, 0, 14, 20));
        bench.txTail = 1;
        bench.kick();
        byte[] out = bench.sent.getFirst();
        assertThat(onesSum(out, 14, 60)).isEqualTo(0xFFFF);
        assertThat(out[20] | out[21]).isNotZero();
    }

    @Test
    @DisplayName("3.5: a checksum field beyond the packet is not written")
    void shouldNotInsertChecksumBeyondPacket() {
        byte[] frame = frame(PEER, 60);
        bench.ram.write(TX_BUFFERS, frame, 0, 60);
        for (int cso : new int[] {59, 60, 255}) {
            bench.describe(bench.txTail, TX_BUFFERS, legacy(60, EOP | IFCS | RS | IC, 0, 14, cso));
            bench.txTail++;
        }
        bench.kick();
        assertThat(bench.sent).hasSize(3).allSatisfy(out -> assertThat(out).isEqualTo(frame));
    }

    @Test
    @DisplayName(
            "3.3.6, 3.5: context and data descriptors insert IP and TCP checksums; xxCSE 0 means the end of the packet")
    void shouldInsertChecksumsByContext() {
        byte[] frame = tcpFrame(20);
        bench.ram.write(TX_BUFFERS, frame, 0, frame.length);
        bench.describe(0, context(14, 24, 33, 34, 50, 0), 3L << 24 | (long) DEXT << 24);
        bench.describe(1, TX_BUFFERS, data(frame.length, EOP | IFCS | RS, 3, 0));
        bench.txTail = 2;
        bench.kick();
        byte[] out = bench.sent.getFirst();
        assertThat(onesSum(out, 14, 34)).isEqualTo(0xFFFF);
        assertThat(transportSum(out)).isEqualTo(0xFFFF);
        assertThat(bench.txStatus(0)).as("context without RS").isZero();
        assertThat(bench.txStatus(1)).isEqualTo(1);
    }

    @Test
    @DisplayName("3.3.7: POPTS come from the first data descriptor of a packet")
    void shouldTakeOptionsFromFirstDataDescriptor() {
        byte[] frame = tcpFrame(20);
        bench.ram.write(TX_BUFFERS, frame, 0, frame.length);
        bench.describe(0, context(14, 24, 33, 34, 50, 0), 3L << 24 | (long) DEXT << 24 | (long) RS << 24);
        bench.describe(1, TX_BUFFERS, data(40, IFCS, 3, 0));
        bench.describe(2, TX_BUFFERS + 40, data(frame.length - 40, EOP | IFCS | RS, 0, 0));
        bench.describe(3, TX_BUFFERS, data(40, IFCS, 0, 0));
        bench.describe(4, TX_BUFFERS + 40, data(frame.length - 40, EOP | IFCS | RS, 3, 0));
        bench.txTail = 5;
        bench.kick();
        assertThat(onesSum(bench.sent.get(0), 14, 34)).isEqualTo(0xFFFF);
        assertThat(bench.sent.get(1)).isEqualTo(frame);
        assertThat(bench.txStatus(0)).as("context with RS").isEqualTo(1);
    }

    @Test
    @DisplayName("3.5: a sum whose complement is 0 is written as FFFFh")
    void shouldNeverWriteZeroChecksum() {
        byte[] frame = frame(PEER, 60);
        java.util.Arrays.fill(frame, 14, 60, (byte) 0);
        frame[14] = (byte) 0xFF;
        frame[15] = (byte) 0xFF;
        bench.ram.write(TX_BUFFERS, frame, 0, 60);
        bench.describe(0, TX_BUFFERS, legacy(60, EOP | IFCS | RS | IC, 0, 14, 20));
        bench.txTail = 1;
        bench.kick();
        assertThat(bench.sent.getFirst()[20]).isEqualTo((byte) 0xFF);
        assertThat(bench.sent.getFirst()[21]).isEqualTo((byte) 0xFF);
    }

    @Test
    @DisplayName("9.2: VLE inserts VET and the special field behind the addresses while CTRL.VME is set")
    void shouldInsertVlanTag() {
        bench.write(VET, 0x8100);
        byte[] frame = frame(PEER, 60);
        bench.ram.write(TX_BUFFERS, frame, 0, 60);
        bench.describe(0, TX_BUFFERS, legacy(60, EOP | IFCS | RS | VLE, 0x2123, 0, 0));
        bench.txTail = 1;
        bench.kick();
        assertThat(bench.sent.getFirst()).as("VME clear").isEqualTo(frame);

        bench.set(CTRL, 1 << 30);
        bench.describe(1, TX_BUFFERS, data(60, EOP | IFCS | RS | VLE, 0, 0x2123));
        bench.describe(2, TX_BUFFERS, legacy(60, EOP | IFCS | RS | VLE, 0x0FFF, 0, 0));
        bench.txTail = 3;
        bench.kick();
        byte[] out = bench.sent.get(1);
        assertThat(out).hasSize(64).startsWith(java.util.Arrays.copyOf(frame, 12));
        assertThat(java.util.Arrays.copyOfRange(out, 12, 16)).isEqualTo(bytes("81002123"));
        assertThat(java.util.Arrays.copyOfRange(out, 16, 64)).isEqualTo(java.util.Arrays.copyOfRange(frame, 12, 60));
        assertThat(java.util.Arrays.copyOfRange(bench.sent.get(2), 12, 16)).isEqualTo(bytes("81000FFF"));
    }
}
