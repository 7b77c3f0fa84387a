package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the driver of MIT's xv6 net lab does to an 82540EM, access by access. */
class Xv6SequenceTest {
    private static final int RING = 16;
    private static final int MBUF = 2048;
    private static final long FRESH = 0x300000;

    private Bench bench;
    private DriverAccess access;

    @BeforeEach
    void open() {
        bench = new Bench(E1000Model.I82540EM);
        access = new DriverAccess(bench);
        bench.txSize = RING;
        bench.rxSize = RING;
        findDevice();
        initialize();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    /** The ECAM scan: vendor and device in one word, command 7, each BAR sized by ones and restored, BAR0 placed. */
    private void findDevice() {
        assertThat(bench.device.config().read(0, 4)).isEqualTo(0x100E_8086);
        bench.device.config().write(0x04, 4, 7);
        assertThat(bench.device.config().read(0x04, 2)).isEqualTo(7);
        for (int bar = 0; bar < 6; bar++) {
            access.sizeBar(bar, 0);
        }
        bench.device.config().write(0x10, 4, 0x4000_0000);
        assertThat(bench.device.config().read(0x10, 4)).isEqualTo(0x4000_0000);
    }

    private void initialize() {
        bench.write(IMS, 0);
        // Its constant for a reset is bit 22, a software defined pin: the device goes on as it is.
        bench.write(CTRL, bench.read(CTRL) | 0x0040_0000);
        assertThat(bench.read(CTRL) & 0x0040_0000).as("SWDPIO0").isNotZero();
        assertThat(bench.read(STATUS) & 3).as("full duplex, link").isEqualTo(3);
        bench.write(IMS, 0);
        for (int i = 0; i < RING; i++) {
            bench.describe(i, 0, 1L << 32);
        }
        bench.write(TDBAL, (int) TX_RING);
        bench.write(TDLEN, 16 * RING);
        bench.write(TDH, 0);
        bench.write(TDT, 0);
        access.fillReceiveRing(RING, MBUF);
        bench.write(RDBAL, (int) RX_RING);
        bench.write(RDH, 0);
        bench.write(RDT, RING - 1);
        bench.write(RDLEN, 16 * RING);
        bench.write(RAL, 0x1200_5452);
        bench.write(RAL + 4, 0x5634 | 1 << 31);
        for (int i = 0; i < 4096 / 32; i++) {
            bench.write(MTA + 4 * i, 0);
        }
        bench.write(TCTL, TX_EN | TX_PSP | 0x10 << 4 | 0x40 << 12);
        bench.write(0x410, 10 | 8 << 10 | 6 << 20);
        bench.write(RCTL, RX_EN | RX_BAM | RX_SECRC);
        bench.write(RDTR, 0);
        bench.write(RADV, 0);
        bench.write(IMS, 1 << 7);
    }

    /** The lab's transmit: the slot at TDT must be done; fill it; move TDT. */
    private boolean transmit(byte[] frame) {
        int slot = bench.read(TDT);
        if ((bench.txStatus(slot) & 1) == 0) {
            return false;
        }
        bench.ram.write(TX_BUFFERS + (long) MBUF * slot, frame, 0, frame.length);
        bench.describe(slot, TX_BUFFERS + (long) MBUF * slot, legacy(frame.length, EOP | RS));
        bench.write(TDT, (slot + 1) % RING);
        return true;
    }

    /** The lab's receive: from RDT + 1 on while DD; a fresh buffer each; RDT to the last one. */
    private int receive() {
        int frames = 0;
        for (int slot = (bench.read(RDT) + 1) % RING; (bench.rxStatus(slot) & 1) != 0; slot = (slot + 1) % RING) {
            assertThat(bench.rxStatus(slot) & 2).as("EOP").isEqualTo(2);
            bench.ram.writeLong(RX_RING + 16L * slot, FRESH + (long) MBUF * slot);
            bench.ram.writeByte(RX_RING + 16L * slot + 12, (byte) 0);
            bench.write(RDT, slot);
            frames++;
        }
        return frames;
    }

    @Test
    @DisplayName(
            "Transmit: DD of the slot at TDT is looked at, not TDH; fifty frames go round a ring of sixteen in order")
    void shouldTransmit() {
        for (int i = 0; i < 50; i++) {
            byte[] frame = frame(PEER, 60 + i);
            assertThat(transmit(frame)).as("slot is done").isTrue();
            bench.poll();
            assertThat(bench.sent.getLast()).isEqualTo(frame);
        }
        assertThat(bench.read(TDT)).isEqualTo(50 % RING);
        assertThat(bench.read(TDH)).isEqualTo(50 % RING);
    }

    @Test
    @DisplayName("Transmit: with the link out the ring fills, the next slot has no DD, and the driver gives up cleanly")
    void shouldSeeFullRing() {
        bench.device.setLink(false);
        for (int i = 0; i < RING; i++) {
            assertThat(transmit(frame(PEER, 60))).isTrue();
        }
        bench.poll();
        assertThat(transmit(frame(PEER, 60))).as("full").isFalse();
    }

    @Test
    @DisplayName("Transmit: a short ARP leaves padded to 60 bytes, since PSP is set")
    void shouldPadArp() {
        transmit(frame(BROADCAST, 42));
        bench.poll();
        assertThat(bench.sent.getFirst()).hasSize(60);
    }

    @Test
    @DisplayName("Interrupt: RXT0 at once as RDTR is 0; receive first, then the read of ICR, which lowers the line")
    void shouldReceiveByInterrupt() {
        for (int round = 0; round < 40; round++) {
            byte[] frame = frame(round % 2 == 0 ? MAC : BROADCAST, 60 + round);
            bench.arrive(frame);
            assertThat(bench.pin).as("round %d", round).isTrue();
            int slot = (bench.read(RDT) + 1) % RING;
            assertThat(bench.rxLength(slot)).as("SECRC: without FCS").isEqualTo(frame.length);
            long buffer = bench.ram.readLong(RX_RING + 16L * slot);
            byte[] bytes = new byte[frame.length];
            bench.ram.read(buffer, bytes, 0, bytes.length);
            assertThat(bytes).isEqualTo(frame);
            assertThat(receive()).isEqualTo(1);
            assertThat(bench.read(ICR) & 0x80).isEqualTo(0x80);
            assertThat(bench.pin).isFalse();
        }
    }

    @Test
    @DisplayName("Receive: fifteen frames fit (RDT is 15), a sixteenth waits, and the refill lets it in")
    void shouldReceiveBurst() {
        for (int i = 0; i < RING; i++) {
            bench.device.send(frame(MAC, 60), 0, 60);
        }
        bench.poll();
        assertThat(bench.rxStatus(RING - 1))
                .as("the slot at RDT is not the device's")
                .isZero();
        assertThat(receive()).isEqualTo(15);
        bench.poll();
        assertThat(receive()).isEqualTo(1);
        assertThat(bench.read(0x40A0)).as("RNBC").isEqualTo(1);
        assertThat(bench.read(0x4010)).as("MPC").isZero();
    }

    @Test
    @DisplayName("Receive: frames for others and multicast do not come in, the tables being clear")
    void shouldFilter() {
        bench.arrive(frame(PEER, 60));
        bench.arrive(frame(bytes("01005E000001"), 60));
        assertThat(receive()).isZero();
        assertThat(bench.pin).isFalse();
    }
}
