package io.iolab.devices.register;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.fault.RegisterFault;
import org.jspecify.annotations.Nullable;

/**
 * The registers of one device instance. Width rules and masks are applied here, once: aligned 4-byte accesses, and aligned
 * 8-byte accesses that are carried out as the low word, then the high word, as a 32-bit bus splits them. Anything else, and a
 * word where no register is, is ignored and counted ({@link #ignored}); reads then give 0.
 *
 * <p>Device code reads and changes words with {@link #get} and {@link #set}, past all masks. Behaviour is attached with
 * {@link #onRead} and {@link #onWrite}.
 */
public final class RegisterFile implements MmioHandler {

    /** Replaces a read: returns the 32 bits and applies whatever side effect the read has. */
    @FunctionalInterface
    public interface ReadHook {
        int read();
    }

    /** Runs after a write has been masked and stored. */
    @FunctionalInterface
    public interface WriteHook {
        /**
         * @param written the 32 bits as written, unmasked; {@link #get} has what was stored
         * @param previous the word before the write
         */
        void written(int written, int previous);
    }

    private final RegisterMap map;
    private final int[] words;
    private final @Nullable ReadHook[] readHooks;
    private final @Nullable WriteHook[] writeHooks;
    private final long[] ignored = new long[RegisterFault.values().length];

    public RegisterFile(RegisterMap map) {
        this.map = map;
        this.words = map.reset.clone();
        this.readHooks = new ReadHook[words.length];
        this.writeHooks = new WriteHook[words.length];
    }

    public RegisterMap map() {
        return map;
    }

    public RegisterFile onRead(int offset, ReadHook hook) {
        readHooks[offset >>> 2] = hook;
        return this;
    }

    /**
     * Attaches what a write to the register does.
     *
     * @throws IllegalStateException if the register has such a hook already: one of the two would never run
     */
    public RegisterFile onWrite(int offset, WriteHook hook) {
        if (writeHooks[offset >>> 2] != null) {
            throw new IllegalStateException("two write hooks for register 0x%X".formatted(offset));
        }
        writeHooks[offset >>> 2] = hook;
        return this;
    }

    /** The 32-bit word at {@code offset}, without side effects. */
    public int get(int offset) {
        return words[offset >>> 2];
    }

    /** Stores a 32-bit word, past all masks and hooks. */
    public void set(int offset, int value) {
        words[offset >>> 2] = value;
    }

    /** The 64-bit register at {@code offset}. */
    public long get64(int offset) {
        return words[offset >>> 2] & 0xFFFF_FFFFL | (long) words[(offset >>> 2) + 1] << 32;
    }

    public void set64(int offset, long value) {
        words[offset >>> 2] = (int) value;
        words[(offset >>> 2) + 1] = (int) (value >>> 32);
    }

    /** Every register back to its reset value; hooks stay. */
    public void reset() {
        System.arraycopy(map.reset, 0, words, 0, words.length);
    }

    @Override
    public long read(long offset, int width) {
        if (!accepts(offset, width)) {
            return 0;
        }
        long low = readWord(offset) & 0xFFFF_FFFFL;
        return width == 4 ? low : low | (long) readWord(offset + 4) << 32;
    }

    @Override
    public void write(long offset, int width, long value) {
        if (!accepts(offset, width)) {
            return;
        }
        writeWord(offset, (int) value);
        if (width == 8) {
            writeWord(offset + 4, (int) (value >>> 32));
        }
    }

    private boolean accepts(long offset, int width) {
        if (width != 4 && width != 8 || offset % width != 0) {
            count(RegisterFault.WRONG_WIDTH);
            return false;
        }
        return true;
    }

    private int readWord(long offset) {
        if (!map.covers(offset)) {
            count(RegisterFault.UNKNOWN_OFFSET);
            return 0;
        }
        int word = (int) offset >>> 2;
        ReadHook hook = readHooks[word];
        if (hook != null) {
            return hook.read();
        }
        int value = words[word];
        words[word] = value & ~map.readClear[word];
        return value;
    }

    private void writeWord(long offset, int value) {
        if (!map.covers(offset)) {
            count(RegisterFault.UNKNOWN_OFFSET);
            return;
        }
        int word = (int) offset >>> 2;
        int previous = words[word];
        int writable = map.writable[word];
        words[word] = (previous & ~writable | value & writable) & ~(value & map.writeOneToClear[word]);
        WriteHook hook = writeHooks[word];
        if (hook != null) {
            hook.written(value, previous);
        } else if ((writable | map.writeOneToClear[word]) == 0) {
            count(RegisterFault.READ_ONLY);
        }
    }

    /** Notes an access that the device itself ignored. */
    public void count(RegisterFault fault) {
        ignored[fault.ordinal()]++;
    }

    /** Accesses ignored so far for this reason; each word of an 8-byte access is one. */
    public long ignored(RegisterFault fault) {
        return ignored[fault.ordinal()];
    }
}
