package io.iolab.vmm.assign;

import io.iolab.devices.bus.MmioHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A level-triggered interrupt line of the host: a pin of the I/O APIC, an entry of the interrupt-remapping table where there is one, and
 * the handlers of the devices that share the line. Each is asked in turn, as nothing but the device itself knows whether it asserts.
 *
 * <p>After an interrupt that was somebody's the pin is looked at again, which is the end of interrupt of a level: a device that another
 * one's request had hidden is heard then. One that nobody knows leaves the pin as it is, so it cannot storm.
 *
 * <p>Threading: that of the devices on the line.
 */
final class HostLine {
    static final int PINS = 24;
    /** Interrupts that follow one another without anybody returning; then the line is masked until somebody opens it again. */
    static final int STORM_LIMIT = 1000;

    private static final long IOREGSEL = 0x00;
    private static final long IOWIN = 0x10;
    private static final int FIRST_ENTRY = 0x10;
    private static final int MASKED = 1 << 16;
    private static final int LEVEL_LOW = 1 << 15 | 1 << 13;
    private static final int REMAPPABLE = 1 << 16;

    private final HostInterrupts host;
    private final MmioHandler ioApic;
    private final int ioApicRid;
    private final int pin;
    private final List<BooleanSupplier> handlers = new ArrayList<>();
    private HostInterrupts.@Nullable Route route;
    private boolean alone;
    private boolean masked;
    private boolean running;
    private boolean again;
    private long storms;

    HostLine(HostInterrupts host, MmioHandler ioApic, int ioApicRid, int pin) {
        this.host = host;
        this.ioApic = ioApic;
        this.ioApicRid = ioApicRid;
        this.pin = pin;
    }

    boolean add(BooleanSupplier handler, boolean wantedAlone) {
        if (!handlers.isEmpty() && (alone || wantedAlone)) {
            return false;
        }
        if (handlers.isEmpty() && !open()) {
            return false;
        }
        alone = wantedAlone;
        handlers.add(handler);
        if (handlers.size() == 1) {
            unmask();
        }
        return true;
    }

    private boolean open() {
        HostInterrupts.Route opened = host.route(ioApicRid, this::interrupt);
        if (opened == null) {
            return false;
        }
        route = opened;
        host.level(opened, ioApicRid);
        write(2 * pin + 1, opened.entry() < 0 ? 0 : REMAPPABLE | (opened.entry() & 0x7FFF) << 17);
        return true;
    }

    /** Takes a handler off the line; the last one leaves it masked. */
    void remove(BooleanSupplier handler) {
        handlers.remove(handler);
        HostInterrupts.Route opened = route;
        if (handlers.isEmpty() && opened != null) {
            mask();
            host.release(opened);
            route = null;
        }
    }

    /** For a device that cannot let go of the line by itself. */
    void mask() {
        masked = true;
        evaluate();
    }

    /** Opens the line; a level that is present interrupts at once. */
    void unmask() {
        masked = false;
        evaluate();
    }

    /** A write that leaves the entry unmasked sends a level that is there. */
    private void evaluate() {
        HostInterrupts.Route opened = route;
        if (opened != null) {
            int index = opened.entry() < 0 ? 0 : (opened.entry() & 0x8000) >>> 4;
            write(2 * pin, opened.vector() | index | LEVEL_LOW | (masked ? MASKED : 0));
        }
    }

    private void write(int register, int value) {
        ioApic.write(IOREGSEL, 4, FIRST_ENTRY + register);
        ioApic.write(IOWIN, 4, value & 0xFFFF_FFFFL);
    }

    /** A handler that makes the line rise again while this runs does not come back in here: it is another round. */
    private void interrupt() {
        if (running) {
            again = true;
            return;
        }
        running = true;
        int rounds = 0;
        do {
            again = false;
            boolean known = false;
            for (BooleanSupplier handler : List.copyOf(handlers)) {
                known |= handler.getAsBoolean();
            }
            if (!known) {
                host.countSpurious();
            } else if (++rounds < STORM_LIMIT) {
                evaluate();
            } else {
                storms++;
                mask();
                again = false;
            }
        } while (again);
        running = false;
    }

    /** How often the line was masked because its interrupts did not end. */
    long storms() {
        return storms;
    }
}
