package io.iolab.devices.e1000;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.time.Clock;

/**
 * Flow control of IEEE 802.3 annex 31B (82540 SDM 8.7): obeys received PAUSE frames, and sends them as the receive packet
 * buffer fills.
 *
 * <pre>
 *   XOFF received --> paused, STATUS.TXOFF --timer over, XON received--> running
 *   packet buffer >= FCRTH --> XOFF (again each FCTTV) --packet buffer <= FCRTL--> XON if FCRTL.XONE
 *   TCTL.SWXOFF --> XOFF
 * </pre>
 *
 * <p>CTRL.RFCE lets received frames count, CTRL.TFCE lets the buffer ask; both only at full duplex. A PAUSE frame leaves in
 * {@link #poll}, never from inside the call that brought a frame, and even while the transmitter itself is paused.
 */
final class FlowControl {
    /** What a received frame is to flow control. */
    enum Verdict {
        /** None of its business: the filters decide. */
        ORDINARY,
        /** A PAUSE frame that was obeyed; the filters decide whether software sees it, and it is no good packet to count. */
        PAUSE,
        /** Another MAC control frame, which RCTL.PMCF lets through whatever the filters say. */
        PASS,
        /** Ends here. */
        DISCARD
    }

    private enum Owed {
        NOTHING,
        XOFF,
        XON
    }

    /** A slot time, hard wired to 64 byte times at 1000 Mbit/s (82540 SDM 8.7.3). */
    private static final long QUANTUM = 512;

    private static final int PAUSE_OPCODE = 1;
    private static final int OPCODE = 14;
    private static final int TIMER = 16;
    private static final int FRAME = 60;
    private static final int THRESHOLD = 0xFFF8;
    private static final int XON_ENABLE = 1 << 31;
    private static final long ADDRESS = 0xFFFF_FFFF_FFFFL;
    private static final long NEVER = Long.MAX_VALUE;

    private final RegisterFile registers;
    private final LinkUnit link;
    private final FramePort wire;
    private final Clock clock;
    private final Statistics statistics;
    private final byte[] frame = new byte[FRAME];

    private boolean paused;
    private long resumeAt = NEVER;
    private Owed owed = Owed.NOTHING;
    /** The partner was told to stop, and not yet to go on. */
    private boolean stopped;

    private long repeatAt = NEVER;

    FlowControl(Core core, LinkUnit link, FramePort wire) {
        this.registers = core.registers();
        this.link = link;
        this.wire = wire;
        this.clock = core.clock();
        this.statistics = core.statistics();
    }

    /** A write to TCTL: SWXOFF sends an XOFF and clears itself. */
    void transmitControlWritten(int written) {
        if ((written & E1000Registers.TCTL_SWXOFF) != 0) {
            registers.set(E1000Registers.TCTL, registers.get(E1000Registers.TCTL) & ~E1000Registers.TCTL_SWXOFF);
            // Software's wish is not gated by duplex (82540 SDM 13.4, TCTL.SWXOFF).
            boolean allowed = (registers.get(E1000Registers.CTRL) & E1000Registers.CTRL_TFCE) != 0;
            owed = allowed ? Owed.XOFF : owed;
        }
    }

    void reset() {
        resume();
        owed = Owed.NOTHING;
        stopped = false;
        repeatAt = NEVER;
    }

    /** Whether an XOFF holds the transmitter. */
    boolean paused() {
        return paused;
    }

    private void resume() {
        paused = false;
        resumeAt = NEVER;
        link.transmitOff(false);
    }

    private boolean enabled(int bit) {
        return (registers.get(E1000Registers.CTRL) & bit) != 0 && link.fullDuplex();
    }

    /**
     * Looks at a frame that arrived: type in FCT, and addressed to FCAH and FCAL or to the first station address.
     *
     * @param length at least 18
     */
    Verdict examine(byte[] bytes, int offset, int length, int rctl) {
        int controlType = registers.get(E1000Registers.FCT);
        if (controlType == 0 || BigEndian.getShort(bytes, offset + 12) != controlType) {
            return Verdict.ORDINARY;
        }
        long destination = LittleEndian.getLong(bytes, offset) & ADDRESS;
        boolean station = destination == (registers.get64(E1000Registers.RAL) & ADDRESS);
        boolean group = destination == (registers.get64(E1000Registers.FCAL) & ADDRESS);
        if (!enabled(E1000Registers.CTRL_RFCE) || !station && !group) {
            return Verdict.ORDINARY;
        }
        if (BigEndian.getShort(bytes, offset + OPCODE) != PAUSE_OPCODE) {
            statistics.count(Statistics.Fact.OTHER_CONTROL_RECEIVED);
            return (rctl & E1000Registers.RCTL_PMCF) != 0 ? Verdict.PASS : Verdict.DISCARD;
        }
        obey(BigEndian.getShort(bytes, offset + TIMER), length);
        return station && (rctl & E1000Registers.RCTL_DPF) != 0 ? Verdict.DISCARD : Verdict.PAUSE;
    }

    private void obey(int quanta, int length) {
        if (quanta == 0) {
            statistics.pauseReceived(Statistics.Fact.XON_RECEIVED, length);
            resume();
        } else {
            statistics.pauseReceived(Statistics.Fact.XOFF_RECEIVED, length);
            paused = true;
            resumeAt = clock.nanos() + quanta * QUANTUM;
            link.transmitOff(true);
        }
    }

    /** The packet buffer holds this many bytes now. */
    void filled(int bytes) {
        int high = registers.get(E1000Registers.FCRTH) & THRESHOLD;
        if (!stopped && high != 0 && bytes >= high && enabled(E1000Registers.CTRL_TFCE)) {
            stopped = true;
            owed = Owed.XOFF;
        } else if (stopped && bytes <= (registers.get(E1000Registers.FCRTL) & THRESHOLD)) {
            stopped = false;
            repeatAt = NEVER;
            boolean untold = owed == Owed.XOFF;
            boolean wanted = (registers.get(E1000Registers.FCRTL) & XON_ENABLE) != 0;
            owed = untold || !wanted ? Owed.NOTHING : Owed.XON;
        }
    }

    boolean workPending() {
        return owed != Owed.NOTHING;
    }

    /** Ends a pause that is over, and sends what is owed to the partner. */
    void poll(long now) {
        if (now >= resumeAt) {
            resume();
        }
        if (now >= repeatAt) {
            repeatAt = NEVER;
            owed = Owed.XOFF;
        }
        if (owed != Owed.NOTHING) {
            send(now);
        }
    }

    private void send(long now) {
        boolean off = owed == Owed.XOFF;
        if (link.linkUp()) {
            int quanta = off ? registers.get(E1000Registers.FCTTV) : 0;
            compose(quanta);
            if (wire.send(frame, 0, FRAME) == Delivery.BUSY) {
                return;
            }
            statistics.pauseSent(off ? Statistics.Fact.XOFF_SENT : Statistics.Fact.XON_SENT, FRAME);
            // The partner goes on by itself when its timer ends: it is told again while the buffer stays full.
            repeatAt = off && stopped && quanta != 0 ? now + quanta * QUANTUM : NEVER;
        }
        owed = Owed.NOTHING;
    }

    private void compose(int quanta) {
        LittleEndian.putInt(frame, 0, registers.get(E1000Registers.FCAL));
        LittleEndian.putShort(frame, 4, registers.get(E1000Registers.FCAH));
        LittleEndian.putInt(frame, 6, registers.get(E1000Registers.RAL));
        LittleEndian.putShort(frame, 10, registers.get(E1000Registers.RAH));
        BigEndian.putShort(frame, 12, registers.get(E1000Registers.FCT));
        BigEndian.putShort(frame, OPCODE, PAUSE_OPCODE);
        BigEndian.putShort(frame, TIMER, quanta);
    }

    long deadline() {
        return Math.min(resumeAt, repeatAt);
    }
}
