package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What FreeBSD's em does with the shared code to both parts, in its order. */
class FreeBsdEmSequenceTest {
    private static final int RING = 256;
    private static final int MANC = 0x5820;
    private Bench bench;
    private DriverAccess access;

    @AfterEach
    void close() {
        bench.close();
    }

    private void attach(E1000Model model) {
        bench = new Bench(model);
        access = new DriverAccess(bench);
        bench.txSize = RING;
        bench.rxSize = RING;
    }

    private void initializeTransmitUnit() {
        bench.write(TDLEN, 16 * RING);
        bench.write(TDBAH, 0);
        bench.write(TDBAL, (int) TX_RING);
        bench.write(TDT, 0);
        bench.write(TDH, 0);
        bench.write(0x410, 0x0060_2008);
        bench.write(TIDV, 64);
        bench.write(TADV, 64);
        bench.write(TCTL, TX_PSP | TX_EN | 15 << 4 | 1 << 24 | 0x40 << 12);
    }

    /** The descriptor at the new RDT is not the device's: with RDH and RDT equal it owns none. */
    private void initializeReceiveUnit(int next) {
        bench.write(RCTL, bench.read(RCTL) & ~RX_EN);
        bench.write(RADV, 64);
        bench.write(ITR, 488);
        bench.write(RDTR, 0);
        bench.write(RXCSUM, bench.read(RXCSUM) | 0x300);
        bench.write(RDLEN, 16 * RING);
        bench.write(RDBAH, 0);
        bench.write(RDBAL, (int) RX_RING);
        bench.write(RDH, next);
        bench.write(RDT, next);
        access.fillReceiveRing(RING, 2048);
    }

    @Nested
    class On82540em {
        private static final int INTERRUPTS = 0x9D;

        @BeforeEach
        void start() {
            attach(E1000Model.I82540EM);
            resetHardware();
            checkEeprom();
            initializeHardware();
            initializeTransmitUnit();
            initializeReceiveUnit(5);
            bench.write(RCTL, RX_EN | RX_BAM | RX_SECRC);
            bench.write(RDT, 4);
            bench.write(IMS, INTERRUPTS);
        }

        private void resetHardware() {
            bench.write(IMC, -1);
            bench.write(RCTL, 0);
            bench.write(TCTL, TX_PSP);
            access.flush();
            bench.now += 10_000_000;
            access.writeByIo(CTRL, bench.read(CTRL) | 1 << 26);
            bench.now += 5_000_000;
            bench.write(MANC, bench.read(MANC) & ~(1 << 13));
            bench.write(IMC, -1);
            bench.read(ICR);
        }

        private void checkEeprom() {
            int sum = 0;
            for (int word = 0; word < 64; word++) {
                sum += access.microwire(word);
            }
            assertThat(sum & 0xFFFF).isEqualTo(0xBABA);
        }

        private void initializeHardware() {
            bench.write(PBA, 0x30);
            bench.write(0xE00, bench.read(0xE00));
            bench.write(VET, 0);
            access.clearTables();
            bench.write(CTRL, (bench.read(CTRL) | 0x40) & ~0x1800);
            assertThat(access.phyRead(2) << 16 | access.phyRead(3) & 0xFFF0).isEqualTo(0x0141_0C20);
            access.phyWrite(16, access.phyRead(16) | 0x0860);
            access.phyWrite(0, access.phyRead(0) | 0x8000);
            access.phyWrite(4, 0x0DE1);
            access.phyWrite(9, 0x0200);
            access.phyWrite(0, access.phyRead(0) | 0x1200);
            access.phyRead(1);
            assertThat(access.phyRead(1) & 0x24).isEqualTo(0x24);
            access.setUpFlowControl();
            bench.write(TXDCTL, bench.read(TXDCTL) & ~0x3F_0000 | 0x0101_0000);
            access.clearStatistics(0x4100);
            bench.read(ICR);
        }

        @Test
        @DisplayName(
                "RDH and RDT start where the ring is, not at 0; SECRC: length without FCS; both checksums verified")
        void shouldReceiveFromMiddleOfRing() {
            assertThat(bench.read(RDH)).isEqualTo(5);
            byte[] frame = TestFrames.goodTcp(200);
            bench.arrive(frame);
            assertThat(bench.rxStatus(5)).as("DD, EOP, TCPCS, IPCS").isEqualTo(0x63);
            assertThat(bench.rxLength(5)).isEqualTo(frame.length);
            assertThat(bench.rxBytes(5, frame.length)).isEqualTo(frame);
            assertThat(bench.pin).isTrue();
            assertThat(bench.read(ICR)).isEqualTo(0x80);
            assertThat(bench.pin).isFalse();
            bench.write(RDT, 5);
            assertThat(bench.read(RDH)).isEqualTo(6);
        }

        @Test
        @DisplayName("ITR 488: interrupts at most every 124.9 us")
        void shouldModerate() {
            bench.arrive(frame(MAC, 60));
            bench.read(ICR);
            bench.now += 488 * 256 - 1;
            bench.arrive(frame(MAC, 60));
            assertThat(bench.pin).isFalse();
            bench.now++;
            bench.poll();
            assertThat(bench.pin).isTrue();
        }

        @Test
        @DisplayName("Transmit: EOP, IFCS, RS; completion by DD; TXDW at once without IDE")
        void shouldTransmit() {
            for (int i = 0; i < 300; i++) {
                int slot = bench.txTail;
                bench.queue(frame(PEER, 60 + i));
                bench.kick();
                assertThat(bench.txStatus(slot) & 1).isEqualTo(1);
                assertThat(bench.sent.getLast()).hasSize(60 + i);
            }
            assertThat(bench.read(TDH)).isEqualTo(300 % RING);
            assertThat(bench.read(ICR)).isEqualTo(3);
        }

        @Test
        @DisplayName("Stop: reset_hw with rings full of work leaves nothing behind, WUC 0")
        void shouldStop() {
            bench.queue(frame(PEER, 60));
            bench.write(TDT, 1);
            resetHardware();
            bench.write(0x5800, 0);
            bench.poll();
            assertThat(bench.sent).isEmpty();
            assertThat(bench.arrive(frame(MAC, 60))).isEqualTo(io.iolab.devices.net.Delivery.FILTERED);
            assertThat(bench.pin).isFalse();
        }
    }

    @Nested
    class On82574l {
        private static final int LINK_MASK = 1 << 24 | 4;

        @BeforeEach
        void start() {
            attach(E1000Model.I82574L);
            resetHardware();
            initializeHardware();
            bench.device.autonegotiation(0);
            setUpVectors();
            initializeTransmitUnit();
            bench.write(0x3900, 0x18000);
            bench.write(0x3908, 16 * RING);
            initializeReceiveUnit(0);
            setUpSecondRing();
            setUpScaling();
            bench.write(RFCTL, 1 << 15 | 1 << 12);
            bench.write(0x2828, 0x0104_0420);
            bench.write(0x2928, 0x0104_0420);
            bench.write(RCTL, RX_EN | RX_BAM | RX_SECRC);
            bench.write(RDT, RING - 1);
            bench.write(0x2918, RING - 1);
            bench.write(EIAC, 0x01F0_0000);
            bench.write(IMS, 0x9D | 0x01F0_0000);
        }

        private void resetHardware() {
            bench.write(CTRL, bench.read(CTRL) | 4);
            assertThat(bench.read(STATUS) & 1 << 19).isZero();
            bench.write(IMC, -1);
            bench.write(RCTL, 0);
            bench.write(TCTL, TX_PSP);
            access.flush();
            bench.write(0xF00, bench.read(0xF00) | 0x20);
            assertThat(bench.read(0xF00) & 0x20).isEqualTo(0x20);
            bench.write(CTRL, bench.read(CTRL) | 1 << 26);
            bench.write(0xF00, bench.read(0xF00) & ~0x20);
            assertThat(bench.read(EECD) & 0x200).as("AUTO_RD").isEqualTo(0x200);
            bench.write(IMC, -1);
            bench.read(ICR);
        }

        private void initializeHardware() {
            // Before vectors are set up: the link interrupt goes to vector 0.
            bench.write(IVAR, 0x0008_0000);
            assertThat(access.nvm(0x1B) >>> 7 & 7).as("five vectors").isEqualTo(4);
            access.clearTables();
            bench.write(CTRL, bench.read(CTRL) | 0x40);
            assertThat(access.phyRead(2) << 16 | access.phyRead(3)).isEqualTo(0x0141_0CB1);
            access.phyWrite(0, access.phyRead(0) | 0x1200);
            access.setUpFlowControl();
            access.clearStatistics(0x4128);
            bench.read(ICR);
        }

        /** Receive queues on 0 and 1, transmit queues on 2 and 3, link on 4; every descriptor reported. */
        private void setUpVectors() {
            for (int v = 0; v < 5; v++) {
                bench.device.writeBar(3, 16 * v, 4, 0xFEE0_0000L);
                bench.device.writeBar(3, 16 * v + 8, 4, 0x40 + v);
                bench.device.writeBar(3, 16 * v + 12, 4, 0);
            }
            bench.device.config().write(0xA2, 2, 0x8000);
            bench.write(CTRL_EXT, bench.read(CTRL_EXT) | 1 << 31);
            bench.write(IVAR, 0x8 | 0x9 << 4 | 0xA << 8 | 0xB << 12 | 0xC << 16 | 1 << 31);
        }

        private void setUpSecondRing() {
            for (int i = 0; i < RING; i++) {
                bench.ram.writeLong(0x28000 + 16L * i, 0x400000 + 2048L * i);
            }
            bench.write(0x2900, 0x28000);
            bench.write(0x2908, 16 * RING);
            bench.write(0x2910, 0);
        }

        private void setUpScaling() {
            for (int i = 0; i < 32; i++) {
                bench.write(0x5C00 + 4 * i, 0x8000_8000);
            }
            for (int i = 0; i < 10; i++) {
                bench.write(0x5C80 + 4 * i, 0xA5A5_5A00 + 0x1337 * i);
            }
            bench.write(RXCSUM, bench.read(RXCSUM) | 1 << 13);
            bench.write(MRQC, 0x0037_0001);
        }

        private void expect(int... vectors) {
            assertThat(bench.messages.stream().map(m -> m.data() - 0x40).toList())
                    .containsExactlyElementsOf(
                            java.util.Arrays.stream(vectors).boxed().toList());
            bench.messages.clear();
        }

        @Test
        @DisplayName(
                "Flows spread over both receive queues, each with its vector; EIAC clears causes, IMS is not touched")
        void shouldSpreadFlows() {
            int[] seen = new int[2];
            for (int flow = 0; flow < 64; flow++) {
                byte[] frame = TestFrames.goodTcp(50);
                frame[35] = (byte) flow;
                bench.arrive(frame);
                int queue = bench.messages.getFirst().data() - 0x40;
                expect(queue);
                int slot = seen[queue]++;
                long at = (queue == 0 ? RX_RING : 0x28000) + 16L * slot;
                assertThat(bench.ram.readInt(at) & 0xF).as("TCP over IPv4").isEqualTo(1);
                assertThat(bench.ram.readInt(at) >>> 8 & 0x1F).as("queue").isEqualTo(queue);
                assertThat(bench.ram.readInt(at + 8) & 3).isEqualTo(3);
                assertThat(bench.read(ICS) & 0x0030_0000).as("auto-cleared").isZero();
            }
            assertThat(seen[0]).isPositive();
            assertThat(seen[1]).isPositive();
            assertThat(bench.read(RDH)).isEqualTo(seen[0]);
            assertThat(bench.read(0x2910)).isEqualTo(seen[1]);
            assertThat(bench.read(IMS) & 0x01F0_0000).isEqualTo(0x01F0_0000);
        }

        @Test
        @DisplayName(
                "Both transmit queues: vector 2 and vector 3; handlers unmask 1 << (22 + i), which fires nothing new")
        void shouldTransmitOnBothQueues() {
            byte[] frame = frame(PEER, 60);
            bench.ram.write(TX_BUFFERS, frame, 0, 60);
            bench.describe(0, TX_BUFFERS, legacy(60, EOP | IFCS | RS));
            bench.write(TDT, 1);
            bench.poll();
            expect(2);
            bench.write(IMS, 1 << 22);
            bench.ram.writeLong(0x18000, TX_BUFFERS);
            bench.ram.writeLong(0x18008, legacy(60, EOP | IFCS));
            bench.write(0x3918, 1);
            bench.poll();
            expect(3);
            bench.write(IMS, 1 << 23);
            expect();
            assertThat(bench.ram.readByte(0x1800C) & 1).as("DD without RS").isEqualTo(1);
            assertThat(bench.sent).hasSize(2);
        }

        @Test
        @DisplayName("Link: vector 4; ICR says LSC; re-enabled with OTHER and LSC")
        void shouldHandleLink() {
            bench.device.setLink(false);
            expect(4);
            assertThat(bench.read(ICR) & 4).isEqualTo(4);
            bench.write(IMS, LINK_MASK);
            bench.device.setLink(true);
            expect(4);
            assertThat(bench.read(ICR) & 4).isEqualTo(4);
        }

        @Test
        @DisplayName("NVM word 1Bh rewritten through EEWR with its checksum, as for cards that offer three vectors")
        void shouldRewriteNvm() {
            int old = access.nvm(0x1B);
            bench.write(0x102C, (old & ~0x380 | 2 << 7) << 16 | 0x1B << 2 | 1);
            assertThat(bench.read(0x102C) & 2).as("DONE").isEqualTo(2);
            int sum = 0;
            for (int word = 0; word < 63; word++) {
                sum += access.nvm(word);
            }
            bench.write(0x102C, (0xBABA - sum & 0xFFFF) << 16 | 0x3F << 2 | 1);
            assertThat(access.nvm(0x1B) >>> 7 & 7).isEqualTo(2);
            assertThat(sum + access.nvm(0x3F) & 0xFFFF).isEqualTo(0xBABA);
        }
    }
}
