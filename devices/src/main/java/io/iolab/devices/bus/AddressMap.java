package io.iolab.devices.bus;

import io.iolab.devices.memory.AddressRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who claims which addresses on a bus. Few regions and many look-ups, most of them in the region used last. When regions
 * overlap the one added first wins, as the first decoder on a bus does.
 *
 * @param <T> what a region leads to
 */
public final class AddressMap<T> {

    /** A claimed range. */
    public record Region<T>(long base, long size, T target) {
        public boolean contains(long address, int width) {
            return AddressRange.contains(base, size, address, width);
        }
    }

    private List<Region<T>> regions = List.of();
    private @Nullable Region<T> last;
    /** Where regions overlap, the one used last may lie behind another, so it is no short cut. */
    private boolean overlapping;

    /** @throws IllegalArgumentException if the range is empty or wraps */
    public void add(long base, long size, T target) {
        if (size <= 0 || AddressRange.wraps(base, size)) {
            throw new IllegalArgumentException("range at 0x" + Long.toHexString(base) + " of " + size + " bytes");
        }
        List<Region<T>> next = new ArrayList<>(regions);
        next.add(new Region<>(base, size, target));
        use(List.copyOf(next));
    }

    /** Removes every region of this target. */
    public void remove(T target) {
        use(regions.stream().filter(r -> r.target != target).toList());
    }

    private void use(List<Region<T>> next) {
        regions = next;
        last = null;
        overlapping = false;
        for (int i = 0; i < next.size(); i++) {
            for (int j = 0; j < i; j++) {
                Region<T> one = next.get(i);
                Region<T> other = next.get(j);
                overlapping |= AddressRange.overlaps(one.base, one.size, other.base, other.size);
            }
        }
    }

    /** The region that holds all of {@code [address, address + width)}, or null. */
    public @Nullable Region<T> find(long address, int width) {
        Region<T> candidate = last;
        if (candidate != null && !overlapping && candidate.contains(address, width)) {
            return candidate;
        }
        for (int i = 0; i < regions.size(); i++) {
            Region<T> region = regions.get(i);
            if (region.contains(address, width)) {
                last = region;
                return region;
            }
        }
        return null;
    }

    /** In address order. */
    public List<Region<T>> regions() {
        return regions.stream()
                .sorted(Comparator.comparing(Region::base, Long::compareUnsigned))
                .toList();
    }
}
