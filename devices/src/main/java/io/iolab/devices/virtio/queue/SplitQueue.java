package io.iolab.devices.virtio.queue;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RingFault;
import org.jspecify.annotations.Nullable;

/**
 * A split virtqueue (virtio 1.2 section 2.7).
 *
 * <pre>
 *   avail ring   ... [done] [taken, not completed] [fetched] [available] ...
 *                                                 ^takeIdx  ^fetchIdx   ^availIdx
 *   used ring    ... [published] [staged]
 *                               ^usedIdx ^stagedIdx
 * </pre>
 *
 * <p>The rings live in memory that is dear to reach, so entries travel in runs: available entries are fetched up to
 * {@value #BATCH} at a time, used elements are staged and written as one run when the run ends. The descriptor table is never
 * written, and an entry is never read twice after the driver's index covered it.
 */
public final class SplitQueue implements Virtqueue {
    /** Entries moved by one request: 128 bytes of available ring, 512 bytes of used ring. */
    private static final int BATCH = 64;

    /** Both rings: flags at 0, idx at 2, entries from 4. */
    private static final int IDX = 2;

    private static final int ENTRIES = 4;
    private static final int AVAIL_ENTRY = 2;
    private static final int USED_ELEMENT = 8;
    private static final int NO_NOTIFY = 1;
    private static final int NO_INTERRUPT = 1;

    private final DmaPort dma;
    private final int size;
    private final long availIova;
    private final long usedIova;
    private final long usedEventIova;
    private final long availEventIova;
    private final boolean eventIndex;
    private final boolean inOrder;
    private final SplitChain chain;

    /** Mirror of the available ring's entries; valid from takeIdx - size up to fetchIdx. */
    private final byte[] entries;

    /** The used ring's elements as they were or will be written, so that a run is one request. */
    private final byte[] used;

    private int availIdx;
    private int fetchIdx;
    private int takeIdx;
    private int usedIdx;
    private int stagedIdx;

    /** Slots of the used ring: where the elements begin that are not yet written, and where they end at the latest. */
    private int runStart;

    private int runLast;

    /** With IN_ORDER: chains whose element is left to the next one's, and the last of them. */
    private int left;

    private int leftHead;
    private int decidedIdx;
    private boolean kicksDisabled;
    private long chains;
    private final RingHealth health = new RingHealth();

    /** A write failed, so that the driver must be shown no more. What failed elsewhere is no reason to keep back what is done. */
    private boolean usedRingLost;

    /**
     * @param size a power of two, 1 to 32768
     * @param layout where the driver placed the three areas, aligned as section 2.7 demands
     * @param features the negotiated feature bits
     */
    public SplitQueue(DmaPort dma, int size, QueueLayout layout, long features) {
        this.dma = dma;
        this.size = size;
        this.availIova = layout.driverIova();
        this.usedIova = layout.deviceIova();
        this.usedEventIova = availIova + ENTRIES + (long) AVAIL_ENTRY * size;
        this.availEventIova = usedIova + ENTRIES + (long) USED_ELEMENT * size;
        this.eventIndex = RingFeatures.has(features, RingFeatures.EVENT_IDX);
        this.inOrder = RingFeatures.has(features, RingFeatures.IN_ORDER);
        this.chain = new SplitChain(
                dma, layout.descriptorIova(), size, RingFeatures.has(features, RingFeatures.INDIRECT_DESC), health);
        this.entries = new byte[AVAIL_ENTRY * size];
        this.used = new byte[USED_ELEMENT * size];
        startRun();
    }

    @Override
    public Take take() {
        if (health.faulted() || takeIdx == fetchIdx && !fetch()) {
            return health.faulted() ? Take.FAULT : Take.EMPTY;
        }
        int head = entry(RingIndex.slot(takeIdx, size));
        if (head >= size) {
            health.report(RingFault.INDEX_OUT_OF_RANGE);
            return Take.FAULT;
        }
        if (!chain.hasAhead(head)) {
            readAhead(head);
        }
        takeIdx = RingIndex.advance(takeIdx, 1);
        chain.start(head);
        return Take.CHAIN;
    }

    /** Brings more entries in; false if there are none, or on a fault. */
    private boolean fetch() {
        if (fetchIdx == availIdx && !loadAvailableIndex()) {
            return false;
        }
        int slot = RingIndex.slot(fetchIdx, size);
        int run = Math.min(Math.min(RingIndex.distance(fetchIdx, availIdx), size - slot), BATCH);
        int offset = AVAIL_ENTRY * slot;
        if (failed(dma.read(availIova + ENTRIES + offset, entries, offset, AVAIL_ENTRY * run, DmaKind.DESCRIPTOR))) {
            return false;
        }
        fetchIdx = RingIndex.advance(fetchIdx, run);
        chain.forgetAhead();
        return true;
    }

    /**
     * Drivers hand out descriptors in ascending or descending order for long stretches: those of the fetched entries that begin with
     * {@code head} come with one request.
     */
    private void readAhead(int head) {
        int slot = RingIndex.slot(takeIdx, size);
        // What was given back may lie on both sides of the ring's end.
        int last = Math.min(RingIndex.distance(takeIdx, fetchIdx), size - slot) - 1;
        if (last == 0) {
            return;
        }
        int step = entry(slot + 1) - head;
        if (step != 1 && step != -1) {
            return;
        }
        int count = 1;
        while (count < last && entry(slot + count + 1) == head + step * (count + 1)) {
            count++;
        }
        int end = head + step * count;
        if (end >= 0 && end < size) {
            chain.readAhead(Math.min(head, end), count + 1);
        }
    }

    private int entry(int slot) {
        return LittleEndian.getShort(entries, AVAIL_ENTRY * slot);
    }

    /** Loads avail.idx: with acquire order, so that entries and descriptors are read after it (section 2.7.13.3). */
    private boolean loadAvailableIndex() {
        int index = dma.loadShortAcquire(availIova + IDX, DmaKind.DESCRIPTOR);
        if (index < 0) {
            health.report(RingFault.UNREACHABLE);
            return false;
        }
        // Every chain needs a descriptor, and those taken and not completed have theirs: more than the rest is
        // impossible.
        if (RingIndex.distance(takeIdx, index) > size - outstanding()) {
            health.report(RingFault.INDEX_JUMP);
            return false;
        }
        availIdx = index;
        return index != fetchIdx;
    }

    @Override
    public DescriptorChain chain() {
        return chain;
    }

    @Override
    public int token() {
        return chain.head();
    }

    @Override
    public void giveBack(int count) {
        takeIdx = RingIndex.advance(takeIdx, -count);
    }

    /**
     * {@inheritDoc} With IN_ORDER an element stands for the chains before it too (section 2.7.9). Those that have nothing to
     * write into are left to it, since what the driver is to assume of the others is that they were filled.
     */
    @Override
    public void complete(int token, long written) {
        chains++;
        if (!inOrder) {
            stage(token, written, 1);
        } else if (token == chain.head() && chain.onlyReadable()) {
            left++;
            leftHead = token;
        } else {
            stage(token, written, left + 1);
        }
    }

    /** @param count of chains that the element stands for */
    private void stage(int token, long written, int count) {
        int slot = RingIndex.slot(stagedIdx, size);
        LittleEndian.putLong(used, USED_ELEMENT * slot, token | written << 32);
        stagedIdx = RingIndex.advance(stagedIdx, count);
        if (count > 1) {
            left = 0;
            writeUsedElements(slot);
        } else if (slot == runLast) {
            writeUsedElements(slot);
        }
    }

    private void startRun() {
        runStart = RingIndex.slot(stagedIdx, size);
        runLast = Math.min(size, runStart + BATCH) - 1;
    }

    /** Writes the elements that are staged and not yet in the ring, up to the one at {@code lastSlot}. */
    private void writeUsedElements(int lastSlot) {
        int offset = USED_ELEMENT * runStart;
        int length = USED_ELEMENT * (lastSlot + 1 - runStart);
        startRun();
        if (!usedRingLost) {
            usedRingLost = failed(dma.write(usedIova + ENTRIES + offset, used, offset, length, DmaKind.DESCRIPTOR));
        }
    }

    @Override
    public void publish() {
        if (left > 0) {
            int count = left;
            left = 0;
            stage(leftHead, 0, count);
        }
        if (stagedIdx == usedIdx) {
            return;
        }
        int slot = RingIndex.slot(stagedIdx, size);
        if (slot != runStart) {
            writeUsedElements(slot - 1);
        }
        usedIdx = stagedIdx;
        if (!usedRingLost) {
            // Release: elements and payload are in memory before the index covers them (section 2.7.8).
            usedRingLost = failed(dma.storeShortRelease(usedIova + IDX, usedIdx, DmaKind.DESCRIPTOR));
        }
    }

    @Override
    public boolean interruptUndecided() {
        return decidedIdx != usedIdx;
    }

    @Override
    public boolean interruptWanted() {
        if (decidedIdx == usedIdx || health.faulted()) {
            return false;
        }
        int old = decidedIdx;
        decidedIdx = usedIdx;
        // The driver re-arms, then looks at used.idx; we moved used.idx, now look at what it re-armed (section
        // 2.7.13.4.1
        // mirrored): store before load, which release order does not give.
        dma.storeLoadFence();
        int value = dma.loadShortAcquire(eventIndex ? usedEventIova : availIova, DmaKind.DESCRIPTOR);
        if (value < 0) {
            health.report(RingFault.UNREACHABLE);
            return false;
        }
        return eventIndex ? RingIndex.needsEvent(value, usedIdx, old) : (value & NO_INTERRUPT) == 0;
    }

    /** With the event index a past event is suppression enough: nothing is written (section 2.7.10.1). */
    @Override
    public void disableKicks() {
        if (!kicksDisabled && !health.faulted()) {
            kicksDisabled = true;
            if (!eventIndex) {
                failed(dma.storeShortRelease(usedIova, NO_NOTIFY, DmaKind.DESCRIPTOR));
            }
        }
    }

    @Override
    public boolean enableKicks() {
        if (health.faulted()) {
            return false;
        }
        kicksDisabled = false;
        DmaFault outcome = eventIndex
                ? dma.storeShortRelease(availEventIova, takeIdx, DmaKind.DESCRIPTOR)
                : dma.storeShortRelease(usedIova, 0, DmaKind.DESCRIPTOR);
        if (failed(outcome)) {
            return false;
        }
        // The driver moves avail.idx, then reads what we wrote; without the fence both could miss (section 2.7.13.4.1).
        dma.storeLoadFence();
        return takeIdx != fetchIdx || loadAvailableIndex();
    }

    @Override
    public void fail(RingFault cause) {
        health.report(cause);
    }

    private boolean failed(DmaFault outcome) {
        if (outcome == DmaFault.NONE) {
            return false;
        }
        health.report(RingFault.UNREACHABLE);
        return true;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public int outstanding() {
        return RingIndex.distance((int) chains, takeIdx);
    }

    @Override
    public @Nullable RingFault fault() {
        return health.fault();
    }

    @Override
    public long chains() {
        return chains;
    }

    @Override
    public long descriptors() {
        return chain.descriptors();
    }

    @Override
    public int ahead() {
        return RingIndex.distance(takeIdx, availIdx);
    }
}
