package io.iolab.iommu.walk;

import io.iolab.iommu.fault.FaultReason;

/** What a second-level walk is for, which decides how its faults are called (VT-d 7.1.3). */
enum SecondLevelUse {
    LEGACY(
            FaultReason.CONTEXT_INVALID,
            FaultReason.TABLE_UNREADABLE,
            FaultReason.READ_DENIED,
            FaultReason.WRITE_DENIED,
            FaultReason.PAGE_ENTRY_RESERVED),
    SCALABLE(FaultReason.SCALABLE_READ_DENIED, FaultReason.SCALABLE_WRITE_DENIED),
    /** The first table of a nested first-level walk. */
    NESTED_TOP(FaultReason.NESTED_TOP_NOT_READABLE, FaultReason.NESTED_TABLE_NOT_WRITABLE),
    /** A table of a nested first-level walk, to read an entry or to update its accessed and dirty bits. */
    NESTED_TABLE(FaultReason.NESTED_TABLE_NOT_READABLE, FaultReason.NESTED_TABLE_NOT_WRITABLE),
    /** The page that a nested first-level walk has found. */
    NESTED_PAGE(FaultReason.NESTED_DENIED, FaultReason.NESTED_DENIED);

    final FaultReason topUnreadable;
    final FaultReason unreadable;
    final FaultReason readDenied;
    final FaultReason writeDenied;
    final FaultReason reserved;

    SecondLevelUse(FaultReason readDenied, FaultReason writeDenied) {
        this(
                FaultReason.SECOND_LEVEL_TOP_UNREADABLE,
                FaultReason.SECOND_LEVEL_UNREADABLE,
                readDenied,
                writeDenied,
                FaultReason.SECOND_LEVEL_RESERVED);
    }

    SecondLevelUse(
            FaultReason topUnreadable,
            FaultReason unreadable,
            FaultReason readDenied,
            FaultReason writeDenied,
            FaultReason reserved) {
        this.topUnreadable = topUnreadable;
        this.unreadable = unreadable;
        this.readDenied = readDenied;
        this.writeDenied = writeDenied;
        this.reserved = reserved;
    }
}
