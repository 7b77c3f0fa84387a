package io.iolab.devices.hostile;

import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Counters;
import io.iolab.devices.net.Delivery;
import java.util.Arrays;

/** An e1000 by its registers (82540 SDM chapters 3 and 13; 82574 datasheet chapters 7 and 10). */
final class E1000Attack extends Attack {
    static final int CTRL = 0;
    static final int STATUS = 8;
    static final int CTRL_EXT = 0x18;
    static final int MDIC = 0x20;
    static final int ICS = 0xC8;
    static final int IMS = 0xD0;
    static final int EIAC = 0xDC;
    static final int IVAR = 0xE4;
    static final int RCTL = 0x100;
    static final int TCTL = 0x400;
    static final int PSRCTL = 0x2170;
    static final int RDBAL = 0x2800;
    static final int TDBAL = 0x3800;
    static final int TARC = 0x3840;
    static final int RFCTL = 0x5008;
    static final int MRQC = 0x5818;
    /** From TDBAL and RDBAL. */
    static final int HIGH = 4;

    static final int LENGTH = 8;
    static final int HEAD = 0x10;
    static final int TAIL = 0x18;

    static final int CTRL_RST = 1 << 26;
    /** FD, SLU. */
    static final int CTRL_UP = 0x41;
    /** EN, PSP, usual CT and COLD. */
    static final int TRANSMIT = 0x0103_F0FA;
    /** EN, BAM, SECRC. */
    static final int RECEIVE = 0x0400_8002;

    static final int RCTL_LPE = 0x20;
    static final int RCTL_LBM_MAC = 0x40;
    static final int RCTL_256 = 0x3_0000;

    static final int EOP = 1;
    static final int RS = 8;
    static final int DEXT = 0x20;
    static final int TSE = 4;
    static final int DATA = 1 << 20;

    static final long TX_RING = 0x1_0000;
    static final long RX_RING = 0x2_0000;
    static final long TX_BUFFER = 0x3_0000;
    static final long RX_BUFFER = 0x8_0000;
    static final int RING = 16;
    /** Bytes of the largest ring. */
    static final int LARGEST_RING = 0x10_0000;

    /** RFCTL.EXSTEN: extended receive descriptors. */
    static final int RFCTL_EXTENDED = 0x8000;
    /** RCTL.DTYP: packet split. */
    static final int RCTL_SPLIT = 0x400;
    /** MDIC: write to PHY 1, register 0. */
    static final int PHY_CONTROL = 1 << 26 | 1 << 21;

    static final int PHY_CONTROL_USUAL = PHY_CONTROL | 0x1140;
    static final int PHY_LOOPBACK = 0x4000;
    private static final int TARC_ENABLE = 0x400;
    private static final int STATUS_LU = 2;
    private static final int STEP = 0x1000;

    private final E1000Counters counters;
    private long refusedToSend;
    private long refusedToReceive;
    private boolean leaves;
    private boolean comes;

    E1000Attack(HostileMachine machine) {
        super(machine);
        counters = ((E1000) machine.function()).counters();
    }

    long get(int register) {
        return machine.read(0, register, 4);
    }

    void set(int register, long value) {
        machine.write(0, register, 4, value & 0xFFFF_FFFFL);
    }

    /** Without letting the device work. */
    void put(int register, long value) {
        machine.put(0, register, 4, value & 0xFFFF_FFFFL);
    }

    void tx(int register, long value) {
        set(TDBAL + register, value);
    }

    void rx(int register, long value) {
        set(RDBAL + register, value);
    }

    /** A transmit descriptor: length and type as in bits 23:0 of its third dword. */
    void transmit(int index, long iova, int lengthAndType, int command) {
        machine.descriptor(TX_RING + 16L * index, iova, lengthAndType | command << 24, 0);
    }

    /** A context descriptor for TCP over IPv4 with segmentation. */
    void context(int index, int header, int mss, int payload) {
        machine.descriptor(
                TX_RING + 16L * index,
                0x0000_3222_0021_180EL,
                payload | (TSE | DEXT | 3) << 24,
                header << 8 | mss << 16);
    }

    void receiveBuffer(int index, long iova) {
        machine.descriptor(RX_RING + 16L * index, iova, 0, 0);
    }

    void ring(int registers, long iova, int descriptors, int tail) {
        put(registers, iova);
        put(registers + HIGH, iova >>> 32);
        put(registers + LENGTH, 16L * descriptors);
        put(registers + HEAD, 0);
        put(registers + TAIL, tail);
    }

    @Override
    void start() {
        machine.function().setLink(true);
        put(CTRL, CTRL_RST);
        put(CTRL, CTRL_UP);
        machine.advance(1_000_000);
        soundRings();
        put(TCTL, TRANSMIT);
        put(RCTL, RECEIVE);
        machine.run();
        refusedToSend = refusedToSend();
        refusedToReceive = refusedToReceive();
    }

    private void soundRings() {
        machine.zero(TX_RING, 16 * RING);
        for (int i = 0; i < RING; i++) {
            receiveBuffer(i, RX_BUFFER + (long) STEP * i);
        }
        ring(TDBAL, TX_RING, RING, 0);
        ring(RDBAL, RX_RING, RING, RING - 1);
    }

    /** The units off, new rings, the units on: as a driver changes its ring sizes (82540 SDM 14.4, 14.5). */
    @Override
    boolean serves() {
        machine.put(0, RCTL, 4, 0);
        put(TCTL, 0);
        if (machine.target() == Target.I82574L) {
            put(RFCTL, 0);
            put(MRQC, 0);
            put(TARC, TARC_ENABLE);
        }
        put(CTRL, CTRL_UP);
        put(MDIC, PHY_CONTROL_USUAL);
        machine.advance(1_000_000);
        soundRings();
        put(TCTL, TRANSMIT);
        set(RCTL, RECEIVE);
        machine.sent().clear();
        byte[] frame = frame();
        machine.store(TX_BUFFER, frame);
        transmit(0, TX_BUFFER, frame.length, EOP | RS);
        tx(TAIL, 1);
        leaves = Arrays.equals(machine.sent().poll(), frame);
        // What waited in the packet buffer comes first.
        comes = machine.arrive(frame) == Delivery.ACCEPTED && get(RDBAL + HEAD) != 0;
        return leaves && comes;
    }

    /** To all, and with EtherType 88B5h. */
    static byte[] frame() {
        byte[] frame = new byte[60];
        Arrays.fill(frame, 0, 6, (byte) -1);
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xB5;
        frame[20] = 0x5C;
        return frame;
    }

    /** What does not pass must have left a trace in the counters of its direction. */
    @Override
    boolean refuses() {
        boolean linkDown = (get(STATUS) & STATUS_LU) == 0;
        return linkDown
                || (leaves || refusedToSend() > refusedToSend) && (comes || refusedToReceive() > refusedToReceive);
    }

    private long refusedToSend() {
        return counters.ringFaults()
                + counters.dmaFaults()
                + counters.txMalformed()
                + counters.txUnreachable()
                + counters.txFiltered()
                + counters.txDropped();
    }

    private long refusedToReceive() {
        return counters.ringFaults()
                + counters.dmaFaults()
                + counters.rxDisabled()
                + counters.rxLinkDown()
                + counters.rxFiltered()
                + counters.rxBadLength()
                + counters.rxOverruns()
                + counters.rxUnreachable()
                + counters.rxWaited();
    }

    E1000Counters counters() {
        return counters;
    }
}
