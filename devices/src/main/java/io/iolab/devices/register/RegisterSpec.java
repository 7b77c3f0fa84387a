package io.iolab.devices.register;

import java.util.ArrayList;
import java.util.List;

/**
 * One register of a device, as its specification lists it.
 *
 * @param name the specification's own name
 * @param offset byte offset in the window; a multiple of 4 (of 8 for a 64-bit register)
 * @param width 4 or 8 bytes
 * @param reset value after power-on and reset
 * @param writable bits that a write changes
 * @param writeOneToClear bits that a write of 1 clears; disjoint from {@code writable}
 * @param readClear bits that a read clears
 * @param section where the specification describes it
 */
public record RegisterSpec(
        String name,
        int offset,
        int width,
        long reset,
        long writable,
        long writeOneToClear,
        long readClear,
        String section) {

    public RegisterSpec {
        if (width != 4 && width != 8 || offset % width != 0 || offset < 0) {
            throw new IllegalArgumentException(name + ": offset " + offset + ", width " + width);
        }
        if ((writable & writeOneToClear) != 0) {
            throw new IllegalArgumentException(name + ": a bit is both writable and write-one-to-clear");
        }
        long beyond = width == 4 ? ~0xFFFF_FFFFL : 0;
        if (((reset | writable | writeOneToClear | readClear) & beyond) != 0) {
            throw new IllegalArgumentException(name + ": a mask exceeds 32 bits");
        }
    }

    public static RegisterSpec readWrite(String name, int offset, long reset, long writable, String section) {
        return new RegisterSpec(name, offset, 4, reset, writable, 0, 0, section);
    }

    public static RegisterSpec readOnly(String name, int offset, long reset, String section) {
        return new RegisterSpec(name, offset, 4, reset, 0, 0, 0, section);
    }

    /** A statistics counter: every bit cleared by a read. */
    public static RegisterSpec readClear(String name, int offset, String section) {
        return new RegisterSpec(name, offset, 4, 0, 0, 0, 0xFFFF_FFFFL, section);
    }

    public static RegisterSpec readWrite64(String name, int offset, long reset, long writable, String section) {
        return new RegisterSpec(name, offset, 8, reset, writable, 0, 0, section);
    }

    public static RegisterSpec readOnly64(String name, int offset, long reset, String section) {
        return new RegisterSpec(name, offset, 8, reset, 0, 0, 0, section);
    }

    /** This register repeated {@code count} times, {@code stride} bytes apart, named {@code NAME[n]}. */
    public List<RegisterSpec> times(int count, int stride) {
        List<RegisterSpec> all = new ArrayList<>(count);
        for (int n = 0; n < count; n++) {
            all.add(new RegisterSpec(
                    name + "[" + n + "]",
                    offset + n * stride,
                    width,
                    reset,
                    writable,
                    writeOneToClear,
                    readClear,
                    section));
        }
        return all;
    }
}
