package io.iolab.devices.e1000;

import io.iolab.devices.register.RegisterFile;

/**
 * CTRL, CTRL_EXT and STATUS: resets and the MAC's view of the link (82540 SDM 13.4).
 *
 * <pre>
 *   cable, MDIC --> Phy link --+
 *   EEPROM APM, CTRL.SLU ------+-- and --> STATUS.LU, ICR.LSC on change
 * </pre>
 */
final class LinkUnit {
    private final E1000Model model;
    private final RegisterFile registers;
    private final Eeprom eeprom;
    private final InterruptUnit interrupts;
    private final Runnable controllerReset;
    private final Phy phy;

    private boolean linkUp;
    private boolean phyWasReset;
    private boolean transmitOff;
    private Runnable onChange = () -> {};
    private boolean building = true;

    /** @param controllerReset does what CTRL.RST asks for */
    LinkUnit(Core core, Eeprom eeprom, InterruptUnit interrupts, Runnable controllerReset) {
        this.model = core.model();
        this.registers = core.registers();
        this.eeprom = eeprom;
        this.interrupts = interrupts;
        this.controllerReset = controllerReset;
        this.phy = new Phy(model, core.clock(), this::evaluate);
        registers.onWrite(E1000Registers.CTRL, (written, previous) -> controlWritten(written));
        registers.onRead(E1000Registers.CTRL_DUP, () -> registers.get(E1000Registers.CTRL));
        registers.onWrite(
                E1000Registers.CTRL_DUP,
                (written, previous) -> registers.write(E1000Registers.CTRL, 4, written & 0xFFFF_FFFFL));
        registers.onWrite(E1000Registers.CTRL_EXT, (written, previous) -> extendedControlWritten(written));
        registers.onRead(E1000Registers.STATUS, this::status);
        registers.onWrite(E1000Registers.STATUS, (written, previous) -> statusWritten(written));
        building = false;
    }

    Phy phy() {
        return phy;
    }

    void negotiationNanos(long nanos) {
        building = true;
        phy.negotiationNanos(nanos);
        building = false;
        linkUp = macWantsLink() && phy.linkUp();
    }

    boolean linkUp() {
        return linkUp;
    }

    /** @param action runs after each change of the link */
    void onChange(Runnable action) {
        onChange = action;
    }

    /** STATUS.TXOFF: a PAUSE frame holds the transmitter. */
    void transmitOff(boolean off) {
        transmitOff = off;
    }

    boolean fullDuplex() {
        int control = registers.get(E1000Registers.CTRL);
        return (control & E1000Registers.CTRL_FRCDPX) == 0 || (control & E1000Registers.CTRL_FD) != 0;
    }

    /** After a reset: what the EEPROM puts into CTRL and the first station address. No LSC: nothing changed yet. */
    void loadFromEeprom() {
        boolean old = model == E1000Model.I82540EM;
        int control = E1000Registers.SPEED_1000 << E1000Registers.CTRL_SPEED_SHIFT;
        if (old) {
            int init = eeprom.initControl1();
            control |= E1000Registers.CTRL_FRCSPD;
            control |= (init >>> 10 & 1) | (init >>> 9 & 1) << 3 | (init >>> 4 & 1) << 7 | (init >>> 5 & 0xF) << 18;
        } else {
            // SWDPIN0, ADVD3WUC and full duplex are up after power-on (82574 datasheet 10.2.2).
            control |= 0x0014_0000 | E1000Registers.CTRL_FD;
        }
        if (!old || eeprom.wakeUpEnabled()) {
            control |= E1000Registers.CTRL_SLU;
        }
        registers.set(E1000Registers.CTRL, control);
        loadStationAddress();
        linkUp = macWantsLink() && phy.linkUp();
    }

    private void loadStationAddress() {
        // By write, so that the receive filter learns of it.
        registers.write(E1000Registers.RAL, 4, eeprom.word(0) | (long) eeprom.word(1) << 16);
        registers.write(E1000Registers.RAH, 4, eeprom.word(2) | (long) E1000Registers.RAH_AV & 0xFFFF_FFFFL);
    }

    /** Back to power-on: the PHY starts over, and no change of link is reported. */
    void powerOn() {
        building = true;
        phyWasReset = false;
        phy.hold(false);
        phy.reset();
        building = false;
        linkUp = macWantsLink() && phy.linkUp();
    }

    private boolean macWantsLink() {
        return (registers.get(E1000Registers.CTRL) & E1000Registers.CTRL_SLU) != 0;
    }

    private void evaluate() {
        if (building) {
            return;
        }
        boolean up = macWantsLink() && phy.linkUp();
        if (up != linkUp) {
            linkUp = up;
            interrupts.raise(InterruptCause.LSC);
            onChange.run();
        }
    }

    private void controlWritten(int written) {
        if ((written & E1000Registers.CTRL_RST) != 0) {
            // Self-clearing, and the PHY keeps its link (82540 SDM 13.4, CTRL.RST).
            controllerReset.run();
            return;
        }
        boolean phyReset = (written & E1000Registers.CTRL_PHY_RST) != 0;
        phyWasReset |= phyReset;
        phy.hold(phyReset);
        evaluate();
    }

    private void extendedControlWritten(int written) {
        if ((written & E1000Registers.CTRL_EXT_EE_RST) != 0) {
            // Only what comes from the EEPROM is loaded again, and the bit clears itself.
            loadStationAddress();
        }
        int selfClearing = E1000Registers.CTRL_EXT_EE_RST | E1000Registers.CTRL_EXT_ASDCHK;
        registers.set(E1000Registers.CTRL_EXT, registers.get(E1000Registers.CTRL_EXT) & ~selfClearing);
    }

    /** Whether DMA may start: GIO Master Disable stops it on the 82574 (82574 datasheet 10.2.2). */
    boolean masterEnabled() {
        return model == E1000Model.I82540EM
                || (registers.get(E1000Registers.CTRL) & E1000Registers.CTRL_GIO_MASTER_DISABLE) == 0;
    }

    /** Bit 10 of STATUS is PHYRA on the 82574, and writing 0 to it clears it. */
    private void statusWritten(int written) {
        if (model == E1000Model.I82574L && (written & E1000Registers.STATUS_PHYRA) == 0) {
            phyWasReset = false;
        }
    }

    private int status() {
        int control = registers.get(E1000Registers.CTRL);
        int speed = (control & E1000Registers.CTRL_FRCSPD) != 0
                ? control >>> E1000Registers.CTRL_SPEED_SHIFT & 3
                : E1000Registers.SPEED_1000;
        int value = speed << E1000Registers.STATUS_SPEED_SHIFT;
        value |= fullDuplex() ? E1000Registers.STATUS_FD : 0;
        value |= linkUp ? E1000Registers.STATUS_LU : 0;
        value |= transmitOff ? E1000Registers.STATUS_TXOFF : 0;
        if (model == E1000Model.I82574L) {
            // Bit 9: the LAN is initialised.
            value |= 1 << 9;
            value |= phyWasReset ? E1000Registers.STATUS_PHYRA : 0;
            value |= masterEnabled() ? E1000Registers.STATUS_GIO_MASTER_ENABLE : 0;
        }
        return value;
    }
}
