package io.iolab.iommu.explain;

import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.explain.StructureSteps.Space;
import io.iolab.iommu.explain.Trail.Entry;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.table.FirstLevelEntry;
import io.iolab.iommu.table.SecondLevelEntry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Through second-level, first-level or nested page tables (VT-d 9.7, 9.8). */
final class PageSteps {
    private static final long PAGE = 4096;
    private static final String NO_SNOOP = ", but walks do not snoop (PWSNP is 0, ECAP.SMPWCS is 0)";

    private final Trail trail;
    private final Space space;
    private final Access access;

    PageSteps(Trail trail, Space space, Access access) {
        this.trail = trail;
        this.space = space;
        this.access = access;
    }

    /** What a second-level walk is for. */
    private enum Use {
        LEGACY,
        SCALABLE,
        NESTED_TOP,
        NESTED_TABLE,
        NESTED_PAGE;

        FaultReason unreadable(boolean top) {
            if (this == LEGACY) {
                return top ? FaultReason.CONTEXT_INVALID : FaultReason.TABLE_UNREADABLE;
            }
            return top ? FaultReason.SECOND_LEVEL_TOP_UNREADABLE : FaultReason.SECOND_LEVEL_UNREADABLE;
        }

        FaultReason denied(Access access) {
            boolean read = access == Access.READ;
            return switch (this) {
                case LEGACY -> read ? FaultReason.READ_DENIED : FaultReason.WRITE_DENIED;
                case SCALABLE -> read ? FaultReason.SCALABLE_READ_DENIED : FaultReason.SCALABLE_WRITE_DENIED;
                case NESTED_TOP -> read ? FaultReason.NESTED_TOP_NOT_READABLE : FaultReason.NESTED_TABLE_NOT_WRITABLE;
                case NESTED_TABLE ->
                    read ? FaultReason.NESTED_TABLE_NOT_READABLE : FaultReason.NESTED_TABLE_NOT_WRITABLE;
                case NESTED_PAGE -> FaultReason.NESTED_DENIED;
            };
        }

        FaultReason reserved() {
            return this == LEGACY ? FaultReason.PAGE_ENTRY_RESERVED : FaultReason.SECOND_LEVEL_RESERVED;
        }
    }

    void walk(long iova) {
        int shift;
        long frame;
        if (space.kind() == Space.Kind.SECOND_LEVEL) {
            Use use = space.scalable() ? Use.SCALABLE : Use.LEGACY;
            Page page = secondLevel(iova, access, use, "second-level entry");
            if (page == null) {
                return;
            }
            shift = page.shift;
            frame = page.frameHpa;
        } else {
            Page page = firstLevel(iova);
            if (page == null) {
                return;
            }
            shift = page.shift;
            frame = page.frameHpa;
        }
        long found = frame | iova & (1L << shift) - 1;
        if (MessagePort.claims(found)) {
            trail.refuse(
                    space.scalable() ? FaultReason.SCALABLE_INTERRUPT_RANGE : FaultReason.INTERRUPT_RANGE,
                    "the page lies in the interrupt range");
            return;
        }
        trail.hpa = found;
        trail.pageShift = shift;
        trail.decision = "leads to " + Trail.hex(found)
                + (trail.memory.contains(found & -PAGE, PAGE) ? "" : ", where no memory is");
    }

    private record Page(long frameHpa, int shift) {
        long hpa(long address) {
            return frameHpa | address & (1L << shift) - 1;
        }
    }

    private List<TableField> fields(long entry, int level) {
        boolean leaf = SecondLevelEntry.leaf(entry, level);
        return List.of(
                TableField.flag("R", 0, entry, "readable"),
                TableField.flag("W", 1, entry, "writable"),
                TableField.flag("PS", 7, entry, level > 1 ? "a page of " + size(level) : ""),
                TableField.flag("A", 8, entry, "accessed"),
                TableField.flag("D", 9, entry, "dirty"),
                TableField.flag("SNP", 11, entry, "snoops"),
                TableField.address(leaf ? "ADDR (page)" : "ADDR (table)", 51, 12, SecondLevelEntry.address(entry)));
    }

    private static String size(int level) {
        return switch (level) {
            case 1 -> "4 KiB";
            case 2 -> "2 MiB";
            case 3 -> "1 GiB";
            default -> "a size that does not exist";
        };
    }

    private @Nullable Page secondLevel(long address, Access wanted, Use use, String name) {
        long table = space.secondTable();
        int top = space.secondLevels();
        long right = wanted == Access.READ ? SecondLevelEntry.READ : SecondLevelEntry.WRITE;
        List<Entry> visited = new ArrayList<>();
        for (int level = top; ; level--) {
            int index = (int) (address >>> SecondLevelEntry.shift(level)) & 0x1FF;
            Entry at = trail.read(
                    name + ", level " + level,
                    table,
                    index,
                    SecondLevelEntry.hpa(table, address, level),
                    1,
                    use.unreadable(level == top));
            if (at == null) {
                return null;
            }
            long entry = at.word(0);
            List<TableField> fields = fields(entry, level);
            boolean leaf = SecondLevelEntry.leaf(entry, level);
            if ((entry & right) == 0) {
                trail.stop(at, fields, use.denied(wanted), denial(entry, wanted));
                return null;
            }
            long reserved = entry & SecondLevelEntry.reserved(level, leaf, trail.capabilities);
            if (reserved != 0) {
                trail.stop(at, fields, use.reserved(), "reserved bits are set: " + Trail.hex(reserved));
                return null;
            }
            long next = SecondLevelEntry.address(entry);
            trail.pass(at, fields, leaf ? size(level) + " page at " + Trail.hex(next) : "table at " + Trail.hex(next));
            visited.add(at);
            if (leaf) {
                boolean marked = !space.accessedDirty() || secondMarks(visited, wanted);
                return marked ? new Page(next, SecondLevelEntry.shift(level)) : null;
            }
            table = next;
        }
    }

    /** Whether the accessed and dirty bits that are due in the entries of a walk are set, or can be (VT-d 3.7.2). */
    private boolean secondMarks(List<Entry> visited, Access wanted) {
        for (Entry at : visited) {
            boolean dirties = wanted == Access.WRITE && at == visited.getLast();
            String missing = missing(at.word(0), SecondLevelEntry.ACCESSED, 0, dirties ? SecondLevelEntry.DIRTY : 0);
            if (!missing.isEmpty() && !space.walkSnoop()) {
                return trail.refuse(FaultReason.SECOND_LEVEL_NO_SNOOP, at.structure() + ": " + missing + NO_SNOOP);
            }
        }
        return true;
    }

    /** Which of the bits that a walk sets are not set yet; empty for none. */
    private static String missing(long entry, long accessed, long extended, long dirty) {
        List<String> bits = new ArrayList<>();
        if ((entry & accessed) == 0) {
            bits.add("A");
        }
        if ((entry & extended) != extended) {
            bits.add("EA");
        }
        if ((entry & dirty) != dirty) {
            bits.add("D");
        }
        return bits.isEmpty() ? "" : String.join(" and ", bits) + " must be set";
    }

    private static String denial(long entry, Access wanted) {
        String bit = wanted == Access.READ ? "R (bit 0) is 0" : "W (bit 1) is 0";
        return SecondLevelEntry.rights(entry) == 0 ? bit + ", and so is the other right: not present" : bit;
    }

    private static boolean canonical(long address, int width) {
        long upper = address >> width - 1;
        return upper == 0 || upper == -1;
    }

    private static List<TableField> firstFields(long entry, int level) {
        boolean leaf = FirstLevelEntry.leaf(entry, level);
        return List.of(
                TableField.flag("P", 0, entry, "present"),
                TableField.flag("R/W", 1, entry, "writable"),
                TableField.flag("U/S", 2, entry, "for user requests"),
                TableField.flag("A", 5, entry, "accessed"),
                TableField.flag("D", 6, entry, "dirty"),
                TableField.flag("PS", 7, entry, level > 1 ? "a page of " + size(level) : ""),
                TableField.address(leaf ? "ADDR (page)" : "ADDR (table)", 51, 12, FirstLevelEntry.address(entry)),
                TableField.flag("XD", 63, entry, "no execution"));
    }

    private @Nullable Page firstLevel(long iova) {
        int top = space.first().levels();
        int width = 12 + 9 * top;
        if (!canonical(iova, width)) {
            trail.refuse(FaultReason.NOT_CANONICAL, "the address is not canonical for " + top + " levels");
            return null;
        }
        if (!canonical(iova, Math.min(width, trail.capabilities.guestAddressWidth()))) {
            trail.refuse(FaultReason.BEYOND_HARDWARE_WIDTH, "the address is wider than MGAW");
            return null;
        }
        long table = space.first().table();
        List<Visited> visited = new ArrayList<>();
        long common = -1;
        boolean executable = true;
        for (int level = top; ; level--) {
            Entry at = firstEntry(table, iova, level);
            if (at == null) {
                return null;
            }
            visited.add(new Visited(at, SecondLevelEntry.hpa(table, iova, level), level));
            long entry = at.word(0);
            List<TableField> fields = firstFields(entry, level);
            boolean leaf = FirstLevelEntry.leaf(entry, level);
            FaultReason why = firstReason(entry, level, leaf);
            if (why != null) {
                boolean absent = why == FaultReason.FIRST_LEVEL_NOT_PRESENT;
                trail.stop(at, fields, why, absent ? "P (bit 0) is 0" : "a reserved bit is set");
                return null;
            }
            common &= entry;
            executable &= (entry & FirstLevelEntry.NO_EXECUTE) == 0;
            if (leaf) {
                boolean allowed = allowed(at, fields, common, executable);
                Page page = allowed ? firstPage(at, fields, iova, level) : null;
                return page != null && firstMarks(visited) ? page : null;
            }
            table = FirstLevelEntry.address(entry);
            trail.pass(at, fields, "table at " + Trail.hex(table));
        }
    }

    private @Nullable FaultReason firstReason(long entry, int level, boolean leaf) {
        if (!FirstLevelEntry.present(entry)) {
            return FaultReason.FIRST_LEVEL_NOT_PRESENT;
        }
        long reserved = FirstLevelEntry.reserved(
                level, leaf, space.nested(), space.first().noExecute(), trail.capabilities);
        return (entry & reserved) != 0 ? FaultReason.FIRST_LEVEL_RESERVED : null;
    }

    /** Nested, an entry lies at a guest's address, which has a walk of its own. */
    private @Nullable Entry firstEntry(long table, long iova, int level) {
        boolean top = level == space.first().levels();
        long address = SecondLevelEntry.hpa(table, iova, level);
        long entryHpa = address;
        if (space.nested()) {
            Page page = nested(address, Access.READ, top ? Use.NESTED_TOP : Use.NESTED_TABLE, "first-level " + level);
            if (page == null) {
                return null;
            }
            entryHpa = page.hpa(address);
        }
        return trail.read(
                "first-level entry, level " + level,
                entryHpa & -PAGE,
                (int) (entryHpa & PAGE - 1) / 8,
                entryHpa,
                1,
                top ? FaultReason.FIRST_LEVEL_TOP_UNREADABLE : FaultReason.FIRST_LEVEL_UNREADABLE);
    }

    private @Nullable Page nested(long gpa, Access wanted, Use use, String whose) {
        int width = Math.min(trail.capabilities.guestAddressWidth(), 12 + 9 * space.secondLevels());
        if (gpa >>> width != 0) {
            trail.refuse(FaultReason.FIRST_LEVEL_BEYOND_NESTED_WIDTH, whose + ": " + Trail.hex(gpa) + " is too wide");
            return null;
        }
        return secondLevel(gpa, wanted, use, named(whose));
    }

    /** A first-level entry, and where its table is said to be: at a guest's address where nested. */
    private record Visited(Entry at, long address, int level) {}

    /** The checks of the page as a whole: user or supervisor, execution, writing (VT-d 3.6.1). */
    private boolean allowed(Entry at, List<TableField> fields, long common, boolean executable) {
        boolean user = (common & FirstLevelEntry.USER) != 0;
        if (!space.privileged() && !user) {
            return trail.stop(at, fields, FaultReason.USER_DENIED, "U/S (bit 2) is 0 at some level");
        }
        if (space.execute() && !executable) {
            return trail.stop(at, fields, FaultReason.EXECUTE_DENIED, "XD (bit 63) is 1 at some level");
        }
        boolean prevented = space.privileged() && user && space.first().executePrevention();
        if (space.execute() && prevented) {
            String verdict = "SMEP (bit 134 of the PASID entry) is 1 and U/S (bit 2) at every level";
            return trail.stop(at, fields, FaultReason.EXECUTE_DENIED, verdict);
        }
        boolean writable = (common & FirstLevelEntry.WRITE) != 0
                || space.privileged() && !space.first().writeProtect();
        if (access == Access.WRITE && !writable) {
            return trail.stop(at, fields, FaultReason.SCALABLE_WRITE_DENIED, "R/W (bit 1) is 0 at some level");
        }
        return true;
    }

    private @Nullable Page firstPage(Entry at, List<TableField> fields, long iova, int level) {
        int shift = SecondLevelEntry.shift(level);
        long frame = FirstLevelEntry.frame(at.word(0), level);
        trail.pass(at, fields, size(level) + " page at " + Trail.hex(frame));
        if (!space.nested()) {
            return new Page(frame, shift);
        }
        long gpa = frame | iova & (1L << shift) - 1;
        Page page = nested(gpa, access, Use.NESTED_PAGE, "page");
        if (page == null) {
            return null;
        }
        int smaller = Math.min(shift, page.shift);
        return new Page(page.hpa(gpa) & -(1L << smaller), smaller);
    }

    /**
     * Whether the accessed and dirty bits that are due are set, or can be (VT-d 3.6.3). Nested, setting one is a write to the guest's
     * table, which the second level must allow; that walk is told only if it fails.
     */
    private boolean firstMarks(List<Visited> visited) {
        long extended = space.first().extendedAccessed() ? FirstLevelEntry.EXTENDED_ACCESSED : 0;
        for (Visited one : visited) {
            boolean dirties = access == Access.WRITE && one == visited.getLast();
            String missing =
                    missing(one.at.word(0), FirstLevelEntry.ACCESSED, extended, dirties ? FirstLevelEntry.DIRTY : 0);
            if (missing.isEmpty()) {
                continue;
            }
            if (!space.walkSnoop()) {
                return trail.refuse(FaultReason.FIRST_LEVEL_NO_SNOOP, one.at.structure() + ": " + missing + NO_SNOOP);
            }
            int told = trail.steps.size();
            String whose = missing + " in first-level " + one.level;
            if (space.nested() && secondLevel(one.address, Access.WRITE, Use.NESTED_TABLE, named(whose)) == null) {
                return false;
            }
            trail.steps.subList(told, trail.steps.size()).clear();
        }
        return true;
    }

    private static String named(String whose) {
        return "second-level entry (" + whose + ")";
    }
}
