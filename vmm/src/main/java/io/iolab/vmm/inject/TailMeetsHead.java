package io.iolab.vmm.inject;

import io.iolab.devices.bus.CpuPort;

/** RDT is written two slots too far: on the slot that comes next, which makes a ring of free buffers look empty. */
final class TailMeetsHead extends Defect {
    /** The drivers leave the slot at RDT and the one behind it. */
    private static final int TOO_FAR = 2;

    private final PluggedFunction function;
    private final Trigger trigger;

    TailMeetsHead(PluggedFunction function, Trigger trigger) {
        this.function = function;
        this.trigger = trigger;
    }

    @Override
    CpuPort cpu(CpuPort port) {
        return new ForwardingCpu(port) {
            private long size = 1;
            private long last;
            private boolean filled;

            @Override
            public void store(long pa, int width, long value) {
                long offset = function.offset(E1000Registers.BAR, pa);
                if (offset == E1000Registers.RDLEN) {
                    size = Math.max(1, value / E1000Registers.DESCRIPTOR_SIZE);
                }
                super.store(pa, width, offset == E1000Registers.RDT ? tail(value) : value);
            }

            /** The first fill of the ring is no frame's. */
            private long tail(long value) {
                long returned = Math.floorMod(value - last, size);
                filled |= value < last;
                last = value;
                return filled && trigger.strikes(returned) ? (value + TOO_FAR) % size : value;
            }
        };
    }
}
