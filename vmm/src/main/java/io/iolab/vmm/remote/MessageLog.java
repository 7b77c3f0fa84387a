package io.iolab.vmm.remote;

import io.iolab.vmm.vcpu.MsiDecoder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Interrupt messages as they would have reached the processors: how many of each form, and the last ones until they are asked for. */
final class MessageLog {
    /** Kept; a device that raises interrupts for ever must not fill the heap. */
    static final int KEPT = 256;

    record Message(long address, int data) {}

    private final long[] counts = new long[MsiDecoder.Format.values().length];
    private final Deque<Message> last = new ArrayDeque<>();

    void add(long address, int data) {
        counts[MsiDecoder.format(address, data).ordinal()]++;
        if (last.size() == KEPT) {
            last.removeFirst();
        }
        last.addLast(new Message(address, data));
    }

    /** Messages so far that a processor would have found to be of this form. */
    long count(MsiDecoder.Format format) {
        return counts[format.ordinal()];
    }

    /** Those since the last call, oldest first, at most {@link #KEPT}. */
    List<Message> take() {
        List<Message> taken = new ArrayList<>(last);
        last.clear();
        return taken;
    }
}
