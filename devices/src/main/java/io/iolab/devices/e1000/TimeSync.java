package io.iolab.devices.e1000;

import io.iolab.devices.net.BigEndian;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.time.Clock;

/**
 * The IEEE 1588 clock of the 82574 and the time stamps it gives (82574 datasheet 7.7 and 10.2). SYSTIM grows by TIMINCA's low 24
 * bits in each of its upper 8 bits' number of 40 ns clocks; 0 of them stops it. A read of SYSTIML latches SYSTIMH.
 *
 * <p>One stamp each way: while TSYNCRXCTL or TSYNCTXCTL bit 0 says that it is valid no other takes its place, and the read of
 * its high half makes room. TIMADJ and the auxiliary pins are not modelled.
 */
final class TimeSync {
    private static final long CLOCK_NANOS = 40;
    private static final int VALID = 1;
    private static final int ENABLE = 1 << 4;
    private static final int INCREMENT = 0xFF_FFFF;

    private static final int TYPE_LAYER_2_V2 = 0;
    private static final int TYPE_LAYER_4_V1 = 1;
    private static final int TYPE_ANY_LAYER_V2 = 2;
    private static final int TYPE_ALL = 4;
    private static final int TYPE_EVENT_V2 = 5;
    /** Messages 0 to 3 are the event messages (IEEE 1588-2008 table 19). */
    private static final int LAST_EVENT_MESSAGE = 3;

    private static final int IPV4 = 0x0800;
    private static final int UDP = 17;
    /** Control field of a version 1 message. */
    private static final int CONTROL = 32;

    private final RegisterFile registers;
    private final Clock clock;
    private long base;
    private long since;
    private int latchedHigh;
    private int receiveControl;
    private int transmitControl;

    TimeSync(Core core) {
        this.registers = core.registers();
        this.clock = core.clock();
        if (core.model() == E1000Model.I82574L) {
            attachClock();
            registers.onRead(E1000Registers.TSYNCRXCTL, () -> receiveControl);
            registers.onWrite(
                    E1000Registers.TSYNCRXCTL,
                    (written, previous) -> receiveControl = control(receiveControl, written));
            registers.onRead(E1000Registers.TSYNCTXCTL, () -> transmitControl);
            registers.onWrite(
                    E1000Registers.TSYNCTXCTL,
                    (written, previous) -> transmitControl = control(transmitControl, written & ENABLE));
            registers.onRead(E1000Registers.RXSTMPH, () -> {
                receiveControl &= ~VALID;
                return registers.get(E1000Registers.RXSTMPH);
            });
            registers.onRead(E1000Registers.TXSTMPH, () -> {
                transmitControl &= ~VALID;
                return registers.get(E1000Registers.TXSTMPH);
            });
        }
    }

    private void attachClock() {
        registers.onRead(E1000Registers.SYSTIML, () -> {
            long time = time();
            latchedHigh = (int) (time >>> 32);
            return (int) time;
        });
        registers.onRead(E1000Registers.SYSTIMH, () -> latchedHigh);
        registers.onWrite(
                E1000Registers.SYSTIML,
                (written, previous) -> restart(time() & 0xFFFF_FFFF_0000_0000L | written & 0xFFFF_FFFFL));
        registers.onWrite(E1000Registers.SYSTIMH, (written, previous) -> {
            restart(time() & 0xFFFF_FFFFL | (long) written << 32);
            latchedHigh = written;
        });
        registers.onWrite(E1000Registers.TIMINCA, (written, previous) -> restart(timeAt(previous)));
    }

    private static int control(int now, int written) {
        return now & VALID | written & 0x1E;
    }

    void reset() {
        base = 0;
        since = clock.nanos();
        latchedHigh = 0;
        receiveControl = 0;
        transmitControl = 0;
    }

    private void restart(long time) {
        base = time;
        since = clock.nanos();
    }

    private long time() {
        return timeAt(registers.get(E1000Registers.TIMINCA));
    }

    private long timeAt(int increment) {
        int period = increment >>> 24;
        return period == 0 ? base : base + (clock.nanos() - since) / (CLOCK_NANOS * period) * (increment & INCREMENT);
    }

    /** Whether a transmit descriptor may ask for a stamp. */
    boolean stampsTransmitted() {
        return (transmitControl & ENABLE) != 0;
    }

    /** Stamps the frame that just left, unless an older stamp has not been read. */
    void transmitted() {
        if ((transmitControl & VALID) == 0) {
            stamp(E1000Registers.TXSTMPL, E1000Registers.TXSTMPH);
            transmitControl |= VALID;
        }
    }

    private void stamp(int low, int high) {
        long time = time();
        registers.set(low, (int) time);
        registers.set(high, (int) (time >>> 32));
    }

    /** Stamps a frame that arrived, if it is of the wanted type and there is room for a stamp. */
    boolean received(byte[] frame, int offset, int length) {
        if ((receiveControl & ENABLE) == 0 || (receiveControl & VALID) != 0 || !wanted(frame, offset, length)) {
            return false;
        }
        stamp(E1000Registers.RXSTMPL, E1000Registers.RXSTMPH);
        receiveControl |= VALID;
        return true;
    }

    private boolean wanted(byte[] frame, int offset, int length) {
        int type = receiveControl >>> 1 & 7;
        if (type == TYPE_ALL) {
            return true;
        }
        int config = registers.get(E1000Registers.RXCFGL);
        boolean layer2 = BigEndian.getShort(frame, offset + 12) == (config & 0xFFFF);
        int message = layer2 ? offset + 14 : udpPayload(frame, offset, length);
        if (message < 0) {
            return false;
        }
        return switch (type) {
            case TYPE_LAYER_2_V2 -> layer2 && messageType(frame, message) == config >>> 24;
            case TYPE_ANY_LAYER_V2 -> messageType(frame, message) == config >>> 24;
            case TYPE_EVENT_V2 -> messageType(frame, message) <= LAST_EVENT_MESSAGE;
            case TYPE_LAYER_4_V1 ->
                !layer2
                        && message + CONTROL < offset + length
                        && (frame[message + CONTROL] & 0xFF) == (config >>> 16 & 0xFF);
            default -> false;
        };
    }

    private static int messageType(byte[] frame, int message) {
        return frame[message] & 0xF;
    }

    /** Where the payload of a datagram to the port in RXUDP starts; negative if this is none. */
    private int udpPayload(byte[] frame, int offset, int length) {
        int ip = offset + 14;
        if (BigEndian.getShort(frame, offset + 12) != IPV4 || frame[ip] >>> 4 != 4 || frame[ip + 9] != UDP) {
            return -1;
        }
        int udp = ip + 4 * (frame[ip] & 0xF);
        boolean whole = udp + 8 < offset + length;
        return whole && BigEndian.getShort(frame, udp + 2) == registers.get(E1000Registers.RXUDP) ? udp + 8 : -1;
    }
}
