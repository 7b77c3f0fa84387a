package io.iolab.iommu.driver;

import io.iolab.devices.bus.CpuPort;

/**
 * The unit's registers as this driver knows them, transcribed from VT-d chapter 10 and from nowhere else in the lab. Reads CAP and
 * ECAP once.
 */
final class UnitRegisters {
    static final int VER = 0x00;
    static final int CAP = 0x08;
    static final int ECAP = 0x10;
    static final int GCMD = 0x18;
    static final int GSTS = 0x1C;
    static final int RTADDR = 0x20;
    static final int CCMD = 0x28;
    static final int FSTS = 0x34;
    static final int FECTL = 0x38;
    static final int FEDATA = 0x3C;
    static final int FEADDR = 0x40;
    static final int FEUADDR = 0x44;
    static final int IQH = 0x80;
    static final int IQT = 0x88;
    static final int IQA = 0x90;

    static final int IRTA = 0xB8;

    static final int PQH = 0xC0;
    static final int PQT = 0xC8;
    static final int PQA = 0xD0;
    static final int PRS = 0xDC;
    static final int PECTL = 0xE0;
    static final int PEDATA = 0xE4;
    static final int PEADDR = 0xE8;
    static final int PEUADDR = 0xEC;

    static final int TRANSLATION = 1 << 31;
    static final int ROOT_POINTER = 1 << 30;
    static final int WRITE_BUFFER = 1 << 27;
    static final int QUEUE = 1 << 26;
    static final int INTERRUPT_REMAPPING = 1 << 25;
    static final int INTERRUPT_TABLE = 1 << 24;
    static final int COMPATIBILITY_FORMAT = 1 << 23;

    /** GSTS without the bits whose commands are one-shot, so that writing it back commands nothing. */
    private static final int STEADY = 0x96FF_FFFF;

    /** Polls before the unit is declared dead; a real driver waits ten seconds. */
    private static final int POLLS = 1_000_000;

    private final CpuPort cpu;
    private final long base;
    private final long cap;
    private final long ecap;

    /** @throws IllegalStateException if no remapping unit answers there */
    UnitRegisters(CpuPort cpu, long base) {
        this.cpu = cpu;
        this.base = base;
        int version = load32(VER);
        if ((version >>> 4 & 0xF) == 0 || version == -1) {
            throw new IllegalStateException("no remapping unit at 0x" + Long.toHexString(base));
        }
        cap = load64(CAP);
        ecap = load64(ECAP);
    }

    int load32(int offset) {
        return cpu.load32(base + offset);
    }

    void store32(int offset, int value) {
        cpu.store32(base + offset, value);
    }

    long load64(int offset) {
        return cpu.load(base + offset, 8);
    }

    void store64(int offset, long value) {
        cpu.store(base + offset, 8, value);
    }

    /** Sets or clears one bit of the global command and waits until the status follows. */
    void command(int bit, boolean on) {
        int steady = load32(GSTS) & STEADY;
        store32(GCMD, on ? steady | bit : steady & ~bit);
        // WBFS is 1 while flushing; every other status bit mirrors its command.
        boolean target = on && bit != WRITE_BUFFER;
        await(GSTS, bit, target ? bit : 0);
    }

    /** Clears a bit of the global command that somebody may have left on. */
    void stop(int bit) {
        if (status(bit)) {
            command(bit, false);
        }
    }

    boolean status(int bit) {
        return (load32(GSTS) & bit) != 0;
    }

    void await(int offset, int mask, int wanted) {
        for (int poll = 0; poll < POLLS; poll++) {
            if ((load32(offset) & mask) == wanted) {
                return;
            }
            Thread.onSpinWait();
        }
        throw new IllegalStateException("remapping unit does not answer: register 0x" + Integer.toHexString(offset));
    }

    int domainIds() {
        return 1 << 4 + 2 * (int) (cap & 7);
    }

    boolean needsWriteBufferFlush() {
        return (cap & 1 << 4) != 0;
    }

    boolean cachingMode() {
        return (cap & 1 << 7) != 0;
    }

    /** The deepest table that SAGAW offers, as AW code: 3 for 5 levels, 2 for 4, 1 for 3. */
    int addressWidthCode() {
        for (int code = 3; code >= 1; code--) {
            if ((cap >>> 8 + code & 1) != 0) {
                return code;
            }
        }
        throw new IllegalStateException("remapping unit offers no table depth that this driver knows");
    }

    /** MGAW + 1. */
    int guestAddressWidth() {
        return (int) (cap >>> 16 & 0x3F) + 1;
    }

    /** The highest level at which a leaf may sit: 3 with 1 GiB pages, 2 with 2 MiB, else 1. */
    boolean leafAllowed(int level) {
        return switch (level) {
            case 1 -> true;
            case 2 -> (cap >>> 34 & 1) != 0;
            case 3 -> (cap >>> 35 & 1) != 0;
            default -> false;
        };
    }

    /** The same for first-level tables: 2 MiB pages always, 1 GiB ones with FL1GP. */
    boolean firstLevelLeafAllowed(int level) {
        return level <= 2 || level == 3 && (cap >>> 56 & 1) != 0;
    }

    /** The largest address mask of a page-selective invalidation, or -1 where there is none. */
    int maximumAddressMask() {
        return (cap >>> 39 & 1) != 0 ? (int) (cap >>> 48 & 0x3F) : -1;
    }

    /** First fault recording register. */
    int faultRecordOffset() {
        return (int) (cap >>> 24 & 0x3FF) * 16;
    }

    int faultRecords() {
        return (int) (cap >>> 40 & 0xFF) + 1;
    }

    boolean queuedInvalidation() {
        return (ecap & 2) != 0;
    }

    /** Whether this driver can work in the mode: SMTS, which needs a queue, and SLTS or FLTS. */
    boolean offers(TableMode mode) {
        return switch (mode) {
            case LEGACY -> true;
            case SCALABLE_SECOND_LEVEL -> queuedInvalidation() && (ecap >>> 43 & 1) != 0 && (ecap >>> 46 & 1) != 0;
            case SCALABLE_FIRST_LEVEL -> queuedInvalidation() && (ecap >>> 43 & 1) != 0 && (ecap >>> 47 & 1) != 0;
        };
    }

    /** SLADS, with walks that snoop by themselves (SMPWCS), as the update of a bit needs. */
    boolean secondLevelDirty() {
        return (ecap >>> 45 & 1) != 0 && (ecap >>> 48 & 1) != 0;
    }

    boolean deviceTlb() {
        return (ecap & 1 << 2) != 0;
    }

    /** NEST. */
    boolean nested() {
        return (ecap >>> 26 & 1) != 0;
    }

    /** PASID: requests may carry one. */
    boolean pasids() {
        return (ecap >>> 40 & 1) != 0;
    }

    /** Whether setting the root pointer empties the caches by itself (ESRTPS). */
    boolean setRootFlushes() {
        return cap >>> 63 != 0;
    }

    boolean pageRequests() {
        return (ecap & 1 << 29) != 0;
    }

    /** RPS: context entries say which PASID requests without one have. */
    boolean requesterPasid() {
        return (ecap >>> 49 & 1) != 0;
    }

    boolean interruptRemapping() {
        return (ecap & 1 << 3) != 0;
    }

    /** Whether interrupt destinations can have 32 bits. */
    boolean extendedInterruptMode() {
        return (ecap & 1 << 4) != 0;
    }

    boolean postedInterrupts() {
        return (cap >>> 59 & 1) != 0;
    }

    /** Whether setting the interrupt table empties its cache by itself (ESIRTPS). */
    boolean setInterruptTableFlushes() {
        return (cap >>> 62 & 1) != 0;
    }

    boolean passThrough() {
        return (ecap & 1 << 6) != 0;
    }

    /** IVA; IOTLB follows 8 bytes on. */
    int invalidateAddressOffset() {
        return (int) (ecap >>> 8 & 0x3FF) * 16;
    }
}
