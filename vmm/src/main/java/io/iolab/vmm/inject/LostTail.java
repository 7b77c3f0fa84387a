package io.iolab.vmm.inject;

import io.iolab.devices.bus.CpuPort;

/** Writes of TDT are answered as usual and never set the transmit unit to work. */
final class LostTail extends Defect {
    private final PluggedFunction function;
    private final Trigger trigger;

    LostTail(PluggedFunction function, Trigger trigger) {
        this.function = function;
        this.trigger = trigger;
    }

    @Override
    CpuPort cpu(CpuPort port) {
        return new ForwardingCpu(port) {
            private long worked;
            private long shown = -1;

            private boolean tail(long pa) {
                return function.offset(E1000Registers.BAR, pa) == E1000Registers.TDT;
            }

            @Override
            public void store(long pa, int width, long value) {
                if (!tail(pa)) {
                    super.store(pa, width, value);
                } else if (trigger.strikes()) {
                    // The access takes place, with a value that gives the unit nothing to do.
                    shown = value;
                    super.store(pa, width, worked);
                } else {
                    worked = value;
                    super.store(pa, width, value);
                }
            }

            @Override
            public long load(long pa, int width) {
                long value = super.load(pa, width);
                return shown >= 0 && tail(pa) ? shown : value;
            }
        };
    }
}
