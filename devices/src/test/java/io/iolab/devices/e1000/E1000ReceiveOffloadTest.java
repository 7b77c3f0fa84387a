package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static io.iolab.devices.e1000.TestFrames.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** 82540 SDM 3.2.9 and 9.2: what the receiver finds out about a frame, and the tag it takes off. */
class E1000ReceiveOffloadTest {
    private static final int DD_EOP = 0x3;
    private static final int IXSM = 0x4;
    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82540em();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    @DisplayName("9.2: with CTRL.VME the tag goes to the special field and VP is set")
    void shouldStripVlanTag() {
        bench.write(VET, 0x8100);
        bench.openReceive(8);
        byte[] tagged = tagged(0x2123, 80);
        bench.arrive(tagged);
        assertThat(bench.rxLength(0)).isEqualTo(80);
        assertThat(bench.rxStatus(0) & 8).as("VP without VME").isZero();

        bench.set(CTRL, 1 << 30);
        bench.arrive(tagged);
        assertThat(bench.rxLength(1)).isEqualTo(76);
        assertThat(bench.rxStatus(1) & 8).isEqualTo(8);
        assertThat(bench.rxSpecial(1)).isEqualTo(0x2123);
        assertThat(bench.rxBytes(1, 12)).isEqualTo(Arrays.copyOf(tagged, 12));
        assertThat(Arrays.copyOfRange(bench.rxBytes(1, 76), 12, 76)).isEqualTo(Arrays.copyOfRange(tagged, 16, 80));

        bench.write(RCTL, RX_EN | RX_BAM);
        bench.arrive(tagged);
        CRC32 crc = new CRC32();
        crc.update(tagged);
        assertThat(bench.rxLength(2)).isEqualTo(80);
        assertThat(bench.ram.readInt(RX_BUFFERS + 2 * RX_BUFFER + 76)).isEqualTo((int) crc.getValue());
    }

    @Test
    @DisplayName("3.2.9: RXCSUM verifies IPv4 headers and TCP; errors are reported, the frame is delivered")
    void shouldVerifyChecksums() {
        bench.openReceive(16);
        byte[] good = goodTcp(21);
        bench.arrive(good);
        assertThat(bench.rxStatus(0)).as("offload off").isEqualTo(DD_EOP | IXSM);

        bench.write(RXCSUM, 0x300);
        bench.arrive(good);
        assertThat(bench.rxStatus(1)).isEqualTo(DD_EOP | 0x60);
        assertThat(bench.rxErrors(1)).isZero();

        byte[] badIp = good.clone();
        badIp[22]++;
        bench.arrive(badIp);
        assertThat(bench.rxErrors(2)).as("IPE").isEqualTo(0x40);
        byte[] badTcp = good.clone();
        badTcp[60]++;
        bench.arrive(badTcp);
        assertThat(bench.rxErrors(3)).as("TCPE").isEqualTo(0x20);

        bench.write(RXCSUM, 0x100);
        bench.arrive(badTcp);
        assertThat(bench.rxStatus(4)).isEqualTo(DD_EOP | 0x40);
        assertThat(bench.rxErrors(4)).isZero();
        bench.write(RXCSUM, 0x300);
        bench.arrive(frame(MAC, 60));
        assertThat(bench.rxStatus(5)).as("not IP: nothing checked").isEqualTo(DD_EOP | IXSM);
        byte[] fragment = good.clone();
        fragment[20] = 0x20;
        fixIp(fragment);
        bench.arrive(fragment);
        assertThat(bench.rxStatus(6)).as("fragment: header only").isEqualTo(DD_EOP | 0x40);
    }

    @Test
    @DisplayName("3.2.3.2: the packet checksum is the sum from PCSS to the end, in the first descriptor")
    void shouldReportPacketChecksum() {
        bench.write(RXCSUM, 14);
        bench.openReceive(8);
        byte[] frame = frame(MAC, 77);
        bench.arrive(frame);
        assertThat(bench.rxChecksum(0)).isEqualTo(onesSum(frame, 14, 77));
        bench.set(CTRL, 1 << 30);
        bench.write(RXCSUM, 3);
        byte[] tagged = tagged(0x123, 81);
        bench.arrive(tagged);
        assertThat(bench.rxChecksum(1)).as("tag stripped").isEqualTo(onesSum(bench.rxBytes(1, 77), 3, 77));
        bench.write(RCTL, RX_EN | RX_BAM);
        bench.arrive(tagged);
        assertThat(bench.rxChecksum(2)).as("FCS kept").isEqualTo(onesSum(bench.rxBytes(2, 81), 3, 81));
        bench.arrive(frame(MAC, 20));
        assertThat(bench.rxChecksum(3)).as("padded").isEqualTo(onesSum(bench.rxBytes(3, 64), 3, 64));
    }
}
