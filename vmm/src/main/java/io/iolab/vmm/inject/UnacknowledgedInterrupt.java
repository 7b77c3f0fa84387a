package io.iolab.vmm.inject;

import io.iolab.devices.bus.CpuPort;

/** The handler takes the interrupt for another device's and leaves ICR unread, so that the line stays asserted. */
final class UnacknowledgedInterrupt extends Defect {
    private final PluggedFunction function;
    private final Trigger trigger;

    UnacknowledgedInterrupt(PluggedFunction function, Trigger trigger) {
        this.function = function;
        this.trigger = trigger;
    }

    @Override
    CpuPort cpu(CpuPort port) {
        return new ForwardingCpu(port) {
            @Override
            public long load(long pa, int width) {
                boolean skipped = function.offset(E1000Registers.BAR, pa) == E1000Registers.ICR && trigger.strikes();
                return skipped ? 0 : super.load(pa, width);
            }
        };
    }
}
