package io.iolab.vmm.vcpu;

/**
 * A vCPU's local APIC in x2APIC mode, as KVM models it in the kernel: version 0x14, six local vector table entries, no
 * directed EOI (SDM volume 3, chapter "Advanced Programmable Interrupt Controller", sections "Handling Interrupts" and "Extended
 * XAPIC (x2APIC)").
 *
 * <pre>
 *   message, I/O APIC, IPI --accept--> IRR --acknowledge--> ISR --EOI--> level: EOI broadcast
 *                                       |  class above PPR   |
 *                                       +-- pendingVector    +--> PPR = max(TPR, class in service)
 * </pre>
 *
 * <p>It holds the timer's registers but no time: whoever keeps it raises {@link #LVT_TIMER} by {@link #raiseLocal}. Registers that
 * only a guest that is wrong would touch answer as the manual says: a #GP, or a bit in ESR.
 *
 * <p>Threading: its vCPU's thread only; others post through {@link PostedVectors}. No call allocates.
 */
public final class LocalApic {
    /** {@link #readMsr} of a register that cannot be read: the guest gets #GP(0). No register ever holds this value. */
    public static final long GENERAL_PROTECTION = -1;

    public static final int X2APIC_ID = 0x802;
    public static final int VERSION = 0x803;
    public static final int TPR = 0x808;
    public static final int PPR = 0x80A;
    public static final int EOI = 0x80B;
    public static final int LDR = 0x80D;
    public static final int SVR = 0x80F;
    public static final int ISR0 = 0x810;
    public static final int TMR0 = 0x818;
    public static final int IRR0 = 0x820;
    public static final int ESR = 0x828;
    public static final int ICR = 0x830;
    public static final int LVT_TIMER = 0x832;
    public static final int LVT_THERMAL = 0x833;
    public static final int LVT_PERFORMANCE = 0x834;
    public static final int LVT_LINT0 = 0x835;
    public static final int LVT_LINT1 = 0x836;
    public static final int LVT_ERROR = 0x837;
    public static final int INITIAL_COUNT = 0x838;
    public static final int CURRENT_COUNT = 0x839;
    public static final int DIVIDE = 0x83E;
    public static final int SELF_IPI = 0x83F;

    /** Vectors 0 to 15 are exceptions and cannot be sent. */
    private static final int FIRST_VECTOR = 16;

    /** Version 0x14; bits 23:16 the highest LVT entry; bit 24, directed EOI, is 0. */
    private static final long VERSION_VALUE = 0x5_0014;

    private static final int SVR_RESET = 0xFF;
    private static final int SVR_ENABLE = 1 << 8;
    /** Bit 12 is reserved where the version register does not announce directed EOI. */
    private static final int SVR_WRITABLE = 0x3FF;

    private static final int LVT_MASKED = 1 << 16;
    /** Of timer, thermal, performance, LINT0, LINT1 and error: what software writes. */
    private static final int[] LVT_WRITABLE = {0x6_00FF, 0x0_07FF, 0x0_07FF, 0x0_A7FF, 0x0_A7FF, 0x0_00FF};
    /** Of the same: read-only status bits, which a write leaves alone. */
    private static final int[] LVT_STATUS = {0x1000, 0x1000, 0x1000, 0x5000, 0x5000, 0x1000};

    private static final int ESR_SEND_ILLEGAL_VECTOR = 1 << 5;
    private static final int ESR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;

    private static final long ICR_RESERVED = 0xFFF3_2000L;
    /** Delivery status: there is none in x2APIC mode; KVM takes a 1 and stores a 0. */
    private static final long ICR_BUSY = 1 << 12;

    private static final int ICR_LOGICAL = 1 << 11;
    private static final int SHORTHAND_NONE = 0;
    private static final int SHORTHAND_SELF = 1;

    /** Hears of the end of level-triggered interrupts: the EOI broadcast to I/O APICs. */
    @FunctionalInterface
    public interface EoiListener {
        void endOfInterrupt(int vector);
    }

    /** Carries interprocessor interrupts that are not for the sender alone. */
    @FunctionalInterface
    public interface IpiPort {
        /** @param icr the 64 bits written: destination in 63:32, shorthand in 19:18 */
        void send(LocalApic sender, long icr);
    }

    private final int id;
    private final EoiListener eoiListener;
    private final IpiPort ipis;
    private final VectorSet irr = new VectorSet();
    private final VectorSet isr = new VectorSet();
    private final VectorSet tmr = new VectorSet();
    private final int[] lvt = new int[LVT_ERROR - LVT_TIMER + 1];
    private int tpr;
    private int ppr;
    private int svr;
    private int esr;
    /** Errors since ESR was last written. */
    private int errors;

    private long icr;
    private int initialCount;
    private int divide;

    private long accepted;
    private long coalesced;
    private long refused;
    private long eois;
    private long ignoredEois;
    private long spurious;

    /** @param id the x2APIC id, not all ones */
    public LocalApic(int id, EoiListener eoiListener, IpiPort ipis) {
        this.id = id;
        this.eoiListener = eoiListener;
        this.ipis = ipis;
        reset();
    }

    /** To the state after power-up, except that it is in x2APIC mode. Counters stay. */
    public void reset() {
        irr.clear();
        isr.clear();
        tmr.clear();
        java.util.Arrays.fill(lvt, LVT_MASKED);
        tpr = 0;
        ppr = 0;
        svr = SVR_RESET;
        esr = 0;
        errors = 0;
        icr = 0;
        initialCount = 0;
        divide = 0;
    }

    public int id() {
        return id;
    }

    /** The logical id of x2APIC mode: cluster in 31:16, one bit of 15:0. */
    public int logicalId() {
        return id >>> 4 << 16 | 1 << (id & 15);
    }

    /** Whether a message with this destination is for this processor. */
    public boolean matches(int destination, boolean logical) {
        if (destination == InterruptBus.BROADCAST) {
            return true;
        }
        return logical
                ? destination >>> 16 == logicalId() >>> 16 && (destination & logicalId() & 0xFFFF) != 0
                : destination == id;
    }

    /** Whether software has enabled it (SVR bit 8); until then it refuses fixed interrupts. */
    public boolean enabled() {
        return (svr & SVR_ENABLE) != 0;
    }

    /**
     * Takes a fixed interrupt.
     *
     * @param vector 0 to 255
     * @param level the trigger mode, kept in TMR: the EOI of a level-triggered vector is broadcast
     */
    public Acceptance accept(int vector, boolean level) {
        if (vector < FIRST_VECTOR) {
            refused++;
            recordError(ESR_RECEIVE_ILLEGAL_VECTOR);
            return Acceptance.REFUSED;
        }
        if (!enabled()) {
            refused++;
            return Acceptance.REFUSED;
        }
        if (level) {
            tmr.add(vector);
        } else {
            tmr.remove(vector);
        }
        if (irr.contains(vector)) {
            coalesced++;
            return Acceptance.COALESCED;
        }
        irr.add(vector);
        accepted++;
        return Acceptance.PENDING;
    }

    /** The vector that the processor could take now: the highest in IRR, if its class is above PPR's; otherwise -1. */
    public int pendingVector() {
        int vector = irr.highest();
        return vector >= 0 && vector >>> 4 > ppr >>> 4 ? vector : -1;
    }

    /** The highest vector in IRR whatever the priorities, or -1: for a TPR threshold. */
    public int highestRequested() {
        return irr.highest();
    }

    /** The vector being served: the one that the next EOI ends, or -1. */
    public int inService() {
        return isr.highest();
    }

    /** Whether the vector arrived level-triggered the last time, so that its EOI is broadcast. */
    public boolean levelTriggered(int vector) {
        return tmr.contains(vector);
    }

    /**
     * The processor takes the pending vector: IRR to ISR.
     *
     * @return the vector; the spurious vector, with nothing in service and no EOI due, if nothing can be taken any more
     */
    public int acknowledge() {
        int vector = pendingVector();
        if (vector < 0) {
            spurious++;
            return svr & 0xFF;
        }
        irr.remove(vector);
        isr.add(vector);
        updatePpr();
        return vector;
    }

    /**
     * Ends the interrupt in service with the highest priority, and tells the listener if it was level-triggered. The same as a
     * write of 0 to the EOI register, for paths on which the guest's EOI is no register write.
     *
     * @return the vector ended, or -1: nothing was in service and the EOI is ignored
     */
    public int endOfInterrupt() {
        int vector = isr.highest();
        if (vector < 0) {
            ignoredEois++;
            return -1;
        }
        eois++;
        isr.remove(vector);
        updatePpr();
        if (tmr.contains(vector)) {
            eoiListener.endOfInterrupt(vector);
        }
        return vector;
    }

    private void updatePpr() {
        int inService = isr.highest();
        ppr = inService < 0 || tpr >>> 4 >= inService >>> 4 ? tpr : inService & 0xF0;
    }

    /**
     * A local interrupt source fires: the timer, for one.
     *
     * @param lvtMsr one of the LVT registers
     * @return whether it became pending: its entry is unmasked and asks for a fixed interrupt
     */
    public boolean raiseLocal(int lvtMsr) {
        int entry = lvt[lvtMsr - LVT_TIMER];
        return (entry & LVT_MASKED) == 0
                && DeliveryMode.of(entry >>> 8) == DeliveryMode.FIXED
                && accept(entry & 0xFF, false).accepted();
    }

    /** An error in the error vector itself is recorded but raises nothing further. */
    private void recordError(int bit) {
        errors |= bit;
        int entry = lvt[LVT_ERROR - LVT_TIMER];
        if ((entry & LVT_MASKED) == 0 && (entry & 0xFF) >= FIRST_VECTOR) {
            accept(entry & 0xFF, false);
        }
    }

    /**
     * RDMSR of 0x800 to 0x8FF.
     *
     * @return the register, zero-extended, or {@link #GENERAL_PROTECTION}
     */
    public long readMsr(int msr) {
        if (msr >= ISR0 && msr < ESR) {
            VectorSet set = msr < TMR0 ? isr : msr < IRR0 ? tmr : irr;
            return set.register(msr & 7);
        }
        if (msr >= LVT_TIMER && msr <= LVT_ERROR) {
            return lvt[msr - LVT_TIMER];
        }
        return switch (msr) {
            case X2APIC_ID -> id & 0xFFFF_FFFFL;
            case VERSION -> VERSION_VALUE;
            case TPR -> tpr;
            case PPR -> ppr;
            case LDR -> logicalId() & 0xFFFF_FFFFL;
            case SVR -> svr;
            case ESR -> esr;
            case ICR -> icr;
            case INITIAL_COUNT -> initialCount & 0xFFFF_FFFFL;
            case CURRENT_COUNT -> 0;
            case DIVIDE -> divide;
            default -> GENERAL_PROTECTION;
        };
    }

    /**
     * WRMSR of 0x800 to 0x8FF.
     *
     * @return false for #GP(0): no such register, not writable, or a reserved bit set; nothing has changed then
     */
    public boolean writeMsr(int msr, long value) {
        if (msr == ICR) {
            return writeIcr(value);
        }
        if (value >>> 32 != 0) {
            return false;
        }
        if (msr >= LVT_TIMER && msr <= LVT_ERROR) {
            return writeLvt(msr - LVT_TIMER, (int) value);
        }
        return (value & ~writableMask(msr)) == 0 && store(msr, (int) value);
    }

    /** Bits that may be 1 in a write; for a register that only takes 0, or that does not exist, none. */
    private static long writableMask(int msr) {
        return switch (msr) {
            case TPR, SELF_IPI -> 0xFF;
            case SVR -> SVR_WRITABLE;
            case INITIAL_COUNT -> 0xFFFF_FFFFL;
            case DIVIDE -> 0xB;
            default -> 0;
        };
    }

    private boolean store(int msr, int value) {
        switch (msr) {
            case TPR -> {
                tpr = value;
                updatePpr();
            }
            case EOI -> endOfInterrupt();
            case SVR -> writeSvr(value);
            case ESR -> {
                esr = errors;
                errors = 0;
            }
            case INITIAL_COUNT -> initialCount = value;
            case DIVIDE -> divide = value;
            case SELF_IPI -> sendToSelf(value);
            default -> {
                return false;
            }
        }
        return true;
    }

    /** Disabling masks every local vector table entry; what is pending or in service stays. */
    private void writeSvr(int value) {
        svr = value;
        if (!enabled()) {
            for (int i = 0; i < lvt.length; i++) {
                lvt[i] |= LVT_MASKED;
            }
        }
    }

    private boolean writeLvt(int index, int value) {
        int writable = LVT_WRITABLE[index] | LVT_MASKED;
        if ((value & ~(writable | LVT_STATUS[index])) != 0) {
            return false;
        }
        lvt[index] = value & writable | (enabled() ? 0 : LVT_MASKED);
        return true;
    }

    private boolean writeIcr(long value) {
        if ((value & ICR_RESERVED) != 0) {
            return false;
        }
        icr = value & ~ICR_BUSY;
        DeliveryMode mode = DeliveryMode.of((int) icr >>> 8);
        int vector = (int) icr & 0xFF;
        if (mode == null || mode == DeliveryMode.EXTINT) {
            return true;
        }
        int shorthand = (int) icr >>> 18 & 3;
        boolean fixed = mode.usesVector();
        boolean here = shorthand == SHORTHAND_SELF
                || shorthand == SHORTHAND_NONE && (icr & ICR_LOGICAL) == 0 && (int) (icr >>> 32) == id;
        if (fixed && vector < FIRST_VECTOR) {
            recordError(ESR_SEND_ILLEGAL_VECTOR);
        } else if (here && fixed) {
            accept(vector, false);
        } else if (shorthand != SHORTHAND_SELF) {
            ipis.send(this, icr);
        }
        return true;
    }

    private void sendToSelf(int vector) {
        if (vector < FIRST_VECTOR) {
            recordError(ESR_SEND_ILLEGAL_VECTOR);
        } else {
            accept(vector, false);
        }
    }

    /** Interrupts that became pending. */
    public long accepted() {
        return accepted;
    }

    /** Interrupts that merged with one pending in IRR. */
    public long coalesced() {
        return coalesced;
    }

    /** Interrupts dropped: disabled, or an illegal vector. */
    public long refused() {
        return refused;
    }

    /** EOIs that ended an interrupt. */
    public long eois() {
        return eois;
    }

    /** EOIs with nothing in service. */
    public long ignoredEois() {
        return ignoredEois;
    }

    /** Acknowledgements that got the spurious vector. */
    public long spurious() {
        return spurious;
    }
}
