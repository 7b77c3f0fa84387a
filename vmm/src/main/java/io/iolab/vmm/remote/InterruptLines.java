package io.iolab.vmm.remote;

import io.iolab.devices.irq.InterruptPin;
import io.iolab.vmm.vcpu.IoApic;

/** The lines into the I/O APIC, which a client may listen in on. A line is high while one of its sources is. */
final class InterruptLines {
    /** Told of a line's change, and of nothing that did not change. */
    @FunctionalInterface
    interface Listener {
        void changed(int line, boolean high);
    }

    private final InterruptPin[] pins = new InterruptPin[IoApic.PINS];
    private final int[] asserting = new int[IoApic.PINS];
    /** What the listener knows: nothing is high until it was told. */
    private final boolean[] reported = new boolean[IoApic.PINS];

    private Listener listener = (line, high) -> {};

    InterruptLines(IoApic ioApic) {
        for (int line = 0; line < pins.length; line++) {
            pins[line] = ioApic.pin(line);
        }
    }

    void listen(Listener next) {
        listener = next;
    }

    /** @param line 0 to 23 */
    InterruptPin source(int line) {
        java.util.Objects.checkIndex(line, pins.length);
        return new Source(line);
    }

    private final class Source implements InterruptPin {
        private final int line;
        private boolean level;

        Source(int line) {
            this.line = line;
        }

        @Override
        public void set(boolean asserted) {
            if (asserted != level) {
                level = asserted;
                asserting[line] += asserted ? 1 : -1;
                update(line, asserting[line] > 0);
            }
        }
    }

    private void update(int line, boolean high) {
        pins[line].set(high);
        if (reported[line] != high) {
            reported[line] = high;
            listener.changed(line, high);
        }
    }
}
