package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 82540 SDM chapter 5 and MDIC; 82574 datasheet: EERD, EEWR, PHY pages, semaphores. */
class E1000NvmTest {
    private static final int READY = 1 << 28;
    private static final int ERROR = 1 << 30;
    private static final int SK = 1;
    private static final int CS = 2;
    private static final int DI = 4;
    private static final int DO = 8;
    private static final int REQ = 0x40;
    private static final int GNT = 0x80;

    private static int mdicRead(Bench bench, int register) {
        bench.write(MDIC, 1 << 27 | 1 << 21 | register << 16);
        return bench.read(MDIC);
    }

    private static int mdicWrite(Bench bench, int register, int value) {
        bench.write(MDIC, 1 << 26 | 1 << 21 | register << 16 | value);
        return bench.read(MDIC);
    }

    @Nested
    class I82540em {
        private Bench bench;

        @BeforeEach
        void open() {
            bench = Bench.i82540em();
        }

        @AfterEach
        void close() {
            bench.close();
        }

        private int eerd(int word) {
            bench.write(EERD, word << 8 | 1);
            int value = bench.read(EERD);
            assertThat(value & 0x10).as("DONE").isEqualTo(0x10);
            assertThat(value >>> 8 & 0xFF).as("address echoed").isEqualTo(word);
            return value >>> 16;
        }

        private void pins(int value) {
            bench.write(EECD, REQ | value);
        }

        private void shiftOut(int value, int bits) {
            for (int bit = bits - 1; bit >= 0; bit--) {
                int di = (value >> bit & 1) != 0 ? DI : 0;
                pins(CS | di);
                pins(CS | di | SK);
                pins(CS | di);
            }
        }

        private int shiftIn() {
            int value = 0;
            for (int bit = 0; bit < 16; bit++) {
                pins(CS | SK);
                value = value << 1 | (bench.read(EECD) & DO) >> 3;
                pins(CS);
            }
            return value;
        }

        private int bitBang(int word) {
            pins(0);
            pins(CS);
            shiftOut(6, 3);
            shiftOut(word, 6);
            assertThat(bench.read(EECD) & DO).as("dummy bit").isZero();
            int value = shiftIn();
            pins(0);
            pins(SK);
            pins(0);
            bench.write(EECD, 0);
            return value;
        }

        private void command(int value, int bits) {
            pins(CS);
            shiftOut(value, bits);
            pins(0);
        }

        @Test
        @DisplayName("5.6: all words add up to BABAh; the station address is in words 0 to 2")
        void shouldHaveChecksumAndAddress() {
            int sum = 0;
            for (int word = 0; word < 64; word++) {
                sum += eerd(word);
            }
            assertThat(sum & 0xFFFF).isEqualTo(0xBABA);
            assertThat(eerd(0)).isEqualTo(0x5452);
            assertThat(eerd(1)).isEqualTo(0x1200);
            assertThat(eerd(2)).isEqualTo(0x5634);
            assertThat(eerd(0x0A) >> 14).as("signature").isEqualTo(1);
            assertThat(eerd(0x0D)).isEqualTo(0x100E);
        }

        @Test
        @DisplayName("13.4 EERD: a word beyond the device reads 0 with DONE; without START nothing is read")
        void shouldBoundEerd() {
            assertThat(eerd(64)).isZero();
            assertThat(eerd(255)).isZero();
            bench.write(EERD, 0x0100);
            assertThat(bench.read(EERD)).isZero();
        }

        @Test
        @DisplayName("5.3: bit by bit through EECD every word reads as through EERD")
        void shouldReadEveryWordByPins() {
            assertThat(bench.read(EECD) & (GNT | 0x300))
                    .as("present, 64 words, no grant")
                    .isEqualTo(0x100);
            bench.write(EECD, REQ);
            assertThat(bench.read(EECD) & GNT).isEqualTo(GNT);
            for (int word = 0; word < 64; word++) {
                assertThat(bitBang(word)).as("word %d", word).isEqualTo(eerd(word));
            }
            assertThat(bench.read(EECD) & GNT).isZero();
        }

        @Test
        @DisplayName("5.3: reading on gives the next word")
        void shouldReadSequentially() {
            pins(CS);
            shiftOut(6, 3);
            shiftOut(62, 6);
            assertThat(shiftIn()).isEqualTo(eerd(62));
            assertThat(shiftIn()).isEqualTo(eerd(63));
            assertThat(shiftIn()).isEqualTo(eerd(0));
            for (int i = 0; i < 5000; i++) {
                shiftIn();
            }
            pins(0);
        }

        @Test
        @DisplayName("5.3: writes take effect between EWEN and EWDS, and DO says ready")
        void shouldWriteWhenEnabled() {
            int before = eerd(0x10);
            pins(CS);
            shiftOut(5, 3);
            shiftOut(0x10, 6);
            shiftOut(0x1234, 16);
            pins(0);
            assertThat(eerd(0x10)).as("not enabled").isEqualTo(before);
            command(0x13 << 4, 9);
            pins(CS);
            shiftOut(5, 3);
            shiftOut(0x10, 6);
            shiftOut(0x1234, 16);
            pins(0);
            pins(CS);
            assertThat(bench.read(EECD) & DO).isEqualTo(DO);
            pins(0);
            assertThat(eerd(0x10)).isEqualTo(0x1234);
            command(7 << 6 | 0x10, 9);
            assertThat(eerd(0x10)).isEqualTo(0xFFFF);
            command(0x10 << 4, 9);
            pins(CS);
            shiftOut(5, 3);
            shiftOut(0x10, 6);
            shiftOut(0x1111, 16);
            pins(0);
            assertThat(eerd(0x10)).isEqualTo(0xFFFF);
        }

        @ParameterizedTest
        @CsvSource({
            "0,0x1140",
            "2,0x0141",
            "3,0x0C20",
            "4,0x0DE1",
            "9,0x0E00",
            "16,0x0360",
            "17,0xAC00",
            "20,0x0D60",
            "21,0",
        })
        @DisplayName("The M88 PHY's registers after reset")
        void shouldReadPhy(int register, String value) {
            assertThat(mdicRead(bench, register))
                    .isEqualTo(READY | 1 << 27 | 1 << 21 | register << 16 | Integer.decode(value));
        }

        @Test
        @DisplayName("Auto-negotiation that takes no time is done: link, complete, partner acknowledged")
        void shouldBeNegotiated() {
            assertThat(mdicRead(bench, 1) & 0xFFFF).isEqualTo(0x796D);
            assertThat(mdicRead(bench, 5) & 0xFFFF).isEqualTo(0x41E0);
        }

        @ParameterizedTest
        @ValueSource(ints = {11, 12, 13, 14, 22, 31})
        @DisplayName("A register that does not exist gives ERROR")
        void shouldReportMissingRegister(int register) {
            assertThat(mdicRead(bench, register) & (READY | ERROR)).isEqualTo(READY | ERROR);
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 2, 31})
        @DisplayName("A PHY address without PHY gives READY and ERROR")
        void shouldReportMissingPhy(int address) {
            bench.write(MDIC, 1 << 27 | address << 21 | 2 << 16);
            assertThat(bench.read(MDIC) & (READY | ERROR)).isEqualTo(READY | ERROR);
        }

        @Test
        @DisplayName("13.4 MDIC: writes reach the PHY, read-only registers refuse with ERROR, INT_EN raises MDAC")
        void shouldWritePhy() {
            assertThat(mdicWrite(bench, 4, 0x01E1) & ERROR).isZero();
            assertThat(mdicRead(bench, 4) & 0xFFFF).isEqualTo(0x01E1);
            assertThat(mdicWrite(bench, 2, 0xBEEF)).isEqualTo(0x5422_BEEF);
            assertThat(mdicRead(bench, 2) & 0xFFFF).isEqualTo(0x0141);
            assertThat(bench.read(ICR)).isZero();
            bench.write(MDIC, 1 << 29 | 1 << 27 | 1 << 21 | 1 << 16);
            assertThat(bench.read(ICR)).isEqualTo(1 << 9);
        }

        @Test
        @DisplayName("IEEE 802.3 22.2.4.2.13: the link bit stays low until read")
        void shouldLatchLinkLow() {
            bench.device.setLink(false);
            bench.device.setLink(true);
            assertThat(mdicRead(bench, 1) & 4).isZero();
            assertThat(mdicRead(bench, 1) & 4).isEqualTo(4);
        }

        @Test
        @DisplayName("Restarted auto-negotiation takes its time: LU drops, then comes back with LSC")
        void shouldNegotiateForAWhile() {
            bench.device.autonegotiation(500_000_000);
            bench.now += 500_000_000;
            bench.poll();
            bench.read(ICR);
            mdicWrite(bench, 0, 0x1340);
            assertThat(bench.read(STATUS) & 2).isZero();
            assertThat(mdicRead(bench, 0) & 0xFFFF).as("restart clears itself").isEqualTo(0x1140);
            assertThat(mdicRead(bench, 1) & 0x24).isZero();
            assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 500_000_000);
            bench.now += 500_000_000;
            bench.poll();
            assertThat(bench.read(STATUS) & 2).isEqualTo(2);
            assertThat(bench.read(ICR)).isEqualTo(4);
            mdicRead(bench, 1);
            assertThat(mdicRead(bench, 1) & 0xFFFF).isEqualTo(0x796D);
        }

        @Test
        @DisplayName("PHY power-down and CTRL.PHY_RST take the link; CTRL.RST does not")
        void shouldLoseLinkWithPhy() {
            mdicWrite(bench, 0, 0x1940);
            assertThat(bench.read(STATUS) & 2).isZero();
            mdicWrite(bench, 0, 0x1140);
            assertThat(bench.read(STATUS) & 2).isEqualTo(2);
            int ctrl = bench.read(CTRL);
            bench.write(CTRL, ctrl | 1 << 31);
            assertThat(bench.read(STATUS) & 2).isZero();
            mdicWrite(bench, 9, 0x0300);
            bench.write(CTRL, ctrl);
            assertThat(bench.read(STATUS) & 2).isEqualTo(2);
            assertThat(mdicRead(bench, 9) & 0xFFFF).as("PHY reset").isEqualTo(0x0E00);
            mdicWrite(bench, 9, 0x0300);
            bench.write(CTRL, ctrl | 1 << 26);
            assertThat(mdicRead(bench, 9) & 0xFFFF)
                    .as("CTRL.RST leaves the PHY alone")
                    .isEqualTo(0x0300);
        }

        @Test
        @DisplayName("13.4 CTRL.SLU: the MAC honours the PHY's link only while it is set")
        void shouldNeedSetLinkUp() {
            bench.write(CTRL, bench.read(CTRL) & ~0x40);
            assertThat(bench.read(STATUS) & 2).isZero();
            assertThat(bench.read(ICR)).isEqualTo(4);
            bench.write(CTRL, bench.read(CTRL) | 0x40);
            assertThat(bench.read(STATUS) & 2).isEqualTo(2);
            assertThat(bench.read(ICR)).isEqualTo(4);
        }
    }

    @Nested
    class I82574l {
        private Bench bench;

        @BeforeEach
        void open() {
            bench = Bench.i82574l();
        }

        @AfterEach
        void close() {
            bench.close();
        }

        private int eerd(int word) {
            bench.write(EERD, word << 2 | 1);
            return bench.read(EERD);
        }

        @Test
        @DisplayName("EERD: START 0, DONE 1, address 15:2; idle reads 2; all words add up to BABAh")
        void shouldReadNvm() {
            assertThat(bench.read(EERD)).isEqualTo(2);
            assertThat(eerd(1)).isEqualTo(0x1200_0006);
            int sum = 0;
            for (int word = 0; word < 64; word++) {
                sum += eerd(word) >>> 16;
            }
            assertThat(sum & 0xFFFF).isEqualTo(0xBABA);
            assertThat(eerd(64)).as("beyond: no DONE").isEqualTo(0x100);
            assertThat(eerd(0x1B) >>> 16 + 7 & 7).as("MSI-X vectors less one").isEqualTo(4);
        }

        @Test
        @DisplayName("EEWR writes a word and shows DONE when idle")
        void shouldWriteNvm() {
            assertThat(bench.read(0x102C)).isEqualTo(2);
            bench.write(0x102C, 0x1234_0000 | 0x30 << 2 | 1);
            assertThat(bench.read(0x102C) & 2).isEqualTo(2);
            assertThat(eerd(0x30) >>> 16).isEqualTo(0x1234);
        }

        @Test
        @DisplayName("EECD: AUTO_RD says that the read after reset is over")
        void shouldReportAutoRead() {
            assertThat(bench.read(EECD)).isEqualTo(0x300);
            bench.write(CTRL, 1 << 26);
            assertThat(bench.read(EECD) & 0x200).isEqualTo(0x200);
        }

        @Test
        @DisplayName("BM PHY: identity 01410CB1, register number echoed")
        void shouldIdentifyPhy() {
            assertThat(mdicRead(bench, 2)).isEqualTo(0x1822_0141);
            assertThat(mdicRead(bench, 3)).isEqualTo(0x1823_0CB1);
        }

        @Test
        @DisplayName("BM PHY: register 22 selects the page of registers 16 to 31; 0 to 15 are on every page")
        void shouldSelectPages() {
            assertThat(mdicRead(bench, 16) & 0xFFFF).isEqualTo(0x3360);
            mdicWrite(bench, 22, 2);
            assertThat(mdicRead(bench, 16) & 0xFFFF).isEqualTo(0x0088);
            assertThat(mdicRead(bench, 21) & 0xFFFF).isEqualTo(0x1046);
            assertThat(mdicRead(bench, 3) & 0xFFFF).isEqualTo(0x0CB1);
            assertThat(mdicRead(bench, 17) & ERROR).as("not on this page").isEqualTo(ERROR);
            mdicWrite(bench, 22, 3);
            assertThat(mdicRead(bench, 18) & 0xFFFF).isEqualTo(0x4005);
            mdicWrite(bench, 22, 0x7F);
            assertThat(mdicRead(bench, 16) & ERROR)
                    .as("a page without registers")
                    .isEqualTo(ERROR);
            mdicWrite(bench, 22, 0);
            assertThat(mdicRead(bench, 16) & 0xFFFF).isEqualTo(0x3360);
        }

        @Test
        @DisplayName("After negotiation: BMSR 796D, partner 47E0; OEM bit 10 restarts it and clears itself")
        void shouldNegotiate() {
            mdicRead(bench, 1);
            assertThat(mdicRead(bench, 1) & 0xFFFF).isEqualTo(0x796D);
            assertThat(mdicRead(bench, 5) & 0xFFFF).isEqualTo(0x47E0);
            bench.read(ICR);
            mdicWrite(bench, 25, 1 << 10);
            assertThat(mdicRead(bench, 25) & 0xFFFF).isZero();
            assertThat(bench.read(ICR)).isEqualTo(4);
        }

        @Test
        @DisplayName("SWSM.SMBI is set by a read; EXTCNF_CTRL bit 5 is plain")
        void shouldProvideSemaphores() {
            assertThat(bench.read(0x5B50)).isEqualTo(1);
            bench.write(0x5B50, 0);
            assertThat(bench.read(0x5B50)).isZero();
            assertThat(bench.read(0x5B50)).isEqualTo(1);
            bench.write(0x5B50, 2);
            assertThat(bench.read(0x5B50) & 2).isEqualTo(2);
            assertThat(bench.read(0xF00)).isEqualTo(8);
            bench.write(0xF00, 0x28);
            assertThat(bench.read(0xF00)).isEqualTo(0x28);
        }
    }
}
