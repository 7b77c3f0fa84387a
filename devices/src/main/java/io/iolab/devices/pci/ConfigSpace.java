package io.iolab.devices.pci;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The 4 KiB configuration space of a type 0 function: bytes, and for each bit whether software may write it or clear it by
 * writing 1. Every access is byte-exact, so a byte write to the command register leaves the status register alone.
 *
 * <p>Widths are 1, 2 and 4, naturally aligned; anything else reads 0 and writes nothing. Built once with the methods that
 * return {@code this}; after {@link #seal} the present content is what {@link #reset} restores.
 */
public final class ConfigSpace {
    public static final int SIZE = 4096;

    public static final int VENDOR_ID = 0x00;
    public static final int DEVICE_ID = 0x02;
    public static final int COMMAND = 0x04;
    public static final int STATUS = 0x06;
    public static final int REVISION_ID = 0x08;
    public static final int CLASS_CODE = 0x09;
    public static final int HEADER_TYPE = 0x0E;
    public static final int BAR0 = 0x10;
    public static final int SUBSYSTEM_VENDOR_ID = 0x2C;
    public static final int SUBSYSTEM_ID = 0x2E;
    public static final int CAPABILITIES_POINTER = 0x34;
    public static final int INTERRUPT_LINE = 0x3C;
    public static final int INTERRUPT_PIN = 0x3D;

    public static final int COMMAND_IO = 1;
    public static final int COMMAND_MEMORY = 1 << 1;
    public static final int COMMAND_BUS_MASTER = 1 << 2;
    public static final int COMMAND_INTX_DISABLE = 1 << 10;
    /** What a conventional function lets software write: I/O, memory, master, parity, SERR, INTx disable. */
    private static final int COMMAND_WRITABLE = 0x0547;

    public static final int STATUS_INTERRUPT = 1 << 3;
    private static final int STATUS_CAPABILITIES = 1 << 4;
    /** Master data parity, target and master aborts, SERR, parity: write-one-to-clear. */
    private static final int STATUS_WRITE_ONE_TO_CLEAR = 0xF900;

    private final byte[] bytes = new byte[SIZE];
    private final byte[] writable = new byte[SIZE];
    private final byte[] writeOneToClear = new byte[SIZE];
    private byte @Nullable [] resetBytes;
    private final @Nullable Bar[] bars = new Bar[6];
    private final List<Hook> hooks = new ArrayList<>();
    private final List<Hook> readHooks = new ArrayList<>();
    private final List<Runnable> resetHooks = new ArrayList<>();
    private int lastCapability = -1;
    private int lastExtendedCapability = -1;

    private record Hook(int offset, int length, Runnable action) {
        boolean touchedBy(int at, int width) {
            return at < offset + length && offset < at + width;
        }
    }

    /** A type 0 header with the usual writable command and status bits. */
    public ConfigSpace(int vendorId, int deviceId, int revision, int classCode) {
        put(VENDOR_ID, 2, vendorId);
        put(DEVICE_ID, 2, deviceId);
        put(REVISION_ID, 1, revision);
        put(CLASS_CODE, 1, classCode & 0xFF);
        put(CLASS_CODE + 1, 2, classCode >>> 8);
        field(COMMAND, 2, 0, COMMAND_WRITABLE, 0);
        field(STATUS, 2, 0, 0, STATUS_WRITE_ONE_TO_CLEAR);
        field(0x0C, 1, 0, 0xFF, 0);
        field(INTERRUPT_LINE, 1, 0, 0xFF, 0);
    }

    public ConfigSpace subsystem(int vendorId, int id) {
        put(SUBSYSTEM_VENDOR_ID, 2, vendorId);
        put(SUBSYSTEM_ID, 2, id);
        return this;
    }

    /** @param pin 1 to 4 for INTA# to INTD# */
    public ConfigSpace interruptPin(int pin) {
        put(INTERRUPT_PIN, 1, pin);
        return this;
    }

    /** @throws IllegalArgumentException if another BAR has its slot already, or one of its two */
    public ConfigSpace bar(Bar bar) {
        boolean wide = bar.kind() == Bar.Kind.MEMORY64;
        if (barSlotTaken(bar.index()) || wide && barSlotTaken(bar.index() + 1)) {
            throw new IllegalArgumentException(bar + ": its slot is taken");
        }
        bars[bar.index()] = bar;
        int offset = BAR0 + 4 * bar.index();
        long mask = -bar.size();
        field(offset, 4, bar.typeBits(), (int) mask & (bar.isMemory() ? ~0xF : ~0x3), 0);
        if (wide) {
            field(offset + 4, 4, 0, (int) (mask >>> 32), 0);
        }
        return this;
    }

    private boolean barSlotTaken(int index) {
        Bar below = index == 0 ? null : bars[index - 1];
        return bars[index] != null || below != null && below.kind() == Bar.Kind.MEMORY64;
    }

    /**
     * Appends a standard capability to the list, in call order.
     *
     * @param offset where its header goes, 0x40 to 0xFC, a multiple of 4
     */
    public ConfigSpace capability(int offset, int id) {
        if (offset < 0x40 || offset > 0xFC || offset % 4 != 0) {
            throw new IllegalArgumentException("capability " + id + " at offset " + offset);
        }
        put(offset, 1, id);
        put(offset + 1, 1, 0);
        put(lastCapability < 0 ? CAPABILITIES_POINTER : lastCapability + 1, 1, offset);
        put(STATUS, 2, get(STATUS, 2) | STATUS_CAPABILITIES);
        lastCapability = offset;
        return this;
    }

    /**
     * Appends an extended capability to the list that starts at 0x100, in call order (PCI Express Base section 7.6). Its registers are
     * added with {@link #field}.
     *
     * @param offset where its header goes: 0x100 for the first, 0x104 to 0xFFC for others, a multiple of 4
     * @param id as in {@link ExtendedCapability}
     * @param version 1 to 15
     * @throws IllegalArgumentException for an offset or version outside these
     */
    public ConfigSpace extendedCapability(int offset, int id, int version) {
        boolean first = lastExtendedCapability < 0;
        boolean placed = first ? offset == ExtendedCapability.FIRST : offset > ExtendedCapability.FIRST;
        if (!placed || offset > SIZE - 4 || offset % 4 != 0 || get(offset, 4) != 0 || version < 1 || version > 15) {
            throw new IllegalArgumentException(
                    "extended capability " + id + ", version " + version + ", at offset " + offset);
        }
        put(offset, 4, id & 0xFFFF | version << 16);
        if (!first) {
            put(lastExtendedCapability + 2, 2, get(lastExtendedCapability + 2, 2) & 0xF | offset << 4);
        }
        lastExtendedCapability = offset;
        return this;
    }

    /** Defines a field: its value now and at reset, and its masks. */
    public ConfigSpace field(int offset, int width, int value, int writableMask, int writeOneToClearMask) {
        put(offset, width, value);
        for (int i = 0; i < width; i++) {
            writable[offset + i] = (byte) (writableMask >>> 8 * i);
            writeOneToClear[offset + i] = (byte) (writeOneToClearMask >>> 8 * i);
        }
        return this;
    }

    /** Runs {@code action} after each software write that touches {@code [offset, offset + length)}, and after a reset. */
    public ConfigSpace onWrite(int offset, int length, Runnable action) {
        hooks.add(new Hook(offset, length, action));
        return this;
    }

    /**
     * Runs {@code action} before each software read that touches {@code [offset, offset + length)}, so that the function can
     * put there what the read is to find (virtio 1.2 section 4.1.4.9.1).
     */
    public ConfigSpace onRead(int offset, int length, Runnable action) {
        readHooks.add(new Hook(offset, length, action));
        return this;
    }

    /** Runs {@code action} after each {@link #reset}. */
    public ConfigSpace onReset(Runnable action) {
        resetHooks.add(action);
        return this;
    }

    /** Ends construction: what the space holds now is its reset state. */
    public ConfigSpace seal() {
        resetBytes = bytes.clone();
        return this;
    }

    /** Back to the sealed state; every hook runs, so that routes and gates follow. */
    public void reset() {
        byte[] sealed = resetBytes;
        if (sealed == null) {
            throw new IllegalStateException("not sealed");
        }
        System.arraycopy(sealed, 0, bytes, 0, SIZE);
        resetHooks.forEach(Runnable::run);
        for (Hook hook : hooks) {
            hook.action.run();
        }
    }

    /** A configuration read by software: hooks run, then the content is returned. */
    public int read(int offset, int width) {
        if (!valid(offset, width)) {
            return 0;
        }
        for (int i = 0; i < readHooks.size(); i++) {
            if (readHooks.get(i).touchedBy(offset, width)) {
                readHooks.get(i).action.run();
            }
        }
        return get(offset, width);
    }

    /** A configuration write by software: masks apply, then hooks run. */
    public void write(int offset, int width, int value) {
        if (!valid(offset, width)) {
            return;
        }
        for (int i = 0; i < width; i++) {
            int at = offset + i;
            int written = value >>> 8 * i;
            int kept = bytes[at] & ~writable[at] | written & writable[at];
            bytes[at] = (byte) (kept & ~(written & writeOneToClear[at]));
        }
        for (int i = 0; i < hooks.size(); i++) {
            Hook hook = hooks.get(i);
            if (hook.touchedBy(offset, width)) {
                hook.action.run();
            }
        }
    }

    private static boolean valid(int offset, int width) {
        return (width == 1 || width == 2 || width == 4) && offset >= 0 && offset <= SIZE - width && offset % width == 0;
    }

    /** The device's own view of a field. */
    public int get(int offset, int width) {
        int value = 0;
        for (int i = 0; i < width; i++) {
            value |= (bytes[offset + i] & 0xFF) << 8 * i;
        }
        return value;
    }

    /** The device changes a field, past all masks. */
    public void put(int offset, int width, int value) {
        for (int i = 0; i < width; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
    }

    public boolean memoryEnabled() {
        return (bytes[COMMAND] & COMMAND_MEMORY) != 0;
    }

    public boolean ioEnabled() {
        return (bytes[COMMAND] & COMMAND_IO) != 0;
    }

    public boolean busMaster() {
        return (bytes[COMMAND] & COMMAND_BUS_MASTER) != 0;
    }

    public boolean intxDisabled() {
        return (get(COMMAND, 2) & COMMAND_INTX_DISABLE) != 0;
    }

    /** The BAR with this number, or null: not implemented, or the upper half of a 64-bit one. */
    public @Nullable Bar bar(int index) {
        return bars[index];
    }

    /** The address a BAR holds, whether or not decoding is on. */
    public long barAddress(int index) {
        Bar bar = bars[index];
        if (bar == null) {
            return 0;
        }
        int offset = BAR0 + 4 * index;
        long low = get(offset, 4) & (bar.isMemory() ? ~0xFL : ~0x3L) & 0xFFFF_FFFFL;
        return bar.kind() == Bar.Kind.MEMORY64 ? low | (long) get(offset + 4, 4) << 32 : low;
    }

    /**
     * Whether the function claims accesses to a BAR: decoding is enabled and the window neither starts at 0 nor ends at the
     * top of its address space (that is a BAR being sized).
     */
    public boolean barDecodes(int index) {
        Bar bar = bars[index];
        if (bar == null || !(bar.isMemory() ? memoryEnabled() : ioEnabled())) {
            return false;
        }
        long base = barAddress(index);
        long top = bar.kind() == Bar.Kind.MEMORY64 ? -1L : 0xFFFF_FFFFL;
        return base != 0 && base + (bar.size() - 1) != top;
    }
}
