package io.iolab.vmm.guest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An endpoint whose time and room a test sets, and that keeps what was sent. */
final class FakeEndpoint implements Endpoint {
    final List<byte[]> sent = new ArrayList<>();
    final List<Long> latencies = new ArrayList<>();
    long now;
    int room = Integer.MAX_VALUE;
    int flushes;
    int corrupt;

    @Override
    public long nowPicos() {
        return now;
    }

    @Override
    public byte[] macAddress() {
        return new byte[6];
    }

    @Override
    public boolean send(byte[] frame, int offset, int length) {
        if (room == 0) {
            return false;
        }
        room--;
        sent.add(Arrays.copyOfRange(frame, offset, offset + length));
        return true;
    }

    @Override
    public void flush() {
        flushes++;
    }

    @Override
    public void latency(long sincePicos) {
        latencies.add(now - sincePicos);
    }

    @Override
    public void corrupt() {
        corrupt++;
    }

    /** The last frame sent, in the middle of a longer array. */
    void deliverLastTo(Program program) {
        deliver(program, sent.getLast());
    }

    static void deliver(Program program, byte[] frame) {
        byte[] buffer = new byte[frame.length + 7];
        System.arraycopy(frame, 0, buffer, 3, frame.length);
        program.frame(buffer, 3, frame.length);
    }
}
