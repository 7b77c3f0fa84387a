package io.iolab.vmm.inject;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;

/** The back end was told EAGAIN once, keeps the frame, and nothing has it offer the frame again. */
final class FrameNotRetried extends Defect {
    private final Trigger trigger;

    FrameNotRetried(Trigger trigger) {
        this.trigger = trigger;
    }

    @Override
    FramePort wire(FramePort port) {
        return (frame, offset, length) -> trigger.strikes() ? Delivery.BUSY : port.send(frame, offset, length);
    }
}
