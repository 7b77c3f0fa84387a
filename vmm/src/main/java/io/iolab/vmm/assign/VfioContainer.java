package io.iolab.vmm.assign;

import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.driver.NestedSpace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A container: one address space for the functions of all its groups, which the program that opened it fills. Nothing is mapped at first,
 * so every request faults.
 *
 * <p>Type 1 version 2: a mapping goes as it came, or not at all.
 */
public final class VfioContainer {
    /** Mappings that a container takes, as the kernel's module parameter has it. */
    public static final int DMA_ENTRY_LIMIT = 65_535;

    private static final long PAGE = AddressRange.PAGE_SIZE;

    /** Kinds of IOMMU, by their number in CHECK_EXTENSION and SET_IOMMU. */
    public enum Extension {
        TYPE1(1),
        TYPE1V2(3),
        DMA_CC(4),
        /** The mappings are what first-level tables of the user's lead through ({@link #nestedSpace}). */
        NESTING(6),
        NOIOMMU(8),
        UNMAP_ALL(9),
        UPDATE_VADDR(10);

        private final int number;

        Extension(int number) {
            this.number = number;
        }

        public int number() {
            return number;
        }
    }

    /**
     * IOMMU_GET_INFO.
     *
     * @param pageSizes bit n for pages of 2^n bytes
     * @param ranges what may be mapped: first and last byte of each range
     * @param available mappings that are left
     */
    public record IommuInfo(long pageSizes, List<Range> ranges, int available) {}

    /** First and last byte. */
    public record Range(long start, long end) {}

    /**
     * UNMAP_DMA.
     *
     * @param bytes that were mapped
     */
    public record Unmapped(Errno errno, long bytes) {}

    /**
     * DIRTY_PAGES with GET_BITMAP.
     *
     * @param bitmap a bit a page, the lowest bit of the first word first; 8 bytes for every 64 pages begun
     * @param source which pages those are
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
    public record Dirty(Errno errno, long[] bitmap, DirtySource source) {}

    private record Mapping(long iova, long size) {
        long last() {
            return iova + size - 1;
        }
    }

    private final VfioHost host;
    private final IommuDriver iommu;
    private final List<VfioGroup> groups = new ArrayList<>();
    private final TreeMap<Long, Mapping> mappings = new TreeMap<>();
    private @Nullable Domain domain;
    private final Map<Integer, NestedSpace> nestedSpaces = new HashMap<>();
    private boolean nesting;
    private boolean tracking;
    private long pinLimit = Long.MAX_VALUE;

    VfioContainer(VfioHost host, IommuDriver iommu) {
        this.host = host;
        this.iommu = iommu;
    }

    /** The most bytes that may be mapped at once (RLIMIT_MEMLOCK); no limit at first. */
    public void pinLimit(long bytes) {
        pinLimit = bytes;
    }

    /** CHECK_EXTENSION: 1 for what there is, 0 for what is not. */
    public int checkExtension(int number) {
        return number == Extension.TYPE1.number
                        || number == Extension.TYPE1V2.number
                        || number == Extension.DMA_CC.number
                        || number == Extension.UNMAP_ALL.number
                        || number == Extension.NESTING.number && iommu.supportsNesting()
                ? 1
                : 0;
    }

    /**
     * SET_IOMMU, once: every group's functions get the container's address space. Functions with address translation services have
     * them switched on where the unit offers them too.
     *
     * @return {@link Errno#EINVAL} without a group or when it was set before; {@link Errno#ENODEV} for a kind that is not there;
     *     {@link Errno#EPERM} if a group is refused ({@link VfioGroup#refusal})
     */
    public Errno setIommu(Extension type) {
        if (groups.isEmpty() || domain != null) {
            return Errno.EINVAL;
        }
        boolean nests = type == Extension.NESTING && iommu.supportsNesting();
        if (type != Extension.TYPE1 && type != Extension.TYPE1V2 && !nests) {
            return Errno.ENODEV;
        }
        if (groups.stream().anyMatch(group -> group.refusal().isPresent())) {
            return Errno.EPERM;
        }
        Domain created = iommu.createDomain();
        domain = created;
        nesting = nests;
        groups.forEach(group -> attach(group, created));
        return Errno.OK;
    }

    private void attach(VfioGroup group, Domain to) {
        for (int rid : group.requesterIds()) {
            if (iommu.domainOf(rid) != null) {
                continue;
            }
            boolean services =
                    iommu.supportsDeviceTlbs() && host.translationServices().offered(rid);
            if (nesting) {
                nestedSpaces.put(rid, iommu.attachNested(rid, to, services));
            } else if (services) {
                iommu.attachWithDeviceTlb(rid, to);
            } else {
                iommu.attach(rid, to);
            }
            if (services) {
                // The unit first: a request for translation that it does not expect would be refused for good.
                host.translationServices().enable(rid, true);
            }
        }
    }

    boolean iommuSet() {
        return domain != null;
    }

    Errno add(VfioGroup group) {
        Domain present = domain;
        if (present != null) {
            if (group.refusal().isPresent()) {
                return Errno.EPERM;
            }
            attach(group, present);
        }
        groups.add(group);
        return Errno.OK;
    }

    /** With the last group the address space goes too. */
    void remove(VfioGroup group) {
        groups.remove(group);
        Domain present = domain;
        if (present == null) {
            return;
        }
        for (int rid : group.requesterIds()) {
            if (iommu.domainOf(rid) == present) {
                // The function answers the invalidation of what it has cached, so its services go last.
                iommu.detach(rid);
                nestedSpaces.remove(rid);
                host.translationServices().enable(rid, false);
            }
        }
        if (groups.isEmpty()) {
            mappings.values().forEach(mapping -> present.unmap(mapping.iova, mapping.size));
            mappings.clear();
            tracking = false;
            present.destroy();
            domain = null;
        }
    }

    /** IOMMU_GET_INFO; all zero before {@link #setIommu}. */
    public IommuInfo info() {
        Domain present = domain;
        if (present == null) {
            return new IommuInfo(0, List.of(), 0);
        }
        List<Range> ranges = new ArrayList<>();
        long start = 0;
        for (Range hole : holes()) {
            if (hole.start > start) {
                ranges.add(new Range(start, hole.start - 1));
            }
            start = Math.max(start, hole.end + 1);
        }
        if (start < present.limit()) {
            ranges.add(new Range(start, present.limit() - 1));
        }
        return new IommuInfo(PAGE, ranges, DMA_ENTRY_LIMIT - mappings.size());
    }

    /** What no request reaches as memory, in order: the interrupt range, and what firmware reserved. */
    private List<Range> holes() {
        List<Range> holes = new ArrayList<>();
        holes.add(new Range(MessagePort.BASE, MessagePort.BASE + MessagePort.SIZE - 1));
        for (ReservedRegion region : host.reserved()) {
            boolean ours = groups.stream()
                    .flatMap(group -> group.members().stream())
                    .anyMatch(node -> node.rid() == region.rid());
            if (ours) {
                holes.add(new Range(region.base(), region.limit()));
            }
        }
        holes.sort(java.util.Comparator.comparingLong(Range::start));
        return holes;
    }

    /**
     * MAP_DMA: {@code [iova, iova + size)} leads to {@code [vaddr, vaddr + size)} of the program's memory, which stays where it is.
     *
     * @return {@link Errno#EINVAL} for nothing, what is not page-aligned, wraps or is reserved, or without an IOMMU;
     *     {@link Errno#EEXIST} if part of it is mapped; {@link Errno#ENOSPC} after {@link #DMA_ENTRY_LIMIT} mappings;
     *     {@link Errno#ENOMEM} beyond the pin limit; {@link Errno#EFAULT} if part of the memory is not there. Nothing has changed then
     */
    public Errno mapDma(UserMemory memory, long vaddr, long iova, long size, MapRights rights) {
        Domain present = domain;
        if (present == null || !aligned(iova, size) || (vaddr & PAGE - 1) != 0 || AddressRange.wraps(vaddr, size)) {
            return Errno.EINVAL;
        }
        if (overlaps(iova, size)) {
            return Errno.EEXIST;
        }
        boolean allowed = AddressRange.contains(0, present.limit(), iova, size)
                && holes().stream()
                        .noneMatch(hole -> AddressRange.overlaps(hole.start, hole.end - hole.start + 1, iova, size));
        if (!allowed) {
            return Errno.EINVAL;
        }
        if (mappings.size() >= DMA_ENTRY_LIMIT) {
            return Errno.ENOSPC;
        }
        if (size > pinLimit - present.mappedBytes()) {
            return Errno.ENOMEM;
        }
        long[] covered = new long[1];
        memory.forEachRun(vaddr, size, (at, hpa, length) -> covered[0] += at == vaddr + covered[0] ? length : 0);
        if (covered[0] != size) {
            return Errno.EFAULT;
        }
        memory.forEachRun(vaddr, size, (at, hpa, length) -> present.map(iova + (at - vaddr), hpa, length, rights));
        mappings.put(iova, new Mapping(iova, size));
        return Errno.OK;
    }

    private static boolean aligned(long iova, long size) {
        return size > 0 && ((iova | size) & PAGE - 1) == 0 && iova >= 0 && !AddressRange.wraps(iova, size);
    }

    private boolean overlaps(long iova, long size) {
        Map.Entry<Long, Mapping> before = mappings.floorEntry(iova + size - 1);
        return before != null && before.getValue().last() >= iova;
    }

    /**
     * UNMAP_DMA: mappings that lie in the range as a whole. When it returns no function reaches them any more.
     *
     * @return {@link Errno#EINVAL} if an end lies inside a mapping, or as for {@link #mapDma}; 0 bytes for a range without mappings
     */
    public Unmapped unmapDma(long iova, long size) {
        Domain present = domain;
        if (present == null || !aligned(iova, size) || splits(iova) || splits(iova + size)) {
            return new Unmapped(Errno.EINVAL, 0);
        }
        return new Unmapped(
                Errno.OK,
                removeAll(
                        present, List.copyOf(mappings.subMap(iova, iova + size).values())));
    }

    /** UNMAP_DMA with the ALL flag. */
    public Unmapped unmapAll() {
        Domain present = domain;
        if (present == null) {
            return new Unmapped(Errno.EINVAL, 0);
        }
        return new Unmapped(Errno.OK, removeAll(present, List.copyOf(mappings.values())));
    }

    private long removeAll(Domain from, List<Mapping> gone) {
        long bytes = 0;
        for (Mapping mapping : gone) {
            from.unmap(mapping.iova, mapping.size);
            mappings.remove(mapping.iova);
            bytes += mapping.size;
        }
        return bytes;
    }

    /** Whether a boundary falls into a mapping. */
    private boolean splits(long boundary) {
        Map.Entry<Long, Mapping> before = mappings.lowerEntry(boundary);
        return before != null && before.getValue().last() >= boundary;
    }

    /**
     * What {@link #dirtyBitmap} reports: {@link DirtySource#WRITTEN} if the unit has dirty bits in the tables that the host's driver uses,
     * and nothing is nested on them.
     */
    public DirtySource dirtySource() {
        Domain present = domain;
        boolean noted = present != null && present.supportsDirtyTracking() && !nesting;
        return noted ? DirtySource.WRITTEN : DirtySource.MAPPED;
    }

    /** DIRTY_PAGES with START: nothing is written yet; again is no error and changes nothing. */
    public Errno startDirtyTracking() {
        return track(true);
    }

    /** DIRTY_PAGES with STOP; again is no error. */
    public Errno stopDirtyTracking() {
        return track(false);
    }

    private Errno track(boolean on) {
        Domain present = domain;
        if (present == null) {
            return Errno.EINVAL;
        }
        tracking = on;
        if (dirtySource() == DirtySource.WRITTEN) {
            present.trackDirty(on);
        }
        return Errno.OK;
    }

    /**
     * DIRTY_PAGES with GET_BITMAP. Reading clears: a page that is not written again is not in the next one, unless all that is mapped
     * counts as dirty ({@link #dirtySource}).
     *
     * @param pageSize 4096
     * @return {@link Errno#EINVAL} if tracking is off, or an argument does not fit as in {@link #unmapDma(long, long)}
     */
    public Dirty dirtyBitmap(long iova, long size, long pageSize) {
        Domain present = domain;
        if (present == null || !fitsBitmap(iova, size, pageSize)) {
            return new Dirty(Errno.EINVAL, new long[0], dirtySource());
        }
        DirtyBitmap bitmap = new DirtyBitmap(iova, size);
        for (Mapping mapping : mappings.subMap(iova, iova + size).values()) {
            if (present.tracksDirty()) {
                present.takeDirty(mapping.iova, mapping.size, bitmap);
            } else {
                bitmap.dirty(mapping.iova, mapping.size);
            }
        }
        return new Dirty(Errno.OK, bitmap.words(), dirtySource());
    }

    private boolean fitsBitmap(long iova, long size, long pageSize) {
        return tracking
                && pageSize == PAGE
                && aligned(iova, size)
                && size / PAGE <= Integer.MAX_VALUE
                && !splits(iova)
                && !splits(iova + size);
    }

    /**
     * UNMAP_DMA with GET_DIRTY_BITMAP: as {@link #unmapDma(long, long)}, and tells which pages were dirty. No write is missed, as the
     * functions no longer reach the pages when it returns.
     */
    public Dirty unmapDma(long iova, long size, long pageSize) {
        Domain present = domain;
        if (present == null || !fitsBitmap(iova, size, pageSize)) {
            return new Dirty(Errno.EINVAL, new long[0], dirtySource());
        }
        DirtyBitmap bitmap = new DirtyBitmap(iova, size);
        for (Mapping mapping : List.copyOf(mappings.subMap(iova, iova + size).values())) {
            if (present.tracksDirty()) {
                present.unmap(mapping.iova, mapping.size, bitmap);
            } else {
                bitmap.dirty(mapping.iova, mapping.size);
                present.unmap(mapping.iova, mapping.size);
            }
            mappings.remove(mapping.iova);
        }
        return new Dirty(Errno.OK, bitmap.words(), dirtySource());
    }

    /**
     * Where a function's first-level tables go, of a container of type {@link Extension#NESTING}; null for others, and for functions of none
     * of its groups. No request of the function passes until it is told of some.
     */
    public @Nullable NestedSpace nestedSpace(int rid) {
        return nestedSpaces.get(rid);
    }

    /** The address space, for whoever wants to look at it; null before {@link #setIommu}. */
    public @Nullable Domain domain() {
        return domain;
    }
}
