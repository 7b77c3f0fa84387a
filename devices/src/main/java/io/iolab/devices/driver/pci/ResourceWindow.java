package io.iolab.devices.driver.pci;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.memory.AddressRange;
import java.util.ArrayList;
import java.util.List;

/**
 * Addresses that the platform routes to PCI: memory, or I/O ports. BARs that firmware has placed are reserved first; the rest
 * is handed out from the bottom, naturally aligned as BARs must be.
 */
public final class ResourceWindow {
    private record Range(long base, long size) {}

    private final String name;
    private final long base;
    private final long size;
    private final List<Range> taken = new ArrayList<>();

    /**
     * @param name for messages: "MMIO", "I/O"
     * @param base non-negative; the range must not pass 2^63
     */
    public ResourceWindow(String name, long base, long size) {
        if (base < 0 || size < 0 || base + size < 0) {
            throw new IllegalArgumentException(name + " window of " + size + " bytes at 0x" + Long.toHexString(base));
        }
        this.name = name;
        this.base = base;
        this.size = size;
    }

    /** Keeps a range from being handed out; it may lie outside of the window. */
    void reserve(long start, long length) {
        taken.add(new Range(start, length));
    }

    /** @param length a power of two, which is also the alignment */
    long allocate(long length) {
        // Each pass moves past one taken range, so there are at most as many passes as ranges.
        long candidate = AddressRange.alignUp(base, length);
        for (int pass = 0; pass <= taken.size() && AddressRange.contains(base, size, candidate, length); pass++) {
            Range obstacle = obstacleAt(candidate, length);
            if (obstacle == null) {
                reserve(candidate, length);
                return candidate;
            }
            candidate = AddressRange.alignUp(obstacle.base + obstacle.size, length);
        }
        throw new DriverException("no room for a BAR of 0x" + Long.toHexString(length) + " bytes in the " + name
                + " window 0x" + Long.toHexString(base) + "+0x" + Long.toHexString(size));
    }

    private @org.jspecify.annotations.Nullable Range obstacleAt(long start, long length) {
        for (Range range : taken) {
            if (AddressRange.overlaps(range.base, range.size, start, length)) {
                return range;
            }
        }
        return null;
    }
}
