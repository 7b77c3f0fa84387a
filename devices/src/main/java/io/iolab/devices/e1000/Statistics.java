package io.iolab.devices.e1000;

import io.iolab.devices.register.RegisterFile;
import java.util.Arrays;

/**
 * The statistics registers (82540 SDM 13.7): counters that a read clears and that stick at all ones. Sizes include the FCS.
 *
 * <p>A hot path adds to one plain counter per fact; registers that report the same fact ({@code GPTC} and {@code TPT}) remember
 * what it was when they were last cleared. Of a 64-bit pair the read of the high half clears both, so that software reads low,
 * then high; the manual words it so, and one family of models clears each half alone, which loses counts.
 */
final class Statistics {
    private static final long STUCK = 0xFFFF_FFFFL;
    private static final int FCS = 4;

    /** What is counted. Registers may share one. */
    enum Fact {
        RX_FRAMES,
        RX_BYTES,
        RX_BROADCASTS,
        RX_MULTICASTS,
        RX_SIZE_64,
        RX_SIZE_127,
        RX_SIZE_255,
        RX_SIZE_511,
        RX_SIZE_1023,
        RX_SIZE_MAX,
        TX_FRAMES,
        TX_BYTES,
        TX_BROADCASTS,
        TX_MULTICASTS,
        TX_SIZE_64,
        TX_SIZE_127,
        TX_SIZE_255,
        TX_SIZE_511,
        TX_SIZE_1023,
        TX_SIZE_MAX,
        MISSED,
        NO_BUFFER,
        UNDERSIZE,
        OVERSIZE,
        XON_RECEIVED,
        XOFF_RECEIVED,
        OTHER_CONTROL_RECEIVED,
        TSO_DONE,
        TSO_FAILED,
        INTERRUPTS
    }

    private static final int RX_SIZES = Fact.RX_SIZE_64.ordinal();
    private static final int TX_SIZES = Fact.TX_SIZE_64.ordinal();
    private static final int[] SIZE_LIMITS = {64, 127, 255, 511, 1023};

    private final long[] facts = new long[Fact.values().length];
    /** By register word within the block 4000..41FF: the fact's value when the register was last cleared. */
    private final long[] cleared = new long[0x200 / 4];

    private final RegisterFile registers;

    Statistics(RegisterFile registers, E1000Model model) {
        this.registers = registers;
        counter(0x4010, Fact.MISSED);
        counter(0x4048, Fact.XON_RECEIVED);
        counter(0x4050, Fact.XOFF_RECEIVED);
        counter(0x4058, Fact.OTHER_CONTROL_RECEIVED);
        counters(0x405C, RX_SIZES, 6);
        counter(0x4074, Fact.RX_FRAMES);
        counter(0x4078, Fact.RX_BROADCASTS);
        counter(0x407C, Fact.RX_MULTICASTS);
        counter(0x4080, Fact.TX_FRAMES);
        pair(0x4088, Fact.RX_BYTES);
        pair(0x4090, Fact.TX_BYTES);
        counter(0x40A0, Fact.NO_BUFFER);
        counter(0x40A4, Fact.UNDERSIZE);
        counter(0x40AC, Fact.OVERSIZE);
        pair(0x40C0, Fact.RX_BYTES);
        pair(0x40C8, Fact.TX_BYTES);
        counter(0x40D0, Fact.RX_FRAMES);
        counter(0x40D4, Fact.TX_FRAMES);
        counters(0x40D8, TX_SIZES, 6);
        counter(0x40F0, Fact.TX_MULTICASTS);
        counter(0x40F4, Fact.TX_BROADCASTS);
        counter(0x40F8, Fact.TSO_DONE);
        counter(0x40FC, Fact.TSO_FAILED);
        if (model == E1000Model.I82574L) {
            counter(0x4100, Fact.INTERRUPTS);
        }
    }

    private void counters(int offset, int firstFact, int count) {
        for (int i = 0; i < count; i++) {
            counter(offset + 4 * i, Fact.values()[firstFact + i]);
        }
    }

    private void counter(int offset, Fact fact) {
        int slot = (offset & 0x1FF) >>> 2;
        registers.onRead(offset, () -> {
            long value = facts[fact.ordinal()] - cleared[slot];
            cleared[slot] = facts[fact.ordinal()];
            return (int) Math.min(value, STUCK);
        });
    }

    private void pair(int low, Fact fact) {
        int slot = (low & 0x1FF) >>> 2;
        registers.onRead(low, () -> (int) (facts[fact.ordinal()] - cleared[slot]));
        registers.onRead(low + 4, () -> {
            long value = facts[fact.ordinal()] - cleared[slot];
            cleared[slot] = facts[fact.ordinal()];
            return (int) (value >>> 32);
        });
    }

    void reset() {
        Arrays.fill(facts, 0);
        Arrays.fill(cleared, 0);
    }

    void count(Fact fact) {
        facts[fact.ordinal()]++;
    }

    /** @param length without FCS */
    void transmitted(byte[] frame, int offset, int length) {
        facts[Fact.TX_FRAMES.ordinal()]++;
        facts[Fact.TX_BYTES.ordinal()] += length + FCS;
        facts[TX_SIZES + sizeClass(length + FCS)]++;
        if ((frame[offset] & 1) != 0) {
            count(isBroadcast(frame, offset) ? Fact.TX_BROADCASTS : Fact.TX_MULTICASTS);
        }
    }

    /** @param length without FCS, padding included */
    void received(byte[] frame, int offset, int length) {
        facts[Fact.RX_FRAMES.ordinal()]++;
        facts[Fact.RX_BYTES.ordinal()] += length + FCS;
        facts[RX_SIZES + sizeClass(length + FCS)]++;
        if ((frame[offset] & 1) != 0) {
            count(isBroadcast(frame, offset) ? Fact.RX_BROADCASTS : Fact.RX_MULTICASTS);
        }
    }

    /** Frames shorter than 64 bytes are sent by a driver that turned padding off; they fall into the first class. */
    private static int sizeClass(int size) {
        int sizeClass = 0;
        while (sizeClass < SIZE_LIMITS.length && size > SIZE_LIMITS[sizeClass]) {
            sizeClass++;
        }
        return sizeClass;
    }

    static boolean isBroadcast(byte[] frame, int offset) {
        return (frame[offset]
                        & frame[offset + 1]
                        & frame[offset + 2]
                        & frame[offset + 3]
                        & frame[offset + 4]
                        & frame[offset + 5])
                == -1;
    }
}
