package io.iolab.devices.e1000;

import io.iolab.devices.pci.MsixTable;
import io.iolab.devices.register.RegisterFile;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** IVAR and EITR: which causes a vector of MSI-X stands for, and how often it may fire (82574 datasheet 7.4 and 10.2). */
final class VectorRouting {
    static final int VECTORS = 5;

    private static final int FIRST_ROUTED_BIT = 20;
    private static final int ROUTED_CAUSES = 5;
    private static final int ENTRY_VALID = 8;

    private final RegisterFile registers;
    private final @Nullable MsixTable table;
    private final int[] causes = new int[VECTORS];
    private final int[] postponed = new int[VECTORS];
    private final long[] lastFired = new long[VECTORS];
    private final long[] notBefore = new long[VECTORS];
    private int fired;
    private int waiting;

    VectorRouting(RegisterFile registers, @Nullable MsixTable table) {
        this.registers = registers;
        this.table = table;
    }

    void reset() {
        Arrays.fill(postponed, 0);
        Arrays.fill(notBefore, Long.MIN_VALUE);
        waiting = 0;
        fired = 0;
        if (table != null) {
            rerouted();
        }
    }

    /** IVAR: a nibble for each cause; an invalid entry, or a vector that does not exist, sends nothing. */
    void rerouted() {
        Arrays.fill(causes, 0);
        int ivar = registers.get(E1000Registers.IVAR);
        for (int i = 0; i < ROUTED_CAUSES; i++) {
            int entry = ivar >>> 4 * i & 0xF;
            int vector = entry & 7;
            if ((entry & ENTRY_VALID) != 0 && vector < VECTORS) {
                causes[vector] |= 1 << FIRST_ROUTED_BIT + i;
            }
        }
    }

    int causesOf(int vector) {
        return causes[vector];
    }

    /** The set of vectors that any of these causes leads to, as bits. */
    int vectorsOf(int wanted) {
        int set = 0;
        for (int vector = 0; vector < VECTORS; vector++) {
            set |= (causes[vector] & wanted) != 0 ? 1 << vector : 0;
        }
        return set;
    }

    private long gap(int vector) {
        return registers.get(E1000Registers.EITR + 4 * vector) * InterruptUnit.MODERATION_TICK;
    }

    boolean mayFire(int vector, long now) {
        return (fired & 1 << vector) == 0 || now - lastFired[vector] >= gap(vector);
    }

    /** @return whether nothing was postponed on this vector before */
    boolean postpone(int vector, int wanted) {
        boolean first = postponed[vector] == 0;
        postponed[vector] |= wanted;
        waiting |= 1 << vector;
        return first;
    }

    /**
     * Postpones what a message of this device to itself caused by a tick: a chain of such messages goes on in time, as on a
     * bus, and not inside of the call that sent the first.
     */
    void postponeEcho(int vector, int wanted, long now) {
        postpone(vector, wanted);
        notBefore[vector] = now + InterruptUnit.MODERATION_TICK;
    }

    boolean anyPostponed() {
        return waiting != 0;
    }

    /** The causes whose wait is over, taken off the list. */
    int takeDue(int vector, long now) {
        if ((waiting & 1 << vector) == 0 || now < notBefore[vector] || !mayFire(vector, now)) {
            return 0;
        }
        int due = postponed[vector];
        postponed[vector] = 0;
        waiting &= ~(1 << vector);
        return due;
    }

    long deadline() {
        long earliest = Long.MAX_VALUE;
        for (int vector = 0; vector < VECTORS; vector++) {
            if ((waiting & 1 << vector) != 0) {
                earliest = Math.min(earliest, Math.max(lastFired[vector] + gap(vector), notBefore[vector]));
            }
        }
        return earliest;
    }

    void fire(int vector, long now) {
        fired |= 1 << vector;
        lastFired[vector] = now;
        if (table != null) {
            table.fire(vector);
        }
    }

    /**
     * Takes pending bits back.
     *
     * @param set vectors, as bits
     * @return the causes that lost their pending bit
     */
    int withdraw(int set) {
        int lost = 0;
        for (int vector = 0; vector < VECTORS; vector++) {
            if (table != null && (set & 1 << vector) != 0 && table.isPending(vector)) {
                table.clearPending(vector);
                lost |= causes[vector];
            }
        }
        return lost;
    }
}
