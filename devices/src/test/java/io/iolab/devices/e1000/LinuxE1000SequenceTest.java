package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.pci.ConfigSpace;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What Linux's e1000 does to an 82540EM at probe, open, transmit, receive, interrupt and watchdog, in its order. */
class LinuxE1000SequenceTest {
    private static final int RING = 256;
    private static final int INTERRUPTS = 0x9D;
    private static final int LEDCTL = 0xE00;
    private static final int TIPG = 0x410;
    private static final int WUC = 0x5800;
    private static final int MANC = 0x5820;

    private Bench bench;
    private DriverAccess access;

    @BeforeEach
    void open() {
        bench = new Bench(E1000Model.I82540EM);
        access = new DriverAccess(bench);
        bench.device.config().write(0x04, 2, 0);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private void findBars() {
        ConfigSpace config = bench.device.config();
        assertThat(config.read(0, 4)).isEqualTo(0x100E_8086);
        assertThat(access.sizeBar(0, 0xFEB8_0000)).as("128 KiB of memory").isEqualTo(0xFFFE_0000);
        int io = 1;
        while ((config.read(0x10 + 4 * io, 4) & 1) == 0) {
            io++;
        }
        assertThat(io).as("the first I/O BAR").isEqualTo(2);
        access.sizeBar(io, 0xC001);
        config.write(0x04, 2, 7);
        assertThat(bench.read(STATUS) & 1 << 13).as("no PCI-X: 32-bit DMA").isZero();
    }

    /** reset_hw for this part: quiet, reset through the I/O window, ARP off, quiet again. */
    private void resetHardware() {
        bench.write(IMC, -1);
        bench.write(RCTL, 0);
        bench.write(TCTL, TX_PSP);
        access.flush();
        bench.now += 10_000_000;
        int ctrl = bench.read(CTRL);
        access.writeByIo(CTRL, ctrl | 1 << 26);
        bench.now += 5_000_000;
        assertThat(bench.read(CTRL) & 1 << 26).as("RST cleared itself").isZero();
        bench.write(MANC, bench.read(MANC) & ~(1 << 13));
        assertThat(bench.read(MANC) & 1 << 13).as("ARP_EN").isZero();
        bench.write(IMC, -1);
        bench.read(ICR);
        assertThat(bench.read(ICR)).isZero();
    }

    private void checkEeprom() {
        int sum = 0;
        for (int word = 0; word < 64; word++) {
            sum += access.microwire(word);
        }
        assertThat(sum & 0xFFFF).isEqualTo(0xBABA);
        byte[] mac = new byte[6];
        for (int i = 0; i < 3; i++) {
            int word = access.microwire(i);
            mac[2 * i] = (byte) word;
            mac[2 * i + 1] = (byte) (word >> 8);
        }
        assertThat(mac).isEqualTo(MAC);
        assertThat(access.microwire(0x24) & 0x400).as("wake on LAN").isEqualTo(0x400);
    }

    private void initializeHardware() {
        bench.write(PBA, 0x30);
        resetHardware();
        assertThat(bench.read(PBA)).isEqualTo(0x0010_0030);
        bench.write(WUC, 0);
        assertThat(access.microwire(4)).as("use the default LED table").isIn(0, 0xFFFF);
        bench.write(LEDCTL, bench.read(LEDCTL));
        bench.write(VET, 0);
        access.clearTables();
        setUpLink();
        bench.write(TXDCTL, bench.read(TXDCTL) & ~0x3F_0000 | 0x0101_0000);
        access.clearStatistics(0x4100);
        bench.write(VET, 0x8100);
    }

    private void setUpLink() {
        assertThat(access.microwire(0x0F) >> 12 & 3).as("pause both ways").isEqualTo(3);
        int ctrl = (bench.read(CTRL) | 0x40) & ~0x1800;
        bench.write(CTRL, ctrl);
        bench.write(CTRL, ctrl | 1 << 31);
        access.flush();
        assertThat(bench.read(STATUS) & 2)
                .as("no link while the PHY is in reset")
                .isZero();
        bench.now += 10_000_000;
        bench.write(CTRL, ctrl);
        access.flush();
        assertThat(access.phyRead(2) << 16 | access.phyRead(3) & 0xFFF0).isEqualTo(0x0141_0C20);
        access.phyWrite(16, access.phyRead(16) | 0x0860);
        access.phyWrite(20, access.phyRead(20) | 0x70);
        access.phyWrite(0, access.phyRead(0) | 0x8000);
        assertThat(access.phyRead(0) & 0x8000).as("PHY reset over").isZero();
        access.phyWrite(4, access.phyRead(4) & ~0x0C00 | 0x0DE0);
        access.phyWrite(9, access.phyRead(9) & ~0x0100 | 0x0200);
        access.phyWrite(0, access.phyRead(0) | 0x1200);
        bench.now += 3_000_000_000L;
        bench.poll();
        access.phyRead(1);
        assertThat(access.phyRead(1) & 0x24).as("link, negotiation complete").isEqualTo(0x24);
        bench.write(TCTL, bench.read(TCTL) & ~0x003F_F000 | 0x3F << 12);
        assertThat(access.phyRead(5) & 0x0400 | access.phyRead(10) & 0x3800)
                .as("partner")
                .isNotZero();
        access.setUpFlowControl();
        bench.write(0x2160, 0);
        bench.write(0x2168, 0);
    }

    private void probe() {
        findBars();
        bench.write(IMC, -1);
        access.flush();
        bench.read(MANC);
        assertThat(bench.read(EECD) & 0x300).as("present, 64 words").isEqualTo(0x100);
        resetHardware();
        checkEeprom();
        initializeHardware();
        bench.write(RCTL, bench.read(RCTL) & ~(RX_VFE | 1 << 19));
        bench.read(ICR);
    }

    private void configureTransmit() {
        bench.write(TDLEN, 16 * RING);
        bench.write(TDBAH, 0);
        bench.write(TDBAL, (int) TX_RING);
        bench.write(TDT, 0);
        bench.write(TDH, 0);
        bench.write(TIPG, 0x0060_2008);
        bench.write(TIDV, 8);
        bench.write(TADV, 32);
        bench.write(TCTL, bench.read(TCTL) & ~0xFF0 | TX_PSP | 1 << 24 | 15 << 4);
        assertThat(bench.read(TCTL) & TX_EN).isZero();
        bench.txSize = RING;
    }

    private void configureReceive() {
        bench.write(RCTL, RX_BAM);
        bench.write(RCTL, bench.read(RCTL) & ~RX_EN);
        bench.write(RDTR, 0);
        bench.write(RADV, 8);
        bench.write(ITR, 195);
        bench.write(RDLEN, 16 * RING);
        bench.write(RDBAH, 0);
        bench.write(RDBAL, (int) RX_RING);
        bench.write(RDT, 0);
        bench.write(RDH, 0);
        bench.write(RXCSUM, bench.read(RXCSUM) | 0x200);
        bench.write(RCTL, bench.read(RCTL) | RX_EN);
        access.fillReceiveRing(RING, 2048);
        bench.write(RDT, RING - 1);
        // The address filters again: promiscuity off, RA, MTA from the top down.
        bench.write(RCTL, bench.read(RCTL) & ~(RX_UPE | RX_MPE));
        access.clearTables();
    }

    private void openInterface() {
        configureTransmit();
        configureReceive();
        bench.write(IMS, INTERRUPTS);
        access.flush();
        bench.write(ICS, 4);
        assertThat(bench.pin).as("the watchdog is started by an interrupt").isTrue();
        assertThat(interrupt() & 4).isEqualTo(4);
        watchdogLinkUp();
    }

    /** The handler: ICR; 0 is somebody else's; mask all; poll; unmask. */
    private int interrupt() {
        int icr = bench.read(ICR);
        if (icr != 0) {
            bench.write(IMC, -1);
            access.flush();
            assertThat(bench.pin).isFalse();
            bench.write(IMS, INTERRUPTS);
            access.flush();
        }
        return icr;
    }

    private void watchdogLinkUp() {
        access.phyRead(1);
        assertThat(access.phyRead(1) & 4).isEqualTo(4);
        assertThat(access.phyRead(17) & 0xCC00).as("1000, resolved, link").isEqualTo(0x8C00);
        int status = bench.read(STATUS);
        assertThat(status & 0xC3).as("full duplex, link, 1000").isEqualTo(0x83);
        bench.write(CTRL, bench.read(CTRL) | 3 << 27);
        bench.write(TCTL, bench.read(TCTL) | TX_EN);
    }

    @Test
    @DisplayName("Probe: BARs, reset by I/O, EEPROM by its pins, PHY, tables, statistics")
    void shouldProbe() {
        probe();
        assertThat(bench.read(ICR)).isZero();
        assertThat(bench.pin).isFalse();
        assertThat(bench.device.config().read(0x10, 4))
                .as("config survives resets")
                .isEqualTo(0xFEB8_0000);
        assertThat(bench.read(VET)).isEqualTo(0x8100);
        assertThat(bench.read(TXDCTL)).isEqualTo(0x0101_0000);
    }

    @Test
    @DisplayName("Probe with negotiation that takes its time: BMSR is polled until the link is there")
    void shouldProbeWithSlowLink() {
        bench.device.autonegotiation(2_000_000_000L);
        probe();
        assertThat(bench.read(STATUS) & 2).isEqualTo(2);
    }

    @Test
    @DisplayName("Transmit: legacy descriptors with IDE; completion by DD; TXDW after TIDV; TDH for the hang check")
    void shouldTransmit() {
        probe();
        openInterface();
        for (int i = 0; i < 300; i++) {
            byte[] frame = frame(PEER, 60 + i % 1000);
            int slot = bench.txTail;
            bench.queue(frame, EOP | IFCS | RS | IDE);
            bench.write(TDT, bench.txTail);
            bench.poll();
            assertThat(bench.txStatus(slot) & 1).isEqualTo(1);
            assertThat(bench.sent.getLast()).isEqualTo(frame);
        }
        assertThat(bench.read(TDH)).isEqualTo(bench.read(TDT)).isEqualTo(300 % RING);
        assertThat(bench.pin).as("TIDV runs").isFalse();
        bench.now += 8 * 1024;
        bench.poll();
        assertThat(bench.read(ICS) & 1).as("TIDV is over").isEqualTo(1);
        bench.now += 195 * 256;
        bench.poll();
        assertThat(bench.pin).as("and ITR").isTrue();
        assertThat(interrupt()).isEqualTo(0x3);
        assertThat(interrupt()).as("not ours").isZero();
    }

    @Test
    @DisplayName("Transmit with offload: a context, then data with POPTS; TSO cuts to the MSS; tags by VLE")
    void shouldTransmitWithOffload() {
        probe();
        openInterface();
        byte[] frame = TestFrames.tcpFrame(100);
        bench.ram.write(TX_BUFFERS, frame, 0, frame.length);
        bench.describe(0, TestFrames.context(0, 0, 0, 34, 50, 0), (long) (0x20 | 0x80 | 0x01) << 24);
        bench.describe(1, TX_BUFFERS, data(frame.length, EOP | IFCS | RS | IDE, 2, 0));
        bench.write(TDT, 2);
        bench.poll();
        assertThat(TestFrames.transportSum(bench.sent.getFirst())).isEqualTo(0xFFFF);

        byte[] large = TestFrames.tcpFrame(3000);
        large[16] = 0;
        large[17] = 0;
        int pseudo = 0x0a00 + 1 + 0x0a00 + 2 + 6;
        large[50] = (byte) (pseudo >> 8);
        large[51] = (byte) pseudo;
        bench.ram.write(TX_BUFFERS, large, 0, large.length);
        long tucmd = (long) (0x20 | 0x80 | 0x04 | 0x02 | 0x01) << 24;
        bench.describe(2, TestFrames.context(14, 24, 33, 34, 50, 0), 3000 | tucmd | 54L << 40 | 1448L << 48);
        // The last four bytes apart, as the erratum of older parts wants it.
        bench.describe(3, TX_BUFFERS, data(large.length - 4, IFCS | 0x04 | IDE, 3, 0));
        bench.describe(4, TX_BUFFERS + large.length - 4, data(4, EOP | IFCS | RS | 0x04 | IDE, 0, 0));
        bench.write(TDT, 5);
        bench.poll();
        assertThat(bench.sent.stream().skip(1).map(f -> f.length).toList()).containsExactly(1502, 1502, 158);
        for (byte[] segment : bench.sent.subList(1, 4)) {
            assertThat(TestFrames.onesSum(segment, 14, 34)).isEqualTo(0xFFFF);
            assertThat(TestFrames.transportSum(segment)).isEqualTo(0xFFFF);
        }
        assertThat(bench.read(0x40F8)).as("TSCTC").isEqualTo(1);

        bench.write(CTRL, bench.read(CTRL) | 1 << 30);
        bench.ram.write(TX_BUFFERS, frame, 0, frame.length);
        bench.describe(5, TX_BUFFERS, legacy(frame.length, EOP | IFCS | RS | VLE | IDE, 7, 0, 0));
        bench.write(TDT, 6);
        bench.poll();
        assertThat(Arrays.copyOfRange(bench.sent.getLast(), 12, 16)).isEqualTo(bytes("81000007"));
    }

    @Test
    @DisplayName("Receive: DD, length with four bytes of FCS, checksum verdict; refill by sixteen, RDT the last filled")
    void shouldReceive() {
        probe();
        openInterface();
        int clean = 0;
        for (int i = 0; i < 600; i++) {
            bench.now += 1_000_000;
            byte[] frame = TestFrames.goodTcp(i);
            bench.arrive(frame);
            assertThat(bench.pin).isTrue();
            assertThat(interrupt() & 0x80).isEqualTo(0x80);
            assertThat(bench.rxStatus(clean)).as("DD, EOP, TCPCS").isEqualTo(0x23);
            assertThat(bench.rxErrors(clean)).isZero();
            assertThat(bench.rxLength(clean) - 4).isEqualTo(Math.max(60, frame.length));
            assertThat(bench.rxBytes(clean, frame.length)).isEqualTo(frame);
            bench.ram.writeByte(RX_RING + 16L * clean + 12, (byte) 0);
            clean = (clean + 1) % RING;
            if (clean % 16 == 0) {
                bench.write(RDT, (clean + RING - 1) % RING);
            }
        }
        assertThat(bench.read(RDH)).isEqualTo(600 % RING);
    }

    @Test
    @DisplayName("ITR 195: a second interrupt within 49.92 us waits for its time")
    void shouldThrottle() {
        probe();
        openInterface();
        bench.now += 1_000_000;
        bench.arrive(frame(MAC, 60));
        interrupt();
        bench.now += 1000;
        bench.arrive(frame(MAC, 60));
        assertThat(bench.pin).isFalse();
        bench.now += 195 * 256 - 1000;
        bench.poll();
        assertThat(bench.pin).isTrue();
    }

    @Test
    @DisplayName("Watchdog: LSC by interrupt, link down seen in STATUS, TCTL.EN off and on; statistics; ICS RXDMT0")
    void shouldWatchLink() {
        probe();
        openInterface();
        bench.now += 1_000_000;
        bench.device.setLink(false);
        assertThat(bench.pin).isTrue();
        assertThat(interrupt() & 4).isEqualTo(4);
        access.phyRead(1);
        assertThat(access.phyRead(1) & 4).isZero();
        assertThat(bench.read(STATUS) & 2).isZero();
        bench.now += 1_000_000;
        bench.device.setLink(true);
        assertThat(interrupt() & 4).isEqualTo(4);
        watchdogLinkUp();
        bench.arrive(frame(MAC, 100));
        assertThat(bench.read(0x4074)).as("GPRC").isEqualTo(1);
        assertThat(bench.read(0x4088)).as("GORCL").isEqualTo(104);
        assertThat(bench.read(0x408C)).as("GORCH").isZero();
        bench.now += 1_000_000;
        bench.read(ICR);
        bench.write(ICS, 0x10);
        assertThat(bench.pin).isTrue();
        assertThat(interrupt()).isEqualTo(0x10);
    }

    @Test
    @DisplayName(
            "Close and wake on LAN: down, WUFC for magic packets, PME through PMCSR, D3hot; back in D0 WUS says why")
    void shouldWakeOnLan() {
        probe();
        openInterface();
        bench.write(RCTL, bench.read(RCTL) & ~RX_EN);
        bench.write(TCTL, bench.read(TCTL) & ~TX_EN);
        bench.write(IMC, -1);
        resetHardware();
        bench.write(RCTL, RX_BAM | RX_EN);
        bench.write(WUC, 2);
        bench.write(0x5808, 2);
        bench.device.config().write(0xE0, 2, 0x8100);
        bench.device.config().write(0xE0, 2, 0x0103);
        byte[] magic = frame(BROADCAST, 120);
        Arrays.fill(magic, 14, 20, (byte) -1);
        for (int i = 0; i < 16; i++) {
            System.arraycopy(MAC, 0, magic, 20 + 6 * i, 6);
        }
        bench.arrive(frame(BROADCAST, 120));
        assertThat(bench.device.config().read(0xE0, 2) & 0x8000).isZero();
        bench.arrive(magic);
        assertThat(bench.device.config().read(0xE0, 2) & 0x8000).isEqualTo(0x8000);
        assertThat(bench.device.counters().pmeAssertions()).isEqualTo(1);
        bench.device.config().write(0xE0, 2, 0x8000);
        bench.device.config().write(0x04, 2, 7);
        assertThat(bench.read(0x5810)).isEqualTo(2);
        bench.write(0x5810, -1);
        bench.write(WUC, 0);
        initializeHardware();
        openInterface();
    }
}
