package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.pci.ConfigSpace;

/** The steps of Linux's e1000e on an 82574L with three vectors; each checks what the driver looks at. */
final class LinuxE1000e {
    static final int RING = 256;
    static final int RXQ0 = 1 << 20;
    static final int TXQ0 = 1 << 22;
    private static final int OTHER = 1 << 24;
    private static final int OTHER_CAUSES = 0x0007_0244;
    static final int LSC = 4;
    static final int EXTCNF_CTRL = 0xF00;
    private static final int SWSM = 0x5B50;
    static final int GCR = 0x5B00;
    static final int GCR2 = 0x5B64;
    private static final int TARC0 = 0x3840;
    private static final int TXDCTL1 = 0x3928;
    private static final int RXDCTL1 = 0x2928;
    private static final int RSSRK = 0x5C80;
    private static final int RETA = 0x5C00;
    private static final int TIMINCA = 0xB608;

    private final Bench bench;
    private final DriverAccess access;

    LinuxE1000e(Bench bench) {
        this.bench = bench;
        this.access = new DriverAccess(bench);
    }

    /** ASPM off in link control, memory and bus master on, three vectors. */
    private void findDevice() {
        ConfigSpace config = bench.device.config();
        assertThat(config.read(0, 4)).isEqualTo(0x10D3_8086);
        config.write(0xF0, 2, config.read(0xF0, 2) & ~3);
        assertThat(config.read(0xF0, 2) & 3).isZero();
        config.write(0x04, 2, 2);
        assertThat(access.sizeBar(0, 0xFEB8_0000)).isEqualTo(0xFFFE_0000);
        config.write(0x04, 2, 6);
        assertThat((config.read(0xA2, 2) & 0x7FF) + 1).as("vectors").isGreaterThanOrEqualTo(3);
    }

    void own() {
        bench.write(EXTCNF_CTRL, bench.read(EXTCNF_CTRL) | 0x20);
        assertThat(bench.read(EXTCNF_CTRL) & 0x20)
                .as("ownership of MDIO and NVM")
                .isEqualTo(0x20);
    }

    void release() {
        bench.write(EXTCNF_CTRL, bench.read(EXTCNF_CTRL) & ~0x20);
        assertThat(bench.read(EXTCNF_CTRL) & 0x20).isZero();
    }

    int phyRead(int register) {
        own();
        int value = access.phyRead(register);
        release();
        return value;
    }

    void phyWrite(int register, int value) {
        own();
        access.phyWrite(register, value);
        release();
    }

    private void resetHardware() {
        bench.write(CTRL, bench.read(CTRL) | 4);
        assertThat(bench.read(STATUS) & 1 << 19).as("master quiet").isZero();
        bench.write(IMC, -1);
        bench.write(RCTL, 0);
        bench.write(TCTL, bench.read(TCTL) & ~TX_EN);
        access.flush();
        bench.now += 10_000_000;
        own();
        bench.write(CTRL, bench.read(CTRL) | 1 << 26);
        release();
        assertThat(bench.read(EECD) & 0x200).as("AUTO_RD").isEqualTo(0x200);
        assertThat(bench.read(STATUS) & 1 << 19).as("master enabled again").isNotZero();
        bench.now += 25_000_000;
        bench.write(IMC, -1);
        bench.read(ICR);
    }

    private void checkNvm() {
        int sum = 0;
        for (int word = 0; word < 64; word++) {
            own();
            sum += access.nvm(word);
            release();
        }
        assertThat(sum & 0xFFFF).isEqualTo(0xBABA);
        assertThat(access.nvm(0)).isEqualTo(0x5452);
        assertThat(access.nvm(1)).isEqualTo(0x1200);
        assertThat(access.nvm(2)).isEqualTo(0x5634);
        assertThat(access.nvm(0x24) & 0x400).as("wake on LAN").isEqualTo(0x400);
        assertThat(access.nvm(0x0F) & 0x6000).as("no management").isZero();
    }

    /** Time stamping: the clock's registers must read back what they were given. */
    void setUpClock() {
        bench.write(TIMINCA, 0x01A0_0000);
        assertThat(bench.read(TIMINCA)).isEqualTo(0x01A0_0000);
        bench.write(0xB614, bench.read(0xB614) & ~0x10);
        assertThat(bench.read(0xB614) & 0x10).isZero();
        bench.write(0xB620, bench.read(0xB620) & ~0x1E);
        assertThat(bench.read(0xB620) & 0x1E).isZero();
    }

    private void initializeHardware() {
        bench.write(PBA, 32);
        assertThat(bench.read(PBA) & 0xFFFF).isEqualTo(32);
        resetHardware();
        assertThat(bench.read(PBA)).as("survives the reset").isEqualTo(8 << 16 | 32);
        bench.write(CTRL_EXT, bench.read(CTRL_EXT) | 1 << 28);
        bench.write(0x5800, 0);
        bench.write(TXDCTL, bench.read(TXDCTL) | 1 << 22);
        bench.write(TXDCTL1, bench.read(TXDCTL1) | 1 << 22);
        bench.write(TARC0, bench.read(TARC0) & ~(0xF << 27) | 1 << 26);
        bench.write(CTRL, bench.read(CTRL) & ~(1 << 29));
        bench.write(CTRL_EXT, bench.read(CTRL_EXT) & ~(1 << 23) | 1 << 22);
        bench.write(GCR, bench.read(GCR) | 1 << 22);
        bench.write(GCR2, bench.read(GCR2) | 1);
        assertThat(access.nvm(4)).as("LED word: the driver's default").isEqualTo(0xF746);
        bench.write(0xE00, bench.read(0xE00));
        access.clearTables();
        setUpLink();
        bench.write(TXDCTL, bench.read(TXDCTL) & ~0x3F_0000 | 0x0141_0000);
        bench.write(GCR, bench.read(GCR) | 1 << 27);
        access.clearStatistics(0x4128);
        bench.write(VET, 0x8100);
    }

    private void setUpLink() {
        bench.write(CTRL, bench.read(CTRL) & ~0x1800 | 0x40);
        phyWrite(16, phyRead(16) & ~(1 << 11) | 0x60);
        phyWrite(0, phyRead(0) | 0x8000);
        phyWrite(16, phyRead(16) | 1 << 11);
        phyWrite(29, 3);
        phyWrite(30, 0);
        phyWrite(0, phyRead(0) | 0x8000);
        assertThat(phyRead(0) & 0x8000).isZero();
        phyWrite(4, 0x0DE1);
        phyWrite(9, 0x0200);
        phyWrite(0, phyRead(0) | 0x1200);
        access.setUpFlowControl();
        bench.write(0x2160, 0);
        bench.write(0x2168, 0);
    }

    void probe() {
        findDevice();
        bench.write(IMC, -1);
        bench.write(EIAC, 0);
        access.flush();
        bench.write(SWSM, bench.read(SWSM) & ~1);
        assertThat(bench.read(SWSM) & 1).as("free").isZero();
        assertThat(bench.read(SWSM) & 1).as("taken by the read").isEqualTo(1);
        bench.write(SWSM, bench.read(SWSM) & ~1);
        assertThat(bench.read(EECD) & 0x1_8000).as("EEPROM, not flash").isZero();
        assertThat(phyRead(2) << 16 | phyRead(3)).isEqualTo(0x0141_0CB1);
        bench.read(0x5820);
        bench.read(0x5B30);
        resetHardware();
        checkNvm();
        setUpClock();
        initializeHardware();
        phyWrite(0, phyRead(0) | 1 << 11);
        assertThat(bench.read(STATUS) & 2).as("PHY powered down").isZero();
    }

    private void configureTransmit() {
        bench.write(TDBAL, (int) TX_RING);
        bench.write(TDBAH, 0);
        bench.write(TDLEN, 16 * RING);
        bench.write(TDH, 0);
        bench.write(TDT, 0);
        assertThat(bench.read(TDT)).as("the write stuck").isZero();
        bench.write(TIDV, 8);
        bench.write(TADV, 32);
        bench.write(TXDCTL, 0x0141_011F);
        bench.write(TXDCTL1, bench.read(TXDCTL));
        bench.write(TCTL, 1 << 24 | TX_PSP | 15 << 4 | 63 << 12);
        bench.txSize = RING;
    }

    private void configureReceive() {
        for (int i = 0; i < 10; i++) {
            bench.write(RSSRK + 4 * i, 0x0101_0101 * (i + 3));
        }
        for (int i = 0; i < 32; i++) {
            bench.write(RETA + 4 * i, 0);
        }
        bench.write(RXCSUM, bench.read(RXCSUM) | 1 << 13);
        bench.write(MRQC, 0x0037_0000);
        bench.write(RFCTL, bench.read(RFCTL) | 1 << 15);
        bench.write(RCTL, RX_BAM | RX_SECRC);
        bench.write(0x2828, 0x0104_0420);
        bench.write(RXDCTL1, 0x0104_0420);
        bench.write(RDTR, 0);
        bench.write(RADV, 8);
        bench.write(EITR, 195);
        bench.write(CTRL_EXT, bench.read(CTRL_EXT) | 1 << 27);
        bench.write(IAM, -1);
        access.flush();
        bench.write(RDBAL, (int) RX_RING);
        bench.write(RDBAH, 0);
        bench.write(RDLEN, 16 * RING);
        bench.write(RDH, 0);
        bench.write(RDT, 0);
        bench.write(RXCSUM, bench.read(RXCSUM) | 0x200);
        bench.write(RCTL, RX_BAM | RX_SECRC | RX_EN);
        access.fillReceiveRing(RING, 2048);
        for (int i = 16; i <= 240; i += 16) {
            bench.write(RDT, i);
        }
    }

    private void enableInterrupts() {
        for (int v = 0; v < 3; v++) {
            bench.device.writeBar(3, 16 * v, 4, 0xFEE0_0000L);
            bench.device.writeBar(3, 16 * v + 4, 4, 0);
            bench.device.writeBar(3, 16 * v + 8, 4, 0x40 + v);
            bench.device.writeBar(3, 16 * v + 12, 4, 0);
            bench.write(EITR + 4 * v, 195);
        }
        bench.device.config().write(0xA2, 2, 0x8000);
        bench.write(RFCTL, bench.read(RFCTL) | 1 << 12);
        bench.write(IVAR, 0x800A_0908);
        bench.write(CTRL_EXT, bench.read(CTRL_EXT) & ~(1 << 27) | 1 << 31 | 1 << 24);
        access.flush();
        bench.write(EIAC, 0x0050_0000);
        bench.write(IMS, 0x0050_0000 | OTHER | OTHER_CAUSES);
        access.flush();
    }

    void openInterface() {
        initializeHardware();
        phyWrite(0, phyRead(0) & ~(1 << 11) | 0x1200);
        assertThat(bench.read(STATUS) & 2).as("PHY powered up").isEqualTo(2);
        bench.read(ICR);
        configureTransmit();
        configureReceive();
        enableInterrupts();
        bench.messages.clear();
        bench.now += 1_000_000;
        bench.write(ICS, LSC | OTHER);
        expectVector(2);
        otherHandler(LSC);
        watchdogLinkUp();
    }

    void expectVector(int vector) {
        assertThat(bench.messages).containsExactly(new Message(0xFEE0_0000L, 0x40 + vector));
        bench.messages.clear();
        bench.now += 195 * 256;
    }

    /** Vector 2: read ICR, post queue causes again that the read may have wiped, unmask. */
    void otherHandler(int expected) {
        int icr = bench.read(ICR);
        assertThat(icr & expected).isEqualTo(expected);
        int queues = icr & bench.read(EIAC);
        if (queues != 0) {
            bench.write(ICS, queues);
        }
        bench.write(IMS, OTHER | OTHER_CAUSES);
    }

    void watchdogLinkUp() {
        phyRead(1);
        assertThat(phyRead(1) & 0x24).as("link, negotiation complete").isEqualTo(0x24);
        phyRead(4);
        assertThat(phyRead(5) & 0x4000).as("partner acknowledged").isEqualTo(0x4000);
        phyRead(9);
        assertThat(phyRead(10) & 0x3800).as("1000 Mbit/s").isNotZero();
        bench.write(CTRL, bench.read(CTRL) & ~(3 << 27) | 3 << 27);
        assertThat(bench.read(STATUS) & 0xC3).as("full duplex, link, 1000").isEqualTo(0x83);
        bench.write(TCTL, bench.read(TCTL) | TX_EN);
    }
}
