package io.iolab.devices.virtio.queue;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;

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

    private final DmaPort dma;
    private final long ringIova;
    private final byte[] ring;
    private final int size;
    private final boolean inOrder;

    private int slot;
    private boolean wrap = true;

    /** Where the first descriptor of those not yet published is, and its flags; or -1. */
    private int firstSlot = -1;

    private int firstFlags;

    /** The descriptors in the mirror that are to be written; they do not pass the ring's end. */
    private int runStart;

    private int runEnd;

    /** Buffers left to the next used descriptor: how many descriptors they have, and the last one's id. */
    private int batched;

    private int batchedId;

    /** Descriptors staged, and published since the last decision on an interrupt. */
    private int staged;

    private int undecided;
    private boolean lost;

    /** @param ring the mirror, in which what is taken has its available descriptors */
    PackedStaging(DmaPort dma, long ringIova, byte[] ring, int size, boolean inOrder) {
        this.dma = dma;
        this.ringIova = ringIova;
        this.ring = ring;
        this.size = size;
        this.inOrder = inOrder;
    }

    int slot() {
        return slot;
    }

    boolean wrap() {
        return wrap;
    }

    /** Whether a used descriptor could not be written. */
    boolean lost() {
        return lost;
    }

    int unpublished() {
        return staged;
    }

    int undecided() {
        return undecided;
    }

    /** @return descriptors published since the last call */
    int decide() {
        int count = undecided;
        undecided = 0;
        return count;
    }

    void add(int id, int count, long written, boolean onlyReadable) {
        staged += count;
        if (inOrder && onlyReadable) {
            batched += count;
            batchedId = id;
            return;
        }
        int total = count + batched;
        batched = 0;
        stage(id, total, written);
    }

    private void stage(int id, int count, long written) {
        int at = PackedQueue.DESCRIPTOR * slot;
        int flags = (wrap ? PackedQueue.AVAIL | PackedQueue.USED : 0) | (written > 0 ? PackedQueue.WRITE : 0);
        if (firstSlot < 0) {
            // Its flags in the mirror stay what they are in the ring, so that the run can go over them.
            firstSlot = slot;
            firstFlags = flags;
            LittleEndian.putInt(ring, at + PackedQueue.LENGTH, (int) written);
            LittleEndian.putShort(ring, at + PackedQueue.ID, id);
        } else {
            long lower = written & 0xFFFF_FFFFL;
            LittleEndian.putLong(ring, at + PackedQueue.LENGTH, lower | (long) id << 32 | (long) flags << 48);
        }
        if (runEnd == runStart) {
            runStart = slot;
        }
        runEnd = slot + 1;
        slot += count;
        if (slot >= size) {
            slot -= size;
            wrap = !wrap;
            writeRun();
        } else if (count > SHORT_LIST || runEnd - runStart >= PackedQueue.BATCH) {
            writeRun();
        }
    }

    private void writeRun() {
        int offset = PackedQueue.DESCRIPTOR * runStart;
        int length = PackedQueue.DESCRIPTOR * (runEnd - runStart);
        runEnd = runStart;
        if (!lost && length > 0) {
            lost = dma.write(ringIova + offset, ring, offset, length, DmaKind.DESCRIPTOR) != DmaFault.NONE;
        }
    }

    void publish() {
        if (staged == 0) {
            return;
        }
        if (batched > 0) {
            int count = batched;
            batched = 0;
            stage(batchedId, count, 0);
        }
        writeRun();
        if (!lost) {
            // Release: the payload, the other descriptors and the rest of this one come before (sections 2.8.9 and
            // 2.8.22).
            long flagsIova = ringIova + (long) PackedQueue.DESCRIPTOR * firstSlot + PackedQueue.FLAGS;
            lost = dma.storeShortRelease(flagsIova, firstFlags, DmaKind.DESCRIPTOR) != DmaFault.NONE;
        }
        firstSlot = -1;
        undecided += staged;
        staged = 0;
    }
}
