package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.pci.PciDevice;

/**
 * The 82540EM, in the order of Linux's e1000: reset through the I/O BAR, EEPROM by moving its pins, INTx.
 *
 * <p>A receive interrupt costs three register accesses: ICR tells and acknowledges the cause, IMC turns interrupts off, IMS on
 * again when the poll has run dry. Linux pushes each of the two writes out with a read of STATUS; a write that arrives late
 * could only cause an interrupt that finds ICR 0, so this driver saves the reads. No re-check is needed after IMS: a cause that
 * came up after ICR was read is latched in ICR and asserts the line as soon as its mask bit is set (8254x SDM 13.4.17).
 *
 * <p>An interrupt for finished transmissions alone costs one, ICR: to take descriptors off the ring is bounded and touches RAM
 * only, so it is done in the handler and nothing needs to be turned off.
 */
final class Part82540 extends Part {
    static final int ID = 0x8086_100E;
    private static final int PHY_ID = 0x0141_0C20;
    /** The low four bits are a revision. */
    private static final int PHY_ID_MASK = 0xFFFF_FFF0;

    private static final int IOADDR = 0;
    private static final int IODATA = 4;
    private static final int PBA_KILOBYTES = 0x30;
    private static final int TXDCTL_WTHRESH = 0x3F << 16;
    private static final int TXDCTL_GRAN_WTHRESH_1 = 0x0101_0000;
    private static final int TIPG_COPPER = 0x0060_2008;
    private static final int INTERRUPTS = Reg.INT_RXT0 | Reg.INT_RXDMT0 | Reg.INT_RXSEQ | Reg.INT_LSC;
    private static final int TRANSMIT_CAUSES = Reg.INT_TXDW | Reg.INT_TXQE;

    private final int ioPort;
    private final Phy phy;
    private int wanted;
    private boolean masked;

    Part82540(DriverPlatform platform, PciDevice device, E1000Options options) {
        super(platform, device, options);
        ioPort = (int) device.ioBar().address();
        phy = new Phy(registers, platform, SoftwareOwnership.ALWAYS);
        wanted = options.txInterrupts() ? INTERRUPTS | Reg.INT_TXDW : INTERRUPTS;
    }

    @Override
    String driverName() {
        return "e1000";
    }

    @Override
    String hangTitle() {
        return "Detected Tx Unit Hang";
    }

    @Override
    Phy phy() {
        return phy;
    }

    @Override
    ReceiveRing.Layout receiveLayout() {
        return ReceiveRing.Layout.LEGACY;
    }

    @Override
    byte[] bringUp() {
        device.enable(PciDevice.COMMAND_IO | PciDevice.COMMAND_MEMORY | PciDevice.COMMAND_BUS_MASTER);
        registers.write(Reg.IMC, ALL);
        registers.flush();
        registers.read(Reg.MANC);
        Nvm nvm = new MicrowireNvm(registers, platform);
        resetHardware();
        nvm.validateChecksum();
        byte[] mac = nvm.macAddress();
        nvm.word(Nvm.WORD_APM);
        registers.write(Reg.PBA, PBA_KILOBYTES);
        resetHardware();
        registers.write(Reg.WUC, 0);
        initializeHardware(nvm, mac);
        setVlanType();
        registers.clearBits(Reg.RCTL, Reg.RCTL_VFE | Reg.RCTL_CFIEN);
        return mac;
    }

    /** Through the I/O ports, since a memory write with RST set may never be acknowledged on the bus. */
    private void resetHardware() {
        clearInterruptsForReset();
        registers.write(Reg.RCTL, 0);
        registers.write(Reg.TCTL, Reg.TCTL_PSP);
        registers.flush();
        delayMillis(10);
        int ctrl = registers.read(Reg.CTRL);
        platform.cpu().out(ioPort + IOADDR, 4, Reg.CTRL);
        platform.cpu().out(ioPort + IODATA, 4, ctrl | Reg.CTRL_RST);
        // Time for the EEPROM to be read automatically.
        delayMillis(5);
        registers.clearBits(Reg.MANC, Reg.MANC_ARP_EN);
        registers.write(Reg.IMC, ALL);
        registers.read(Reg.ICR);
    }

    private void initializeHardware(Nvm nvm, byte[] mac) {
        nvm.word(Nvm.WORD_LED);
        registers.read(Reg.LEDCTL);
        registers.write(Reg.VET, 0);
        clearTable(Reg.VFTA);
        setStationAddress(mac);
        clearTable(Reg.MTA);
        nvm.word(Nvm.WORD_CONTROL_2);
        setUpFlowControl();
        setUpLink();
        setFlowThresholds(PBA_KILOBYTES);
        int txdctl = registers.read(Reg.TXDCTL);
        registers.write(Reg.TXDCTL, txdctl & ~TXDCTL_WTHRESH | TXDCTL_GRAN_WTHRESH_1);
        clearStatistics();
    }

    private void setUpLink() {
        int ctrl = registers.read(Reg.CTRL) & ~(Reg.CTRL_FRCSPD | Reg.CTRL_FRCDPX) | Reg.CTRL_SLU;
        registers.write(Reg.CTRL, ctrl);
        registers.write(Reg.CTRL, ctrl | Reg.CTRL_PHY_RST);
        registers.flush();
        delayMillis(10);
        registers.write(Reg.CTRL, ctrl);
        registers.flush();
        delayMillis(10);
        int id = phy.id();
        if ((id & PHY_ID_MASK) != PHY_ID) {
            throw DriverException.register(
                    "PHY id (registers 2 and 3)", id & 0xFFFF_FFFFL, "0x1410c2x (Marvell 88E1011)");
        }
        // CRS on transmit and automatic crossover; then 25 MHz on transmit clock.
        phy.setBits(Phy.SPECIFIC_CONTROL, 0x0860);
        phy.setBits(Phy.EXTENDED_CONTROL, 0x0070);
        phy.setBits(Phy.BMCR, Phy.BMCR_RESET);
        phy.autonegotiate();
        phy.read(Phy.BMSR);
        phy.read(Phy.BMSR);
    }

    @Override
    void configure(TransmitRing transmit, ReceiveRing receive) {
        programTransmitRing(transmit);
        registers.write(Reg.TIPG, TIPG_COPPER);
        registers.write(Reg.TIDV, options.tidv());
        registers.write(Reg.TADV, options.tadv());
        int tctl = registers.read(Reg.TCTL) & ~Reg.TCTL_CT;
        registers.write(Reg.TCTL, tctl | Reg.TCTL_PSP | Reg.TCTL_RTLC | Reg.TCTL_CT_15);
        registers.write(Reg.RCTL, receiveControl());
        registers.write(Reg.RDTR, options.rdtr());
        registers.write(Reg.RADV, options.radv());
        registers.write(Reg.ITR, options.itr());
        programReceiveRing(receive);
        registers.setBits(Reg.RXCSUM, Reg.RXCSUM_TUOFL);
        registers.write(Reg.RCTL, receiveControl() | Reg.RCTL_EN);
    }

    @Override
    void connectInterrupts(byte[] mac) {
        registers.write(Reg.RCTL, registers.read(Reg.RCTL));
        setStationAddress(mac);
        clearTable(Reg.MTA);
        platform.attachLine(device.interruptLine(), this::interrupt);
        registers.write(Reg.IMS, wanted);
        registers.flush();
        // Starts the link check.
        registers.write(Reg.ICS, Reg.INT_LSC);
    }

    private boolean interrupt() {
        int icr = registers.read(Reg.ICR);
        if (icr == 0) {
            return false;
        }
        if ((icr & TRANSMIT_CAUSES) != 0) {
            transmitDone();
        }
        if ((icr & ~TRANSMIT_CAUSES) == 0) {
            return false;
        }
        if ((icr & (Reg.INT_LSC | Reg.INT_RXSEQ)) != 0) {
            linkChanged = true;
        }
        registers.write(Reg.IMC, ALL);
        masked = true;
        return true;
    }

    private void transmitDone() {
        reapTransmits.run();
        if (!options.txInterrupts() && (wanted & Reg.INT_TXDW) != 0) {
            wanted &= ~Reg.INT_TXDW;
            registers.write(Reg.IMC, Reg.INT_TXDW);
        }
    }

    /** A cause that is latched already asserts the line at once, so nothing that finished meanwhile is missed. */
    @Override
    void awaitTransmit() {
        if ((wanted & Reg.INT_TXDW) == 0) {
            wanted |= Reg.INT_TXDW;
            if (!masked) {
                registers.write(Reg.IMS, Reg.INT_TXDW);
            }
        }
    }

    @Override
    void resume() {
        if (masked) {
            masked = false;
            registers.write(Reg.IMS, wanted);
        }
    }
}
