package io.iolab.vmm.acpi;

import io.iolab.vmm.acpi.RemappingStructure.HardwareUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The DMA remapping reporting table (VT-d 8.1), revision 1.
 *
 * <p>Structures are kept in the order that the specification asks for: ascending by type, and of the units of a segment the one that
 * serves all the rest last.
 *
 * @param hostAddressWidth bits of a physical address, 1 to 64
 */
public record DmarTable(int hostAddressWidth, Set<Flag> flags, List<RemappingStructure> structures) {
    /** Bytes before the first structure. */
    static final int HEADER = 48;

    static final int CHECKSUM = 9;

    /** Platform flags by bit number. */
    public enum Flag {
        /** Interrupt remapping is supported. */
        INTERRUPT_REMAPPING,
        /** Firmware asks that x2APIC mode stays off. */
        X2APIC_OPT_OUT,
        /** Firmware asks that DMA is blocked until software allows it. */
        DMA_CONTROL_OPT_IN
    }

    /** What {@link #parse} found. */
    public sealed interface Parsed {
        /**
         * A well-formed table. Structures of unknown type were skipped, as the specification asks.
         *
         * @param skipped their number
         */
        record Table(DmarTable table, int skipped) implements Parsed {}

        /**
         * No table.
         *
         * @param offset of what is wrong, in bytes from the table's start
         * @param reason in words
         */
        record Malformed(int offset, String reason) implements Parsed {}
    }

    public DmarTable {
        if (hostAddressWidth < 1 || hostAddressWidth > 64) {
            throw new IllegalArgumentException("host address width " + hostAddressWidth);
        }
        Set<Integer> complete = new HashSet<>();
        for (RemappingStructure structure : structures) {
            if (structure instanceof HardwareUnit unit && unit.includeAll() && !complete.add(unit.segment())) {
                throw new IllegalArgumentException("segment " + unit.segment() + " has two units for all the rest");
            }
        }
        flags = flags.isEmpty() ? Set.of() : java.util.Collections.unmodifiableSet(EnumSet.copyOf(flags));
        structures = structures.stream()
                .sorted(Comparator.comparingInt(RemappingStructure::type)
                        .thenComparing(structure -> structure instanceof HardwareUnit unit && unit.includeAll()))
                .toList();
    }

    static void requireWord(String what, int value) {
        if ((value & ~0xFFFF) != 0) {
            throw new IllegalArgumentException(what + " " + value);
        }
    }

    static void requirePage(String what, long address) {
        if ((address & 0xFFF) != 0) {
            throw new IllegalArgumentException(what + " 0x" + Long.toHexString(address) + " is no multiple of 4096");
        }
    }

    /** The structures of one kind, in order. */
    public <S extends RemappingStructure> List<S> all(Class<S> kind) {
        List<S> found = new ArrayList<>();
        for (RemappingStructure structure : structures) {
            if (kind.isInstance(structure)) {
                found.add(kind.cast(structure));
            }
        }
        return found;
    }

    /** The table as it lies in memory, checksum included. */
    public byte[] toBytes() {
        return new DmarWriter(this).bytes();
    }

    /** Reads a table; any bytes do, and none make it throw. */
    public static Parsed parse(byte[] bytes) {
        return new DmarReader(bytes).parse();
    }
}
