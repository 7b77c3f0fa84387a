package io.iolab.iommu.driver;

import io.iolab.devices.memory.Memory;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The interrupt-remapping table of a unit, as host software keeps it (VT-d 5.1.3, 9.9, 9.10): one frame of 256 entries. It gives out
 * indices, programs entries, and returns from each change when the unit has forgotten the old entry.
 *
 * <p>An entry is 16 bytes and stores are of 8. One whose upper word stays as it was is changed by a single store, so no interrupt is
 * lost while it moves; otherwise P is cleared first, and an interrupt that arrives in between may be blocked.
 *
 * <p>Threading: as {@link IommuDriver}; devices may raise interrupts meanwhile.
 */
public final class InterruptTable {
    /** Entries in the table. */
    public static final int ENTRIES = 256;

    private static final int ENTRY_BYTES = 16;
    private static final int NOBODY = -1;
    private static final long PRESENT = 1;
    private static final long POSTED = 1 << 15;
    private static final long URGENT = 1 << 14;

    private static final long MESSAGE = 0xFEE0_0010L;
    private static final int SUBHANDLE_VALID = 1 << 3;

    private final Memory memory;
    private final long tableHpa;
    private final boolean extended;
    private final Invalidator invalidator;
    private final BitSet taken = new BitSet(ENTRIES);
    /** The requester that an entry was taken for, or {@link #NOBODY}. */
    private final int[] owners = new int[ENTRIES];

    InterruptTable(Memory memory, long tableHpa, boolean extended, Invalidator invalidator) {
        this.memory = memory;
        this.tableHpa = tableHpa;
        this.extended = extended;
        this.invalidator = invalidator;
        Arrays.fill(owners, NOBODY);
    }

    /** Sets a new table and switches remapping on; {@code queue} is null where the unit has none. */
    static InterruptTable start(
            UnitRegisters unit, Memory memory, FrameSource frames, @Nullable QueueInvalidator queue, boolean extended) {
        if (queue == null
                || !unit.interruptRemapping()
                || extended && !unit.extendedInterruptMode()
                || unit.status(UnitRegisters.INTERRUPT_REMAPPING)) {
            throw new IllegalStateException("interrupt remapping is on already, or not offered like this");
        }
        if (!unit.status(UnitRegisters.QUEUE)) {
            queue.enable();
        }
        long tableHpa = frames.allocatePage();
        unit.store64(UnitRegisters.IRTA, tableHpa | (extended ? 1 << 11 : 0) | sizeField());
        unit.command(UnitRegisters.INTERRUPT_TABLE, true);
        if (!unit.setInterruptTableFlushes()) {
            queue.interruptGlobal();
        }
        unit.command(UnitRegisters.INTERRUPT_REMAPPING, true);
        if (unit.status(UnitRegisters.COMPATIBILITY_FORMAT)) {
            unit.command(UnitRegisters.COMPATIBILITY_FORMAT, false);
        }
        return new InterruptTable(memory, tableHpa, extended, queue);
    }

    /** Whether destinations have 32 bits. */
    public boolean extended() {
        return extended;
    }

    /** Size as IRTA has it: 2 to the power of S + 1 entries. */
    static int sizeField() {
        return Integer.numberOfTrailingZeros(ENTRIES) - 1;
    }

    /**
     * Takes consecutive entries for the vectors of one device, aligned to a power of two as multiple-message MSI needs it.
     *
     * @param count 1 to 256
     * @return the first index
     * @throws IllegalStateException if no such block is free
     */
    public int allocate(int count) {
        if (count < 1 || count > ENTRIES) {
            throw new IllegalArgumentException(count + " interrupt-remapping entries");
        }
        int block = Integer.highestOneBit(count * 2 - 1);
        for (int first = 0; first + block <= ENTRIES; first += block) {
            int next = taken.nextSetBit(first);
            if (next < 0 || next >= first + count) {
                taken.set(first, first + count);
                return first;
            }
        }
        throw new IllegalStateException("no " + count + " interrupt-remapping entries are free");
    }

    /** As {@link #allocate(int)}; {@link #freeAll} and {@link IommuDriver#remove} give the entries back with the device. */
    public int allocate(int rid, int count) {
        int first = allocate(count);
        Arrays.fill(owners, first, first + count, rid);
        return first;
    }

    /** Gives back every entry that was taken for this requester. */
    public void freeAll(int rid) {
        for (int index = 0; index < ENTRIES; index++) {
            if (taken.get(index) && owners[index] == rid) {
                free(index, 1);
            }
        }
    }

    /** Gives entries back: their interrupts are blocked from then on. */
    public void free(int first, int count) {
        for (int index = first; index < first + count; index++) {
            checkTaken(index);
            memory.storeLongRelease(entry(index), 0);
            memory.writeLong(entry(index) + 8, 0);
        }
        for (int index = first; index < first + count; index++) {
            invalidator.interruptEntries(index, 0);
        }
        taken.clear(first, first + count);
        Arrays.fill(owners, first, first + count, NOBODY);
    }

    private long entry(int index) {
        return tableHpa + (long) index * ENTRY_BYTES;
    }

    private void checkTaken(int index) {
        if (index < 0 || !taken.get(index)) {
            throw new IllegalStateException("interrupt-remapping entry " + index + " is not allocated");
        }
    }

    /** Makes an entry send its interrupts to a processor. */
    public void remap(int index, SourceCheck source, InterruptTarget target) {
        program(index, target.entry(extended), source.bits());
    }

    /**
     * Makes an entry post its interrupts.
     *
     * @param vector the guest's, 0 to 255
     * @param descriptorHpa of a posted-interrupt descriptor, 64-byte aligned
     * @param urgent whether to notify even a processor that has asked not to be
     */
    public void post(int index, SourceCheck source, int vector, long descriptorHpa, boolean urgent) {
        if ((descriptorHpa & 63) != 0 || (vector & ~0xFF) != 0) {
            throw new IllegalArgumentException(
                    "vector " + vector + ", descriptor at 0x" + Long.toHexString(descriptorHpa));
        }
        long low =
                (descriptorHpa & 0xFFFF_FFC0L) << 32 | (long) vector << 16 | POSTED | (urgent ? URGENT : 0) | PRESENT;
        program(index, low, descriptorHpa & 0xFFFF_FFFF_0000_0000L | source.bits());
    }

    private void program(int index, long low, long high) {
        checkTaken(index);
        long hpa = entry(index);
        long previous = memory.readLong(hpa);
        if (memory.readLong(hpa + 8) != high) {
            memory.storeLongRelease(hpa, previous & ~PRESENT);
            memory.storeLongRelease(hpa + 8, high);
        }
        memory.storeLongRelease(hpa, low);
        // Without caching mode an absent entry is not remembered, and there is nothing to forget.
        if ((previous & PRESENT) != 0 || invalidator.remembersAbsence()) {
            invalidator.interruptEntries(index, 0);
        }
    }

    /** The address that makes a device's message a request for this entry. */
    public static long messageAddress(int index) {
        return MESSAGE | (index & 0x7FFFL) << 5 | (index & 0x8000) >>> 13;
    }

    /** The address for a device whose message data is the number of the vector, from 0: entries follow the first. */
    public static long blockMessageAddress(int first) {
        return messageAddress(first) | SUBHANDLE_VALID;
    }
}
