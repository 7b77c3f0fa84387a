package io.iolab.vmm.inject;

import io.iolab.devices.irq.InterruptPin;

/** The I/O APIC is not told of the EOI: Remote IRR stays set, and the line is not delivered again (82093AA section 3.2.4). */
final class LineNotRearmed extends Defect {
    private final Trigger trigger;

    LineNotRearmed(Trigger trigger) {
        this.trigger = trigger;
    }

    @Override
    InterruptPin pin(InterruptPin line) {
        return new InterruptPin() {
            private boolean level;

            @Override
            public void set(boolean asserted) {
                boolean rises = asserted && !level;
                level = asserted;
                if (!rises || !trigger.strikes()) {
                    line.set(asserted);
                }
            }
        };
    }
}
