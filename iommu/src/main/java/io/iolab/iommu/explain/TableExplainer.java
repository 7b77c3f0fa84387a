package io.iolab.iommu.explain;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Access;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.InterruptTable;
import io.iolab.iommu.explain.StructureSteps.Space;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.register.VtdRegisters;
import io.iolab.iommu.walk.RequestType;
import org.jspecify.annotations.Nullable;

/**
 * Walks the tables of a remapping unit as the unit would for a request that finds nothing in its caches, and tells each step. Accessed
 * and dirty bits are left alone; where the unit could not set one, that is told.
 *
 * <p>Threading: any thread.
 */
public final class TableExplainer {
    private static final String[] MODES = {"legacy", "scalable", "reserved", "abort"};

    /** GSTS.IRES. */
    private static final long REMAPPING = 1L << 25;

    private final Memory memory;
    private final Capabilities capabilities;

    /**
     * @param memory host memory, where the tables are
     * @param capabilities the unit's
     */
    public TableExplainer(Memory memory, Capabilities capabilities) {
        this.memory = memory;
        this.capabilities = capabilities;
    }

    /**
     * Explains a request by the tables that a unit's RTADDR register points to.
     *
     * @param registers the unit's window
     */
    public TableWalk explain(MmioHandler registers, WalkRequest request) {
        return explain(registers.read(VtdRegisters.RTADDR, 8), request);
    }

    /**
     * Explains a fault record, of a DMA or an interrupt request.
     *
     * @param registers the unit's window
     * @param type AT of the request, which the record does not tell software
     */
    public TableWalk fault(MmioHandler registers, FaultReport report, RequestType type) {
        FaultReason reason = report.reason();
        if (!report.ofInterrupt()) {
            TableWalk walk = explain(registers, WalkRequest.of(report, type));
            return reason == FaultReason.ACCESSED_DIRTY_FAILED ? overtaken(walk) : walk;
        }
        TableWalk walk = interrupt(registers, report.rid(), report.interruptIndex());
        String said = reason == null || walk.reason() == reason ? null : ofMessage(reason);
        if (reason == null || said == null) {
            return walk;
        }
        Trail trail = new Trail(memory, capabilities);
        trail.refuse(reason, said);
        return interruptWalk(trail, registers, report.rid(), report.interruptIndex());
    }

    /** A race that no table shows: software changed an entry between the unit's read and its update. */
    private static TableWalk overtaken(TableWalk walk) {
        return new TableWalk(
                walk.request(),
                walk.mode(),
                walk.rootHpa(),
                walk.steps(),
                FaultReason.ACCESSED_DIRTY_FAILED,
                "an entry was changed after the unit had read it and before its accessed or dirty bit was set;"
                        + " the tables as they are now: " + walk.decision(),
                -1,
                0);
    }

    /** What is wrong with a message itself, of which a record keeps no more than the index; null if its entry is at fault. */
    private static @Nullable String ofMessage(FaultReason reason) {
        return switch (reason) {
            case MESSAGE_RESERVED -> "a reserved bit of the message is set: data 31:16, or address 63:32";
            case INDEX_BEYOND_TABLE -> "handle and subhandle together exceed 65535, which is beyond any table";
            case COMPATIBILITY_BLOCKED ->
                "bit 4 of the message's address is 0, and GSTS.CFIS is 0 or the table in extended mode";
            case MESSAGE_WITH_PASID -> "the write to the interrupt range carries a PASID";
            default -> null;
        };
    }

    /**
     * Explains an interrupt request of the remappable format.
     *
     * @param registers the unit's window
     * @param rid the source, 16 bits
     * @param index of the interrupt-remapping entry that it names, not negative
     */
    public TableWalk interrupt(MmioHandler registers, int rid, int index) {
        Trail trail = new Trail(memory, capabilities);
        if ((registers.read(VtdRegisters.GSTS, 4) & REMAPPING) == 0) {
            trail.decision = "interrupt remapping is off (GSTS.IRES = 0): the message passes as it is";
        } else {
            new InterruptSteps(trail, rid).walk(registers.read(VtdRegisters.IRTA, 8), index);
        }
        return interruptWalk(trail, registers, rid, index);
    }

    private static TableWalk interruptWalk(Trail trail, MmioHandler registers, int rid, int index) {
        return new TableWalk(
                new WalkRequest(rid, InterruptTable.messageAddress(index), Access.WRITE),
                "interrupt",
                registers.read(VtdRegisters.IRTA, 8) & ~0xFFFL,
                trail.steps,
                trail.reason,
                trail.decision,
                -1,
                0);
    }

    /** @param rtaddr root table address 63:12, translation table mode 11:10 */
    public TableWalk explain(long rtaddr, WalkRequest request) {
        Trail trail = new Trail(memory, capabilities);
        int mode = (int) (rtaddr >>> 10) & 3;
        long rootHpa = rtaddr & ~0xFFFL;
        if (MessagePort.claims(request.iova())
                && request.type() != RequestType.TRANSLATION_REQUEST
                && !request.pageRequest()) {
            interruptRange(trail, request, mode == 1);
        } else if (mode == 3 && capabilities.abortDma()) {
            trail.refuse(FaultReason.DMA_ABORTED, "RTADDR.TTM = 11b: every request is blocked");
        } else if (mode >= 2 || mode == 1 && !capabilities.scalableMode()) {
            trail.refuse(FaultReason.TABLE_MODE_INVALID, "RTADDR.TTM names a mode that the unit does not offer");
        } else {
            StructureSteps structures = new StructureSteps(trail, request);
            Space space = mode == 1 ? structures.scalable(rootHpa) : structures.legacy(rootHpa);
            addressed(trail, space, request);
        }
        return new TableWalk(
                request, MODES[mode], rootHpa, trail.steps, trail.reason, trail.decision, trail.hpa, trail.pageShift);
    }

    private static void interruptRange(Trail trail, WalkRequest request, boolean scalable) {
        if (request.type() == RequestType.TRANSLATED) {
            trail.refuse(
                    scalable ? FaultReason.SCALABLE_INTERRUPT_RANGE : FaultReason.INTERRUPT_RANGE,
                    "a translated request to the interrupt range");
        } else if (request.pasid() != FaultReport.NO_PASID) {
            trail.refuse(
                    scalable ? FaultReason.SCALABLE_INTERRUPT_RANGE : FaultReason.PASID_IN_LEGACY_MODE,
                    "a request with PASID to the interrupt range");
        } else if (request.access() == Access.READ) {
            trail.refuse(
                    scalable ? FaultReason.SCALABLE_INTERRUPT_RANGE : FaultReason.INTERRUPT_RANGE,
                    "a read of the interrupt range");
        } else {
            trail.decision = "a write to the interrupt range is an interrupt request: no page table is walked";
        }
    }

    private void addressed(Trail trail, @Nullable Space space, WalkRequest request) {
        if (space == null) {
            return;
        }
        long iova = request.iova();
        if (request.pageRequest()) {
            trail.decision = "the page request is taken";
            return;
        }
        if (request.type() == RequestType.TRANSLATED) {
            trail.hpa = iova;
            trail.decision = "the device says that the address is translated, and is believed";
            return;
        }
        int width = capabilities.guestAddressWidth();
        if (space.kind() == Space.Kind.SECOND_LEVEL) {
            width = Math.min(width, 12 + 9 * space.secondLevels());
        }
        if (!space.hasFirstLevel() && iova >>> width != 0) {
            trail.refuse(
                    space.scalable() ? FaultReason.SECOND_LEVEL_BEYOND_WIDTH : FaultReason.ADDRESS_BEYOND_WIDTH,
                    "the address has more than " + width + " bits");
        } else if (space.kind() == Space.Kind.PASS_THROUGH) {
            trail.hpa = iova;
            trail.decision = "passes through as it is";
        } else {
            new PageSteps(trail, space, request.access()).walk(iova);
        }
    }
}
