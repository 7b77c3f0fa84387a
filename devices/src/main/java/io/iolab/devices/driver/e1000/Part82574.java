package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.pci.MsixVectors;
import io.iolab.devices.driver.pci.PciDevice;

/**
 * The 82574L, in the order of Linux's e1000e: EERD, three MSI-X vectors, extended receive descriptors.
 *
 * <p>The data path's handlers touch no register. Sending a message clears its cause (EIAC) and its mask bit (EIAME with IAM),
 * so poll turns the vector on again with one write of IMS; a cause that came up meanwhile is latched in ICR and sends its
 * message then, so no re-check is needed (82574 datasheet 7.4.2 to 7.4.5).
 */
final class Part82574 extends Part {
    static final int ID = 0x8086_10D3;
    private static final int PHY_ID = 0x0141_0CB1;
    private static final int VECTOR_RECEIVE = 0;
    private static final int VECTOR_TRANSMIT = 1;
    private static final int VECTOR_OTHER = 2;
    private static final int VECTORS = 3;
    /** RXQ0 to vector 0, TXQ0 to 1, others to 2, each valid; bit 31: transmit causes on every write-back. */
    private static final int IVAR_THREE_VECTORS = 0x800A_0908;

    private static final int DATA_CAUSES = Reg.INT_RXQ0 | Reg.INT_TXQ0;
    private static final int OTHER_CAUSES =
            Reg.INT_OTHER | Reg.INT_LSC | Reg.INT_RXO | Reg.INT_MDAC | Reg.INT_SRPD | Reg.INT_ACK | Reg.INT_MNG;

    private static final int LINK_CONTROL = 0x10;
    private static final int LINK_CONTROL_ASPM = 3;
    private static final int SWSM_SMBI = 1;
    private static final int EECD_AUTO_RD = 1 << 9;
    private static final int PBA_KILOBYTES = 32;
    private static final int TXDCTL_COUNT_DESC = 1 << 22;
    /** GRAN, COUNT_DESC, PTHRESH 31, HTHRESH 1, WTHRESH 1: each completion is written back at once. */
    private static final int TXDCTL_OPEN = 0x0141_011F;

    private static final int TXDCTL_GRAN_WTHRESH_1 = 0x0101_0000;
    private static final int RXDCTL_OPEN = 0x0104_0420;
    private static final int TARC_CLEAR = 0xF << 27;
    private static final int TARC_SET = 1 << 26;
    private static final int MRQC_FIELDS = 0x0037_0000;

    private final SoftwareOwnership ownership;
    private final Phy phy;
    private final Nvm nvm;
    private final MsixVectors vectors;
    /** Causes whose mask bits the hardware has cleared with their message. */
    private int masked;

    private boolean awaitingTransmit;

    Part82574(DriverPlatform platform, PciDevice device, E1000Options options) {
        super(platform, device, options);
        device.enable(PciDevice.COMMAND_MEMORY | PciDevice.COMMAND_BUS_MASTER);
        ownership = SoftwareOwnership.of(registers, platform);
        phy = new Phy(registers, platform, ownership);
        nvm = new EerdNvm(registers, platform, ownership);
        vectors = device.enableMsix(VECTORS);
    }

    @Override
    String driverName() {
        return "e1000e";
    }

    @Override
    String hangTitle() {
        return "Detected Hardware Unit Hang:";
    }

    @Override
    Phy phy() {
        return phy;
    }

    @Override
    ReceiveRing.Layout receiveLayout() {
        return ReceiveRing.Layout.EXTENDED;
    }

    @Override
    byte[] bringUp() {
        disableAspm();
        registers.write(Reg.IMC, ALL);
        registers.write(Reg.EIAC, 0);
        registers.flush();
        registers.clearBits(Reg.SWSM, SWSM_SMBI);
        registers.read(Reg.EECD);
        int id = phy.id();
        if (id != PHY_ID) {
            throw DriverException.register(
                    "PHY id (registers 2 and 3)", id & 0xFFFF_FFFFL, "0x1410cb1 (BM revision 2)");
        }
        registers.read(Reg.MANC);
        registers.read(Reg.FACTPS);
        nvm.word(Nvm.WORD_CONTROL_2);
        resetHardware();
        nvm.validateChecksum();
        byte[] mac = nvm.macAddress();
        nvm.word(Nvm.WORD_APM);
        nvm.word(Nvm.WORD_VERSION);
        // Once when it is probed and once when it is opened.
        resetAndInitialize(mac);
        resetAndInitialize(mac);
        int bmcr = phy.read(Phy.BMCR);
        phy.write(Phy.BMCR, bmcr & ~Phy.BMCR_POWER_DOWN);
        return mac;
    }

    /** The part has errata with L0s and L1. */
    private void disableAspm() {
        int express = device.findCapability(PciDevice.CAPABILITY_EXPRESS);
        if (express != 0) {
            int control = device.read(express + LINK_CONTROL, 2);
            device.write(express + LINK_CONTROL, 2, control & ~LINK_CONTROL_ASPM);
        }
    }

    private void resetAndInitialize(byte[] mac) {
        registers.write(Reg.PBA, PBA_KILOBYTES);
        registers.read(Reg.PBA);
        resetHardware();
        registers.setBits(Reg.CTRL_EXT, Reg.CTRL_EXT_DRV_LOAD);
        registers.write(Reg.WUC, 0);
        initializeHardware(mac);
        setVlanType();
    }

    private void resetHardware() {
        registers.setBits(Reg.CTRL, Reg.CTRL_GIO_MASTER_DISABLE);
        for (int i = 0; i < 800 && (registers.read(Reg.STATUS) & Reg.STATUS_GIO_MASTER_ENABLE) != 0; i++) {
            platform.delayNanos(MILLISECOND / 10);
        }
        clearInterruptsForReset();
        registers.write(Reg.RCTL, 0);
        registers.clearBits(Reg.TCTL, Reg.TCTL_EN);
        registers.flush();
        delayMillis(10);
        ownership.acquire();
        registers.setBits(Reg.CTRL, Reg.CTRL_RST);
        ownership.release();
        int eecd = registers.read(Reg.EECD);
        for (int attempt = 0; (eecd & EECD_AUTO_RD) == 0; attempt++) {
            if (attempt == 10) {
                throw DriverException.register("EECD", eecd & 0xFFFF_FFFFL, "AUTO_RD (bit 9) 10 ms after a reset");
            }
            delayMillis(1);
            eecd = registers.read(Reg.EECD);
        }
        delayMillis(25);
        registers.write(Reg.IMC, ALL);
        registers.read(Reg.ICR);
    }

    private void initializeHardware(byte[] mac) {
        registers.setBits(Reg.TXDCTL, TXDCTL_COUNT_DESC);
        registers.setBits(Reg.TXDCTL1, TXDCTL_COUNT_DESC);
        registers.write(Reg.TARC0, registers.read(Reg.TARC0) & ~TARC_CLEAR | TARC_SET);
        registers.write(Reg.TARC1, registers.read(Reg.TARC1) & ~TARC_CLEAR | TARC_SET);
        registers.clearBits(Reg.CTRL, 1 << 29);
        registers.write(Reg.CTRL_EXT, registers.read(Reg.CTRL_EXT) & ~(1 << 23) | 1 << 22);
        registers.setBits(Reg.GCR, 1 << 22);
        registers.setBits(Reg.GCR2, 1);
        nvm.word(Nvm.WORD_LED);
        registers.read(Reg.LEDCTL);
        clearTable(Reg.VFTA);
        setStationAddress(mac);
        clearTable(Reg.MTA);
        setUpLink();
        registers.write(Reg.TXDCTL, registers.read(Reg.TXDCTL) | TXDCTL_GRAN_WTHRESH_1 | TXDCTL_COUNT_DESC);
        registers.setBits(Reg.GCR, 1 << 27);
        clearStatistics();
    }

    private void setUpLink() {
        int ctrl = registers.read(Reg.CTRL) & ~(Reg.CTRL_FRCSPD | Reg.CTRL_FRCDPX) | Reg.CTRL_SLU;
        registers.write(Reg.CTRL, ctrl);
        // Downshift takes effect over a PHY reset: off, reset, on.
        int control = phy.read(Phy.SPECIFIC_CONTROL) | 0x0060;
        phy.write(Phy.SPECIFIC_CONTROL, control & ~(1 << 11));
        phy.setBits(Phy.BMCR, Phy.BMCR_RESET);
        phy.write(Phy.SPECIFIC_CONTROL, control | 1 << 11);
        phy.write(29, 3);
        phy.write(30, 0);
        phy.setBits(Phy.BMCR, Phy.BMCR_RESET);
        phy.autonegotiate();
        setUpFlowControl();
        setFlowThresholds(PBA_KILOBYTES);
    }

    @Override
    void configure(TransmitRing transmit, ReceiveRing receive) {
        programTransmitRing(transmit);
        registers.write(Reg.TIDV, options.tidv());
        registers.write(Reg.TADV, options.tadv());
        registers.write(Reg.TXDCTL, TXDCTL_OPEN);
        registers.write(Reg.TXDCTL1, TXDCTL_OPEN);
        int tctl = registers.read(Reg.TCTL) & ~(Reg.TCTL_CT | Reg.TCTL_COLD);
        registers.write(Reg.TCTL, tctl | Reg.TCTL_PSP | Reg.TCTL_RTLC | Reg.TCTL_CT_15 | Reg.TCTL_COLD_63);
        disableHashing();
        registers.setBits(Reg.RFCTL, Reg.RFCTL_EXSTEN);
        registers.write(Reg.RCTL, receiveControl() | Reg.RCTL_SECRC);
        registers.write(Reg.RXDCTL0, RXDCTL_OPEN);
        registers.write(Reg.RXDCTL1, RXDCTL_OPEN);
        registers.write(Reg.RDTR, options.rdtr());
        registers.write(Reg.RADV, options.radv());
        for (int vector = 0; vector < VECTORS; vector++) {
            registers.write(Reg.EITR0 + 4 * vector, options.itr());
        }
        registers.setBits(Reg.CTRL_EXT, Reg.CTRL_EXT_IAME);
        registers.write(Reg.IAM, ALL);
        programReceiveRing(receive);
        registers.setBits(Reg.RXCSUM, Reg.RXCSUM_TUOFL);
        registers.write(Reg.RCTL, receiveControl() | Reg.RCTL_SECRC | Reg.RCTL_EN);
    }

    /** One queue: the redirection table points every hash at it, and MRQC names hash fields without its enable bit. */
    private void disableHashing() {
        for (int i = 0; i < 10; i++) {
            registers.write(Reg.RSSRK + 4 * i, 0);
        }
        for (int i = 0; i < 32; i++) {
            registers.write(Reg.RETA + 4 * i, 0);
        }
        registers.setBits(Reg.RXCSUM, Reg.RXCSUM_PCSD);
        registers.write(Reg.MRQC, MRQC_FIELDS);
    }

    @Override
    void connectInterrupts(byte[] mac) {
        vectors.route(VECTOR_RECEIVE, platform.allocateMessage(this::receiveInterrupt));
        vectors.route(VECTOR_TRANSMIT, platform.allocateMessage(this::transmitInterrupt));
        vectors.route(VECTOR_OTHER, platform.allocateMessage(this::otherInterrupt));
        // Spurious interrupts on TCP acknowledgements: an erratum.
        registers.setBits(Reg.RFCTL, Reg.RFCTL_ACK_DIS);
        registers.write(Reg.IVAR, IVAR_THREE_VECTORS);
        int extended = registers.read(Reg.CTRL_EXT) & ~Reg.CTRL_EXT_IAME;
        registers.write(Reg.CTRL_EXT, extended | Reg.CTRL_EXT_PBA_CLR | Reg.CTRL_EXT_EIAME);
        registers.write(Reg.EIAC, DATA_CAUSES);
        registers.write(Reg.IMS, (options.txInterrupts() ? DATA_CAUSES : Reg.INT_RXQ0) | OTHER_CAUSES);
        registers.flush();
        registers.write(Reg.ICS, Reg.INT_LSC | Reg.INT_OTHER);
    }

    private boolean receiveInterrupt() {
        masked |= Reg.INT_RXQ0;
        return true;
    }

    /** The message has masked its cause (EIAME); it stays masked if an interrupt was wanted only while the ring was full. */
    private boolean transmitInterrupt() {
        reapTransmits.run();
        awaitingTransmit = false;
        if (options.txInterrupts()) {
            registers.write(Reg.IMS, Reg.INT_TXQ0);
        }
        return false;
    }

    /** A cause that is latched already sends its message as soon as it is unmasked, so nothing that finished is missed. */
    @Override
    void awaitTransmit() {
        if (!options.txInterrupts() && !awaitingTransmit) {
            awaitingTransmit = true;
            registers.write(Reg.IMS, Reg.INT_TXQ0);
        }
    }

    /** Reading ICR may have wiped causes of the queues: they are raised again (82574 datasheet 7.4.5). */
    private boolean otherInterrupt() {
        int icr = registers.read(Reg.ICR);
        if ((icr & DATA_CAUSES) != 0) {
            registers.write(Reg.ICS, icr & DATA_CAUSES);
        }
        if ((icr & Reg.INT_LSC) != 0) {
            linkChanged = true;
        }
        registers.write(Reg.IMS, OTHER_CAUSES);
        return linkChanged;
    }

    @Override
    void resume() {
        if (masked != 0) {
            int causes = masked;
            masked = 0;
            registers.write(Reg.IMS, causes);
        }
    }
}
