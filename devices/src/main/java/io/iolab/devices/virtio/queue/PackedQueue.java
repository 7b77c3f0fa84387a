package io.iolab.devices.virtio.queue;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RingFault;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A packed virtqueue (virtio 1.2 section 2.8): one ring of 16-byte descriptors, address (8), length (4), id (2), flags (2),
 * which the driver makes available and the device overwrites to mark them used.
 *
 * <pre>
 *   ... [used, published] [staged] [taken, not completed] [fetched] [available] ...
 *                         ^staging.slot                   ^takeSlot ^takeSlot + ahead
 * </pre>
 *
 * <p>Like the split queue this one moves descriptors in runs, through a mirror of the ring. A run is fetched in three steps,
 * since a flag is only worth something if it was seen before what it covers was read (2.8.21.1): the first descriptor's flags
 * with acquire order; then as many descriptors as there may be, to see how far the available ones reach; then, behind a fence,
 * those again that the first flags do not cover. {@link PackedStaging} writes the used ones.
 *
 * <p>A list is measured when it is taken, since its id is in its last descriptor (2.8.6); it ends after as many descriptors as
 * are not with the device, at the latest.
 */
public final class PackedQueue implements Virtqueue {
    static final int DESCRIPTOR = 16;
    static final int LENGTH = 8;
    static final int ID = 12;
    static final int FLAGS = 14;

    static final int NEXT = 1;
    static final int WRITE = 2;
    static final int INDIRECT = 4;
    static final int AVAIL = 0x80;
    static final int USED = 0x8000;

    /** Descriptors in one request: 1 KiB. */
    static final int BATCH = 64;

    /** The least that is looked at together: a cache line. */
    private static final int LEAST_WINDOW = 4;

    private final DmaPort dma;
    private final int size;
    private final long ringIova;
    private final PackedEvents events;
    private final PackedChain chain;
    private final PackedStaging staging;

    /** The ring's descriptors: as fetched, or as they were marked used. */
    private final byte[] ring;

    /** Descriptors of each buffer that is with the device, by id; 0 for others. */
    private final int[] counts;

    /** Ids in the order in which they were taken, around takenAt. */
    private final int[] takenIds;

    private int takenAt;
    private int takeSlot;
    private boolean takeWrap = true;
    /** Descriptors fetched, available and not taken, from takeSlot on. */
    private int ahead;

    private int window = LEAST_WINDOW;
    private int token;
    private int outstanding;
    private int outstandingDescriptors;
    private long chains;
    private @Nullable RingFault fault;

    /**
     * @param size 1 to 32768
     * @param layout where the driver placed the three areas, aligned as section 2.8 demands
     * @param features the negotiated feature bits
     */
    public PackedQueue(DmaPort dma, int size, QueueLayout layout, long features) {
        this.dma = dma;
        this.size = size;
        this.ringIova = layout.descriptorIova();
        this.ring = new byte[DESCRIPTOR * size];
        this.counts = new int[size];
        this.takenIds = new int[size];
        this.events = new PackedEvents(dma, size, layout, RingFeatures.has(features, RingFeatures.EVENT_IDX));
        this.chain = new PackedChain(dma, ring, size, RingFeatures.has(features, RingFeatures.INDIRECT_DESC));
        this.staging = new PackedStaging(dma, ringIova, ring, size, RingFeatures.has(features, RingFeatures.IN_ORDER));
    }

    @Override
    public Take take() {
        if (fault() != null) {
            return Take.FAULT;
        }
        if (ahead == 0 && !fetch()) {
            return fault == null ? Take.EMPTY : Take.FAULT;
        }
        int count = (LittleEndian.getShort(ring, DESCRIPTOR * takeSlot + FLAGS) & NEXT) == 0 ? 1 : measure();
        if (count == 0) {
            return Take.FAULT;
        }
        int slot = takeSlot;
        int end = slot + count;
        boolean wrapped = end >= size;
        int next = wrapped ? end - size : end;
        int id = LittleEndian.getShort(ring, DESCRIPTOR * (next == 0 ? size - 1 : next - 1) + ID);
        if (id >= size || counts[id] != 0) {
            fault = id >= size ? RingFault.INDEX_OUT_OF_RANGE : RingFault.BAD_DESCRIPTOR;
            return Take.FAULT;
        }
        token = id;
        counts[id] = count;
        takenIds[takenAt] = id;
        takenAt = takenAt == size - 1 ? 0 : takenAt + 1;
        takeSlot = next;
        if (wrapped) {
            takeWrap = !takeWrap;
            events.lapped();
        }
        ahead -= count;
        outstanding++;
        outstandingDescriptors += count;
        chain.start(slot, count);
        return Take.CHAIN;
    }

    /** Brings more descriptors in; false if none is available, or on a fault. */
    private boolean fetch() {
        int slot = takeSlot;
        int most = Math.min(Math.min(window, size - slot), driversDescriptors());
        if (most == 0) {
            return false;
        }
        if (!available(slot) || !read(slot, most)) {
            return false;
        }
        int run = 1;
        while (run < most && isAvailable(LittleEndian.getShort(ring, DESCRIPTOR * (slot + run) + FLAGS))) {
            run++;
        }
        if (run > 1) {
            VarHandle.acquireFence();
            if (!read(slot + 1, run - 1)) {
                return false;
            }
        }
        ahead = run;
        window = Math.min(BATCH, Math.max(LEAST_WINDOW, 2 * run));
        return true;
    }

    /** Descriptors that are not with the device: what is cannot be available as well. */
    private int driversDescriptors() {
        return size - outstandingDescriptors - staging.unpublished();
    }

    /** Loads a slot's flags with acquire order, so that the rest is read after them (section 2.8.21.1). */
    private boolean available(int slot) {
        int flags = dma.loadShortAcquire(ringIova + (long) DESCRIPTOR * slot + FLAGS, DmaKind.DESCRIPTOR);
        if (flags < 0) {
            fault = RingFault.UNREACHABLE;
            return false;
        }
        return isAvailable(flags);
    }

    /** Whether AVAIL is the wrap counter and USED is not (section 2.8.1). */
    private boolean isAvailable(int flags) {
        return (flags & (AVAIL | USED)) == (takeWrap ? AVAIL : USED);
    }

    private boolean read(int slot, int count) {
        int offset = DESCRIPTOR * slot;
        if (dma.read(ringIova + offset, ring, offset, DESCRIPTOR * count, DmaKind.DESCRIPTOR) == DmaFault.NONE) {
            return true;
        }
        fault = RingFault.UNREACHABLE;
        return false;
    }

    /** The number of descriptors in the list at takeSlot, all of them fetched; 0 if it does not end. */
    private int measure() {
        int slot = takeSlot;
        int count = 1;
        int covered = ahead;
        int most = driversDescriptors();
        while ((LittleEndian.getShort(ring, DESCRIPTOR * slot + FLAGS) & NEXT) != 0) {
            if (count == most) {
                fault = RingFault.CHAIN_LOOP;
                return 0;
            }
            slot = slot == size - 1 ? 0 : slot + 1;
            if (count == covered) {
                // The first descriptor's flags cover the whole list (section 2.8.6).
                int more = Math.min(Math.min(BATCH, size - slot), most - count);
                if (!read(slot, more)) {
                    return 0;
                }
                covered += more;
            }
            count++;
        }
        ahead = Math.max(ahead, count);
        return count;
    }

    @Override
    public DescriptorChain chain() {
        return chain;
    }

    @Override
    public int token() {
        return token;
    }

    @Override
    public void giveBack(int count) {
        for (int i = 0; i < count; i++) {
            takenAt = takenAt == 0 ? size - 1 : takenAt - 1;
            int id = takenIds[takenAt];
            int descriptors = counts[id];
            counts[id] = 0;
            ahead += descriptors;
            outstandingDescriptors -= descriptors;
            takeSlot -= descriptors;
            if (takeSlot < 0) {
                takeSlot += size;
                takeWrap = !takeWrap;
            }
        }
        outstanding -= count;
    }

    @Override
    public void complete(int completed, long written) {
        int count = counts[completed];
        counts[completed] = 0;
        // Nothing is lost with a buffer that has nothing to write into: no length to tell (section 2.8.8).
        staging.add(completed, count, written, completed == token && chain.onlyReadable());
        outstanding--;
        outstandingDescriptors -= count;
        chains++;
    }

    @Override
    public void publish() {
        staging.publish();
    }

    @Override
    public boolean interruptUndecided() {
        return staging.undecided() != 0;
    }

    @Override
    public boolean interruptWanted() {
        if (staging.undecided() == 0 || fault() != null) {
            return false;
        }
        return events.interruptWanted(staging.slot(), staging.wrap(), staging.decide());
    }

    @Override
    public void disableKicks() {
        if (fault() == null) {
            events.disableKicks();
        }
    }

    @Override
    public boolean enableKicks() {
        if (fault() != null || !events.enableKicks(takeSlot, takeWrap)) {
            return false;
        }
        // The driver publishes, then reads what we wrote; without the fence both could miss (section 2.8.21.3.1).
        dma.storeLoadFence();
        return ahead > 0 || driversDescriptors() > 0 && available(takeSlot);
    }

    @Override
    public void fail(RingFault cause) {
        if (fault() == null) {
            fault = cause;
        }
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public int outstanding() {
        return outstanding;
    }

    @Override
    public @Nullable RingFault fault() {
        if (fault != null) {
            return fault;
        }
        RingFault walking = chain.fault();
        return walking != null ? walking : staging.lost() || events.lost() ? RingFault.UNREACHABLE : null;
    }

    @Override
    public long chains() {
        return chains;
    }

    @Override
    public long descriptors() {
        return chain.descriptors();
    }
}
