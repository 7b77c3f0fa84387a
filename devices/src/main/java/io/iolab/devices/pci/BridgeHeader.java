package io.iolab.devices.pci;

import io.iolab.devices.memory.AddressRange;

/**
 * The type 1 header of a bridge (PCI-to-PCI Bridge 1.2 section 3.2; PCI Express Base section 7.5.1.3): bus numbers, the windows that it
 * forwards, and the reset of its secondary bus.
 *
 * <p>A window with its limit below its base is empty; after reset the memory window is {@code [0, 1 MiB)}, as the registers say, and
 * the command register lets nothing through. Memory windows have a granularity of 1 MiB, the I/O window 4 KiB.
 */
public final class BridgeHeader {
    /** Primary, secondary and subordinate bus number, a byte each. */
    public static final int BUS_NUMBERS = 0x18;

    /** From the bus numbers to the upper halves of the I/O window: all that decides what is forwarded. */
    public static final int FORWARDING_BYTES = 0x34 - BUS_NUMBERS;

    public static final int BRIDGE_CONTROL = 0x3E;

    /** Bit 6 of bridge control: while it is set everything behind the bridge is held in reset. */
    public static final int SECONDARY_BUS_RESET = 1 << 6;

    private static final int TYPE_1 = 1;
    private static final int IO_WINDOW = 0x1C;
    private static final int MEMORY_WINDOW = 0x20;
    private static final int PREFETCHABLE_WINDOW = 0x24;
    private static final int PREFETCHABLE_UPPER = 0x28;
    private static final int IO_UPPER = 0x30;
    private static final int PARITY_AND_SERR = 0x0003;

    private final ConfigSpace config;
    private boolean held;

    /**
     * Makes {@code config} a bridge's.
     *
     * @param secondaryReset resets everything behind the bridge; runs once each time software sets the bit
     */
    public BridgeHeader(ConfigSpace config, Runnable secondaryReset) {
        this.config = config;
        config.put(ConfigSpace.HEADER_TYPE, 1, TYPE_1);
        config.field(BUS_NUMBERS, 4, 0, 0x00FF_FFFF, 0)
                .field(IO_WINDOW, 2, 0x0101, 0xF0F0, 0)
                .field(IO_WINDOW + 2, 2, 0, 0, 0xF900)
                .field(MEMORY_WINDOW, 4, 0, 0xFFF0_FFF0, 0)
                .field(PREFETCHABLE_WINDOW, 4, 0x0001_0001, 0xFFF0_FFF0, 0)
                .field(PREFETCHABLE_UPPER, 4, 0, -1, 0)
                .field(PREFETCHABLE_UPPER + 4, 4, 0, -1, 0)
                .field(IO_UPPER, 4, 0, -1, 0)
                .field(BRIDGE_CONTROL, 2, 0, PARITY_AND_SERR | SECONDARY_BUS_RESET, 0)
                .onWrite(BRIDGE_CONTROL, 2, () -> controlWritten(secondaryReset));
    }

    private void controlWritten(Runnable secondaryReset) {
        boolean now = (config.get(BRIDGE_CONTROL, 2) & SECONDARY_BUS_RESET) != 0;
        boolean begins = now && !held;
        held = now;
        if (begins) {
            secondaryReset.run();
        }
    }

    /** Whether what is behind the bridge is in reset now: it answers nothing and issues no request. */
    public boolean resetHeld() {
        return held;
    }

    /** As programmed; 0 before that. */
    public int secondaryBus() {
        return config.get(BUS_NUMBERS + 1, 1);
    }

    /** As programmed; 0 before that. */
    public int subordinateBus() {
        return config.get(BUS_NUMBERS + 2, 1);
    }

    /** Whether a bus is this bridge's secondary bus or one further behind. */
    public boolean leadsTo(int bus) {
        return secondaryBus() != 0 && bus >= secondaryBus() && bus <= subordinateBus();
    }

    /** Whether all of a memory range lies in one of the two memory windows, whatever the command register says. */
    public boolean memoryWindowContains(long address, long length) {
        return inside(MEMORY_WINDOW, 0, 0, address, length)
                || inside(
                        PREFETCHABLE_WINDOW,
                        config.get(PREFETCHABLE_UPPER, 4),
                        config.get(PREFETCHABLE_UPPER + 4, 4),
                        address,
                        length);
    }

    private boolean inside(int window, int upperBase, int upperLimit, long address, long length) {
        long base = (long) upperBase << 32 | (config.get(window, 2) & 0xFFF0L) << 16;
        long limit = (long) upperLimit << 32 | (config.get(window + 2, 2) & 0xFFF0L) << 16 | 0xF_FFFF;
        return Long.compareUnsigned(base, limit) < 0 && AddressRange.contains(base, limit - base + 1, address, length);
    }

    /** Whether all of a port range lies in the I/O window, whatever the command register says. */
    public boolean ioWindowContains(long port, long length) {
        long base = (config.get(IO_WINDOW, 1) & 0xF0L) << 8 | (long) config.get(IO_UPPER, 2) << 16;
        long limit = (config.get(IO_WINDOW + 1, 1) & 0xF0L) << 8 | (long) config.get(IO_UPPER + 2, 2) << 16 | 0xFFF;
        return base < limit && AddressRange.contains(base, limit - base + 1, port, length);
    }
}
