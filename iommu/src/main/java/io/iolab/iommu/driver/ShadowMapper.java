package io.iolab.iommu.driver;

import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import org.jspecify.annotations.Nullable;

/**
 * Shadow copy: the device works on slots of pools that stay mapped, and data is copied. No table changes and nothing is invalidated
 * after the pools are made, and nothing but the pools is ever reachable, so neither a neighbour on the page nor a stale entry can be
 * reached.
 *
 * <p>A slot is filled from the buffer whatever the direction, as swiotlb does: if the device writes less than the buffer, the rest of
 * the buffer comes back as it was, and not as what an earlier user of the slot left.
 */
final class ShadowMapper implements DmaMapper {
    /** One large page of small slots; large slots are for what does not fit, up to 64 KiB. */
    private static final int SMALL_SLOTS = 512;

    private static final int LARGE_SLOTS = 32;
    private static final int LARGE_SLOT_PAGES = 16;
    private static final int CLASSES = 2;

    private final Domain domain;
    private final Memory memory;
    private final FrameSource frames;
    private final DmaCounters counters = new DmaCounters();
    private final IovaAllocator addresses;
    /** By direction and size; made when first needed. */
    private final @Nullable BouncePool[] pools = new BouncePool[DmaDirection.values().length * CLASSES];

    private final byte[] page = new byte[AddressRange.PAGE_SIZE];
    private int mapped;

    ShadowMapper(Domain domain, Memory memory, FrameSource frames) {
        this.domain = domain;
        this.memory = memory;
        this.frames = frames;
        this.addresses = new IovaAllocator(domain, counters);
    }

    @Override
    public DmaPolicy policy() {
        return DmaPolicy.SHADOW;
    }

    @Override
    public long map(long bufferHpa, long length, DmaDirection direction) {
        PageMapper.checkRange(bufferHpa, length);
        BouncePool pool = length > LARGE_SLOT_PAGES * AddressRange.PAGE_SIZE ? null : pool(direction, length);
        int slot = pool == null ? -1 : pool.take(bufferHpa, length, direction);
        if (pool == null || slot < 0) {
            counters.refused++;
            return FAILED;
        }
        copyIn(pool, slot);
        mapped++;
        counters.maps++;
        return pool.iova(slot);
    }

    private @Nullable BouncePool pool(DmaDirection direction, long length) {
        boolean small = length <= AddressRange.PAGE_SIZE;
        int index = direction.ordinal() * CLASSES + (small ? 0 : 1);
        BouncePool pool = pools[index];
        if (pool == null) {
            pool = small
                    ? BouncePool.create(domain, frames, addresses, direction.rights(), SMALL_SLOTS, 1)
                    : BouncePool.create(domain, frames, addresses, direction.rights(), LARGE_SLOTS, LARGE_SLOT_PAGES);
            pools[index] = pool;
        }
        return pool;
    }

    private BouncePool poolAt(long iova) {
        for (BouncePool pool : pools) {
            if (pool != null && pool.contains(iova) && pool.slotAt(iova) >= 0) {
                return pool;
            }
        }
        throw new IllegalStateException("nothing is mapped at 0x" + Long.toHexString(iova));
    }

    private void copyIn(BouncePool pool, int slot) {
        copy(pool, slot, pool.length(slot), true);
    }

    private void copyOut(BouncePool pool, int slot, long written) {
        if (pool.direction(slot).deviceWrites()) {
            copy(pool, slot, Math.min(written, pool.length(slot)), false);
        }
    }

    private void copy(BouncePool pool, int slot, long length, boolean in) {
        for (long done = 0; done < length; done += page.length) {
            int part = (int) Math.min(page.length, length - done);
            long slotHpa = pool.hpa(slot, (int) (done / page.length));
            long bufferHpa = pool.buffer(slot) + done;
            memory.read(in ? bufferHpa : slotHpa, page, 0, part);
            memory.write(in ? slotHpa : bufferHpa, page, 0, part);
        }
        counters.copies++;
        counters.copiedBytes += length;
    }

    @Override
    public void unmap(long iova, long written) {
        BouncePool pool = poolAt(iova);
        int slot = pool.slotAt(iova);
        copyOut(pool, slot, Math.max(0, written));
        pool.give(slot);
        mapped--;
        counters.unmaps++;
    }

    @Override
    public void syncForProcessor(long iova) {
        BouncePool pool = poolAt(iova);
        copyOut(pool, pool.slotAt(iova), Long.MAX_VALUE);
    }

    @Override
    public void syncForDevice(long iova) {
        BouncePool pool = poolAt(iova);
        int slot = pool.slotAt(iova);
        if (pool.direction(slot).deviceReads()) {
            copyIn(pool, slot);
        }
    }

    @Override
    public int mapped() {
        return mapped;
    }

    @Override
    public DmaCounters counters() {
        return counters;
    }

    @Override
    public void close() {
        if (mapped != 0) {
            throw new IllegalStateException(mapped + " buffers are mapped");
        }
        for (int index = 0; index < pools.length; index++) {
            BouncePool pool = pools[index];
            if (pool != null) {
                pool.close();
                pools[index] = null;
            }
        }
    }
}
