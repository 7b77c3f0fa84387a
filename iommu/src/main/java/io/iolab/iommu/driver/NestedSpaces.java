package io.iolab.iommu.driver;

import io.iolab.devices.dma.RequesterId;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Functions with first-level tables of guests, and what their address spaces have in common. */
final class NestedSpaces {
    final UnitRegisters unit;
    final Invalidator invalidator;
    private final @Nullable PasidTables tables;
    private final DomainIds ids;
    private final Map<Integer, NestedSpace> spaces = new HashMap<>();
    private long isolations;

    /** @param requesters null where the unit or the mode does not nest */
    NestedSpaces(UnitRegisters unit, @Nullable RequesterTables requesters, Invalidator invalidator, DomainIds ids) {
        this.unit = unit;
        this.tables = requesters instanceof PasidTables pasids ? pasids : null;
        this.invalidator = invalidator;
        this.ids = ids;
    }

    boolean supported() {
        return tables != null;
    }

    /** @throws IllegalStateException without nesting, or if the domain has no table */
    NestedSpace open(int rid, Domain parent, boolean deviceTlb) {
        PageTable table = parent.isDestroyed() ? null : parent.table();
        if (tables == null || table == null) {
            throw new IllegalStateException("cannot nest " + RequesterId.format(rid) + " in domain " + parent.id());
        }
        NestedSpace space = new NestedSpace(rid, ids.allocate(), parent, table.rootHpa(), deviceTlb, this, tables);
        spaces.put(rid, space);
        parent.nestedIds().add(space.id());
        return space;
    }

    /** Blocks a function's requests; nothing for a function without such a space. */
    void close(int rid) {
        NestedSpace space = spaces.remove(rid);
        if (space != null) {
            space.leave();
            ids.free(space.id());
        }
    }

    /**
     * Something was unmapped in a domain, whatever first-level address led there. Mappings of buffers come here too, and allocate nothing.
     */
    void forget(Domain parent) {
        if (!parent.nestedIds().isEmpty()) {
            spaces.values().stream().filter(space -> space.isBehind(parent)).forEach(NestedSpace::invalidateAll);
        }
    }

    void isolated() {
        isolations++;
    }

    /** See {@link IommuDriver#isolations}. */
    long isolations() {
        return isolations;
    }
}
