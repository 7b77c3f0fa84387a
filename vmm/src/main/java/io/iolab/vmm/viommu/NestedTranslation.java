package io.iolab.vmm.viommu;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.driver.NestedSpace;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.table.PasidEntry;
import io.iolab.vmm.assign.Errno;
import io.iolab.vmm.assign.UserMemory;
import io.iolab.vmm.assign.VfioContainer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Puts the first-level tables of a guest to work where they are: the physical unit walks them, each address in them through the host's
 * second-level table of the guest's memory (VT-d 3.8, PASID entries of type nested). No mapping costs an exit; an unmapping costs the one
 * of its invalidation, which is repeated on the physical unit under the host's domain id. PASID entries are copied, one by one, when the
 * guest invalidates its PASID cache.
 *
 * <p>While the guest's unit is off, or its entry says pass-through, a function reaches the guest's memory at guest physical addresses.
 */
public final class NestedTranslation implements GuestTranslation {
    private static final int ENTRY_FLAGS = 0xFFF;

    /** Stands for the guest's memory as it is, in place of an entry. */
    private static final GuestTables.Pasid DIRECT = new GuestTables.Pasid(0, 0, 0);

    /** What the physical unit finds in first-level tables themselves, where their nesting on the second level plays no part. */
    private static final Set<FaultReason> FIRST_LEVEL = Set.of(
            FaultReason.EXECUTE_REQUESTS_DISABLED,
            FaultReason.SUPERVISOR_REQUESTS_DISABLED,
            FaultReason.FIRST_LEVEL_NOT_PRESENT,
            FaultReason.FIRST_LEVEL_RESERVED,
            FaultReason.NOT_CANONICAL,
            FaultReason.USER_DENIED,
            FaultReason.EXECUTE_DENIED,
            FaultReason.SCALABLE_WRITE_DENIED,
            FaultReason.FIRST_LEVEL_NO_SNOOP,
            FaultReason.ACCESSED_DIRTY_FAILED);

    private final IommuDriver host;
    private final Capabilities capabilities;
    private final UserMemory ram;
    private final long ramBytes;
    private final GuestTables tables;
    private final AssignedFunctions<Function> functions = new AssignedFunctions<>();
    private long rootPointer;
    private boolean enabled;
    private long forwarded;
    /** The guest's memory for functions that are nobody's; none until there is one. */
    private @Nullable Domain parent;

    /**
     * @param host its unit is on
     * @param guestRam the guest's memory as the host's, by guest physical address
     * @param ramBytes of it
     * @param guest the same memory as the guest sees it
     * @param capabilities of the guest's unit, which offers no tables but first-level ones, no RID_PRIV, and PASIDs of at most 15 bits
     * @throws IllegalArgumentException if it offers more
     * @throws IllegalStateException if the physical unit does not nest
     */
    public NestedTranslation(
            IommuDriver host, UserMemory guestRam, long ramBytes, Memory guest, Capabilities capabilities) {
        if (capabilities.secondLevel()
                || capabilities.nested()
                || capabilities.requesterPrivilege()
                || 1L << capabilities.pasidBits() > NestedSpace.PASID_LIMIT) {
            throw new IllegalArgumentException("the guest's unit offers what cannot be nested");
        }
        if (!host.supportsNesting()) {
            throw new IllegalStateException("the physical unit does not nest");
        }
        this.host = host;
        this.capabilities = capabilities;
        tables = new GuestTables(guest, capabilities);
        this.ram = guestRam;
        this.ramBytes = ramBytes;
    }

    /** PASID entries are written at boot; what is counted is what the guest repeats. */
    @Override
    public HostWork hostWork() {
        return new HostWork(0, 0, 0, forwarded);
    }

    @Override
    public VfioContainer.Extension containerType() {
        return VfioContainer.Extension.NESTING;
    }

    /** {@inheritDoc} @throws IllegalStateException if the guest's unit offers RID_PASID and the physical one does not */
    @Override
    public void assign(int rid, int guestRid) {
        Domain memory = parent;
        if (memory == null) {
            Domain made = host.createDomain();
            ram.forEachRun(0, ramBytes, (gpa, hpa, length) -> made.map(gpa, hpa, length, MapRights.READ_WRITE));
            parent = made;
            memory = made;
        }
        NestedSpace space = host.attachNested(rid, memory, false);
        if (lacksRequesterPasid(space)) {
            host.detach(rid);
            throw new IllegalStateException("the physical unit has no RID_PASID");
        }
        add(new Function(rid, guestRid, space, true));
    }

    /** The guest's memory becomes the container's one mapping. Throws as above, and if the container does not nest or is not empty. */
    @Override
    public void assign(int rid, int guestRid, VfioContainer container) {
        NestedSpace space = container.nestedSpace(rid);
        if (space == null || lacksRequesterPasid(space)) {
            throw new IllegalStateException("cannot nest " + RequesterId.format(rid));
        }
        Errno errno = container.mapDma(ram, 0, 0, ramBytes, MapRights.READ_WRITE);
        if (errno != Errno.OK) {
            throw new IllegalStateException("the guest's memory: " + errno);
        }
        add(new Function(rid, guestRid, space, false));
    }

    private boolean lacksRequesterPasid(NestedSpace space) {
        return capabilities.requesterPasid() && !space.takesRequesterPasid();
    }

    private void add(Function function) {
        functions.add(function);
        function.rebind();
    }

    /** Takes every function back; those of containers go with these. */
    public void release() {
        for (Function function : functions) {
            if (function.attachedHere) {
                host.detach(function.rid);
            }
        }
        functions.clear();
        if (parent != null) {
            parent.destroy();
            parent = null;
        }
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

    @Override
    public void pasid(int domain, int pasid) {
        functions.forEach(function -> function.refresh(pasid));
    }

    /** Legacy granularities reach first-level translations too, of the whole domain (VT-d 6.5.2.2). */
    @Override
    public void pages(int domain, long first, long last) {
        for (Function function : functions) {
            if (domain == ALL_DOMAINS || function.inDomain(domain)) {
                forwarded++;
                function.space.invalidateAll();
            }
        }
    }

    @Override
    public void firstLevelPages(int domain, int pasid, long iova, int addressMask, boolean leafOnly) {
        for (Function function : functions) {
            GuestTables.Pasid entry = function.bound.get(pasid);
            if (entry == null || entry == DIRECT || entry.domain() != domain) {
                continue;
            }
            forwarded++;
            if (addressMask == ALL_PAGES) {
                function.space.invalidate(pasid);
            } else {
                function.space.invalidatePages(pasid, iova, addressMask, leafOnly);
            }
        }
    }

    @Override
    public int guestRequester(int rid) {
        return functions.guestRequester(rid);
    }

    /**
     * What the physical unit found in the guest's first-level tables is the guest's word for word. Whatever else it found lies in
     * structures of the host, and the guest is to blame if its own are at fault too: if they have no usable entry, or lead to no memory.
     */
    @Override
    public @Nullable FaultReason reason(FaultReport report, TableWalk guestWalk) {
        Function function = functions.find(report.rid());
        FaultReason found = report.reason();
        if (function == null || found == null) {
            return null;
        }
        GuestTables.Pasid entry = function.bound.get(report.pasid() < 0 ? function.requesterPasid : report.pasid());
        boolean nested = entry != null && entry != DIRECT && !passesThrough(entry);
        if (nested && FIRST_LEVEL.contains(found)) {
            return found;
        }
        if (guestWalk.reason() == null && enabled && entry == null) {
            // It is there by now, but the guest has not invalidated: its unit remembers the absence.
            return FaultReason.PASID_ENTRY_NOT_PRESENT;
        }
        return guestWalk.reason();
    }

    private static boolean passesThrough(GuestTables.Pasid entry) {
        return PasidEntry.type(entry.word0()) == PasidEntry.TYPE_PASS_THROUGH;
    }

    /** Invalidations of the guest repeated on the physical unit so far. */
    public long forwarded() {
        return forwarded;
    }

    /** Entries of the guest's root, context and PASID tables read so far; its page tables are never read here. */
    public long entriesRead() {
        return tables.entriesRead();
    }

    /** One assigned function and what its PASID entries in the guest said last. */
    private final class Function implements AssignedFunctions.Member {
        private final int rid;
        private final int guestRid;
        private final NestedSpace space;
        private final boolean attachedHere;
        /** In force on the physical unit, by PASID. */
        private final TreeMap<Integer, GuestTables.Pasid> bound = new TreeMap<>();

        private GuestTables.@Nullable Directory context;
        private boolean pasids;
        private int requesterPasid;

        Function(int rid, int guestRid, NestedSpace space, boolean attachedHere) {
            this.attachedHere = attachedHere;
            this.rid = rid;
            this.guestRid = guestRid;
            this.space = space;
        }

        @Override
        public int rid() {
            return rid;
        }

        @Override
        public int guestRid() {
            return guestRid;
        }

        boolean inDomain(int domain) {
            return bound.values().stream().anyMatch(entry -> entry != DIRECT && entry.domain() == domain);
        }

        void rebind() {
            GuestTables.Directory found = enabled ? tables.directory(rootPointer, guestRid) : null;
            int own = found == null ? 0 : found.requesterPasid(capabilities);
            if (own >= NestedSpace.PASID_LIMIT) {
                // No PASID of the guest's unit is that large: nothing is let through.
                found = null;
                own = 0;
            }
            context = found;
            boolean allowed = context != null && context.pasidEnabled();
            Map<Integer, GuestTables.Pasid> wanted = new TreeMap<>();
            if (!enabled) {
                wanted.put(own, DIRECT);
            } else if (context != null && allowed) {
                tables.pasids(context, NestedSpace.PASID_LIMIT, wanted::put);
            } else if (context != null) {
                GuestTables.Pasid entry = tables.pasid(context, own);
                if (entry != null) {
                    wanted.put(own, entry);
                }
            }
            List.copyOf(bound.keySet()).forEach(pasid -> bind(pasid, wanted.get(pasid)));
            if (allowed != pasids || own != requesterPasid) {
                pasids = allowed;
                requesterPasid = own;
                space.requests(own, allowed);
            }
            wanted.forEach(this::bind);
        }

        /** By the context entry as it was last told of: a changed one counts when the guest invalidates that. */
        void refresh(int pasid) {
            if (context != null && pasid < NestedSpace.PASID_LIMIT && (pasids || pasid == requesterPasid)) {
                bind(pasid, tables.pasid(context, pasid));
            }
        }

        private void bind(int pasid, GuestTables.@Nullable Pasid entry) {
            GuestTables.Pasid before = bound.get(pasid);
            if (entry == null) {
                if (before != null) {
                    bound.remove(pasid);
                    space.block(pasid);
                }
            } else if (!entry.equals(before)) {
                bound.put(pasid, entry);
                if (entry == DIRECT || passesThrough(entry)) {
                    space.direct(pasid);
                } else {
                    space.nest(pasid, PasidEntry.firstLevelTable(entry.word2()), (int) entry.word2() & ENTRY_FLAGS);
                }
            }
        }
    }
}
