package io.iolab.vmm.inject;

import io.iolab.devices.bus.CpuPort;

/** The poll that ran dry does not write IMS: what the handler turned off stays off. */
final class MaskNotRestored extends Defect {
    private final PluggedFunction function;
    private final Trigger trigger;

    MaskNotRestored(PluggedFunction function, Trigger trigger) {
        this.function = function;
        this.trigger = trigger;
    }

    @Override
    CpuPort cpu(CpuPort port) {
        return new ForwardingCpu(port) {
            @Override
            public void store(long pa, int width, long value) {
                boolean left = function.offset(E1000Registers.BAR, pa) == E1000Registers.IMS && trigger.strikes();
                if (!left) {
                    super.store(pa, width, value);
                }
            }
        };
    }
}
