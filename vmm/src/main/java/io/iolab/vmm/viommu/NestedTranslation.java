package io.iolab.vmm.viommu;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.table.PasidEntry;
import io.iolab.vmm.assign.UserMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Puts the first-level tables of a guest to work where they are: the physical unit walks them, each address in them through the host's
 * second-level table of the guest's memory (VT-d 3.8, PASID entries of type nested). No mapping costs an exit; an unmapping costs the one
 * of its invalidation, which is repeated on the physical unit under the host's domain id.
 *
 * <p>It owns the physical unit, which offers nested translation. While the guest's unit is off, or its entry says pass-through, a function
 * reaches the guest's memory at guest physical addresses.
 */
public final class NestedTranslation implements GuestTranslation {
    private static final long PRESENT = 1;
    private static final long TYPE_SHIFT = 6;
    /** AW of four levels. */
    private static final long WIDTH = 2 << 2;

    private static final int ENTRY_FLAGS = 0xFFF;

    private final ScalableUnit host;
    private final FourLevelTable ram;
    private final GuestTables tables;
    private final List<Function> functions = new ArrayList<>();
    private long rootPointer;
    private boolean enabled;
    private long forwarded;

    /**
     * Turns the physical unit on.
     *
     * @param cpu the host processor's way to its registers at {@code base}
     * @param memory the host's
     * @param frames of the host, for tables
     * @param guestRam the guest's memory as the host's, by guest physical address
     * @param ramBytes of it, a multiple of 2 MiB
     * @param guest the same memory as the guest sees it
     * @param capabilities of the guest's unit
     */
    public NestedTranslation(
            CpuPort cpu,
            long base,
            Memory memory,
            FrameSource frames,
            UserMemory guestRam,
            long ramBytes,
            Memory guest,
            Capabilities capabilities) {
        host = new ScalableUnit(cpu, base, memory, frames);
        tables = new GuestTables(guest, capabilities);
        ram = new FourLevelTable(memory, frames, 3);
        guestRam.forEachRun(0, ramBytes, this::mapRam);
        host.enable();
    }

    private void mapRam(long gpa, long hpa, long length) {
        boolean large = ((gpa | hpa | length) & AddressRange.LARGE_PAGE_SIZE - 1) == 0;
        long step = large ? AddressRange.LARGE_PAGE_SIZE : AddressRange.PAGE_SIZE;
        for (long at = 0; at < length; at += step) {
            ram.map(gpa + at, hpa + at, large ? 2 : 1);
        }
    }

    /**
     * Puts an assigned function behind the guest's unit.
     *
     * @param rid on the host
     * @param guestRid as the guest knows it
     */
    public void assign(int rid, int guestRid) {
        Function function = new Function(rid, guestRid, functions.size() + 1);
        functions.add(function);
        function.rebind(true);
    }

    @Override
    public void tables(long pointer, boolean on) {
        rootPointer = pointer;
        enabled = on;
        contexts();
    }

    @Override
    public void contexts() {
        functions.forEach(function -> function.rebind(false));
    }

    /** Legacy granularities reach first-level translations too, of the whole domain (VT-d 6.5.2.2). */
    @Override
    public void pages(int domain, long first, long last) {
        for (Function function : functions) {
            if (domain == ALL_DOMAINS || function.inDomain(domain)) {
                forwarded++;
                host.invalidateAll(function.hostDomain);
            }
        }
    }

    @Override
    public void firstLevelPages(int domain, int pasid, long iova, int addressMask, boolean leafOnly) {
        for (Function function : functions) {
            if (!function.inDomain(domain)) {
                continue;
            }
            forwarded++;
            if (addressMask == ALL_PAGES) {
                host.invalidateAll(function.hostDomain);
            } else {
                host.invalidatePages(function.hostDomain, iova, addressMask, leafOnly);
            }
        }
    }

    /** Invalidations of the guest repeated on the physical unit so far. */
    public long forwarded() {
        return forwarded;
    }

    /** Entries of the guest's root, context and PASID tables read so far; its page tables are never read here. */
    public long entriesRead() {
        return tables.entriesRead();
    }

    /** One assigned function and what its PASID entry in the guest said last. */
    private final class Function {
        private final int rid;
        private final int guestRid;
        private final int hostDomain;
        private GuestTables.@Nullable Pasid entry;
        private boolean direct;

        Function(int rid, int guestRid, int hostDomain) {
            this.rid = rid;
            this.guestRid = guestRid;
            this.hostDomain = hostDomain;
        }

        boolean inDomain(int domain) {
            return entry != null && entry.domain() == domain;
        }

        void rebind(boolean first) {
            GuestTables.Pasid now = enabled ? tables.requesterPasid(rootPointer, guestRid) : null;
            boolean straight = !enabled || now != null && PasidEntry.type(now.word0()) == PasidEntry.TYPE_PASS_THROUGH;
            if (!first && straight == direct && Objects.equals(now, entry)) {
                return;
            }
            entry = now;
            direct = straight;
            if (straight) {
                host.set(rid, hostDomain, word0(PasidEntry.TYPE_SECOND_LEVEL), 0, 0);
            } else if (now != null && PasidEntry.type(now.word0()) == PasidEntry.TYPE_FIRST_LEVEL) {
                long flags = now.word2() & ENTRY_FLAGS;
                host.set(
                        rid,
                        hostDomain,
                        word0(PasidEntry.TYPE_NESTED),
                        0,
                        PasidEntry.firstLevelTable(now.word2()) | flags);
            } else {
                host.set(rid, hostDomain, 0, 0, 0);
            }
        }

        private long word0(int type) {
            return ram.root() | (long) type << TYPE_SHIFT | WIDTH | PRESENT;
        }
    }
}
