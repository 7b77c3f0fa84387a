package io.iolab.vmm.viommu;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Access;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableExplainer;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.invalidate.InvalidationKind;
import io.iolab.iommu.register.VtdRegisters;
import io.iolab.iommu.walk.RequestType;

/**
 * The unit that a guest sees: registers and invalidation queue are those of {@link RemappingUnit} over guest memory; what it invalidates
 * is passed on before it reports that as done. The guest's own emulated devices may sit behind it too ({@link #unit}).
 *
 * <p>Every access is meant to be trapped by whoever puts this window into a guest.
 */
public final class VirtualUnit implements MmioHandler {
    private static final int TRANSLATION = 1 << 31;
    private static final int ROOT_POINTER = 1 << 30;
    private static final int QUEUE = 1 << 26;
    private static final int WIDE = 1 << 11;
    private static final int BYTES = 16;

    private static final int CONTEXT = 1;
    private static final int IOTLB = 2;
    private static final int PASID_IOTLB = 6;
    private static final int PASID_CACHE = 7;
    private static final int DOMAIN = 2;
    private static final int PAGES = 3;
    private static final int ONE_PASID = 1;
    private static final String FAULTS_DISABLED = "FPD";

    private final Memory guest;
    private final RemappingUnit unit;
    private final MmioHandler registers;
    private final GuestTranslation translation;
    private final TableExplainer explainer;
    private long rootPointer;
    /** IVA, which the register does not give back. */
    private long address;

    /**
     * @param guest memory by guest physical address
     * @param messages takes the unit's events
     */
    public VirtualUnit(RemappingOptions options, Memory guest, MessagePort messages, GuestTranslation translation) {
        this.guest = guest;
        this.translation = translation;
        unit = new RemappingUnit(options, guest, messages);
        registers = unit.registers();
        explainer = new TableExplainer(guest, options.capabilities());
    }

    /** The model behind the window, for emulated devices of the guest and for its counters. */
    public RemappingUnit unit() {
        return unit;
    }

    /** Invalidations that the guest has had carried out, of every kind but waits. */
    public long invalidations() {
        long sum = 0;
        for (InvalidationKind kind : InvalidationKind.values()) {
            sum += kind == InvalidationKind.WAIT ? 0 : unit.counters().invalidations(kind);
        }
        return sum;
    }

    /** The name of the register at an offset, for exit statistics. */
    public String registerName(long offset) {
        return unit.registerMap().nameAt(offset);
    }

    /**
     * Takes a fault of the physical unit. If the guest's own tables are why the request was blocked, the guest finds it in its fault
     * records, by its own names of requester and reason, and hears its fault event (VT-d 7.2, 7.3), unless its entries say FPD. The record
     * does not know whether the request asked to execute, or with which privilege.
     *
     * @return whether it was the guest's; if not it stays with the host
     */
    public boolean fault(FaultReport report) {
        int guestRid = translation.guestRequester(report.rid());
        if (guestRid == GuestTranslation.NOBODY || report.ofInterrupt() || (status() & TRANSLATION) == 0) {
            return false;
        }
        WalkRequest request =
                new WalkRequest(guestRid, report.pasid(), report.iovaPage(), report.access(), RequestType.UNTRANSLATED);
        TableWalk walk = explainer.explain(rootPointer, request);
        FaultReason reason = translation.reason(report, walk);
        if (reason == null) {
            return false;
        }
        boolean faultsDisabled = walk.steps().stream()
                .flatMap(step -> step.fields().stream())
                .anyMatch(field -> field.name().equals(FAULTS_DISABLED) && field.value() != 0);
        unit.refusedElsewhere(
                reason, faultsDisabled, guestRid, report.pasid(), report.iovaPage(), report.access() == Access.READ);
        return true;
    }

    @Override
    public long read(long offset, int width) {
        return registers.read(offset, width);
    }

    /** The translation follows first: when the write is carried out the guest may learn that its invalidation is complete. */
    @Override
    public void write(long offset, int width, long value) {
        int before = status();
        if ((before & QUEUE) != 0) {
            if (offset == VtdRegisters.IQT) {
                foresee(value);
            } else if (offset == VtdRegisters.FSTS) {
                // Clearing the queue's error lets it go on.
                foresee(registers.read(VtdRegisters.IQT, 8));
            }
        }
        registers.write(offset, width, value);
        noteAddress(offset, width, value);
        if (offset == VtdRegisters.GCMD) {
            followCommand(before, (int) value);
        } else if (offset + width == VtdRegisters.CCMD + 8) {
            translation.contexts();
        } else if (offset + width == VtdRegisters.IOTLB + 8) {
            followRegister();
        }
    }

    private void noteAddress(long offset, int width, long value) {
        if (offset == VtdRegisters.IVA) {
            address = width == 8 ? value : address & 0xFFFF_FFFF_0000_0000L | value & 0xFFFF_FFFFL;
        } else if (offset == VtdRegisters.IVA + 4) {
            address = address & 0xFFFF_FFFFL | value << 32;
        }
    }

    private int status() {
        return (int) registers.read(VtdRegisters.GSTS, 4);
    }

    private void followCommand(int before, int command) {
        int after = status();
        if ((command & ROOT_POINTER) != 0) {
            rootPointer = registers.read(VtdRegisters.RTADDR, 8);
        }
        boolean switched = ((before ^ after) & TRANSLATION) != 0;
        if (switched || (command & ROOT_POINTER) != 0 && (after & TRANSLATION) != 0) {
            translation.tables(rootPointer, (after & TRANSLATION) != 0);
        }
        if ((~before & after & QUEUE) != 0) {
            // Whatever was in the queue when it was enabled has been carried out.
            translation.contexts();
            translation.pages(GuestTranslation.ALL_DOMAINS, 0, Long.MAX_VALUE);
        }
    }

    /** VT-d 10.4.8: what granularity was asked for is not worth telling apart on this slow way, but for pages. */
    private void followRegister() {
        long command = registers.read(VtdRegisters.IOTLB, 8);
        int domain = (int) (command >>> 32) & 0xFFFF;
        int granularity = (int) (command >>> 60) & 3;
        if (granularity == PAGES) {
            pages(domain, address);
        } else {
            translation.pages(granularity == DOMAIN ? domain : GuestTranslation.ALL_DOMAINS, 0, Long.MAX_VALUE);
        }
    }

    private void pages(int domain, long high) {
        int mask = (int) Math.min(high & 0x3F, 50);
        long first = high & -1L << 12 + mask;
        if (first >= 0) {
            translation.pages(domain, first, first + (1L << 12 + mask) - 1);
        }
    }

    /** Acts on every descriptor up to the tail; where the unit will stop at an error, what comes behind is done all the same. */
    private void foresee(long newTail) {
        long queue = registers.read(VtdRegisters.IQA, 8);
        int step = (queue & WIDE) != 0 ? 2 * BYTES : BYTES;
        int bytes = 4096 << (int) (queue & 7);
        int head = (int) registers.read(VtdRegisters.IQH, 8);
        int tail = (int) newTail & VtdRegisters.QUEUE_OFFSET;
        for (int left = bytes / step; left > 0 && head != tail && head < bytes; left--) {
            long gpa = (queue & ~0xFFFL) + head;
            if (guest.contains(gpa, step)) {
                act(guest.readLong(gpa), guest.readLong(gpa + 8));
            }
            head = head + step & bytes - 1;
        }
    }

    private void act(long low, long high) {
        int domain = (int) (low >>> 16) & 0xFFFF;
        int granularity = (int) (low >>> 4) & 3;
        switch ((int) low & 0xF) {
            case CONTEXT -> translation.contexts();
            case PASID_CACHE -> {
                if (granularity == ONE_PASID) {
                    translation.pasid(domain, (int) (low >>> 32) & 0xF_FFFF);
                } else {
                    translation.contexts();
                }
            }
            case IOTLB -> {
                if (granularity == PAGES) {
                    pages(domain, high);
                } else {
                    translation.pages(granularity == DOMAIN ? domain : GuestTranslation.ALL_DOMAINS, 0, Long.MAX_VALUE);
                }
            }
            case PASID_IOTLB -> {
                int mask = granularity == PAGES ? (int) high & 0x3F : GuestTranslation.ALL_PAGES;
                int pasid = (int) (low >>> 32) & 0xF_FFFF;
                translation.firstLevelPages(domain, pasid, high & ~0xFFFL, mask, (high & 1 << 6) != 0);
            }
            default -> {
                // Device TLBs are the function's own; waits and interrupt entries are the unit's.
            }
        }
    }
}
