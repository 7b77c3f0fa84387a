package io.iolab.devices.driver;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import java.util.ArrayDeque;
import java.util.SplittableRandom;

/** Frames made from numbers, so that whoever receives one can tell which it is and whether it is intact. */
final class Wire implements FramePort {
    static final int SHORTEST = 60;
    static final int LONGEST = 1514;

    private final ArrayDeque<byte[]> taken = new ArrayDeque<>();
    boolean busy;
    /** Frames are taken and forgotten. */
    boolean discard;

    @Override
    public Delivery send(byte[] frame, int offset, int length) {
        if (busy) {
            return Delivery.BUSY;
        }
        if (discard) {
            return Delivery.ACCEPTED;
        }
        taken.add(java.util.Arrays.copyOfRange(frame, offset, offset + length));
        return Delivery.ACCEPTED;
    }

    /** Frames sent since they were last taken, oldest first. */
    ArrayDeque<byte[]> taken() {
        return taken;
    }

    /** Frame {@code number}, of a length and content that follow from it, to {@code destination}. */
    static byte[] frame(byte[] destination, long number) {
        SplittableRandom random = new SplittableRandom(number);
        byte[] frame = new byte[random.nextInt(SHORTEST, LONGEST + 1)];
        random.nextBytes(frame);
        System.arraycopy(destination, 0, frame, 0, 6);
        frame[6] = 2;
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xB5;
        for (int i = 0; i < 8; i++) {
            frame[14 + i] = (byte) (number >>> 8 * i);
        }
        return frame;
    }
}
