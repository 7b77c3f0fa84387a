package io.iolab.devices.pci;

/**
 * A base address register (PCI Local Bus 3.0 section 6.2.5.1).
 *
 * @param index 0 to 5; a 64-bit BAR also takes {@code index + 1}
 * @param size a power of two: 16 bytes to 2 GiB of 32-bit memory, 16 bytes and up of 64-bit memory, 4 to 256 bytes of I/O
 */
public record Bar(int index, Kind kind, long size, boolean prefetchable) {

    /** What the low bits of the BAR say. */
    public enum Kind {
        MEMORY32,
        MEMORY64,
        IO
    }

    public Bar {
        boolean fits =
                kind == Kind.IO ? size >= 4 && size <= 256 : size >= 16 && (kind == Kind.MEMORY64 || size <= 1L << 31);
        if (Long.bitCount(size) != 1 || !fits || index < 0 || index > (kind == Kind.MEMORY64 ? 4 : 5)) {
            throw new IllegalArgumentException("BAR" + index + " " + kind + " of " + size + " bytes");
        }
    }

    public boolean isMemory() {
        return kind != Kind.IO;
    }

    /** The read-only low bits. */
    int typeBits() {
        return switch (kind) {
            case IO -> 1;
            case MEMORY32 -> prefetchable ? 0x8 : 0;
            case MEMORY64 -> prefetchable ? 0xC : 0x4;
        };
    }
}
