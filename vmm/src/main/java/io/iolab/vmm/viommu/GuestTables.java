package io.iolab.vmm.viommu;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.table.ContextEntry;
import io.iolab.iommu.table.PasidDirectoryEntry;
import io.iolab.iommu.table.PasidEntry;
import io.iolab.iommu.table.RootEntry;
import io.iolab.iommu.table.ScalableContextEntry;
import io.iolab.iommu.table.ScalableRootEntry;
import io.iolab.iommu.table.SecondLevelEntry;
import org.jspecify.annotations.Nullable;

/** Reads remapping structures out of guest memory. What lies outside of it, or has a reserved bit set, counts as not present. */
final class GuestTables {
    /** Entries read for one walk: those of 4 GiB in 4 KiB pages. A table that leads back to itself ends here. */
    static final int WALK_BUDGET = 1 << 20;

    /** Takes one page of a second-level table. */
    @FunctionalInterface
    interface LeafConsumer {
        /** @param rights R and W, of all levels together; at least one */
        void leaf(long iova, long gpa, long length, int rights);
    }

    /** A context entry. */
    record Context(long low, long high) {
        int domain() {
            return ContextEntry.domain(high);
        }

        boolean passThrough() {
            return ContextEntry.translationType(low) == ContextEntry.TYPE_PASS_THROUGH;
        }
    }

    /** The words of a PASID entry that are not reserved. */
    record Pasid(long word0, long word1, long word2) {
        int domain() {
            return PasidEntry.domain(word1);
        }
    }

    private final Memory guest;
    private final Capabilities capabilities;
    private int budget;
    private long entriesRead;
    private long exhausted;

    GuestTables(Memory guest, Capabilities capabilities) {
        this.guest = guest;
        this.capabilities = capabilities;
    }

    /** Entries read so far. */
    long entriesRead() {
        return entriesRead;
    }

    /** Walks that were cut short by {@link #WALK_BUDGET}. */
    long exhausted() {
        return exhausted;
    }

    private long word(long gpa) {
        entriesRead++;
        return guest.contains(gpa, Long.BYTES) ? guest.readLong(gpa) : 0;
    }

    private long page(long word) {
        return word & capabilities.hostAddressMask() & ~0xFFFL;
    }

    /** The context entry of a requester in legacy mode; null where the unit would find none that it can use. */
    @Nullable
    Context context(long rootTable, int rid) {
        long rootGpa = RootEntry.hpa(page(rootTable), rid >>> 8);
        long root = word(rootGpa);
        if (!RootEntry.present(root) || RootEntry.reservedSet(root, word(rootGpa + 8), capabilities)) {
            return null;
        }
        long gpa = ContextEntry.hpa(RootEntry.contextTable(root, capabilities), rid & 0xFF);
        long low = word(gpa);
        long high = word(gpa + 8);
        boolean usable = ContextEntry.present(low)
                && !ContextEntry.reservedSet(low, high, capabilities)
                && ContextEntry.valid(low, high, capabilities);
        return usable ? new Context(low, high) : null;
    }

    /** The PASID entry of a requester's requests without PASID, in scalable mode; null as above. */
    @Nullable
    Pasid requesterPasid(long rootTable, int rid) {
        long root = word(ScalableRootEntry.halfHpa(page(rootTable), rid));
        if (!ScalableRootEntry.present(root) || ScalableRootEntry.reservedSet(root, capabilities)) {
            return null;
        }
        long gpa = ScalableContextEntry.hpa(ScalableRootEntry.contextTable(root, capabilities), rid);
        long low = word(gpa);
        long high = word(gpa + 8);
        if (!ScalableContextEntry.present(low) || ScalableContextEntry.reservedSet(low, high, capabilities)) {
            return null;
        }
        int pasid = ScalableContextEntry.requesterPasid(high, capabilities);
        if (pasid >= ScalableContextEntry.pasidLimit(low)) {
            return null;
        }
        long directory = word(PasidDirectoryEntry.hpa(ScalableContextEntry.directory(low, capabilities), pasid));
        if (!PasidDirectoryEntry.present(directory) || PasidDirectoryEntry.reservedSet(directory, capabilities)) {
            return null;
        }
        long entry = PasidEntry.hpa(PasidDirectoryEntry.table(directory, capabilities), pasid);
        Pasid found = new Pasid(word(entry), word(entry + 8), word(entry + 16));
        boolean usable = PasidEntry.present(found.word0)
                && !PasidEntry.reservedSet(found.word0, found.word1, found.word2, capabilities)
                && PasidEntry.valid(found.word0, found.word2, capabilities);
        return usable ? found : null;
    }

    /** Hands out the pages of a second-level table that share a byte with {@code [first, last]}, in ascending order. */
    void leaves(Context context, long first, long last, LeafConsumer consumer) {
        budget = WALK_BUDGET;
        long table = ContextEntry.pageTable(context.low, capabilities);
        int levels = ContextEntry.levels(context.high);
        long end = (1L << ContextEntry.addressWidth(context.high)) - 1;
        descend(new Walk(first, Math.min(last, end), consumer), table, levels, 0, 3);
        exhausted += budget == 0 ? 1 : 0;
    }

    private record Walk(long first, long last, LeafConsumer consumer) {}

    private void descend(Walk walk, long table, int level, long base, int rights) {
        int shift = SecondLevelEntry.shift(level);
        int from = walk.first <= base ? 0 : (int) (walk.first - base >>> shift);
        long to = walk.last < base ? -1 : Math.min(511, walk.last - base >>> shift);
        for (int index = from; index <= to && budget > 0; index++) {
            budget--;
            long entry = word(table + (long) index * SecondLevelEntry.BYTES);
            int allowed = SecondLevelEntry.rights(entry) & rights;
            boolean leaf = SecondLevelEntry.leaf(entry, level);
            if (allowed == 0 || (entry & SecondLevelEntry.reserved(level, leaf, capabilities)) != 0) {
                continue;
            }
            long iova = base + ((long) index << shift);
            if (leaf) {
                walk.consumer.leaf(iova, SecondLevelEntry.address(entry) & -(1L << shift), 1L << shift, allowed);
            } else {
                descend(walk, SecondLevelEntry.address(entry), level - 1, iova, allowed);
            }
        }
    }
}
