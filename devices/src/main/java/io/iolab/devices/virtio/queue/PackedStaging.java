package io.iolab.devices.virtio.queue;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RingFault;

/**
 * Used descriptors on their way into a packed ring (virtio 1.2 sections 2.8.1 and 2.8.22): one for each buffer, at the place
 * where the device stands, which then moves by the buffer's descriptors.
 *
 * <p>The driver looks at the first of them only, until it finds it used; so all others are written before its flags, and its
 * flags last (2.8.9). They are written in runs, short gaps between them included: those slots are the device's until then, and the
 * mirror has what is in them. Nothing is written once the flags are out.
 *
 * <p>With IN_ORDER a used descriptor stands for the buffers before it too (section 2.8.8). Those that the driver gave nothing to
 * write into are left to it, since what the driver is to assume of the others is that they were filled.
 */
final class PackedStaging {
    /** Descriptors of a list beyond which a run ends. */
    private static final int SHORT_LIST = 4;

    private static final long MARKED = (long) (PackedQueue.AVAIL | PackedQueue.USED) << PackedQueue.FLAGS_SHIFT;
    private static final long WRITTEN = (long) PackedQueue.WRITE << PackedQueue.FLAGS_SHIFT;

    private final DmaPort dma;
    private final long ringIova;
    private final byte[] ring;
    private final int size;
    private final RingHealth health;

    private int slot;
    private boolean wrap = true;

    /** What marks a descriptor used in this lap, as bits of the word that holds length, id and flags. */
    private long used = MARKED;

    /** Descriptors in the ring's laps before this one, modulo 2^32: with slot, the device's position. */
    private int laps;

    /** Positions: up to which the driver sees what is used, and up to which it was decided whether to interrupt it. */
    private int publishedPosition;

    private int decidedPosition;

    /** Where the first descriptor of those not yet published is, and its flags; or -1. */
    private int firstSlot = -1;

    private int firstFlags;

    /** The descriptors in the mirror that are to be written. */
    private int runStart;

    private int runEnd;

    /** Up to here a descriptor of a buffer that has no other just adds to the run; 0 if there is no run, or more to do. */
    private int runLimit;

    /** Buffers left to the next used descriptor: how many descriptors they have, and the last one's id. */
    private int left;

    private int leftId;

    /** A write failed, so that the driver must be shown no more. What failed elsewhere is no reason to keep back what is done. */
    private boolean lost;

    /** @param ring the mirror, in which what is taken has its available descriptors */
    PackedStaging(DmaPort dma, long ringIova, byte[] ring, int size, RingHealth health) {
        this.dma = dma;
        this.ringIova = ringIova;
        this.ring = ring;
        this.size = size;
        this.health = health;
    }

    int slot() {
        return slot;
    }

    boolean wrap() {
        return wrap;
    }

    private int position() {
        return laps + slot + left;
    }

    /** Descriptors that the driver was shown as used, modulo 2^32. */
    int publishedPosition() {
        return publishedPosition;
    }

    /** Descriptors published since the last decision on an interrupt. */
    int undecided() {
        return publishedPosition - decidedPosition;
    }

    /** @return descriptors published since the last call */
    int decide() {
        int count = undecided();
        decidedPosition = publishedPosition;
        return count;
    }

    /** Leaves a buffer to the next used descriptor. */
    void leave(int id, int count) {
        left += count;
        leftId = id;
        runLimit = 0;
    }

    /** @param count of the buffer's descriptors */
    void add(int id, int count, long written) {
        long word = used | (long) id << PackedQueue.ID_SHIFT | written & 0xFFFF_FFFFL | (written > 0 ? WRITTEN : 0);
        if (slot < runLimit && count == 1) {
            LittleEndian.putLong(ring, PackedQueue.DESCRIPTOR * slot + PackedQueue.LENGTH, word);
            slot++;
            runEnd = slot;
        } else {
            addOther(word, count + left);
        }
    }

    private void addOther(long word, int count) {
        left = 0;
        if (runEnd - runStart >= PackedQueue.BATCH || slot >= size) {
            writeRun();
        }
        long marked = word & ~MARKED | used;
        int at = PackedQueue.DESCRIPTOR * slot + PackedQueue.LENGTH;
        if (firstSlot < 0) {
            stageFirst(at, marked);
        } else {
            LittleEndian.putLong(ring, at, marked);
        }
        if (runEnd == runStart) {
            runStart = slot;
        }
        runEnd = slot + 1;
        slot += count;
        if (slot >= size || count > SHORT_LIST) {
            writeRun();
        } else {
            runLimit = Math.min(size, runStart + PackedQueue.BATCH);
        }
    }

    /** Its flags in the mirror stay what they are in the ring, so that the run can go over them. */
    private void stageFirst(int at, long word) {
        firstSlot = slot;
        firstFlags = (int) (word >>> PackedQueue.FLAGS_SHIFT);
        LittleEndian.putInt(ring, at, (int) word);
        LittleEndian.putShort(ring, at + 4, (int) (word >>> PackedQueue.ID_SHIFT) & 0xFFFF);
    }

    private void writeRun() {
        if (runEnd != runStart && !lost) {
            int offset = PackedQueue.DESCRIPTOR * runStart;
            int length = PackedQueue.DESCRIPTOR * (runEnd - runStart);
            if (dma.write(ringIova + offset, ring, offset, length, DmaKind.DESCRIPTOR) != DmaFault.NONE) {
                lose();
            }
        }
        runEnd = runStart;
        runLimit = 0;
        if (slot >= size) {
            slot -= size;
            laps += size;
            wrap = !wrap;
            used = wrap ? MARKED : 0;
        }
    }

    void publish() {
        if (position() == publishedPosition) {
            return;
        }
        if (left > 0) {
            add(leftId, 0, 0);
        }
        writeRun();
        if (!lost) {
            // Release: the payload, the other descriptors and the rest of this one come before (sections 2.8.9 and
            // 2.8.22).
            long flagsIova = ringIova + (long) PackedQueue.DESCRIPTOR * firstSlot + PackedQueue.FLAGS;
            if (dma.storeShortRelease(flagsIova, firstFlags, DmaKind.DESCRIPTOR) != DmaFault.NONE) {
                lose();
            }
        }
        firstSlot = -1;
        publishedPosition = position();
    }

    private void lose() {
        lost = true;
        health.report(RingFault.UNREACHABLE);
    }
}
