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
 *                         ^staging.slot                   ^takeSlot ^fetchedEnd
 * </pre>
 *
 * <p>Like the split queue this one moves descriptors in runs, through a mirror of the ring. A run is fetched in three steps,
 * since a flag is only worth something if it was seen before what it covers was read (2.8.21.1): the first descriptor's flags
 * with acquire order; then as many descriptors as there may be, to see how far the available ones reach; then, behind a fence,
 * those again that the first flags do not cover. {@link PackedStaging} writes the used ones.
 *
 * <p>A list is measured when it is taken, since its id is in its last descriptor (2.8.6); it ends after as many descriptors as
 * are not with the device, at the latest.
 *
 * <p>Buffers pass here by the hundred million, so what can be told from the positions of the two ends is not counted besides.
 */
public final class PackedQueue implements Virtqueue {
    static final int DESCRIPTOR = 16;
    static final int LENGTH = 8;
    static final int ID = 12;
    static final int FLAGS = 14;

    /** Of id and flags in the word that begins with the length. */
    static final int ID_SHIFT = 32;

    static final int FLAGS_SHIFT = 48;

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
    private final boolean inOrder;

    /** The ring's descriptors: as fetched, or as they were marked used. */
    private final byte[] ring;

    /** Descriptors of each buffer that is with the device, by id; 0 for others. */
    private final int[] counts;

    /** Where the next list begins; {@code size} stands for 0 until the next fetch. */
    private int takeSlot;

    private boolean takeWrap = true;

    /** Descriptors in the ring's laps before this one, modulo 2^32: with takeSlot, the position of the next list. */
    private int takeLaps;

    /** Descriptors from takeSlot to here were fetched and are available; they do not pass the ring's end. */
    private int fetchedEnd;

    private int window = LEAST_WINDOW;
    private int token;
    private long taken;
    private long chains;
    private final RingHealth health = new RingHealth();

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
        this.inOrder = RingFeatures.has(features, RingFeatures.IN_ORDER);
        this.events = new PackedEvents(dma, size, layout, RingFeatures.has(features, RingFeatures.EVENT_IDX), health);
        this.chain = new PackedChain(dma, ring, size, RingFeatures.has(features, RingFeatures.INDIRECT_DESC), health);
        this.staging = new PackedStaging(dma, ringIova, ring, size, health);
    }

    @Override
    public Take take() {
        if (health.faulted() || takeSlot == fetchedEnd && !fetch()) {
            return health.faulted() ? Take.FAULT : Take.EMPTY;
        }
        int slot = takeSlot;
        long rest = rest(slot);
        if ((rest & (long) NEXT << FLAGS_SHIFT) != 0) {
            return takeList(slot);
        }
        if (!claim(id(rest), 1)) {
            return Take.FAULT;
        }
        takeSlot = slot + 1;
        chain.startAlone(LittleEndian.getLong(ring, DESCRIPTOR * slot), rest);
        return Take.CHAIN;
    }

    /** A list of several descriptors, which may pass the ring's end. */
    private Take takeList(int slot) {
        int count = measure(slot);
        if (count == 0) {
            return Take.FAULT;
        }
        int end = slot + count;
        if (!claim(id(rest(end > size ? end - size - 1 : end - 1)), count)) {
            return Take.FAULT;
        }
        takeSlot = end;
        fetchedEnd = Math.max(fetchedEnd, end);
        if (end > size) {
            lap();
        }
        chain.start(slot, count);
        return Take.CHAIN;
    }

    private boolean claim(int id, int count) {
        if (id >= counts.length || counts[id] != 0) {
            health.report(id >= size ? RingFault.INDEX_OUT_OF_RANGE : RingFault.BAD_DESCRIPTOR);
            return false;
        }
        token = id;
        counts[id] = count;
        taken++;
        return true;
    }

    /** Length, id and flags of a descriptor in the mirror, in one word. */
    private long rest(int slot) {
        return LittleEndian.getLong(ring, DESCRIPTOR * slot + LENGTH);
    }

    private static int id(long rest) {
        return (int) (rest >>> ID_SHIFT) & 0xFFFF;
    }

    /** The device's place has passed the ring's end, with nothing fetched beyond it. */
    private void lap() {
        takeSlot -= size;
        fetchedEnd = takeSlot;
        takeWrap = !takeWrap;
        takeLaps += size;
        events.lapped();
    }

    /** Brings more descriptors in; false if none is available, or on a fault. */
    private boolean fetch() {
        if (takeSlot == size) {
            lap();
        }
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
        fetchedEnd = slot + run;
        window = Math.min(BATCH, Math.max(LEAST_WINDOW, 2 * run));
        return true;
    }

    /** Descriptors that are not with the device: what is cannot be available as well. */
    private int driversDescriptors() {
        return size - (takeLaps + takeSlot - staging.publishedPosition());
    }

    /** Loads a slot's flags with acquire order, so that the rest is read after them (section 2.8.21.1). */
    private boolean available(int slot) {
        int flags = dma.loadShortAcquire(ringIova + (long) DESCRIPTOR * slot + FLAGS, DmaKind.DESCRIPTOR);
        if (flags < 0) {
            health.report(RingFault.UNREACHABLE);
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
        health.report(RingFault.UNREACHABLE);
        return false;
    }

    /** The number of descriptors in the list at {@code slot}, which are in the mirror then; 0 if it does not end. */
    private int measure(int slot) {
        int count = 1;
        int covered = fetchedEnd - slot;
        int most = driversDescriptors();
        int at = slot;
        while ((LittleEndian.getShort(ring, DESCRIPTOR * at + FLAGS) & NEXT) != 0) {
            if (count == most) {
                health.report(RingFault.CHAIN_LOOP);
                return 0;
            }
            at = at == size - 1 ? 0 : at + 1;
            if (count == covered) {
                // The first descriptor's flags cover the whole list (section 2.8.6).
                int more = Math.min(Math.min(BATCH, size - at), most - count);
                if (!read(at, more)) {
                    return 0;
                }
                covered += more;
            }
            count++;
        }
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

    /** The last descriptors in the mirror before takeSlot are those of the lists that go back: staging has not come there. */
    @Override
    public void giveBack(int count) {
        for (int i = 0; i < count; i++) {
            int id = id(rest(takeSlot == 0 ? size - 1 : takeSlot - 1));
            takeSlot -= counts[id];
            counts[id] = 0;
            if (takeSlot < 0) {
                takeSlot += size;
                fetchedEnd = size;
                takeWrap = !takeWrap;
                takeLaps -= size;
            }
        }
        taken -= count;
    }

    @Override
    public void complete(int completed, long written) {
        int count = counts[completed];
        counts[completed] = 0;
        chains++;
        // Nothing is lost with a buffer that has nothing to write into: no length to tell (section 2.8.8).
        if (inOrder && completed == token && chain.onlyReadable()) {
            staging.leave(completed, count);
        } else {
            staging.add(completed, count, written);
        }
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
        if (staging.undecided() == 0 || health.faulted()) {
            return false;
        }
        return events.interruptWanted(staging.slot(), staging.wrap(), staging.decide());
    }

    @Override
    public void disableKicks() {
        if (!health.faulted()) {
            events.disableKicks();
        }
    }

    @Override
    public boolean enableKicks() {
        if (health.faulted()) {
            return false;
        }
        if (takeSlot == size) {
            lap();
        }
        if (!events.enableKicks(takeSlot, takeWrap)) {
            return false;
        }
        // The driver publishes, then reads what we wrote; without the fence both could miss (section 2.8.21.3.1).
        dma.storeLoadFence();
        return takeSlot != fetchedEnd || driversDescriptors() > 0 && available(takeSlot);
    }

    @Override
    public void fail(RingFault cause) {
        health.report(cause);
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public int outstanding() {
        return (int) (taken - chains);
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
        return fetchedEnd - takeSlot;
    }
}
