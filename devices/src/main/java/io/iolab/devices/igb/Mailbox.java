package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.register.RegisterFile;

/**
 * Sixteen words shared by each virtual function and the PF, with a lock and doorbells on both sides (82576 datasheet 7.10.2.9). It
 * carries messages; who answers them is the PF's driver.
 *
 * <pre>
 *   VF: V2PMAILBOX  REQ, ACK --&gt; MBVFICR, ICR.VMMB          PF: P2VMAILBOX  STS, ACK --&gt; PFSTS, PFACK, VF vector
 *       VFU: taken while PFU is clear                            PFU: taken while VFU is clear; RVFU breaks VFU
 *       RSTI: from a reset of the PF until CTRL_EXT.PFRSTD, then RSTD until read
 * </pre>
 */
final class Mailbox {
    static final int WORDS = 16;

    private static final int V_REQ = 1;
    private static final int V_ACK = 1 << 1;
    private static final int V_VFU = 1 << 2;
    private static final int V_PFU = 1 << 3;
    private static final int V_PFSTS = 1 << 4;
    private static final int V_PFACK = 1 << 5;
    private static final int V_RSTI = 1 << 6;
    private static final int V_RSTD = 1 << 7;
    private static final int V_READ_CLEAR = V_PFSTS | V_PFACK | V_RSTD;
    private static final int P_STS = 1;
    private static final int P_ACK = 1 << 1;
    private static final int P_VFU = 1 << 2;
    private static final int P_PFU = 1 << 3;
    private static final int P_RVFU = 1 << 4;
    private static final int VFACK_SHIFT = 16;

    private final RegisterFile registers;
    private final InterruptUnit interrupts;
    /** For each virtual function what V2PMAILBOX shows; both locks are kept here alone. */
    private final int[] state = new int[POOLS];

    Mailbox(RegisterFile registers, InterruptUnit interrupts) {
        this.registers = registers;
        this.interrupts = interrupts;
        for (int i = 0; i < POOLS; i++) {
            int vf = i;
            registers.onRead(V2PMAILBOX + 4 * vf, () -> readV2p(vf));
            registers.onWrite(V2PMAILBOX + 4 * vf, (written, previous) -> writeV2p(vf, written));
            registers.onRead(P2VMAILBOX + 4 * vf, () -> readP2v(vf));
            registers.onWrite(P2VMAILBOX + 4 * vf, (written, previous) -> writeP2v(vf, written));
        }
    }

    /** The PF was reset: each VF learns that it must wait. */
    void physicalReset() {
        java.util.Arrays.fill(state, V_RSTI);
    }

    /** The PF driver is ready. */
    void physicalReady() {
        for (int vf = 0; vf < POOLS; vf++) {
            if ((state[vf] & V_RSTI) != 0) {
                state[vf] = state[vf] & ~V_RSTI | V_RSTD;
            }
        }
    }

    /** The VF was reset: its lock and its unread answers are gone, and the PF is told. */
    void virtualReset(int vf) {
        state[vf] &= ~(V_VFU | V_PFSTS | V_PFACK);
        registers.set(VFLRE, registers.get(VFLRE) | 1 << vf);
        interrupts.raise(ICR_VMMB);
    }

    private int readV2p(int vf) {
        int value = state[vf];
        state[vf] &= ~V_READ_CLEAR;
        return value;
    }

    private void writeV2p(int vf, int written) {
        lock(vf, (written & V_VFU) != 0, V_VFU, V_PFU);
        int causes = ((written & V_REQ) != 0 ? 1 << vf : 0) | ((written & V_ACK) != 0 ? 1 << VFACK_SHIFT + vf : 0);
        if (causes != 0) {
            registers.set(MBVFICR, registers.get(MBVFICR) | causes);
            if ((registers.get(MBVFIMR) >>> vf & 1) != 0) {
                interrupts.raise(ICR_VMMB);
            }
        }
    }

    private int readP2v(int vf) {
        return ((state[vf] & V_VFU) != 0 ? P_VFU : 0) | ((state[vf] & V_PFU) != 0 ? P_PFU : 0);
    }

    private void writeP2v(int vf, int written) {
        if ((written & P_RVFU) != 0) {
            state[vf] &= ~V_VFU;
        }
        lock(vf, (written & P_PFU) != 0, V_PFU, V_VFU);
        int told = ((written & P_STS) != 0 ? V_PFSTS : 0) | ((written & P_ACK) != 0 ? V_PFACK : 0);
        if (told != 0) {
            state[vf] |= told;
            interrupts.raiseMailbox(vf);
        }
    }

    /** A write without the bit gives the lock back; with it, takes it unless the other side has its own. */
    private void lock(int vf, boolean wanted, int own, int other) {
        if (!wanted) {
            state[vf] &= ~own;
        } else if ((state[vf] & other) == 0) {
            state[vf] |= own;
        }
    }
}
