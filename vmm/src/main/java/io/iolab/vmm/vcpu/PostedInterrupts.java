package io.iolab.vmm.vcpu;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.interrupt.PostedDescriptor;
import java.util.function.LongSupplier;

/**
 * The posted-interrupt descriptor of a vCPU in host memory, where a remapping unit puts a device's interrupts itself, and what the
 * hypervisor does with it as the vCPU comes and goes (SDM volume 3, "Posted-Interrupt Processing"; KVM's life cycle of a descriptor).
 *
 * <pre>
 *   vCPU                      NV    SN   a device's interrupt
 *   running                   0xF2  0    PIR, notification; the processor merges it without an exit
 *   preempted                 0xF2  1    PIR only, unless urgent; found when the vCPU is scheduled in
 *   blocked in HLT            0xF1  0    PIR, a host interrupt that wakes the vCPU
 * </pre>
 *
 * <p>The owner clears ON before it takes PIR, and looks at ON again after each change of NV; so a vector is in what was taken, or notifies
 * anew, and none is lost.
 *
 * <p>Threading: the vCPU's thread, while units post from any. No call allocates.
 */
public final class PostedInterrupts {
    /** Where a running vCPU is notified; the host's handler has nothing to do. */
    public static final int NOTIFICATION_VECTOR = 0xF2;

    /** Where the host is told that a blocked vCPU has something to do. */
    public static final int WAKE_UP_VECTOR = 0xF1;

    private final Memory memory;
    private final long hpa;
    private final int destination;
    private final LongSupplier posts;
    private final long[] taken = new long[PostedDescriptor.REQUEST_WORDS];
    private long total;

    /**
     * Initialises the descriptor for a running vCPU.
     *
     * @param memory the host's
     * @param hpa 64 bytes, 64-byte aligned
     * @param apicId of the processor that the vCPU runs on, 8 bits
     * @param posts how many vectors the unit has posted here in all
     */
    public PostedInterrupts(Memory memory, long hpa, int apicId, LongSupplier posts) {
        if ((hpa & PostedDescriptor.BYTES - 1) != 0) {
            throw new IllegalArgumentException("posted-interrupt descriptor at 0x" + Long.toHexString(hpa));
        }
        this.memory = memory;
        this.hpa = hpa;
        this.destination = apicId << 8;
        this.posts = posts;
        PostedDescriptor.initialise(memory, hpa, NOTIFICATION_VECTOR, destination);
    }

    /** Where an interrupt-remapping table entry is to post. */
    public long hpa() {
        return hpa;
    }

    /** Whether a notification is outstanding. */
    public boolean outstanding() {
        return PostedDescriptor.outstanding(memory, hpa);
    }

    /**
     * The vCPU is about to sleep.
     *
     * @return whether something was posted before that took effect: it must not sleep then
     */
    public boolean block() {
        PostedDescriptor.notify(memory, hpa, WAKE_UP_VECTOR, destination);
        memory.storeLoadFence();
        return outstanding();
    }

    /** The vCPU is awake and will enter the guest. */
    public void resume() {
        PostedDescriptor.notify(memory, hpa, NOTIFICATION_VECTOR, destination);
    }

    /** Somebody else runs on the processor: no notifications, unless urgent. */
    public void preempt() {
        PostedDescriptor.suppress(memory, hpa, true);
    }

    /** The vCPU is back on its processor; what was posted meanwhile is outstanding. */
    public void schedule() {
        PostedDescriptor.suppress(memory, hpa, false);
        if (PostedDescriptor.pending(memory, hpa)) {
            PostedDescriptor.markOutstanding(memory, hpa);
        }
    }

    /**
     * Moves what was posted into the APIC; nothing while no notification is outstanding.
     *
     * @return how many vectors moved
     */
    public int drainInto(LocalApic apic) {
        if (!outstanding()) {
            return 0;
        }
        PostedDescriptor.clearOutstanding(memory, hpa);
        int moved = 0;
        for (int word = 0; word < PostedDescriptor.REQUEST_WORDS; word++) {
            long vectors = PostedDescriptor.take(memory, hpa, word);
            taken[word] |= vectors;
            moved += Long.bitCount(vectors);
            for (; vectors != 0; vectors &= vectors - 1) {
                apic.accept(word * 64 + Long.numberOfTrailingZeros(vectors), false);
            }
        }
        total += moved;
        return moved;
    }

    /** Whether a vector that the APIC delivers now came from here; each arrival answers once. */
    boolean delivered(int vector) {
        long bit = 1L << vector;
        boolean from = (taken[vector >>> 6] & bit) != 0;
        taken[vector >>> 6] &= ~bit;
        return from;
    }

    /** Posts of a vector that was in PIR already; one that is there now may be counted for a moment. */
    long merged() {
        return Math.max(0, posts.getAsLong() - total);
    }
}
