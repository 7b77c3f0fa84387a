package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The receiver between two states: resets, changed layouts, delays that end early, frames that wait, what is counted. */
class E1000ReceiveEdgeTest {
    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82540em();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private E1000Counters counters() {
        return bench.device.counters();
    }

    private int fcsAt(long iova) {
        return bench.ram.readInt(iova);
    }

    private static int fcs(byte[] frame) {
        CRC32 crc = new CRC32();
        crc.update(frame);
        return (int) crc.getValue();
    }

    @Test
    @DisplayName("3.2.7.1: FPD writes back what is pending and ends the delay; a plain write of RDTR does neither")
    void shouldFlushByRdtr() {
        bench.openReceive(16);
        bench.write(RDTR, 1 << 31 | 10);
        assertThat(bench.read(ICR)).as("nothing runs").isZero();
        bench.arrive(frame(MAC, 60));
        bench.device.send(frame(MAC, 60), 0, 60);
        assertThat(bench.rxStatus(1)).isZero();
        bench.write(RDTR, 10);
        assertThat(bench.read(ICR) & 0x80).isZero();
        bench.write(RDTR, 1 << 31 | 10);
        assertThat(bench.rxStatus(1) & 1).isEqualTo(1);
        assertThat(bench.read(ICR) & 0x80).isEqualTo(0x80);
    }

    @Test
    @DisplayName("RXDMT0 is not delayed by RDTR; the delay is counted as moderation and ends by a reset")
    void shouldRaiseThresholdAtOnce() {
        bench.openReceive(8);
        bench.write(RDT, 3);
        bench.write(RDTR, 1000);
        bench.arrive(frame(MAC, 60));
        assertThat(bench.read(ICR)).isEqualTo(0x10);
        assertThat(counters().moderated()).isEqualTo(1);
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 1000 * 1024);
        bench.write(CTRL, 1 << 26);
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @DisplayName("13.4 CTRL.RST: rings, waiting frames, filters, layout and buffer size start over")
    void shouldForgetByReset() {
        try (Bench express = Bench.i82574l()) {
            express.write(RFCTL, 1 << 15);
            express.write(RAL + 8, 0x1122_3302);
            express.write(RAH + 8, 1 << 31 | 0x5544);
            express.openReceive(8, RX_BAM | RX_SECRC | 3 << 16);
            express.arrive(frame(MAC, 60));
            express.write(RDT, 1);
            express.arrive(frame(MAC, 60));
            assertThat(express.device.counters().rxWaited()).isEqualTo(1);
            assertThat(express.read(RDH)).isEqualTo(1);
            express.write(CTRL, 1 << 26);
            assertThat(express.read(RDH)).isZero();
            express.openReceive(8);
            express.poll();
            assertThat(express.read(RDH)).as("nothing waited").isZero();
            assertThat(express.arrive(frame(bytes("023322114455"), 60))).as("RA[1] is gone").isEqualTo(Delivery.FILTERED);
            express.arrive(frame(MAC, 1000));
            assertThat(express.rxStatus(0)).as("legacy again, one buffer").isEqualTo(0x3);
            assertThat(express.rxLength(0)).isEqualTo(1000);
        }
    }

    @Test
    @DisplayName("82574 PSRCTL may be written last")
    void shouldFollowSplitSizes() {
        try (Bench express = Bench.i82574l()) {
            express.write(RFCTL, 1 << 15);
            express.openReceive(16, RX_SECRC | 1 << 10);
            for (int i = 0; i < 4; i++) {
                express.ram.writeLong(RX_RING + 8 * i, RX_BUFFERS + 0x4000L * i);
            }
            express.write(0x2170, 2 | 1 << 8);
            express.arrive(TestFrames.goodTcp(100));
            assertThat(express.ram.readShort(RX_RING + 12) & 0xFFFF).isEqualTo(54);
            express.write(CTRL, 1 << 26);
            express.write(RFCTL, 1 << 15);
            express.openReceive(16, RX_SECRC | 1 << 10);
            for (int i = 0; i < 4; i++) {
                express.ram.writeLong(RX_RING + 8 * i, RX_BUFFERS + 0x4000L * i);
            }
            express.write(0x2170, 1 | 1 << 8);
            byte[] frame = frame(MAC, 500);
            express.arrive(frame);
            assertThat(express.ram.readShort(RX_RING + 12) & 0xFFFF).as("not cut: fills 128 bytes first").isEqualTo(128);
            assertThat(express.ram.readShort(RX_RING + 18) & 0xFFFF).isEqualTo(372);
        }
    }

    @Test
    @DisplayName("Short frames are padded with zeros, not with the frame before; the FCS is that of each frame")
    void shouldPadWithZeros() {
        bench.openReceive(8, RX_BAM);
        byte[] first = frame(MAC, 70);
        bench.arrive(first);
        assertThat(bench.rxBytes(0, 70)).isEqualTo(first);
        assertThat(fcsAt(RX_BUFFERS + 70)).isEqualTo(fcs(first));
        assertThat(bench.arrive(frame(MAC, 20))).isEqualTo(Delivery.ACCEPTED);
        byte[] padded = java.util.Arrays.copyOf(frame(MAC, 20), 60);
        assertThat(bench.rxBytes(1, 60)).isEqualTo(padded);
        assertThat(fcsAt(RX_BUFFERS + RX_BUFFER + 60)).isEqualTo(fcs(padded));
        assertThat(bench.rxLength(1)).isEqualTo(64);
        bench.arrive(frame(MAC, 60));
        assertThat(bench.rxBytes(2, 60)).isEqualTo(frame(MAC, 60));
    }

    @Test
    @DisplayName("Counters: frames, bytes, what waited, what was lost, what was too long, exactly")
    void shouldCount() {
        bench.openReceive(8);
        bench.arrive(frame(MAC, 100));
        assertThat(counters().rxFrames()).isEqualTo(1);
        assertThat(counters().rxBytes()).isEqualTo(100);
        assertThat(counters().descriptorFetches()).isEqualTo(1);
        assertThat(counters().descriptorsFetched()).isEqualTo(7);
        assertThat(counters().writeBacks()).isEqualTo(1);
        assertThat(counters().descriptorsWrittenBack()).isEqualTo(1);
        bench.arrive(frame(MAC, 1600));
        assertThat(counters().rxBadLength()).isEqualTo(1);
        bench.arrive(frame(PEER, 100));
        assertThat(counters().rxFiltered()).isEqualTo(1);
        bench.write(RDT, 1);
        bench.arrive(frame(MAC, 100));
        assertThat(counters().rxWaited()).isEqualTo(1);
        bench.write(PBA, 0);
        assertThat(bench.arrive(frame(MAC, 100))).isEqualTo(Delivery.DROPPED);
        assertThat(counters().rxOverruns()).isEqualTo(1);
        bench.write(RCTL, 0);
        bench.arrive(frame(MAC, 100));
        assertThat(counters().rxDisabled()).isEqualTo(1);
        bench.device.setLink(false);
        bench.arrive(frame(MAC, 100));
        assertThat(counters().rxLinkDown()).isEqualTo(1);
        bench.write(CTRL, 1 << 26);
        assertThat(counters().resets()).as("power-on and this").isEqualTo(2);
    }

    @Test
    @DisplayName("82574 10.2 RAID: an acknowledgement interrupts after that delay, each one restarts it; MSI-X knows none")
    void shouldDelayAcknowledgements() {
        try (Bench express = Bench.i82574l()) {
            express.openReceive(8);
            byte[] ack = TestFrames.goodTcp(0);
            express.arrive(ack);
            assertThat(express.read(ICR) & 1 << 17).as("RAID 0").isNotZero();
            express.write(0x2C08, 10);
            express.arrive(ack);
            assertThat(express.read(ICR) & 1 << 17).isZero();
            assertThat(express.device.nextDeadlineNanos()).isEqualTo(express.now + 10 * 1024);
            express.now += 10 * 1024 - 1;
            express.poll();
            assertThat(express.read(ICR) & 1 << 17).isZero();
            express.now++;
            express.poll();
            assertThat(express.read(ICR) & 1 << 17).isNotZero();
            express.arrive(ack);
            express.write(RDTR, 100);
            express.arrive(ack);
            express.device.config().write(0xA2, 2, 0x8000);
            assertThat(express.device.nextDeadlineNanos()).as("both delays dropped").isEqualTo(Long.MAX_VALUE);
            express.arrive(ack);
            assertThat(express.read(ICS) & 1 << 17).as("at once").isNotZero();
            express.device.config().write(0xA2, 2, 0);
            express.write(0x2C08, 10);
            express.read(ICR);
            express.arrive(ack);
            express.write(CTRL, 1 << 26);
            assertThat(express.device.nextDeadlineNanos()).as("reset").isEqualTo(Long.MAX_VALUE);
        }
    }

    @Test
    @DisplayName("A poll moves as many waiting frames as its budget says, in order, and none twice")
    void shouldDrainByBudget() {
        bench.openReceive(16);
        bench.write(RDT, 0);
        for (int i = 0; i < 5; i++) {
            byte[] frame = frame(MAC, 60 + i);
            bench.device.send(frame, 0, frame.length);
        }
        bench.write(RDT, 15);
        assertThat(bench.device.poll(2)).isEqualTo(2);
        assertThat(bench.read(RDH)).isEqualTo(2);
        assertThat(bench.device.workPending()).isTrue();
        assertThat(bench.device.poll(2)).isEqualTo(2);
        assertThat(bench.device.poll(2)).isEqualTo(1);
        assertThat(bench.device.workPending()).isFalse();
        for (int i = 0; i < 5; i++) {
            assertThat(bench.rxLength(i)).isEqualTo(60 + i);
        }
    }
}
