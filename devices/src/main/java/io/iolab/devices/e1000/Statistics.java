package io.iolab.devices.e1000;

import io.iolab.devices.register.RegisterFile;
import java.util.Arrays;
import java.util.function.LongSupplier;

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
        XON_SENT,
        XOFF_SENT,
        OTHER_CONTROL_RECEIVED,
        TSO_DONE,
        TSO_FAILED,
        INTERRUPTS,
        RX_PACKET_TIMER,
        RX_ABSOLUTE_TIMER,
        RX_LOW,
        TX_PACKET_TIMER,
        TX_ABSOLUTE_TIMER,
        TX_EMPTY,
        TX_LOW
    }

    private static final int RX_SIZES = Fact.RX_SIZE_64.ordinal();
    private static final int TX_SIZES = Fact.TX_SIZE_64.ordinal();
    private static final int[] SIZE_LIMITS = {64, 127, 255, 511, 1023};

    private long pauseBytesReceived;
    private long pauseBytesSent;
    private final long[] facts = new long[Fact.values().length];
    /** By register word within the block 4000..41FF: the fact's value when the register was last cleared. */
    private final long[] cleared = new long[0x200 / 4];

    private final RegisterFile registers;

    Statistics(RegisterFile registers, E1000Model model) {
        this.registers = registers;
        counter(0x4010, Fact.MISSED);
        counter(0x4048, Fact.XON_RECEIVED);
        counter(0x404C, Fact.XON_SENT);
        counter(0x4050, Fact.XOFF_RECEIVED);
        counter(0x4054, Fact.XOFF_SENT);
        counter(0x4058, Fact.OTHER_CONTROL_RECEIVED);
        counters(0x405C, RX_SIZES, 6);
        counter(0x4074, Fact.RX_FRAMES);
        counter(0x4078, Fact.RX_BROADCASTS);
        counter(0x407C, Fact.RX_MULTICASTS);
        counter(0x4080, Fact.TX_FRAMES);
        pair(0x4088, () -> good(Fact.RX_BYTES));
        pair(0x4090, () -> good(Fact.TX_BYTES));
        counter(0x40A0, Fact.NO_BUFFER);
        counter(0x40A4, Fact.UNDERSIZE);
        counter(0x40AC, Fact.OVERSIZE);
        pair(0x40C0, () -> good(Fact.RX_BYTES) + pauseBytesReceived);
        pair(0x40C8, () -> good(Fact.TX_BYTES) + pauseBytesSent);
        counter(0x40D0, this::allReceived);
        counter(0x40D4, this::allTransmitted);
        counters(0x40D8, TX_SIZES, 6);
        counter(0x40F0, Fact.TX_MULTICASTS);
        counter(0x40F4, Fact.TX_BROADCASTS);
        counter(0x40F8, Fact.TSO_DONE);
        counter(0x40FC, Fact.TSO_FAILED);
        if (model == E1000Model.I82574L) {
            counter(0x4100, Fact.INTERRUPTS);
            counter(0x4104, Fact.RX_PACKET_TIMER);
            counter(0x4108, Fact.RX_ABSOLUTE_TIMER);
            counter(0x410C, Fact.TX_PACKET_TIMER);
            counter(0x4110, Fact.TX_ABSOLUTE_TIMER);
            counter(0x4118, Fact.TX_EMPTY);
            counter(0x411C, Fact.TX_LOW);
            counter(0x4120, Fact.RX_LOW);
            counter(0x4124, Fact.MISSED);
        }
    }

    private void counters(int offset, int firstFact, int count) {
        for (int i = 0; i < count; i++) {
            counter(offset + 4 * i, Fact.values()[firstFact + i]);
        }
    }

    private void counter(int offset, Fact fact) {
        counter(offset, () -> facts[fact.ordinal()]);
    }

    private void counter(int offset, LongSupplier total) {
        int slot = (offset & 0x1FF) >>> 2;
        registers.onRead(offset, () -> {
            long value = total.getAsLong() - cleared[slot];
            cleared[slot] += value;
            return (int) Math.min(value, STUCK);
        });
    }

    private void pair(int low, LongSupplier total) {
        int slot = (low & 0x1FF) >>> 2;
        registers.onRead(low, () -> (int) (total.getAsLong() - cleared[slot]));
        registers.onRead(low + 4, () -> {
            long value = total.getAsLong() - cleared[slot];
            cleared[slot] += value;
            return (int) (value >>> 32);
        });
    }

    private long good(Fact fact) {
        return facts[fact.ordinal()];
    }

    /** The good ones and PAUSE frames, which no counter of good packets includes (82540 SDM 13.7, TPR and TPT). */
    private long allReceived() {
        return good(Fact.RX_FRAMES) + good(Fact.XON_RECEIVED) + good(Fact.XOFF_RECEIVED);
    }

    private long allTransmitted() {
        return good(Fact.TX_FRAMES) + good(Fact.XON_SENT) + good(Fact.XOFF_SENT);
    }

    void reset() {
        Arrays.fill(facts, 0);
        Arrays.fill(cleared, 0);
        pauseBytesReceived = 0;
        pauseBytesSent = 0;
    }

    void count(Fact fact) {
        facts[fact.ordinal()]++;
    }

    /**
     * An XON or XOFF of the partner's.
     *
     * @param length without FCS
     */
    void pauseReceived(Fact kind, int length) {
        count(kind);
        pauseBytesReceived += length + FCS;
    }

    /**
     * One of ours.
     *
     * @param length without FCS
     */
    void pauseSent(Fact kind, int length) {
        count(kind);
        pauseBytesSent += length + FCS;
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
