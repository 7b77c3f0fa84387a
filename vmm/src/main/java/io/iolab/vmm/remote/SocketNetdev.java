package io.iolab.vmm.remote;

import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.NetworkFunction;

/**
 * {@code -netdev socket,fd=N}: a stream of frames each way, every frame after its length in four bytes, most significant first.
 *
 * <p>A frame that the adapter has no room for stays here, and while it does nothing more is read from the socket. What the socket has no
 * room for stays too, and from {@link #HIGH_WATER} on the adapter is told to wait.
 *
 * <p>A frame longer than {@link #LONGEST} is skipped: no adapter takes it. When the peer is gone, frames are lost as with a pulled cable.
 */
final class SocketNetdev implements Netdev {
    /** The most bytes of a frame, as of QEMU's network layer. */
    static final int LONGEST = 68 << 10;

    private static final int HIGH_WATER = 256 << 10;
    private static final int HEADER = 4;

    private final PosixSocket socket;
    private final byte[] input = new byte[HEADER + LONGEST];
    private int inputStart;
    private int inputEnd;
    private long skip;
    private final byte[] output = new byte[HIGH_WATER + HEADER + LONGEST];
    private int outputStart;
    private int outputEnd;
    private boolean open = true;

    SocketNetdev(PosixSocket socket) {
        this.socket = socket;
    }

    PosixSocket socket() {
        return socket;
    }

    /** Whether the peer is still there. */
    boolean open() {
        return open;
    }

    @Override
    public Delivery send(byte[] frame, int offset, int length) {
        if (!open) {
            return Delivery.ACCEPTED;
        }
        if (congested()) {
            return Delivery.BUSY;
        }
        if (outputEnd + HEADER + length > output.length) {
            System.arraycopy(output, outputStart, output, 0, outputEnd - outputStart);
            outputEnd -= outputStart;
            outputStart = 0;
        }
        BigEndian.putInt(output, outputEnd, length);
        System.arraycopy(frame, offset, output, outputEnd + HEADER, length);
        outputEnd += HEADER + length;
        flush();
        return Delivery.ACCEPTED;
    }

    @Override
    public boolean congested() {
        return open && outputEnd - outputStart >= HIGH_WATER;
    }

    boolean wantsOutput() {
        return outputEnd > outputStart;
    }

    /** Sends what the socket takes now. */
    void flush() {
        while (outputEnd > outputStart) {
            int sent = socket.send(output, outputStart, outputEnd - outputStart);
            if (sent < 0) {
                open = false;
                outputStart = outputEnd;
            } else if (sent == 0) {
                break;
            } else {
                outputStart += sent;
            }
        }
        if (outputStart == outputEnd) {
            outputStart = 0;
            outputEnd = 0;
        }
    }

    /** Whether there is room to {@link #receive}: no whole frame waits for the adapter. */
    boolean wantsInput() {
        return open && !frameWaits();
    }

    private boolean frameWaits() {
        return skip == 0 && inputEnd - inputStart >= HEADER && inputEnd - inputStart - HEADER >= frameLength();
    }

    private long frameLength() {
        return BigEndian.getInt(input, inputStart) & 0xFFFF_FFFFL;
    }

    /** Takes from the socket what has arrived, as far as there is room. */
    void receive() {
        if (inputStart > 0) {
            System.arraycopy(input, inputStart, input, 0, inputEnd - inputStart);
            inputEnd -= inputStart;
            inputStart = 0;
        }
        int got = socket.receive(input, inputEnd, input.length - inputEnd);
        if (got < 0) {
            open = false;
            return;
        }
        inputEnd += got;
        skipOverlong();
    }

    private void skipOverlong() {
        if (skip == 0 && inputEnd - inputStart >= HEADER && frameLength() > LONGEST) {
            skip = HEADER + frameLength();
        }
        int skipped = (int) Math.min(skip, inputEnd - inputStart);
        inputStart += skipped;
        skip -= skipped;
    }

    @Override
    public boolean offerTo(NetworkFunction adapter) {
        boolean taken = false;
        while (frameWaits()) {
            int length = (int) frameLength();
            if (adapter.send(input, inputStart + HEADER, length) == Delivery.BUSY) {
                break;
            }
            inputStart += HEADER + length;
            taken = true;
            skipOverlong();
        }
        return taken;
    }
}
