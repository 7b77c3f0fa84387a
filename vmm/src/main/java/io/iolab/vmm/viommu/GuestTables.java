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

    private static final int PASIDS_OF_TABLE = 64;

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

    /** Takes one PASID entry. */
    @FunctionalInterface
    interface PasidConsumer {
        void pasid(int pasid, Pasid entry);
    }

    /** A context entry of scalable mode, which leads to a PASID directory. */
    record Directory(long low, long high) {
        /** Whether requests may carry a PASID. */
        boolean pasidEnabled() {
            return ScalableContextEntry.pasidEnabled(low);
        }

        /** The PASID of requests without one. */
        int requesterPasid(Capabilities capabilities) {
            return ScalableContextEntry.requesterPasid(high, capabilities);
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

    /** The context entry of a requester in scalable mode; null as above. */
    @Nullable
    Directory directory(long rootTable, int rid) {
        long root = word(ScalableRootEntry.halfHpa(page(rootTable), rid));
        if (!ScalableRootEntry.present(root) || ScalableRootEntry.reservedSet(root, capabilities)) {
            return null;
        }
        long gpa = ScalableContextEntry.hpa(ScalableRootEntry.contextTable(root, capabilities), rid);
        long low = word(gpa);
        long high = word(gpa + 8);
        boolean usable = ScalableContextEntry.present(low)
                && !ScalableContextEntry.reservedSet(low, high, capabilities)
                && ScalableContextEntry.valid(low);
        return usable ? new Directory(low, high) : null;
    }

    /** The PASID entry that a context entry leads to; null as above. */
    @Nullable
    Pasid pasid(Directory context, int pasid) {
        if (pasid >= ScalableContextEntry.pasidLimit(context.low)) {
            return null;
        }
        long table = pasidTable(context, pasid);
        return table < 0 ? null : entry(PasidEntry.hpa(table, pasid));
    }

    /** The table of 64 entries, or -1 where there is none. */
    private long pasidTable(Directory context, int pasid) {
        long word = word(PasidDirectoryEntry.hpa(ScalableContextEntry.directory(context.low, capabilities), pasid));
        return PasidDirectoryEntry.present(word) && !PasidDirectoryEntry.reservedSet(word, capabilities)
                ? PasidDirectoryEntry.table(word, capabilities)
                : -1;
    }

    private @Nullable Pasid entry(long gpa) {
        long word0 = word(gpa);
        if (!PasidEntry.present(word0)) {
            return null;
        }
        Pasid found = new Pasid(word0, word(gpa + 8), word(gpa + 16));
        long rest = 0;
        for (int index = 3; index < PasidEntry.WORDS; index++) {
            rest |= word(gpa + 8L * index);
        }
        boolean usable = rest == 0
                && !PasidEntry.reservedSet(found.word0, found.word1, found.word2, capabilities)
                && PasidEntry.valid(found.word0, found.word2, capabilities);
        return usable ? found : null;
    }

    /** Every usable PASID entry below a limit, in ascending order. */
    void pasids(Directory context, int limit, PasidConsumer consumer) {
        int end = Math.min(limit, ScalableContextEntry.pasidLimit(context.low));
        for (int first = 0; first < end; first += PASIDS_OF_TABLE) {
            long table = pasidTable(context, first);
            for (int pasid = first; table >= 0 && pasid < Math.min(end, first + PASIDS_OF_TABLE); pasid++) {
                Pasid found = entry(PasidEntry.hpa(table, pasid));
                if (found != null) {
                    consumer.pasid(pasid, found);
                }
            }
        }
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
