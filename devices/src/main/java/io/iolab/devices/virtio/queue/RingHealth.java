package io.iolab.devices.virtio.queue;

import io.iolab.devices.fault.RingFault;
import org.jspecify.annotations.Nullable;

/** The first fault that any part of a queue met: it ends the use of the queue, and later ones are its consequences. */
final class RingHealth {
    private @Nullable RingFault fault;

    void report(RingFault cause) {
        if (fault == null) {
            fault = cause;
        }
    }

    boolean faulted() {
        return fault != null;
    }

    @Nullable
    RingFault fault() {
        return fault;
    }
}
