package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The register sequences in which Linux's e1000 and e1000e probe and open, replayed against the controller. */
class E1000DriverOrderTest {
    private static final int FLUSH = STATUS;

    private static int phyRead(Bench bench, int register) {
        bench.write(MDIC, 1 << 27 | 1 << 21 | register << 16);
        assertThat(bench.read(MDIC) >>> 28 & 5)
                .as("READY without ERROR, register %d", register)
                .isEqualTo(1);
        return bench.read(MDIC) & 0xFFFF;
    }

    private static void phyWrite(Bench bench, int register, int value) {
        bench.write(MDIC, 1 << 26 | 1 << 21 | register << 16 | value);
        assertThat(bench.read(MDIC) >>> 28 & 5)
                .as("READY without ERROR, register %d", register)
                .isEqualTo(1);
    }

    private static void clearTables(Bench bench) {
        for (int i = 0; i < 128; i++) {
            bench.write(VFTA + 4 * i, 0);
            bench.read(FLUSH);
        }
        bench.write(RAL, 0x1200_5452);
        bench.write(RAH, 1 << 31 | 0x5634);
        for (int i = 1; i < 15; i++) {
            bench.write(RAL + 8 * i, 0);
            bench.write(RAH + 8 * i, 0);
        }
        for (int i = 0; i < 128; i++) {
            bench.write(MTA + 4 * i, 0);
        }
    }

    private static void resetE1000(Bench bench) {
        bench.write(IMC, -1);
        bench.write(RCTL, 0);
        bench.write(TCTL, 8);
        bench.read(FLUSH);
        int ctrl = bench.read(CTRL);
        bench.device.writeBar(2, 0, 4, CTRL);
        bench.device.writeBar(2, 4, 4, ctrl | 1 << 26);
        bench.write(0x5820, bench.read(0x5820) & ~(1 << 13));
        bench.write(IMC, -1);
        bench.read(ICR);
    }

    @Test
    @DisplayName("e1000 on the 82540EM: probe, open, one frame each way, interrupt handling")
    void shouldServeLinuxE1000() {
        try (Bench bench = Bench.i82540em()) {
            bench.write(IMC, -1);
            bench.read(0x5820);
            assertThat(bench.read(EECD) & 1 << 9).as("64 words").isZero();
            resetE1000(bench);
            bench.write(PBA, 0x30);
            resetE1000(bench);
            bench.write(0x5800, 0);
            bench.write(VET, 0);
            clearTables(bench);
            bench.write(FCT, 0x8808);
            bench.write(0x2C, 0x100);
            bench.write(0x28, 0x00C2_8001);
            bench.write(0x170, 0xFFFF);
            int ctrl = (bench.read(CTRL) | 0x40) & ~0x1800;
            bench.write(CTRL, ctrl);
            bench.write(CTRL, ctrl | 1 << 31);
            bench.write(CTRL, ctrl);
            assertThat(phyRead(bench, 2) << 16 | phyRead(bench, 3) & 0xFFF0).isEqualTo(0x0141_0C20);
            phyWrite(bench, 16, phyRead(bench, 16) & ~0x60 | 0x60);
            phyWrite(bench, 20, phyRead(bench, 20));
            phyWrite(bench, 0, phyRead(bench, 0) | 1 << 15);
            phyWrite(bench, 4, 0x0DE1);
            phyWrite(bench, 9, 0x0300);
            phyWrite(bench, 0, phyRead(bench, 0) | 0x1200);
            phyRead(bench, 1);
            assertThat(phyRead(bench, 1) & 0x24)
                    .as("link, negotiation complete")
                    .isEqualTo(0x24);
            assertThat(phyRead(bench, 17) & 0xCC00)
                    .as("1000 Mbit/s, resolved, link")
                    .isEqualTo(0x8C00);
            bench.write(TXDCTL, bench.read(TXDCTL) & ~0x3F_0000 | 0x0101_0000);
            bench.write(VET, 0x8100);

            bench.write(TDLEN, 4096);
            bench.write(TDBAH, 0);
            bench.write(TDBAL, (int) TX_RING);
            bench.write(TDT, 0);
            bench.write(TDH, 0);
            bench.write(0x410, 0x0060_2008);
            bench.write(TIDV, 8);
            bench.write(TADV, 32);
            bench.write(TCTL, 1 << 24 | 8 | 15 << 4);
            bench.write(RCTL, RX_BAM);
            bench.write(RDTR, 0);
            bench.write(RADV, 8);
            bench.write(ITR, 488);
            bench.write(RDLEN, 4096);
            bench.write(RDBAH, 0);
            bench.write(RDBAL, (int) RX_RING);
            bench.write(RDT, 0);
            bench.write(RDH, 0);
            bench.write(RXCSUM, 0x200);
            bench.write(RCTL, RX_BAM | RX_EN);
            for (int i = 0; i < 256; i++) {
                bench.ram.writeLong(RX_RING + 16L * i, RX_BUFFERS + 2048L * i);
            }
            bench.write(RDT, 255);
            bench.write(IMS, 0x9D);
            bench.write(ICS, 4);
            assertThat(bench.pin).isTrue();
            assertThat(bench.read(ICR) & 4).isEqualTo(4);
            assertThat(bench.pin).isFalse();
            assertThat(bench.read(STATUS) & 0xC3).as("full duplex, link, 1000").isEqualTo(0x83);
            bench.write(TCTL, bench.read(TCTL) | 0x3F << 12 | TX_EN);

            bench.txSize = 256;
            bench.queue(frame(PEER, 100), EOP | IFCS | RS | IDE);
            bench.write(TDT, 1);
            bench.poll();
            assertThat(bench.sent).hasSize(1);
            bench.now += 1_000_000;
            bench.poll();
            assertThat(bench.pin).as("TIDV is over").isTrue();
            assertThat(bench.read(ICR) & 1).isEqualTo(1);
            bench.write(IMC, -1);
            bench.write(IMS, 0x9D);

            bench.now += 1_000_000;
            bench.arrive(frame(MAC, 60));
            assertThat(bench.pin).isTrue();
            assertThat(bench.read(ICR)).isEqualTo(0x80);
            assertThat(bench.rxLength(0)).as("Linux subtracts the FCS itself").isEqualTo(64);
        }
    }

    private static void resetE1000e(Bench bench) {
        bench.set(CTRL, 4);
        assertThat(bench.read(STATUS) & 1 << 19).as("master disabled").isZero();
        bench.write(IMC, -1);
        bench.write(RCTL, 0);
        bench.write(TCTL, bench.read(TCTL) & ~TX_EN);
        bench.read(FLUSH);
        own(bench);
        bench.set(CTRL, 1 << 26);
        bench.write(0xF00, bench.read(0xF00) & ~0x20);
        assertThat(bench.read(EECD) & 0x200).as("AUTO_RD").isEqualTo(0x200);
        bench.write(IMC, -1);
        bench.read(ICR);
    }

    private static void own(Bench bench) {
        bench.write(0xF00, bench.read(0xF00) | 0x20);
        assertThat(bench.read(0xF00) & 0x20).as("ownership").isEqualTo(0x20);
    }

    @Test
    @DisplayName("e1000e on the 82574L: probe, open with three vectors, both rings, vectors re-armed by IMS")
    void shouldServeLinuxE1000e() {
        try (Bench bench = Bench.i82574l()) {
            probeE1000e(bench);
            openE1000e(bench);
            bench.messages.clear();
            bench.write(ICS, 1 << 2 | 1 << 24);
            assertThat(bench.messages).containsExactly(new Message(0xFEE0_0000L, 0x42));
            int icr = bench.read(ICR);
            assertThat(icr & 0x8100_0004).isEqualTo(0x8100_0004);
            bench.write(IMS, 1 << 24 | 0x0007_0244);
            bench.write(TCTL, bench.read(TCTL) | TX_EN);

            bench.messages.clear();
            bench.txSize = 256;
            bench.queue(frame(PEER, 100), EOP | IFCS | RS | IDE);
            bench.write(TDT, 1);
            bench.poll();
            assertThat(bench.messages).containsExactly(new Message(0xFEE0_0000L, 0x41));
            assertThat(bench.txStatus(0)).isEqualTo(1);
            assertThat(bench.read(IMS) & 1 << 22).as("auto-masked").isZero();
            bench.queue(frame(PEER, 100), EOP | IFCS | RS | IDE);
            bench.write(TDT, 2);
            bench.now += 1_000_000;
            bench.poll();
            assertThat(bench.messages).as("masked: waits").hasSize(1);
            bench.write(IMS, 1 << 22);
            assertThat(bench.messages).as("re-armed by its own bit").hasSize(2);

            bench.messages.clear();
            bench.arrive(frame(MAC, 60));
            assertThat(bench.messages).containsExactly(new Message(0xFEE0_0000L, 0x40));
            assertThat(bench.ram.readInt(RX_RING + 8) & 3).isEqualTo(3);
            assertThat(bench.ram.readShort(RX_RING + 12)).isEqualTo((short) 60);
        }
    }

    private static void probeE1000e(Bench bench) {
        bench.write(IMC, -1);
        bench.write(EIAC, 0);
        bench.write(0x5B50, bench.read(0x5B50) & ~1);
        assertThat(bench.read(EECD) & 0x1_8000).as("not flash").isZero();
        own(bench);
        assertThat(phyRead(bench, 2) << 16 | phyRead(bench, 3)).isEqualTo(0x0141_0CB1);
        resetE1000e(bench);
        int sum = 0;
        for (int word = 0; word < 64; word++) {
            bench.write(EERD, word << 2 | 1);
            assertThat(bench.read(EERD) & 2).as("DONE").isEqualTo(2);
            sum += bench.read(EERD) >>> 16;
        }
        assertThat(sum & 0xFFFF).isEqualTo(0xBABA);
        bench.write(0xB608, 0x01A0_0000);
        assertThat(bench.read(0xB608)).as("TIMINCA reads back").isEqualTo(0x01A0_0000);
        bench.write(0xB614, 0x10);
        bench.write(0xB620, 0x18);
        assertThat(bench.read(0xB614) & 0x10).isEqualTo(0x10);
        assertThat(bench.read(0xB620) & 0x1E).isEqualTo(0x18);
        bench.write(PBA, 32);
        assertThat(bench.read(PBA)).isEqualTo(8 << 16 | 32);
        resetE1000e(bench);
        bench.set(CTRL_EXT, 1 << 28);
        bench.write(TXDCTL, bench.read(TXDCTL) | 1 << 22);
        bench.write(0x3928, bench.read(0x3928) | 1 << 22);
        bench.write(0x3840, bench.read(0x3840) & ~0x7800_0000 | 1 << 26);
        bench.set(CTRL_EXT, 1 << 22);
        bench.set(0x5B00, 1 << 22);
        bench.set(0x5B64, 1);
        clearTables(bench);
        bench.set(CTRL, 0x40);
        phyWrite(bench, 16, phyRead(bench, 16) & ~(1 << 11) | 0x60);
        phyWrite(bench, 29, 3);
        phyWrite(bench, 30, 0);
        phyWrite(bench, 0, phyRead(bench, 0) | 1 << 15);
        phyWrite(bench, 4, 0x0DE1);
        phyWrite(bench, 9, 0x0300);
        phyWrite(bench, 0, 0x1340);
    }

    private static void openE1000e(Bench bench) {
        bench.write(TDBAL, (int) TX_RING);
        bench.write(TDBAH, 0);
        bench.write(TDLEN, 4096);
        bench.write(TDH, 0);
        bench.write(TDT, 0);
        bench.write(TIDV, 8);
        bench.write(TADV, 32);
        bench.write(TXDCTL, 0x0141_011F);
        bench.write(0x3928, 0x0141_011F);
        bench.write(TCTL, 1 << 24 | 8 | 15 << 4 | 63 << 12);
        bench.set(RXCSUM, 1 << 13);
        bench.write(MRQC, 0x0037_0000);
        bench.set(RFCTL, 1 << 15);
        bench.write(RCTL, RX_BAM | RX_SECRC);
        bench.write(0x2828, 0x0104_0420);
        bench.write(RDTR, 0);
        bench.write(RADV, 8);
        bench.write(EITR, 195);
        bench.set(CTRL_EXT, 1 << 27);
        bench.write(IAM, -1);
        bench.write(RDBAL, (int) RX_RING);
        bench.write(RDLEN, 4096);
        bench.write(RDH, 0);
        bench.write(RDT, 0);
        bench.set(RXCSUM, 0x200);
        bench.write(RCTL, RX_BAM | RX_SECRC | RX_EN);
        for (int i = 0; i < 256; i++) {
            bench.ram.writeLong(RX_RING + 16L * i, RX_BUFFERS + 2048L * i);
            bench.ram.writeLong(RX_RING + 16L * i + 8, 0);
        }
        for (int i = 16; i <= 240; i += 16) {
            bench.write(RDT, i);
        }
        for (int v = 0; v < 3; v++) {
            bench.device.writeBar(3, 16 * v, 4, 0xFEE0_0000L);
            bench.device.writeBar(3, 16 * v + 8, 4, 0x40 + v);
            bench.device.writeBar(3, 16 * v + 12, 4, 0);
        }
        bench.device.config().write(0xA2, 2, 0x8000);
        bench.set(RFCTL, 1 << 12);
        bench.write(IVAR, 0x800A_0908);
        bench.write(CTRL_EXT, bench.read(CTRL_EXT) & ~(1 << 27) | 1 << 31 | 1 << 24);
        bench.write(EIAC, 0x0050_0000);
        bench.write(IMS, 0x0050_0000 | 1 << 24 | 0x0007_0244);
    }
}
