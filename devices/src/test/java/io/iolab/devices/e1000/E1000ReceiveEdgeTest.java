package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
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
            assertThat(express.arrive(frame(bytes("023322114455"), 60)))
                    .as("RA[1] is gone")
                    .isEqualTo(Delivery.FILTERED);
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
            assertThat(express.ram.readShort(RX_RING + 12) & 0xFFFF)
                    .as("not cut: fills 128 bytes first")
                    .isEqualTo(128);
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
    @DisplayName(
            "82574 10.2 RAID: an acknowledgement interrupts after that delay, each one restarts it; MSI-X knows none")
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
            assertThat(express.device.nextDeadlineNanos())
                    .as("both delays dropped")
                    .isEqualTo(Long.MAX_VALUE);
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

    @Test
    @DisplayName("13.4 RDBAH, RDLEN, RDH: each takes effect by its own write, on either queue")
    void shouldFollowEveryRingRegister() {
        try (Bench express = Bench.i82574l()) {
            express.write(RFCTL, 1 << 15);
            express.write(RXCSUM, 1 << 13);
            for (int queue : new int[] {0, 0x100}) {
                express.write(MRQC, 0x0037_0001);
                for (int i = 0; i < 32; i++) {
                    express.write(0x5C00 + 4 * i, queue == 0 ? 0 : 0x8080_8080);
                }
                long before = express.device.counters().rxFrames();
                long faults = express.device.counters().ringFaults();
                express.ram.writeLong(RX_RING + 16, RX_BUFFERS);
                express.write(RDBAL + queue, (int) RX_RING);
                express.write(RDT + queue, 2);
                assertThat(express.device.counters().ringFaults())
                        .as("no length")
                        .isEqualTo(faults + 1);
                express.write(RDLEN + queue, 128);
                express.write(RDH + queue, 8);
                express.write(RDT + queue, 2);
                assertThat(express.device.counters().ringFaults())
                        .as("head beyond")
                        .isEqualTo(faults + 2);
                express.write(RDH + queue, 1);
                express.write(RDT + queue, 8);
                assertThat(express.device.counters().ringFaults())
                        .as("tail beyond")
                        .isEqualTo(faults + 3);
                express.write(RDBAH + queue, 1);
                express.write(RDT + queue, 2);
                express.write(RCTL, RX_EN | RX_SECRC);
                assertThat(express.arrive(TestFrames.goodTcp(10))).isEqualTo(Delivery.ACCEPTED);
                assertThat(express.device.counters().rxFrames())
                        .as("ring unreachable")
                        .isEqualTo(before);
                express.write(RDBAH + queue, 0);
                express.poll();
                assertThat(express.device.counters().rxFrames())
                        .as("queue %x", queue)
                        .isEqualTo(before + 1);
                assertThat(express.read(RDH + queue)).isEqualTo(2);
                express.write(RDBAL + queue, (int) RX_RING);
                assertThat(express.read(RDH + queue)).as("the head stays").isEqualTo(2);
                assertThat(express.device.counters().ringFaults()).isEqualTo(faults + 3);
            }
        }
    }

    @Test
    @DisplayName("What was filled before the layout changes is written back in the old one")
    void shouldFlushBeforeLayoutChanges() {
        try (Bench express = Bench.i82574l()) {
            express.openReceive(8);
            express.device.send(frame(MAC, 60), 0, 60);
            assertThat(express.rxStatus(0)).isZero();
            express.write(RFCTL, 1 << 15);
            assertThat(express.rxStatus(0) & 3).isEqualTo(3);
            assertThat(express.rxLength(0)).isEqualTo(60);
            express.arrive(frame(MAC, 61));
            assertThat(express.ram.readInt(RX_RING + 16 + 8) & 3).as("extended").isEqualTo(3);
            assertThat(express.ram.readShort(RX_RING + 16 + 12)).isEqualTo((short) 61);
        }
    }

    @Test
    @DisplayName(
            "82574 7.1: in a split frame over several descriptors hash, tag and EOP are in the last one; a unit is half of one")
    void shouldWriteLastSplitDescriptor() {
        try (Bench express = Bench.i82574l()) {
            express.write(RFCTL, 1 << 15);
            express.write(RXCSUM, 0x300);
            express.set(CTRL, 1 << 30);
            express.write(0x2170, 1 | 1 << 8);
            express.openReceive(16, RX_SECRC | RX_LPE | 1 << 10);
            for (int i = 0; i < 8; i++) {
                express.ram.writeLong(RX_RING + 32L * i, RX_BUFFERS + 0x1000L * i);
                express.ram.writeLong(RX_RING + 32L * i + 8, RX_BUFFERS + 0x1000L * i + 0x400);
            }
            byte[] plain = TestFrames.goodTcp(1500);
            byte[] tagged = new byte[plain.length + 4];
            System.arraycopy(plain, 0, tagged, 0, 12);
            System.arraycopy(bytes("81000123"), 0, tagged, 12, 4);
            System.arraycopy(plain, 12, tagged, 16, plain.length - 12);
            express.write(RDT, 14);
            express.arrive(tagged);
            assertThat(express.read(RDH)).isEqualTo(4);
            assertThat(express.ram.readInt(RX_RING + 4))
                    .as("no hash or checksum in the first")
                    .isZero();
            assertThat(express.ram.readInt(RX_RING + 8) & 0xFFFF).as("DD only").isEqualTo(1);
            assertThat(express.ram.readShort(RX_RING + 14))
                    .as("no tag in the first")
                    .isZero();
            assertThat(express.ram.readShort(RX_RING + 12)).isEqualTo((short) 54);
            assertThat(express.ram.readShort(RX_RING + 18)).isEqualTo((short) 1024);
            assertThat(express.ram.readInt(RX_RING + 32 + 4)).isNotZero();
            assertThat(express.ram.readInt(RX_RING + 32 + 8) & 0xB)
                    .as("DD, EOP, VP")
                    .isEqualTo(0xB);
            assertThat(express.ram.readShort(RX_RING + 32 + 14)).isEqualTo((short) 0x123);
            assertThat(express.ram.readShort(RX_RING + 32 + 18)).isEqualTo((short) (1500 - 1024));
            assertThat(express.device.counters().descriptorsFetched()).isEqualTo(7);
            assertThat(express.device.counters().descriptorsWrittenBack()).isEqualTo(2);
            express.write(RDT, 6);
            express.arrive(TestFrames.goodTcp(1100));
            assertThat(express.read(RDH))
                    .as("one descriptor of 1024 is too small: it waits")
                    .isEqualTo(4);
            express.write(RDT, 8);
            express.poll();
            assertThat(express.read(RDH)).isEqualTo(8);
        }
    }

    @Test
    @DisplayName("A write-back that memory refuses is counted; the head moves on as if it had worked")
    void shouldCountLostWriteBack() {
        boolean[] refuse = new boolean[1];
        try (Bench failing = new Bench(E1000Model.I82540EM, dma -> new RefusingDma(dma, refuse))) {
            failing.openReceive(8);
            failing.arrive(frame(MAC, 60));
            refuse[0] = true;
            failing.arrive(frame(MAC, 60));
            assertThat(failing.device.counters().dmaFaults()).isEqualTo(1);
            assertThat(failing.read(RDH)).isEqualTo(2);
            failing.openTransmit(8);
            failing.queue(frame(PEER, 60));
            failing.kick();
            assertThat(failing.device.counters().dmaFaults()).isEqualTo(2);
            assertThat(failing.sent).hasSize(1);
            assertThat(failing.read(TDH)).isEqualTo(1);
        }
    }

    /** Memory whose descriptors cannot be written while {@code refuse} is set. */
    private record RefusingDma(DmaPort port, boolean[] refuse) implements DmaPort {
        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            return port.read(iova, target, offset, length, kind);
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            return refuse[0] && kind == DmaKind.DESCRIPTOR
                    ? DmaFault.BEYOND_MEMORY
                    : port.write(iova, source, offset, length, kind);
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return port.loadShortAcquire(iova, kind);
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            return port.storeShortRelease(iova, value, kind);
        }
    }
}
