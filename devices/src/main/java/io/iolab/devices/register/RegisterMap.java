package io.iolab.devices.register;

import java.util.Collection;
import java.util.List;

/**
 * The registers of a device type, frozen into arrays indexed by 32-bit word so that an access is an index and a mask. A 64-bit
 * register is two words. Immutable; one per device type, shared by its instances.
 */
public final class RegisterMap {
    private final List<RegisterSpec> specs;
    private final short[] specOfWord;
    final int[] reset;
    final int[] writable;
    final int[] writeOneToClear;
    final int[] readClear;

    /**
     * @param windowBytes size of the register window, a multiple of 4
     * @throws IllegalArgumentException if registers overlap or leave the window
     */
    public RegisterMap(int windowBytes, Collection<RegisterSpec> registers) {
        if (windowBytes < 0 || windowBytes % 4 != 0) {
            throw new IllegalArgumentException("register window of " + windowBytes + " bytes");
        }
        int words = windowBytes / 4;
        specs = List.copyOf(registers);
        specOfWord = new short[words];
        java.util.Arrays.fill(specOfWord, (short) -1);
        reset = new int[words];
        writable = new int[words];
        writeOneToClear = new int[words];
        readClear = new int[words];
        for (int i = 0; i < specs.size(); i++) {
            place(specs.get(i), i);
        }
    }

    private void place(RegisterSpec spec, int index) {
        if (spec.offset() > windowBytes() - spec.width()) {
            throw new IllegalArgumentException(spec.name() + " leaves the window of " + windowBytes() + " bytes");
        }
        for (int half = 0; half < spec.width() / 4; half++) {
            int word = spec.offset() / 4 + half;
            if (specOfWord[word] >= 0) {
                throw new IllegalArgumentException(
                        spec.name() + " overlaps " + specs.get(specOfWord[word]).name());
            }
            specOfWord[word] = (short) index;
            int shift = 32 * half;
            reset[word] = (int) (spec.reset() >>> shift);
            writable[word] = (int) (spec.writable() >>> shift);
            writeOneToClear[word] = (int) (spec.writeOneToClear() >>> shift);
            readClear[word] = (int) (spec.readClear() >>> shift);
        }
    }

    /** In the order of the table. */
    public List<RegisterSpec> registers() {
        return specs;
    }

    /** Size of the window in bytes. */
    public int windowBytes() {
        return specOfWord.length * 4;
    }

    /** Whether a register covers the 32-bit word at {@code offset}. */
    public boolean covers(long offset) {
        return offset >= 0 && offset < windowBytes() && specOfWord[(int) offset >>> 2] >= 0;
    }

    /** The name of the register that covers {@code offset}, or {@code "unimplemented"}. */
    public String nameAt(long offset) {
        return covers(offset) ? specs.get(specOfWord[(int) offset >>> 2]).name() : "unimplemented";
    }
}
