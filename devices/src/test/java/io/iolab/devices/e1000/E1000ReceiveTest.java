package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 82540 SDM 3.2: descriptors, ring, packet buffer, interrupts. */
class E1000ReceiveTest {
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
    @DisplayName("3.2.3: data, length, DD and EOP; RDH moves; RXT0")
    void shouldStoreFrameInDescriptor() {
        bench.openReceive(8);
        byte[] frame = frame(MAC, 60);
        assertThat(bench.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.rxBytes(0, 60)).isEqualTo(frame);
        assertThat(bench.rxLength(0)).isEqualTo(60);
        assertThat(bench.rxStatus(0)).isEqualTo(DD_EOP | IXSM);
        assertThat(bench.rxErrors(0)).isZero();
        assertThat(bench.ram.readLong(RX_RING)).isEqualTo(RX_BUFFERS);
        assertThat(bench.read(RDH)).isEqualTo(1);
        assertThat(bench.read(ICR)).isEqualTo(0x80);
        assertThat(bench.rxStatus(1)).isZero();
    }

    @Test
    @DisplayName("13.4 RCTL.SECRC clear: the true FCS follows the data and counts in the length")
    void shouldAppendFcsUnlessStripped() {
        bench.openReceive(8, RX_BAM);
        byte[] frame = frame(MAC, 60);
        bench.arrive(frame);
        CRC32 crc = new CRC32();
        crc.update(frame);
        assertThat(bench.rxLength(0)).isEqualTo(64);
        assertThat(bench.ram.readInt(RX_BUFFERS + 60)).isEqualTo((int) crc.getValue());
    }

    @Test
    @DisplayName("Frames shorter than 60 bytes come padded")
    void shouldPadShortFrames() {
        bench.openReceive(8);
        bench.ram.fill(RX_BUFFERS, 2048, (byte) 0xAA);
        bench.arrive(frame(MAC, 14));
        assertThat(bench.rxLength(0)).isEqualTo(60);
        assertThat(bench.rxBytes(0, 60)).startsWith(frame(MAC, 14)).endsWith(new byte[46]);
        assertThat(bench.ram.readByte(RX_BUFFERS + 60)).isEqualTo((byte) 0xAA);
    }

    @Test
    @DisplayName("3.2.2: a long frame spans descriptors; only the last has EOP, and RDH passes all")
    void shouldSpanSeveralDescriptors() {
        bench.openReceive(16, RX_BAM | RX_SECRC | 3 << 16);
        byte[] frame = frame(MAC, 700);
        bench.arrive(frame);
        assertThat(bench.rxLength(0)).isEqualTo(256);
        assertThat(bench.rxStatus(0)).isEqualTo(1);
        assertThat(bench.rxStatus(1)).isEqualTo(1);
        assertThat(bench.rxLength(2)).isEqualTo(700 - 512);
        assertThat(bench.rxStatus(2) & DD_EOP).isEqualTo(DD_EOP);
        assertThat(bench.rxBytes(1, 256)).isEqualTo(Arrays.copyOfRange(frame, 256, 512));
        assertThat(bench.rxBytes(2, 188)).isEqualTo(Arrays.copyOfRange(frame, 512, 700));
        assertThat(bench.read(RDH)).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({
        "0,0,2048",
        "0,1,1024",
        "0,2,512",
        "0,3,256",
        "1,0,16384",
        "1,1,16384",
        "1,2,8192",
        "1,3,4096",
    })
    @DisplayName("13.4 RCTL.BSIZE and BSEX")
    void shouldUseBufferSize(int bsex, int bsize, int expected) {
        bench.openReceive(8, RX_BAM | RX_SECRC | RX_LPE | bsize << 16 | bsex << 25);
        for (int i = 0; i < 8; i++) {
            bench.ram.writeLong(RX_RING + 16L * i, 0x200000 + 0x8000L * i);
        }
        bench.arrive(frame(MAC, Math.min(expected + 1, 16380)));
        assertThat(bench.rxLength(0)).isEqualTo(Math.min(expected, 16380));
    }

    @Test
    @DisplayName("3.2.4: the ring wraps, and a burst over the wrap point arrives whole")
    void shouldWrapAroundTheRing() {
        bench.openReceive(8);
        for (int i = 0; i < 40; i++) {
            bench.arrive(frame(MAC, 60 + i));
            int index = i % 8;
            assertThat(bench.rxLength(index)).isEqualTo(60 + i);
            bench.ram.writeLong(RX_RING + 16L * index + 8, 0);
            bench.write(RDT, index);
            assertThat(bench.read(RDH)).isEqualTo((index + 1) % 8);
        }
        for (int i = 0; i < 7; i++) {
            byte[] frame = frame(MAC, 100 + i);
            bench.device.send(frame, 0, frame.length);
        }
        bench.poll();
        for (int i = 0; i < 7; i++) {
            assertThat(bench.rxLength(i)).isEqualTo(100 + i);
            assertThat(bench.rxStatus(i) & DD_EOP).isEqualTo(DD_EOP);
        }
        assertThat(bench.read(RDH)).isEqualTo(7);
    }

    @Test
    @DisplayName(
            "3.2.4: RDH equal to RDT means none free; frames wait in the packet buffer, RNBC counts, RDT lets them in")
    void shouldHoldFramesWithoutDescriptor() {
        bench.openReceive(8);
        bench.write(RDT, 0);
        for (int i = 0; i < 3; i++) {
            assertThat(bench.arrive(frame(MAC, 60 + i))).isEqualTo(Delivery.ACCEPTED);
        }
        assertThat(bench.read(RDH)).isZero();
        assertThat(bench.read(0x40A0)).as("RNBC").isEqualTo(3);
        assertThat(bench.read(0x4010)).as("MPC").isZero();
        assertThat(bench.device.workPending()).isFalse();

        bench.write(RDT, 2);
        assertThat(bench.device.workPending()).isTrue();
        assertThat(bench.poll()).isEqualTo(2);
        assertThat(bench.rxLength(0)).isEqualTo(60);
        assertThat(bench.rxLength(1)).isEqualTo(61);
        assertThat(bench.rxStatus(2)).as("the slot at RDT is software's").isZero();
        bench.write(RDT, 7);
        bench.poll();
        assertThat(bench.rxLength(2)).isEqualTo(62);
    }

    @Test
    @DisplayName("3.2.4, 13.7: a full packet buffer loses frames: MPC and RXO; what waited is not lost")
    void shouldOverrunWhenPacketBufferIsFull() {
        bench.write(PBA, 8);
        assertThat(bench.read(PBA)).as("the rest is transmit's").isEqualTo(56 << 16 | 8);
        bench.openReceive(8);
        bench.write(RDT, 0);
        bench.read(ICR);
        int stored = 0;
        while (bench.arrive(frame(MAC, 1000)) == Delivery.ACCEPTED) {
            stored++;
        }
        assertThat(stored).isBetween(7, 8);
        assertThat(bench.read(ICR) & 0x40).as("RXO").isNotZero();
        assertThat(bench.read(0x4010)).as("MPC").isEqualTo(1);
        assertThat(bench.read(0x40A0)).as("RNBC").isEqualTo(stored);
        bench.write(RDT, 7);
        assertThat(bench.poll()).isEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 64})
    @DisplayName("The packet buffer keeps order and content over many laps, whatever share of the memory it has")
    void shouldKeepOrderInPacketBuffer(int kilobytes) {
        bench.write(PBA, kilobytes);
        bench.openReceive(8);
        bench.write(RDT, 0);
        int whole = fill();
        drain();
        int sent = 0;
        int seen = 0;
        for (int lap = 0; lap < 200; lap++) {
            while (bench.arrive(frame(MAC, 60 + sent % 900)) == Delivery.ACCEPTED) {
                sent++;
            }
            int before = bench.read(RDH);
            bench.write(RDT, (before + 3) % 8);
            bench.poll();
            for (int i = before; i != bench.read(RDH); i = (i + 1) % 8) {
                int length = 60 + seen++ % 900;
                assertThat(bench.rxLength(i)).as("frame %d", seen).isEqualTo(length);
                assertThat(bench.rxBytes(i, length)).isEqualTo(frame(MAC, length));
            }
        }
        assertThat(seen).isGreaterThan(300);
        drain();
        bench.write(RDT, bench.read(RDH));
        assertThat(fill()).as("no room was lost on the way").isEqualTo(whole);
    }

    /** Sends frames until one is lost; without free descriptors that is what the packet buffer holds. */
    private int fill() {
        int frames = 0;
        while (bench.arrive(frame(MAC, 500)) == Delivery.ACCEPTED) {
            frames++;
        }
        return frames;
    }

    private void drain() {
        int moved;
        do {
            bench.write(RDT, (bench.read(RDH) + 7) % 8);
            moved = bench.poll();
        } while (moved > 0);
        bench.write(RDT, bench.read(RDH));
    }

    @Test
    @DisplayName("A frame that the whole ring could not hold is dropped as an overrun, and the next one comes in")
    void shouldDropFrameLargerThanRing() {
        bench.openReceive(8, RX_BAM | RX_SECRC | RX_LPE | 3 << 16);
        assertThat(bench.arrive(frame(MAC, 7 * 256 + 1))).isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.read(0x4010)).isEqualTo(1);
        bench.arrive(frame(MAC, 7 * 256));
        assertThat(bench.read(RDH)).isEqualTo(7);
    }

    @Test
    @DisplayName("10.4 of the lab's sheet: a descriptor with a null address is completed empty and skipped")
    void shouldSkipNullBuffer() {
        bench.openReceive(8);
        bench.ram.writeLong(RX_RING, 0);
        bench.arrive(frame(MAC, 60));
        assertThat(bench.rxStatus(0)).isEqualTo(1);
        assertThat(bench.rxLength(0)).isZero();
        assertThat(bench.rxLength(1)).isEqualTo(60);
        assertThat(bench.read(RDH)).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"RCTL,rxDisabled", "LINK,rxLinkDown", "MASTER,rxDisabled"})
    @DisplayName("3.2: nothing is received while the receiver, the link or bus mastering is off")
    void shouldIgnoreFramesWhenOff(String what, String counter) {
        bench.openReceive(8);
        switch (what) {
            case "RCTL" -> bench.write(RCTL, RX_BAM);
            case "LINK" -> bench.device.setLink(false);
            default -> bench.device.config().write(0x04, 2, 0x3);
        }
        assertThat(bench.arrive(frame(MAC, 60))).isEqualTo(Delivery.FILTERED);
        assertThat(bench.read(RDH)).isZero();
        E1000Counters counters = bench.device.counters();
        assertThat(counter.equals("rxDisabled") ? counters.rxDisabled() : counters.rxLinkDown())
                .isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "1518,0,true",
        "1519,0,false",
        "1519,0x20,true",
        "1519,0x4,true",
        "16380,0x20,true",
        "16381,0x20,false",
        "13,0,false"
    })
    @DisplayName("13.4 RCTL.LPE and SBP: 1522 bytes with FCS, or 16384; ROC and RUC count the rest")
    void shouldCheckLength(int length, String bits, boolean accepted) {
        bench.openReceive(16, RX_BAM | RX_SECRC | Integer.decode(bits));
        byte[] frame = new byte[length];
        System.arraycopy(MAC, 0, frame, 0, 6);
        assertThat(bench.arrive(frame)).isEqualTo(accepted ? Delivery.ACCEPTED : Delivery.FILTERED);
        assertThat(bench.read(0x40AC)).as("ROC").isEqualTo(!accepted && length > 100 ? 1 : 0);
        assertThat(bench.read(0x40A4)).as("RUC").isEqualTo(length < 14 ? 1 : 0);
    }

    @Test
    @DisplayName("3.2.7.1: RDTR delays RXT0 and restarts with each packet; RADV does not restart")
    void shouldDelayReceiveInterrupt() {
        bench.openReceive(16);
        bench.write(RDTR, 10);
        bench.write(RADV, 15);
        bench.write(IMS, 0x80);
        bench.arrive(frame(MAC, 60));
        assertThat(bench.rxStatus(0) & 1).as("written back at once").isEqualTo(1);
        assertThat(bench.read(ICR) & 0x80).isZero();
        bench.now += 8 * 1024;
        bench.arrive(frame(MAC, 60));
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 7 * 1024);
        bench.now += 7 * 1024;
        bench.poll();
        assertThat(bench.pin).isTrue();
        assertThat(bench.read(ICR)).isEqualTo(0x80);

        bench.arrive(frame(MAC, 60));
        assertThat(bench.pin).isFalse();
        bench.write(RDTR, 1 << 31 | 10);
        assertThat(bench.pin).as("FPD ends the delay").isTrue();
        assertThat(bench.read(RDTR)).as("FPD reads 0").isEqualTo(10);
    }

    @ParameterizedTest
    @CsvSource({"0,8", "1,12", "2,14"})
    @DisplayName("13.4 RCTL.RDMTS: RXDMT0 when free descriptors fall to 1/2, 1/4 or 1/8 of the ring")
    void shouldRaiseMinimumThreshold(int rdmts, int frames) {
        bench.openReceive(16, RX_BAM | RX_SECRC | rdmts << 8);
        int needed = 0;
        while ((bench.read(ICR) & 0x10) == 0) {
            bench.arrive(frame(MAC, 60));
            needed++;
        }
        // 15 descriptors are free at first.
        assertThat(needed).isEqualTo(frames - 1);
    }

    @Test
    @DisplayName("13.4 RSRPD: SRPD for packets of that size or less, FCS included; 0 switches it off")
    void shouldDetectSmallPackets() {
        bench.openReceive(8);
        bench.arrive(frame(MAC, 60));
        assertThat(bench.read(ICR) & 1 << 16).isZero();
        bench.write(0x2C00, 70);
        bench.arrive(frame(MAC, 67));
        assertThat(bench.read(ICR) & 1 << 16).isZero();
        bench.arrive(frame(MAC, 66));
        assertThat(bench.read(ICR) & 1 << 16).isNotZero();
    }

    @Test
    @DisplayName("An unreachable buffer loses its bytes and completes; an unreachable ring stops the queue")
    void shouldSurviveUnreachableMemory() {
        bench.openReceive(8);
        bench.ram.writeLong(RX_RING, 1L << 40);
        bench.arrive(frame(MAC, 60));
        assertThat(bench.rxStatus(0) & 1).isEqualTo(1);
        assertThat(bench.device.counters().rxUnreachable()).isEqualTo(1);

        bench.write(RDBAH, 1);
        assertThat(bench.read(RDH)).as("a new base leaves the head alone").isEqualTo(1);
        assertThat(bench.arrive(frame(MAC, 60))).isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.device.counters().dmaFaults()).isEqualTo(2);
        assertThat(bench.device.workPending()).isFalse();
        bench.write(RDBAH, 0);
        bench.write(RDT, 7);
        bench.poll();
        assertThat(bench.device.counters().rxFrames()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"1", "3"})
    @DisplayName(
            "13.4 RCTL.LBM: transmitted frames come back through the filters, link or not, and do not reach the wire")
    void shouldLoopBack(int lbm) {
        bench.device.setLink(false);
        bench.openReceive(8, RX_BAM | RX_SECRC | lbm << 6);
        bench.openTransmit(8);
        bench.queue(frame(MAC, 70));
        bench.queue(frame(PEER, 70));
        bench.kick();
        assertThat(bench.sent).isEmpty();
        assertThat(bench.read(RDH)).isEqualTo(1);
        assertThat(bench.rxBytes(0, 70)).isEqualTo(frame(MAC, 70));
        assertThat(bench.read(TDH)).isEqualTo(2);
    }
}
