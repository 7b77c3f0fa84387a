package io.iolab.vmm.vcpu;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.irq.MessagePort;
import org.jspecify.annotations.Nullable;

/**
 * An I/O APIC as KVM models it in the kernel: version 0x11, 24 pins, no EOI register (82093AA data sheet, sections 3 and 4). Pin n is
 * global system interrupt n.
 *
 * <pre>
 *   level pin:  high and unmasked and remote IRR 0 --> message, remote IRR 1 (if an APIC took it)
 *               EOI broadcast of the vector --> remote IRR 0; still high: the next message at once
 *   edge pin:   low to high and unmasked --> message; while masked the edge is lost
 * </pre>
 *
 * <p>A level that its handler never clears would circle through EOI and re-send without end: after {@link #STORM_LIMIT} EOIs in a row that
 * found it high the pin is held, until {@link #releaseHeld} or a new assertion of the pin. KVM releases it after 10 ms.
 *
 * <p>The register window takes 4-byte accesses at IOWIN and any width at IOREGSEL; others are ignored and counted.
 *
 * <p>Threading: one thread at a time, pins included; who asserts from another thread hands over first. Nothing allocates but
 * {@link #pin}.
 */
public final class IoApic implements MmioHandler {
    /** Where every PC has its first one. */
    public static final long BASE = 0xFEC0_0000L;

    public static final int WINDOW_SIZE = 0x100;
    public static final int PINS = 24;
    /** Immediate re-sends of one pin, with no EOI between that found it low, before it is held. */
    public static final int STORM_LIMIT = 10_000;

    private static final int IOREGSEL = 0x00;
    private static final int IOWIN = 0x10;

    private static final int INDEX_ID = 0;
    private static final int INDEX_VERSION = 1;
    private static final int INDEX_ARBITRATION = 2;
    private static final int INDEX_ENTRIES = 0x10;

    private static final int ID_MASK = 0x0F00_0000;
    private static final int VERSION = 0x11 | PINS - 1 << 16;

    private static final int LOGICAL = 1 << 11;
    private static final int REMOTE_IRR = 1 << 14;
    private static final int LEVEL = 1 << 15;
    private static final int MASKED = 1 << 16;
    private static final int LOW_WRITABLE = 0x1_AFFF;
    private static final int HIGH_WRITABLE = 0xFF00_0000;
    /** With remapping bit 48 is the format, and bits 63:49 with bit 11 the index (VT-d 5.1.5.1). */
    private static final int REMAPPABLE_HIGH_WRITABLE = 0xFFFF_0000;

    private static final int MESSAGE_LEVEL = 1 << 15;
    private static final int MESSAGE_ASSERT = 1 << 14;

    private final InterruptBus bus;
    private final @Nullable MessagePort remapping;
    private final int highWritable;
    private final int[] low = new int[PINS];
    private final int[] high = new int[PINS];
    /** How many sources assert each pin. */
    private final int[] asserting = new int[PINS];

    private final int[] resends = new int[PINS];
    /** Bit n: pin n is high, unmasked and ready, but held back as a storm. */
    private int held;

    private int select;
    private int id;
    private final long[] ignored = new long[RegisterFault.values().length];
    private long messages;
    private long resent;
    private long lostEdges;
    private long storms;

    public IoApic(InterruptBus bus) {
        this(bus, null);
    }

    private IoApic(InterruptBus bus, @Nullable MessagePort remapping) {
        this.bus = bus;
        this.remapping = remapping;
        highWritable = remapping == null ? HIGH_WRITABLE : REMAPPABLE_HIGH_WRITABLE;
        java.util.Arrays.fill(low, MASKED);
    }

    /**
     * One in front of a remapping unit: its interrupts leave as memory writes, and its entries may have the remappable format (VT-d
     * 5.1.5.1). Nobody tells it whether a processor accepted one, so it never awaits an EOI: a level sends once for each rise of its
     * pin, and once for each write that leaves its entry unmasked.
     *
     * @param messages the unit's port for this I/O APIC's source id
     */
    public static IoApic before(MessagePort messages) {
        return new IoApic((destination, logical, mode, vector, level) -> false, messages);
    }

    /** Registers to their power-up state. Pins keep the level that their sources give them. */
    public void reset() {
        java.util.Arrays.fill(low, MASKED);
        java.util.Arrays.fill(high, 0);
        java.util.Arrays.fill(resends, 0);
        held = 0;
        select = 0;
        id = 0;
    }

    /**
     * A new source on a pin. The pin is high while at least one of its sources is.
     *
     * @param n 0 to 23
     */
    public InterruptPin pin(int n) {
        java.util.Objects.checkIndex(n, PINS);
        return new Source(n);
    }

    private final class Source implements InterruptPin {
        private final int pin;
        private boolean level;

        Source(int pin) {
            this.pin = pin;
        }

        @Override
        public void set(boolean asserted) {
            if (asserted != level) {
                level = asserted;
                asserting[pin] += asserted ? 1 : -1;
                if (asserting[pin] == 0) {
                    held &= ~(1 << pin);
                } else if (asserted && asserting[pin] == 1) {
                    rise(pin);
                }
            }
        }
    }

    private void rise(int pin) {
        if ((low[pin] & LEVEL) != 0) {
            serviceLevel(pin);
        } else if ((low[pin] & MASKED) != 0) {
            lostEdges++;
        } else {
            send(pin, false);
        }
    }

    /** Sends if the entry lets a level that is present through. */
    private void serviceLevel(int pin) {
        if (asserting[pin] > 0 && (low[pin] & (LEVEL | MASKED | REMOTE_IRR)) == LEVEL) {
            held &= ~(1 << pin);
            if (send(pin, true)) {
                low[pin] |= REMOTE_IRR;
            }
        }
    }

    /** NMI, SMI, INIT and ExtINT are edges whatever the entry says, so no EOI is awaited for them. */
    private boolean send(int pin, boolean level) {
        int entry = low[pin];
        DeliveryMode mode = DeliveryMode.of(entry >>> 8);
        if (mode == null || mode == DeliveryMode.STARTUP) {
            return false;
        }
        messages++;
        if (remapping != null) {
            remapping.message(messageAddress(pin), messageData(entry));
            return false;
        }
        boolean awaitsEoi = level && mode.usesVector();
        int destination = InterruptBus.widen(high[pin] >>> 24);
        return bus.deliver(destination, (entry & LOGICAL) != 0, mode, entry & 0xFF, awaitsEoi) && awaitsEoi;
    }

    /**
     * Destination and format, or index and format, where a message has them: of the entry's bits 63:48, as bits 19:4 of the address;
     * destination mode or index bit 15 as bit 2.
     */
    private long messageAddress(int pin) {
        return MessagePort.BASE | high[pin] >>> 16 << 4 | (low[pin] & LOGICAL) >>> 9;
    }

    private static int messageData(int entry) {
        return entry & 0x7FF | ((entry & LEVEL) != 0 ? MESSAGE_LEVEL | MESSAGE_ASSERT : 0);
    }

    /**
     * The EOI broadcast of a level-triggered vector. Every level entry with this vector that awaits it is ready again, and sends at once
     * if its pin is still high.
     */
    public void endOfInterrupt(int vector) {
        for (int pin = 0; pin < PINS; pin++) {
            if ((low[pin] & (LEVEL | REMOTE_IRR | 0xFF)) == (LEVEL | REMOTE_IRR | vector)) {
                low[pin] &= ~REMOTE_IRR;
                resend(pin);
            }
        }
    }

    private void resend(int pin) {
        if (asserting[pin] == 0 || (low[pin] & MASKED) != 0) {
            resends[pin] = 0;
        } else if (++resends[pin] > STORM_LIMIT) {
            resends[pin] = 0;
            held |= 1 << pin;
            storms++;
        } else {
            resent++;
            serviceLevel(pin);
        }
    }

    /** Whether a storming pin waits for {@link #releaseHeld}, due 10 ms after it was held. */
    public boolean holding() {
        return held != 0;
    }

    /** Lets held pins send again. */
    public void releaseHeld() {
        for (int pins = held; pins != 0; pins &= pins - 1) {
            serviceLevel(Integer.numberOfTrailingZeros(pins));
        }
        held = 0;
    }

    /** Whether a level entry uses this vector: such vectors are in the EOI-exit bitmap of a vCPU with virtual-interrupt delivery. */
    public boolean levelVector(int vector) {
        for (int pin = 0; pin < PINS; pin++) {
            if ((low[pin] & (LEVEL | 0xFF)) == (LEVEL | vector)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long read(long offset, int width) {
        if (offset == IOREGSEL) {
            return select;
        }
        return accepts(offset, width) ? readRegister() & 0xFFFF_FFFFL : 0;
    }

    @Override
    public void write(long offset, int width, long value) {
        if (offset == IOREGSEL) {
            select = (int) value & 0xFF;
        } else if (accepts(offset, width)) {
            writeRegister((int) value);
        }
    }

    /** Whether this is an access to IOWIN. */
    private boolean accepts(long offset, int width) {
        if (offset == IOWIN && width == 4) {
            return true;
        }
        ignored[(offset == IOWIN ? RegisterFault.WRONG_WIDTH : RegisterFault.UNKNOWN_OFFSET).ordinal()]++;
        return false;
    }

    private int readRegister() {
        int entry = select - INDEX_ENTRIES;
        if (entry >= 0 && entry < 2 * PINS) {
            return (entry & 1) == 0 ? low[entry >>> 1] : high[entry >>> 1];
        }
        return switch (select) {
            case INDEX_ID, INDEX_ARBITRATION -> id;
            case INDEX_VERSION -> VERSION;
            default -> {
                ignored[RegisterFault.UNKNOWN_OFFSET.ordinal()]++;
                yield 0;
            }
        };
    }

    private void writeRegister(int value) {
        int entry = select - INDEX_ENTRIES;
        if (entry >= 0 && entry < 2 * PINS) {
            writeEntry(entry >>> 1, (entry & 1) != 0, value);
        } else if (select == INDEX_ID) {
            id = value & ID_MASK;
        } else {
            boolean readOnly = select == INDEX_VERSION || select == INDEX_ARBITRATION;
            ignored[(readOnly ? RegisterFault.READ_ONLY : RegisterFault.UNKNOWN_OFFSET).ordinal()]++;
        }
    }

    /** An entry made edge-triggered forgets remote IRR, which is how software without an EOI register gets a pin unstuck. */
    private void writeEntry(int pin, boolean upper, int value) {
        if (upper) {
            high[pin] = value & highWritable;
            serviceLevel(pin);
            return;
        }
        int remoteIrr = (value & LEVEL) != 0 ? low[pin] & REMOTE_IRR : 0;
        low[pin] = value & LOW_WRITABLE | remoteIrr;
        serviceLevel(pin);
        if ((low[pin] & (LEVEL | MASKED)) != LEVEL) {
            held &= ~(1 << pin);
        }
    }

    /** Register accesses that were ignored for this reason. */
    public long ignored(RegisterFault fault) {
        return ignored[fault.ordinal()];
    }

    /** Messages put on the bus, re-sends included. */
    public long messages() {
        return messages;
    }

    /** Messages sent because a level outlived its EOI. */
    public long resent() {
        return resent;
    }

    /** Edges that came while their pin was masked. */
    public long lostEdges() {
        return lostEdges;
    }

    /** How often a pin was held as a storm. */
    public long storms() {
        return storms;
    }
}
