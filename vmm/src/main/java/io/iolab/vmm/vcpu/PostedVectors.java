package io.iolab.vmm.vcpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How other threads hand interrupts to a vCPU: the posted-interrupt requests and the outstanding-notification bit of a
 * posted-interrupt descriptor (SDM volume 3, section "Posted-Interrupt Processing").
 *
 * <pre>
 *   any thread:  PIR[v] = 1 (was set: done) --> ON = 1 (was set: done) --> notify the vCPU
 *   its thread:  ON = 0 --> PIR words swapped with 0 --> LocalApic.accept
 * </pre>
 *
 * <p>The sender sets PIR before ON and the vCPU clears ON before PIR, so a vector is either in the swap or raises a new
 * notification; none is lost, however the two interleave. A notification may find nothing, which is harmless.
 *
 * <p>The architecture posts edge-triggered vectors only. Here a level-triggered one may be posted as well; its trigger mode goes
 * beside PIR, as KVM sets the TMR before it posts.
 *
 * <p>Threading: {@link #post} from any thread, {@link #drainInto} from the vCPU's. No call allocates or locks.
 */
public final class PostedVectors {
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle ON;
    private static final VarHandle COALESCED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            ON = lookup.findVarHandle(PostedVectors.class, "on", int.class);
            COALESCED = lookup.findVarHandle(PostedVectors.class, "coalesced", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final long[] pir = new long[4];
    /** The trigger mode of each vector as last posted: 1 level. */
    private final long[] level = new long[4];

    private volatile int on;
    private volatile long coalesced;

    /**
     * Posts an edge-triggered vector.
     *
     * @param vector 0 to 255
     * @return whether a notification is due: ON went from 0 to 1, and the vCPU must be kicked or woken
     */
    public boolean post(int vector) {
        return post(vector, false);
    }

    /** Posts a vector with its trigger mode, otherwise as {@link #post(int)}. */
    public boolean post(int vector, boolean levelTriggered) {
        int word = vector >>> 6;
        long bit = 1L << vector;
        if (((long) WORD.getVolatile(level, word) & bit) != 0 != levelTriggered) {
            if (levelTriggered) {
                WORD.getAndBitwiseOr(level, word, bit);
            } else {
                WORD.getAndBitwiseAnd(level, word, ~bit);
            }
        }
        if (((long) WORD.getAndBitwiseOr(pir, word, bit) & bit) != 0) {
            COALESCED.getAndAdd(this, 1L);
            return false;
        }
        return (int) ON.getAndSet(this, 1) == 0;
    }

    /** Whether a notification is outstanding: a vCPU about to sleep looks here last. */
    public boolean outstanding() {
        return on != 0;
    }

    /**
     * Moves what was posted into the APIC; nothing, at the price of one load, when no notification is outstanding.
     *
     * @return how many vectors moved
     */
    public int drainInto(LocalApic apic) {
        if (on == 0) {
            return 0;
        }
        on = 0;
        int moved = 0;
        for (int word = 0; word < 4; word++) {
            if ((long) WORD.getVolatile(pir, word) == 0) {
                continue;
            }
            long vectors = (long) WORD.getAndSet(pir, word, 0L);
            long levels = (long) WORD.getVolatile(level, word);
            moved += Long.bitCount(vectors);
            for (; vectors != 0; vectors &= vectors - 1) {
                int bit = Long.numberOfTrailingZeros(vectors);
                apic.accept(word * 64 + bit, (levels & 1L << bit) != 0);
            }
        }
        return moved;
    }

    /** Posts of a vector that was posted already and not yet taken. */
    public long coalesced() {
        return coalesced;
    }
}
