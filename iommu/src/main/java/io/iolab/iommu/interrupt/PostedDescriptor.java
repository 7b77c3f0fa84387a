package io.iolab.iommu.interrupt;

import io.iolab.devices.memory.Memory;

/**
 * A posted-interrupt descriptor in memory: 64 bytes, 64-byte aligned (VT-d 9.11, SDM volume 3 "Posted-Interrupt Processing"). What
 * a remapping unit, other processors and the owner do with it are the three groups of methods.
 *
 * <pre>
 *   byte  0  PIR, a bit for each of 256 vectors
 *        32  0 ON   1 SN   15:2 zero   23:16 NV   31:24 zero   63:32 NDST (xAPIC: id in 47:40)
 *        40  zero
 * </pre>
 *
 * <p>The architecture changes it in one atomic step. Here PIR and the word with ON change one after the other, PIR first; since the
 * owner clears ON before it takes PIR, a vector is either taken or notified anew, and none is lost.
 *
 * <p>Threading: {@link #post} and {@link #suppress} from any thread, {@link #clearOutstanding} and {@link #take} from the owner's.
 * Nothing allocates or locks; a compare-and-set is repeated only when another thread's has succeeded.
 */
public final class PostedDescriptor {
    public static final int BYTES = 64;

    /** 64-bit words of PIR. */
    public static final int REQUEST_WORDS = 4;

    private static final int CONTROL = 32;
    private static final long OUTSTANDING = 1;
    private static final long SUPPRESS = 1 << 1;
    private static final long CONTROL_RESERVED = 0xFF00_FFFCL;
    private static final int VECTOR_SHIFT = 16;
    private static final int DESTINATION_SHIFT = 32;

    private PostedDescriptor() {}

    /** A descriptor as software prepares it: nothing posted, ON and SN clear. */
    public static void initialise(Memory memory, long hpa, int notificationVector, int destination) {
        memory.fill(hpa, BYTES, (byte) 0);
        memory.storeLongRelease(hpa + CONTROL, control(notificationVector, destination));
    }

    private static long control(int notificationVector, int destination) {
        return (long) destination << DESTINATION_SHIFT | (notificationVector & 0xFFL) << VECTOR_SHIFT;
    }

    /** Whether a bit is set that the format reserves. */
    public static boolean reservedSet(Memory memory, long hpa) {
        return (memory.loadLongAcquire(hpa + CONTROL) & CONTROL_RESERVED) != 0
                || (memory.readLong(hpa + 40) | memory.readLong(hpa + 48) | memory.readLong(hpa + 56)) != 0;
    }

    /**
     * Sets a vector in PIR and, where a notification is due, ON: it is unless one is outstanding, or they are suppressed and the
     * interrupt is not urgent.
     *
     * @param vector 0 to 255
     * @return the control word if a notification is due, for {@link #notificationVector} and {@link #destination}; otherwise 0,
     *     which is no such word, as ON is set in it
     */
    public static long post(Memory memory, long hpa, int vector, boolean urgent) {
        long word = hpa + (vector >>> 6) * 8L;
        long bit = 1L << vector;
        long requests;
        do {
            requests = memory.loadLongAcquire(word);
        } while ((requests & bit) == 0 && !memory.compareAndSetLong(word, requests, requests | bit));
        // A bit that was set already still needs ON looked at after it: the owner may be between the two.
        memory.storeLoadFence();
        while (true) {
            long control = memory.loadLongAcquire(hpa + CONTROL);
            if ((control & OUTSTANDING) != 0 || (control & SUPPRESS) != 0 && !urgent) {
                return 0;
            }
            if (memory.compareAndSetLong(hpa + CONTROL, control, control | OUTSTANDING)) {
                return control | OUTSTANDING;
            }
        }
    }

    /** NV of a control word. */
    public static int notificationVector(long control) {
        return (int) (control >>> VECTOR_SHIFT) & 0xFF;
    }

    /** The processor that NDST of a control word names. */
    public static int destination(long control, boolean extended) {
        int destination = (int) (control >>> DESTINATION_SHIFT);
        return extended ? destination : destination >>> 8 & 0xFF;
    }

    /** Whether a notification is outstanding (ON). */
    public static boolean outstanding(Memory memory, long hpa) {
        return (memory.loadLongAcquire(hpa + CONTROL) & OUTSTANDING) != 0;
    }

    /** Clears ON, and makes sure that what is loaded after it is newer. */
    public static void clearOutstanding(Memory memory, long hpa) {
        change(memory, hpa, ~OUTSTANDING, 0);
        memory.storeLoadFence();
    }

    /** Sets or clears SN. After clearing it the owner looks at PIR once more: vectors may have come without notification. */
    public static void suppress(Memory memory, long hpa, boolean on) {
        change(memory, hpa, ~SUPPRESS, on ? SUPPRESS : 0);
        memory.storeLoadFence();
    }

    /** Sets ON without a post: the owner does so for vectors that came while notifications were suppressed. */
    public static void markOutstanding(Memory memory, long hpa) {
        change(memory, hpa, ~OUTSTANDING, OUTSTANDING);
    }

    /** Whether notifications are suppressed (SN). */
    public static boolean suppressed(Memory memory, long hpa) {
        return (memory.loadLongAcquire(hpa + CONTROL) & SUPPRESS) != 0;
    }

    /**
     * Where notifications go from now on.
     *
     * @param destination NDST as it stands in memory: with 8-bit ids the id is in bits 15:8
     */
    public static void notify(Memory memory, long hpa, int notificationVector, int destination) {
        change(memory, hpa, OUTSTANDING | SUPPRESS, control(notificationVector, destination));
    }

    private static void change(Memory memory, long hpa, long keep, long set) {
        long control;
        do {
            control = memory.loadLongAcquire(hpa + CONTROL);
        } while (!memory.compareAndSetLong(hpa + CONTROL, control, control & keep | set));
    }

    /**
     * Takes 64 vectors out of PIR.
     *
     * @param word 0 to 3
     * @return what was posted since the last time: bit n stands for vector 64 {@code word} + n
     */
    public static long take(Memory memory, long hpa, int word) {
        long address = hpa + word * 8L;
        long requests;
        do {
            requests = memory.loadLongAcquire(address);
        } while (requests != 0 && !memory.compareAndSetLong(address, requests, 0));
        return requests;
    }

    /** Whether PIR holds a vector. */
    public static boolean pending(Memory memory, long hpa) {
        long any = 0;
        for (int word = 0; word < REQUEST_WORDS; word++) {
            any |= memory.loadLongAcquire(hpa + word * 8L);
        }
        return any != 0;
    }
}
