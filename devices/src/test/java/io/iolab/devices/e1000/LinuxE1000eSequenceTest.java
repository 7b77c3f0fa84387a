package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static io.iolab.devices.e1000.LinuxE1000e.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.pci.ConfigSpace;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What Linux's e1000e does to an 82574L with three vectors, in its order. */
class LinuxE1000eSequenceTest {
    private static final int PSRCTL = 0x2170;
    private static final int PMCSR = 0xCC;
    private static final int FPD = 1 << 31;

    private Bench bench;
    private LinuxE1000e driver;

    @BeforeEach
    void open() {
        bench = new Bench(E1000Model.I82574L);
        driver = new LinuxE1000e(bench);
        bench.device.config().write(0x04, 2, 0);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    @DisplayName("Probe: semaphores, master disable, reset, NVM by EERD, clock, PHY down while closed")
    void shouldProbe() {
        driver.probe();
        assertThat(bench.read(EXTCNF_CTRL) & 0x20).as("released").isZero();
        assertThat(bench.read(GCR) & (1 << 22 | 1 << 27)).isEqualTo(1 << 22 | 1 << 27);
        assertThat(bench.read(GCR2)).isEqualTo(1);
    }

    @Test
    @DisplayName("Open: vector 2 brings the link up; SYSTIM runs; EIAME leaves only the other bits unmasked")
    void shouldOpen() {
        driver.probe();
        driver.openInterface();
        driver.setUpClock();
        bench.now += 1000;
        assertThat((bench.read(0xB600) & 0xFFFF_FFFFL) >>> 18)
                .as("1 us in nanoseconds")
                .isEqualTo(1000);
        assertThat(bench.pin).as("never the pin").isFalse();
    }

    @Test
    @DisplayName(
            "Transmit: IDE delays nothing, vector 1 fires, DD of the EOP descriptor; IMS TXQ0 re-arms, ICS TXQ0 continues")
    void shouldTransmit() {
        driver.probe();
        driver.openInterface();
        for (int i = 0; i < 300; i++) {
            int slot = bench.txTail;
            byte[] frame = frame(PEER, 60 + i);
            bench.queue(frame, EOP | IFCS | RS | IDE);
            bench.write(TDT, bench.txTail);
            bench.poll();
            assertThat(bench.sent.getLast()).isEqualTo(frame);
            driver.expectVector(1);
            assertThat(bench.txStatus(slot) & 1).isEqualTo(1);
            assertThat(bench.read(IMS) & TXQ0).as("auto-masked").isZero();
            bench.write(IMS, TXQ0);
            assertThat(bench.messages).as("auto-cleared").isEmpty();
        }
        bench.write(ICS, TXQ0);
        driver.expectVector(1);
        bench.write(IMS, TXQ0);
    }

    @Test
    @DisplayName(
            "Transmit with checksum offload: a context with TUCSS and TUCSO only; DD without RS since IVAR bit 31 is set")
    void shouldInsertChecksum() {
        driver.probe();
        driver.openInterface();
        byte[] frame = TestFrames.tcpFrame(100);
        bench.ram.write(TX_BUFFERS, frame, 0, frame.length);
        bench.describe(0, TestFrames.context(0, 0, 0, 34, 50, 0), (long) (0x20 | 0x80) << 24);
        bench.describe(1, TX_BUFFERS, data(frame.length, EOP | IFCS | RS | IDE, 2, 0));
        bench.write(TDT, 2);
        bench.poll();
        assertThat(TestFrames.transportSum(bench.sent.getFirst())).isEqualTo(0xFFFF);
        assertThat(bench.txStatus(0) & 1).isEqualTo(1);
        driver.expectVector(1);
    }

    @Test
    @DisplayName("Receive: extended descriptors without CRC, status word, VLAN tag; vector 0; refill by sixteen")
    void shouldReceive() {
        driver.probe();
        driver.openInterface();
        bench.write(CTRL, bench.read(CTRL) | 1 << 30);
        int clean = 0;
        for (int i = 0; i < 600; i++) {
            boolean tagged = i % 5 == 0;
            byte[] frame = tagged ? TestFrames.tagged(0x2005, 100) : TestFrames.goodTcp(i);
            bench.arrive(frame);
            driver.expectVector(0);
            long at = RX_RING + 16L * clean;
            int status = bench.ram.readInt(at + 8);
            assertThat(status & 3).as("DD, EOP").isEqualTo(3);
            assertThat(status & 0x9700_0000).as("frame errors").isZero();
            assertThat(status & 8).as("VP").isEqualTo(tagged ? 8 : 0);
            assertThat(status & 0x60).as("TCPCS, IPCS").isEqualTo(tagged ? 0 : 0x60);
            int length = bench.ram.readShort(at + 12) & 0xFFFF;
            assertThat(length).isEqualTo(tagged ? 96 : Math.max(60, frame.length));
            assertThat(bench.ram.readShort(at + 14) & 0xFFFF).isEqualTo(tagged ? 0x2005 : 0);
            assertThat(bench.ram.readInt(at + 4))
                    .as("no hash: MRQC is not enabled")
                    .isZero();
            bench.ram.writeLong(at, RX_BUFFERS + 2048L * clean);
            bench.ram.writeLong(at + 8, 0);
            clean = (clean + 1) % RING;
            if (clean % 16 == 0) {
                bench.write(RDT, (clean + RING - 16) % RING);
            }
            assertThat(bench.read(IMS) & RXQ0).as("auto-masked").isZero();
            bench.write(IMS, RXQ0);
        }
        assertThat(bench.read(RDH)).isEqualTo(600 % RING);
    }

    @Test
    @DisplayName("EITR 195: frames within 49.92 us share a message; what is masked waits for IMS")
    void shouldModerate() {
        driver.probe();
        driver.openInterface();
        bench.arrive(frame(MAC, 60));
        assertThat(bench.messages).hasSize(1);
        bench.write(IMS, RXQ0);
        bench.arrive(frame(MAC, 60));
        assertThat(bench.messages).hasSize(1);
        bench.now += 195 * 256 - 1;
        bench.poll();
        assertThat(bench.messages).hasSize(1);
        bench.now++;
        bench.poll();
        assertThat(bench.messages).hasSize(2);
    }

    @Test
    @DisplayName(
            "Watchdog: link loss and return on vector 2; statistics; ICS RXQ0; FPD writes do no harm in MSI-X mode")
    void shouldWatch() {
        driver.probe();
        driver.openInterface();
        bench.device.setLink(false);
        driver.expectVector(2);
        driver.otherHandler(LSC);
        driver.phyRead(1);
        assertThat(driver.phyRead(1) & 4).isZero();
        bench.device.setLink(true);
        driver.expectVector(2);
        driver.otherHandler(LSC);
        driver.watchdogLinkUp();
        bench.arrive(frame(MAC, 60));
        driver.expectVector(0);
        bench.write(IMS, RXQ0);
        assertThat(bench.read(0x4074)).as("GPRC").isEqualTo(1);
        bench.write(ICS, RXQ0);
        driver.expectVector(0);
        bench.write(IMS, RXQ0);
        bench.write(TIDV, 8 | FPD);
        bench.write(RDTR, FPD);
        bench.read(STATUS);
        assertThat(bench.messages).isEmpty();
        assertThat(bench.read(TIDV)).isEqualTo(8);
        driver.phyRead(21);
        assertThat(bench.read(ICR) & 0x81).as("no TXDW, no RXT0").isZero();
    }

    @Test
    @DisplayName("The read of ICR by vector 2 wipes a queue cause that waits for EITR; posted again it is not lost")
    void shouldNotLoseQueueCause() {
        driver.probe();
        driver.openInterface();
        bench.arrive(frame(MAC, 60));
        bench.write(IMS, RXQ0);
        bench.arrive(frame(MAC, 60));
        assertThat(bench.messages).as("the second one is moderated").hasSize(1);
        bench.messages.clear();
        bench.device.setLink(false);
        assertThat(bench.messages).containsExactly(new Message(0xFEE0_0000L, 0x42));
        bench.messages.clear();
        driver.otherHandler(LSC | RXQ0);
        bench.now += 195 * 256;
        bench.poll();
        driver.expectVector(0);
    }

    @Test
    @DisplayName("MTU 9000: packet split, headers of 128 bytes and pages of 4096, RDT in units of sixteen bytes")
    void shouldReceiveJumboFrames() {
        driver.probe();
        driver.openInterface();
        bench.write(RCTL, 0);
        bench.write(PSRCTL, 1 | 4 << 8 | 4 << 16 | 4 << 24);
        bench.write(RCTL, RX_BAM | RX_SECRC | RX_LPE | 1 << 10);
        for (int i = 0; i < RING / 2; i++) {
            bench.ram.writeLong(RX_RING + 32L * i, 0x700000 + 128L * i);
            for (int page = 0; page < 3; page++) {
                bench.ram.writeLong(RX_RING + 32L * i + 8 * (page + 1), RX_BUFFERS + 4096L * (3 * i + page));
            }
        }
        bench.write(RDH, 0);
        bench.write(RDT, 2 * 100);
        bench.write(RCTL, bench.read(RCTL) | RX_EN);
        byte[] frame = TestFrames.goodTcp(8900);
        bench.arrive(frame);
        driver.expectVector(0);
        assertThat(bench.read(RDH)).isEqualTo(2);
        assertThat(bench.ram.readShort(RX_RING + 12) & 0xFFFF).as("header").isEqualTo(54);
        assertThat(bench.ram.readShort(RX_RING + 16) & 0xFFFF).as("HDRSP").isEqualTo(0x8036);
        assertThat(bench.ram.readShort(RX_RING + 18) & 0xFFFF).isEqualTo(4096);
        assertThat(bench.ram.readShort(RX_RING + 20) & 0xFFFF).isEqualTo(4096);
        assertThat(bench.ram.readShort(RX_RING + 22) & 0xFFFF).isEqualTo(8900 - 8192);
    }

    @Test
    @DisplayName("No FLR: a reset by PMCSR D3hot and back gives power-on state, and the driver can start over")
    void shouldStartOverAfterD3() {
        driver.probe();
        driver.openInterface();
        ConfigSpace config = bench.device.config();
        assertThat(config.read(0xE4, 4) >>> 28 & 1).as("DevCap.FLR").isZero();
        assertThat(config.read(PMCSR, 2) & 8).as("NoSoftReset").isZero();
        config.write(PMCSR, 2, 3);
        config.write(PMCSR, 2, 0);
        assertThat(bench.read(IMS)).isZero();
        assertThat(config.read(0xA2, 2) & 0x8000).isZero();
        driver.probe();
        driver.openInterface();
        bench.arrive(frame(MAC, 60));
        driver.expectVector(0);
    }
}
