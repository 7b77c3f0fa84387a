package io.iolab.iommu.explain;

import io.iolab.devices.dma.RequesterId;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.Trail.Entry;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.table.ContextEntry;
import io.iolab.iommu.table.PasidDirectoryEntry;
import io.iolab.iommu.table.PasidEntry;
import io.iolab.iommu.table.RootEntry;
import io.iolab.iommu.table.ScalableContextEntry;
import io.iolab.iommu.table.ScalableRootEntry;
import io.iolab.iommu.walk.RequestType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** From the root pointer to what says how addresses are translated (VT-d 9.1 to 9.6). */
final class StructureSteps {
    private static final String[] TYPES = {
        "untranslated requests through the table", "the same, translated requests allowed", "pass-through", "reserved"
    };
    private static final String[] PASID_TYPES = {
        "reserved", "first-level", "second-level", "nested", "pass-through", "reserved", "reserved", "reserved"
    };

    private final Trail trail;
    private final WalkRequest request;

    StructureSteps(Trail trail, WalkRequest request) {
        this.trail = trail;
        this.request = request;
    }

    /**
     * What the walk through page tables starts from.
     *
     * @param accessedDirty whether second-level entries have accessed and dirty bits (SLADE)
     * @param walkSnoop whether such bits can be set, in either level
     * @param privileged supervisor privilege
     * @param execute whether the request asks to execute
     */
    record Space(
            Kind kind,
            boolean scalable,
            int secondLevels,
            long secondTable,
            FirstLevel first,
            boolean accessedDirty,
            boolean walkSnoop,
            boolean privileged,
            boolean execute) {
        static Space plain(Kind kind, boolean scalable, int secondLevels, long secondTable) {
            return new Space(kind, scalable, secondLevels, secondTable, FirstLevel.NONE, false, true, false, false);
        }

        /** Whether the address goes through first-level tables first. */
        boolean hasFirstLevel() {
            return kind == Kind.FIRST_LEVEL || kind == Kind.NESTED;
        }

        boolean nested() {
            return kind == Kind.NESTED;
        }

        enum Kind {
            PASS_THROUGH,
            SECOND_LEVEL,
            FIRST_LEVEL,
            NESTED
        }
    }

    /** What a PASID entry says of first-level tables. */
    record FirstLevel(
            int levels,
            long table,
            boolean writeProtect,
            boolean noExecute,
            boolean executePrevention,
            boolean extendedAccessed) {
        static final FirstLevel NONE = new FirstLevel(0, 0, false, false, false, false);
    }

    private boolean translationType() {
        return request.type() != RequestType.UNTRANSLATED || request.pageRequest();
    }

    /** @return null if the request is refused before any page table */
    @Nullable
    Space legacy(long rootHpa) {
        if (request.pageRequest()) {
            trail.refuse(FaultReason.PAGE_REQUEST_IN_LEGACY_MODE, "a page request, and RTADDR.TTM = 00b (legacy mode)");
            return null;
        }
        if (request.pasid() != FaultReport.NO_PASID) {
            trail.refuse(FaultReason.PASID_IN_LEGACY_MODE, "a request with PASID, and RTADDR.TTM = 00b (legacy mode)");
            return null;
        }
        int bus = RequesterId.bus(request.rid());
        Entry root =
                trail.read("root entry", rootHpa, bus, RootEntry.hpa(rootHpa, bus), 2, FaultReason.ROOT_UNREADABLE);
        if (root == null) {
            return null;
        }
        long table = RootEntry.contextTable(root.word(0), trail.capabilities);
        List<TableField> fields =
                List.of(TableField.flag("P", 0, root.word(0), "present"), TableField.address("CTP", 63, 12, table));
        boolean on = !RootEntry.present(root.word(0))
                ? trail.stop(root, fields, FaultReason.ROOT_NOT_PRESENT, "P (bit 0) is 0")
                : RootEntry.reservedSet(root.word(0), root.word(1), trail.capabilities)
                        ? trail.stop(root, fields, FaultReason.ROOT_RESERVED, "a reserved bit is set")
                        : trail.pass(root, fields, "context table at " + Trail.hex(table));
        return on ? context(table) : null;
    }

    private @Nullable Space context(long table) {
        int devfn = RequesterId.devfn(request.rid());
        Entry entry = trail.read(
                "context entry", table, devfn, ContextEntry.hpa(table, devfn), 2, FaultReason.CONTEXT_UNREADABLE);
        if (entry == null) {
            return null;
        }
        long low = entry.word(0);
        long high = entry.word(1);
        long pages = ContextEntry.pageTable(low, trail.capabilities);
        int type = ContextEntry.translationType(low);
        List<TableField> fields = List.of(
                TableField.flag("P", 0, low, "present"),
                TableField.flag("FPD", 1, low, "qualified faults are not recorded"),
                TableField.bits("TT", 3, 2, low, TYPES[type]),
                TableField.address("SLPTPTR", 63, 12, pages),
                TableField.bits("AW", 66, 64, high, ContextEntry.addressWidth(high) + " bits"),
                TableField.bits("DID", 87, 72, high, "domain " + ContextEntry.domain(high)));
        boolean on;
        if (!ContextEntry.present(low)) {
            on = trail.stop(entry, fields, FaultReason.CONTEXT_NOT_PRESENT, "P (bit 0) is 0");
        } else if (ContextEntry.reservedSet(low, high, trail.capabilities)) {
            on = trail.stop(entry, fields, FaultReason.CONTEXT_RESERVED, "a reserved bit is set");
        } else if (!ContextEntry.valid(low, high, trail.capabilities)) {
            on = trail.stop(entry, fields, FaultReason.CONTEXT_INVALID, "TT or AW is not offered by this unit");
        } else if (translationType() && type != ContextEntry.TYPE_DEVICE_TLB) {
            on = trail.stop(
                    entry,
                    fields,
                    FaultReason.REQUEST_TYPE_BLOCKED,
                    "TT (bits 3:2) is " + type + ", not 1: no translated requests and no translation requests");
        } else {
            on = trail.pass(entry, fields, leads(type == ContextEntry.TYPE_PASS_THROUGH, pages));
        }
        Space.Kind kind = type == ContextEntry.TYPE_PASS_THROUGH ? Space.Kind.PASS_THROUGH : Space.Kind.SECOND_LEVEL;
        return on ? Space.plain(kind, false, ContextEntry.levels(high), pages) : null;
    }

    private String leads(boolean passThrough, long table) {
        if (request.type() == RequestType.TRANSLATED) {
            return "translated requests are believed: the address is host physical";
        }
        return passThrough ? "the address passes through" : "page table at " + Trail.hex(table);
    }

    @Nullable
    Space scalable(long rootHpa) {
        int rid = request.rid();
        boolean upper = (rid >>> 7 & 1) != 0;
        Entry root = trail.read(
                upper ? "root entry, upper half" : "root entry, lower half",
                rootHpa,
                RequesterId.bus(rid),
                ScalableRootEntry.halfHpa(rootHpa, rid),
                1,
                FaultReason.SCALABLE_ROOT_UNREADABLE);
        if (root == null) {
            return null;
        }
        long half = root.word(0);
        int base = upper ? 64 : 0;
        long table = ScalableRootEntry.contextTable(half, trail.capabilities);
        List<TableField> fields = List.of(
                new TableField(upper ? "UP" : "LP", Integer.toString(base), half & 1, (half & 1) != 0 ? "present" : ""),
                TableField.address(upper ? "UCTP" : "LCTP", base + 63, base + 12, table));
        boolean on = !ScalableRootEntry.present(half)
                ? trail.stop(root, fields, FaultReason.SCALABLE_ROOT_NOT_PRESENT, "its present bit is 0")
                : ScalableRootEntry.reservedSet(half, trail.capabilities)
                        ? trail.stop(root, fields, FaultReason.SCALABLE_ROOT_RESERVED, "a reserved bit is set")
                        : trail.pass(root, fields, "context table at " + Trail.hex(table));
        return on ? scalableContext(table) : null;
    }

    private @Nullable Space scalableContext(long table) {
        Entry entry = trail.read(
                "context entry",
                table,
                request.rid() & 0x7F,
                ScalableContextEntry.hpa(table, request.rid()),
                4,
                FaultReason.SCALABLE_CONTEXT_UNREADABLE);
        if (entry == null) {
            return null;
        }
        long low = entry.word(0);
        long high = entry.word(1);
        long directory = ScalableContextEntry.directory(low, trail.capabilities);
        int pasid = request.pasid() != FaultReport.NO_PASID
                ? request.pasid()
                : ScalableContextEntry.requesterPasid(high, trail.capabilities);
        List<TableField> fields = List.of(
                TableField.flag("P", 0, low, "present"),
                TableField.flag("FPD", 1, low, "qualified faults are not recorded"),
                TableField.flag("DTE", 2, low, "translation services allowed"),
                TableField.flag("PASIDE", 3, low, "requests with PASID allowed"),
                TableField.flag("PRE", 4, low, "page requests allowed"),
                TableField.bits("PDTS", 11, 9, low, "PASIDs below " + ScalableContextEntry.pasidLimit(low)),
                TableField.address("PASIDDIRPTR", 63, 12, directory),
                TableField.bits("RID_PASID", 83, 64, high, "of requests without PASID"),
                TableField.flag("RID_PRIV", 84, high, "requests without PASID are privileged"));
        FaultReason why = contextReason(entry, pasid);
        boolean on = why != null
                ? trail.stop(entry, fields, why, contextVerdict(why))
                : trail.pass(entry, fields, leadsToDirectory(directory));
        boolean endsHere = request.type() == RequestType.TRANSLATED || request.pageRequest();
        if (!on || endsHere) {
            return on ? Space.plain(Space.Kind.PASS_THROUGH, true, 0, 0) : null;
        }
        boolean privileged = request.pasid() == FaultReport.NO_PASID
                ? ScalableContextEntry.requesterPrivilege(high)
                : request.privileged();
        return directory(directory, pasid, privileged);
    }

    private String leadsToDirectory(long directory) {
        if (request.pageRequest()) {
            return "page requests go to the page request queue";
        }
        return request.type() == RequestType.TRANSLATED
                ? leads(false, 0)
                : "PASID directory at " + Trail.hex(directory);
    }

    private @Nullable FaultReason contextReason(Entry entry, int pasid) {
        long low = entry.word(0);
        if (!ScalableContextEntry.present(low)) {
            return FaultReason.SCALABLE_CONTEXT_NOT_PRESENT;
        }
        if (ScalableContextEntry.reservedSet(low, entry.word(1), trail.capabilities)
                || (entry.word(2) | entry.word(3)) != 0) {
            return FaultReason.SCALABLE_CONTEXT_RESERVED;
        }
        if (!ScalableContextEntry.valid(low)) {
            return FaultReason.SCALABLE_CONTEXT_INVALID;
        }
        if (translationType() && !ScalableContextEntry.deviceTlb(low)) {
            return FaultReason.DEVICE_TLB_DISABLED;
        }
        boolean beyond = pasid >= ScalableContextEntry.pasidLimit(low);
        if (request.pasid() == FaultReport.NO_PASID) {
            return beyond && request.type() != RequestType.TRANSLATED
                    ? FaultReason.REQUESTER_PASID_BEYOND_DIRECTORY
                    : pageRequestReason(low);
        }
        if (!ScalableContextEntry.pasidEnabled(low)) {
            return FaultReason.PASID_DISABLED;
        }
        return beyond || pasid >>> trail.capabilities.pasidBits() != 0
                ? FaultReason.PASID_BEYOND_DIRECTORY
                : pageRequestReason(low);
    }

    private @Nullable FaultReason pageRequestReason(long low) {
        return request.pageRequest() && !ScalableContextEntry.pageRequests(low)
                ? FaultReason.PAGE_REQUESTS_DISABLED
                : null;
    }

    private static String contextVerdict(FaultReason why) {
        return switch (why) {
            case SCALABLE_CONTEXT_NOT_PRESENT -> "P (bit 0) is 0";
            case SCALABLE_CONTEXT_INVALID -> "PRE (bit 4) without DTE (bit 2)";
            case DEVICE_TLB_DISABLED -> "DTE (bit 2) is 0: no translated requests and no translation requests";
            case PASID_DISABLED -> "PASIDE (bit 3) is 0";
            case PAGE_REQUESTS_DISABLED -> "PRE (bit 4) is 0: no page requests";
            case PASID_BEYOND_DIRECTORY, REQUESTER_PASID_BEYOND_DIRECTORY -> "PDTS (bits 11:9) ends before this PASID";
            default -> "a reserved bit is set";
        };
    }

    private @Nullable Space directory(long directory, int pasid, boolean privileged) {
        Entry entry = trail.read(
                "PASID directory entry",
                directory,
                pasid >>> 6,
                PasidDirectoryEntry.hpa(directory, pasid),
                1,
                FaultReason.PASID_DIRECTORY_UNREADABLE);
        if (entry == null) {
            return null;
        }
        long word = entry.word(0);
        long table = PasidDirectoryEntry.table(word, trail.capabilities);
        List<TableField> fields = List.of(
                TableField.flag("P", 0, word, "present"),
                TableField.flag("FPD", 1, word, "qualified faults are not recorded"),
                TableField.address("SMPTBLPTR", 63, 12, table));
        boolean on = !PasidDirectoryEntry.present(word)
                ? trail.stop(entry, fields, FaultReason.PASID_DIRECTORY_NOT_PRESENT, "P (bit 0) is 0")
                : PasidDirectoryEntry.reservedSet(word, trail.capabilities)
                        ? trail.stop(entry, fields, FaultReason.PASID_DIRECTORY_RESERVED, "a reserved bit is set")
                        : trail.pass(entry, fields, "PASID table at " + Trail.hex(table));
        return on ? pasidEntry(table, pasid, privileged) : null;
    }

    private static List<TableField> pasidFields(Entry entry, Trail trail) {
        long word0 = entry.word(0);
        long word1 = entry.word(1);
        long word2 = entry.word(2);
        return List.of(
                TableField.flag("P", 0, word0, "present"),
                TableField.flag("FPD", 1, word0, "qualified faults are not recorded"),
                TableField.bits("AW", 4, 2, word0, 30 + 9 * PasidEntry.addressWidthCode(word0) + " bits"),
                TableField.bits("PGTT", 8, 6, word0, PASID_TYPES[PasidEntry.type(word0)]),
                TableField.flag("SLADE", 9, word0, "second-level accessed and dirty bits"),
                TableField.address("SLPTPTR", 63, 12, PasidEntry.secondLevelTable(word0, trail.capabilities)),
                TableField.bits("DID", 79, 64, word1, "domain " + PasidEntry.domain(word1)),
                TableField.flag("PWSNP", 87, word1, "walks snoop"),
                TableField.flag("SRE", 128, word2, "supervisor requests allowed"),
                TableField.flag("ERE", 129, word2, "execute requests allowed"),
                TableField.bits("FLPM", 131, 130, word2, PasidEntry.firstLevels(word2) + " levels"),
                TableField.flag("WPE", 132, word2, "supervisor writes obey R/W"),
                TableField.flag("NXE", 133, word2, "execute-disable bits count"),
                TableField.flag("SMEP", 134, word2, "supervisor does not execute user pages"),
                TableField.flag("EAFE", 135, word2, "extended accessed bits"),
                TableField.address("FLPTPTR", 191, 140, PasidEntry.firstLevelTable(word2)));
    }

    private @Nullable Space pasidEntry(long table, int pasid, boolean privileged) {
        Entry entry = trail.read(
                "PASID entry",
                table,
                pasid & 0x3F,
                PasidEntry.hpa(table, pasid),
                PasidEntry.WORDS,
                FaultReason.PASID_ENTRY_UNREADABLE);
        if (entry == null) {
            return null;
        }
        long word0 = entry.word(0);
        long word2 = entry.word(2);
        List<TableField> fields = pasidFields(entry, trail);
        long upper = entry.words().stream().skip(3).reduce(0L, (a, b) -> a | b);
        boolean on;
        if (!PasidEntry.present(word0)) {
            on = trail.stop(entry, fields, FaultReason.PASID_ENTRY_NOT_PRESENT, "P (bit 0) is 0");
        } else if (upper != 0 || PasidEntry.reservedSet(word0, entry.word(1), word2, trail.capabilities)) {
            on = trail.stop(entry, fields, FaultReason.PASID_ENTRY_RESERVED, "a reserved bit is set");
        } else if (!PasidEntry.valid(word0, word2, trail.capabilities)) {
            on = trail.stop(
                    entry, fields, FaultReason.PASID_ENTRY_INVALID, "PGTT, AW or FLPM is not offered by this unit");
        } else if (executes() && !PasidEntry.executeRequests(word2)) {
            on = trail.stop(entry, fields, FaultReason.EXECUTE_REQUESTS_DISABLED, "ERE (bit 129) is 0");
        } else if (privileged && !PasidEntry.supervisorRequests(word2)) {
            on = trail.stop(entry, fields, FaultReason.SUPERVISOR_REQUESTS_DISABLED, "SRE (bit 128) is 0");
        } else {
            on = trail.pass(entry, fields, PASID_TYPES[PasidEntry.type(word0)] + " translation");
        }
        return on ? space(word0, entry.word(1), word2, privileged) : null;
    }

    private boolean executes() {
        return request.pasid() != FaultReport.NO_PASID && request.execute();
    }

    private Space space(long word0, long word1, long word2, boolean privileged) {
        Space.Kind kind = switch (PasidEntry.type(word0)) {
            case PasidEntry.TYPE_FIRST_LEVEL -> Space.Kind.FIRST_LEVEL;
            case PasidEntry.TYPE_SECOND_LEVEL -> Space.Kind.SECOND_LEVEL;
            case PasidEntry.TYPE_NESTED -> Space.Kind.NESTED;
            default -> Space.Kind.PASS_THROUGH;
        };
        return new Space(
                kind,
                true,
                PasidEntry.addressWidthCode(word0) + 2,
                PasidEntry.secondLevelTable(word0, trail.capabilities),
                new FirstLevel(
                        PasidEntry.firstLevels(word2),
                        PasidEntry.firstLevelTable(word2),
                        PasidEntry.writeProtect(word2),
                        PasidEntry.noExecute(word2),
                        PasidEntry.supervisorExecutePrevention(word2),
                        PasidEntry.extendedAccessed(word2)),
                PasidEntry.secondLevelAccessedDirty(word0),
                trail.capabilities.scalableCoherentWalks() || PasidEntry.pageWalkSnoop(word1),
                privileged,
                executes());
    }
}
