package io.iolab.vmm.guest;

import io.iolab.devices.memory.AddressRange;
import io.iolab.iommu.driver.DmaCounters;
import io.iolab.iommu.driver.DmaDirection;
import io.iolab.iommu.driver.DmaMapper;
import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * How a kernel that drives a remapping unit maps its NIC's memory there: rings for good, each buffer for its transfer, under one policy.
 * What that takes of the processor is charged by the profile, call by call; exits come on top where the unit's registers are trapped.
 *
 * <p>Threading: the kernel's processor. Others may use the same unit's driver if all hold {@code lock}.
 */
public final class KernelDma {
    private static final long PICOS_PER_NANO = 1000;

    private final Object lock;
    private final DmaMapper mapper;
    private final Domain domain;
    private final CostProfile profile;
    private final LongConsumer charge;
    private final boolean invalidationsCost;
    private long sharedNext = FIRST_SHARED;
    private long charged;
    private MapRights rights = MapRights.READ_WRITE;
    private boolean maps = true;
    private LongSupplier exits = () -> 0;
    private long mapExits;
    private long unmapExits;

    /** Rings lie from here up, far from where a mapper hands out addresses: from 4 GiB down, and from the domain's end down. */
    private static final long FIRST_SHARED = 1L << 36;

    /**
     * @param lock of the unit's driver
     * @param domain nobody else maps in it
     * @param charge takes picoseconds of the kernel's processor
     * @param invalidationsCost whether an invalidation costs what the profile says; false where each is an exit that is charged by itself
     */
    public KernelDma(
            Object lock,
            DmaMapper mapper,
            Domain domain,
            CostProfile profile,
            LongConsumer charge,
            boolean invalidationsCost) {
        this.lock = lock;
        this.mapper = mapper;
        this.domain = domain;
        this.profile = profile;
        this.charge = charge;
        this.invalidationsCost = invalidationsCost;
    }

    /** A kernel that never maps anything: its NIC is given addresses that lead nowhere. To be called before it boots. */
    public void mapNothing() {
        maps = false;
    }

    /**
     * A kernel that maps for one direction only, whatever the transfer. To be called before it boots.
     *
     * @param only what the device may do
     */
    public void mapOnly(MapRights only) {
        rights = only;
    }

    /**
     * Attributes exits to maps and unmaps from here on.
     *
     * @param unitExits of accesses to the unit so far
     */
    public void countExits(LongSupplier unitExits) {
        exits = unitExits;
    }

    /** Exits of accesses to the unit while a buffer was mapped. */
    public long mapExits() {
        return mapExits;
    }

    /** Exits while one was unmapped, and of deferred flushes. */
    public long unmapExits() {
        return unmapExits;
    }

    long mapShared(long pa, long bytes) {
        if (domain.isPassThrough() || !maps) {
            return pa;
        }
        long first = AddressRange.alignDown(pa, AddressRange.PAGE_SIZE);
        long length = AddressRange.alignUp(pa + bytes, AddressRange.PAGE_SIZE) - first;
        long iova = sharedNext;
        sharedNext += length;
        synchronized (lock) {
            domain.map(iova, first, length, rights);
        }
        return iova + (pa - first);
    }

    private DmaDirection direction(boolean fromDevice) {
        return switch (rights) {
            case READ -> DmaDirection.TO_DEVICE;
            case WRITE -> DmaDirection.FROM_DEVICE;
            case READ_WRITE -> fromDevice ? DmaDirection.FROM_DEVICE : DmaDirection.TO_DEVICE;
        };
    }

    long mapTransfer(long pa, int bytes, boolean fromDevice) {
        if (!maps) {
            return pa;
        }
        synchronized (lock) {
            long before = exits.getAsLong();
            long iova = mapper.map(pa, bytes, direction(fromDevice));
            mapExits += exits.getAsLong() - before;
            if (iova == DmaMapper.FAILED) {
                throw new IllegalStateException("no address or slot left for a buffer of " + bytes + " bytes");
            }
            poll();
            return iova;
        }
    }

    void unmapTransfer(long iova, int written) {
        if (!maps) {
            return;
        }
        synchronized (lock) {
            long before = exits.getAsLong();
            mapper.unmap(iova, written);
            unmapExits += exits.getAsLong() - before;
            poll();
        }
    }

    /** When a deferred flush is due, in the processor's time. */
    long nextFlushPicos() {
        long nanos = mapper.nextFlushNanos();
        return nanos == DmaMapper.NEVER ? Long.MAX_VALUE : nanos * PICOS_PER_NANO;
    }

    void poll() {
        synchronized (lock) {
            long before = exits.getAsLong();
            mapper.poll();
            unmapExits += exits.getAsLong() - before;
            charge();
        }
    }

    /** Whether a map changes a page table, or only finds a slot or nothing at all. */
    public boolean changesTables() {
        return byPage(mapper.policy());
    }

    private static boolean byPage(DmaPolicy policy) {
        return policy == DmaPolicy.STRICT || policy == DmaPolicy.DEFERRED;
    }

    /** What was mapped, and how. */
    public DmaCounters counters() {
        return mapper.counters();
    }

    /** As {@code iolab bench iommu-policy} has it. */
    private void charge() {
        DmaCounters counters = mapper.counters();
        DmaPolicy policy = mapper.policy();
        boolean byPage = byPage(policy);
        long picos = counters.addressesCached() * profile.picos(Cost.IOMMU_IOVA_CACHED)
                + counters.addressesSearched() * profile.picos(Cost.IOMMU_IOVA_ALLOC)
                + counters.copies() * profile.picos(Cost.COPY_CALL)
                + counters.copiedBytes() * profile.picos(Cost.COPY_BYTE);
        if (byPage) {
            picos += counters.maps() * profile.picos(Cost.IOMMU_MAP_PAGE)
                    + counters.unmaps() * profile.picos(Cost.IOMMU_UNMAP_PAGE);
        }
        if (policy == DmaPolicy.DEFERRED) {
            picos += counters.unmaps() * profile.picos(Cost.IOMMU_DEFER);
        }
        if (invalidationsCost && byPage) {
            long invalidations = policy == DmaPolicy.STRICT ? counters.unmaps() : counters.flushes();
            picos += invalidations * profile.picos(Cost.IOMMU_INVALIDATE);
        }
        charge.accept(picos - charged);
        charged = picos;
    }
}
