package io.iolab.vmm.viommu;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.register.Capabilities;
import io.iolab.vmm.assign.UserMemory;
import io.iolab.vmm.assign.VfioContainer;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Copies what a guest's legacy-mode tables say into a physical domain for each assigned function: IOVA to GPA becomes IOVA to HPA. It
 * learns of changes from invalidations alone, which is why the guest's unit must offer caching mode.
 *
 * <p>While the guest's unit is off, a function reaches the guest's memory at guest physical addresses, as without a unit.
 */
public final class ShadowTranslation implements GuestTranslation {
    private final IommuDriver host;
    private final UserMemory ram;
    private final long ramBytes;
    private final GuestTables tables;
    private final AssignedFunctions<Function> functions = new AssignedFunctions<>();
    private long rootPointer;
    private boolean enabled;
    private long walks;
    private long maps;
    private long unmaps;
    private long unbacked;
    private long refused;

    /**
     * @param ram the guest's memory as the host's, by guest physical address
     * @param ramBytes of it
     * @param guest the same memory as the guest sees it
     * @param capabilities of the guest's unit
     */
    public ShadowTranslation(IommuDriver host, UserMemory ram, long ramBytes, Memory guest, Capabilities capabilities) {
        if (!capabilities.cachingMode()) {
            throw new IllegalArgumentException("shadowing needs a unit with caching mode");
        }
        this.host = host;
        this.ram = ram;
        this.ramBytes = ramBytes;
        this.tables = new GuestTables(guest, capabilities);
    }

    /** Each unmapping waits for one invalidation. */
    @Override
    public HostWork hostWork() {
        return new HostWork(walks, maps, unmaps, unmaps);
    }

    @Override
    public VfioContainer.Extension containerType() {
        return VfioContainer.Extension.TYPE1V2;
    }

    @Override
    public void assign(int rid, int guestRid) {
        assign(rid, guestRid, ShadowTarget.domain(host, rid, ram));
    }

    @Override
    public void assign(int rid, int guestRid, VfioContainer container) {
        assign(rid, guestRid, ShadowTarget.container(container, ram));
    }

    private void assign(int rid, int guestRid, ShadowTarget target) {
        Function function = new Function(rid, guestRid, target);
        functions.add(function);
        function.rebind();
    }

    /** Takes every function back; their physical domains go. */
    public void release() {
        for (Function function : functions) {
            function.clear();
            function.target.release();
        }
        functions.clear();
    }

    @Override
    public void tables(long pointer, boolean on) {
        rootPointer = pointer;
        enabled = on;
        contexts();
    }

    @Override
    public void contexts() {
        functions.forEach(Function::rebind);
    }

    /** Legacy mode has no PASIDs. */
    @Override
    public void pasid(int domain, int pasid) {}

    @Override
    public void pages(int domain, long first, long last) {
        for (Function function : functions) {
            GuestTables.Context context = function.context;
            boolean meant = domain == ALL_DOMAINS || context != null && context.domain() == domain;
            if (meant && context != null && !context.passThrough()) {
                function.sync(context, first, last);
            }
        }
    }

    /** First-level tables are not shadowed; a unit in legacy mode has none. */
    @Override
    public void firstLevelPages(int domain, int pasid, long iova, int addressMask, boolean leafOnly) {}

    @Override
    public int guestRequester(int rid) {
        return functions.guestRequester(rid);
    }

    /**
     * The physical unit knows nothing but the copy, so the guest's tables are asked. If they let the request through by now, it was the
     * copy that had no page: because the guest has not invalidated since it mapped, and its unit remembers absent entries (caching mode);
     * or because the host would not map what the guest wanted.
     */
    @Override
    public @Nullable FaultReason reason(FaultReport report, TableWalk guestWalk) {
        Function function = functions.find(report.rid());
        if (guestWalk.reason() != null || function == null || function.identity || function.context == null) {
            return guestWalk.reason();
        }
        boolean wanted = guestWalk.hpa() >= 0 && guestWalk.hpa() < ramBytes;
        return wanted && !function.withheld ? report.reason() : null;
    }

    /** Walks of the guest's tables so far. */
    public long walks() {
        return walks;
    }

    /** Entries of the guest's tables read so far. */
    public long entriesRead() {
        return tables.entriesRead();
    }

    /** Mappings made in physical domains so far. */
    public long maps() {
        return maps;
    }

    /** Mappings taken out of physical domains so far. */
    public long unmaps() {
        return unmaps;
    }

    /** Pages that the guest mapped to what is none of its memory; they stay unmapped. */
    public long unbacked() {
        return unbacked;
    }

    /** Pages that were not mapped because a function has {@link VfioContainer#DMA_ENTRY_LIMIT} already. */
    public long refused() {
        return refused;
    }

    /** Walks that ended early because the guest's tables are larger than any honest ones, or lead back to themselves. */
    public long exhausted() {
        return tables.exhausted();
    }

    private record Mapping(long iova, long gpa, long length, int rights) {
        long last() {
            return iova + length - 1;
        }
    }

    private static MapRights rights(int bits) {
        return switch (bits) {
            case 1 -> MapRights.READ;
            case 2 -> MapRights.WRITE;
            default -> MapRights.READ_WRITE;
        };
    }

    /** One assigned function with its physical domain and what is mapped there. */
    private final class Function implements AssignedFunctions.Member {
        private final int rid;
        private final int guestRid;
        private final ShadowTarget target;
        private final long limit;
        private final TreeMap<Long, Mapping> shadow = new TreeMap<>();
        private GuestTables.@Nullable Context context;
        private boolean identity;
        /** Whether something that the guest maps was left out since the copy began. */
        private boolean withheld;

        Function(int rid, int guestRid, ShadowTarget target) {
            this.rid = rid;
            this.guestRid = guestRid;
            this.target = target;
            limit = target.limit();
        }

        @Override
        public int rid() {
            return rid;
        }

        @Override
        public int guestRid() {
            return guestRid;
        }

        /** Follows a change of the context entry; what it leads to is copied anew if it is another. */
        void rebind() {
            GuestTables.Context now = enabled ? tables.context(rootPointer, guestRid) : null;
            boolean direct = !enabled || now != null && now.passThrough();
            if (java.util.Objects.equals(now, context) && direct == identity && !shadow.isEmpty()) {
                return;
            }
            clear();
            context = now;
            identity = direct;
            if (direct) {
                map(new Mapping(0, 0, ramBytes, 3));
            } else if (now != null) {
                sync(now, 0, limit - 1);
            }
        }

        void clear() {
            withheld = false;
            List.copyOf(shadow.values()).forEach(this::unmap);
        }

        /** Pages are copied whole, so the range grows to the ends of those that are there already. */
        void sync(GuestTables.Context from, long first, long last) {
            walks++;
            long low = Math.max(0, first);
            Map.Entry<Long, Mapping> atStart = shadow.floorEntry(low);
            if (atStart != null && atStart.getValue().last() >= low) {
                low = atStart.getKey();
            }
            long high = Math.min(last, limit - 1);
            Map.Entry<Long, Mapping> atEnd = shadow.floorEntry(high);
            if (atEnd != null) {
                high = Math.max(high, atEnd.getValue().last());
            }
            TreeMap<Long, Mapping> wanted = new TreeMap<>();
            tables.leaves(
                    from,
                    low,
                    high,
                    (iova, gpa, length, rights) -> wanted.put(iova, new Mapping(iova, gpa, length, rights)));
            removeStale(wanted, low, high);
            wanted.values().stream()
                    .filter(mapping -> !shadow.containsKey(mapping.iova))
                    .forEach(this::map);
        }

        /** What is there and not wanted any more, in the range and below every page that reaches out of it. */
        private void removeStale(TreeMap<Long, Mapping> wanted, long low, long high) {
            long from = wanted.isEmpty() ? low : Math.min(low, wanted.firstKey());
            long to = wanted.isEmpty()
                    ? high
                    : Math.max(high, wanted.lastEntry().getValue().last());
            for (Mapping mapping :
                    List.copyOf(shadow.subMap(from, true, to, true).values())) {
                if (!mapping.equals(wanted.get(mapping.iova))) {
                    unmap(mapping);
                }
            }
        }

        private void map(Mapping mapping) {
            if (shadow.size() >= VfioContainer.DMA_ENTRY_LIMIT) {
                refused++;
                withheld = true;
                return;
            }
            if (!target.map(mapping.iova, mapping.gpa, mapping.length, rights(mapping.rights))) {
                unbacked++;
                return;
            }
            shadow.put(mapping.iova, mapping);
            maps++;
        }

        private void unmap(Mapping mapping) {
            target.unmap(mapping.iova, mapping.length);
            shadow.remove(mapping.iova);
            unmaps++;
        }
    }
}
