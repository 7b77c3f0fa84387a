package io.iolab.iommu.driver;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Memory;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Host software for one remapping unit: brings it up, gives requesters their address spaces, reads its faults. It acts by loads and
 * stores to the unit's registers and by host memory alone.
 *
 * <p>Methods throw {@link IllegalStateException} when the unit does not answer as its specification says, or when the caller's
 * request does not fit the present state; they throw before anything has changed.
 *
 * <p>Threading: one thread at a time, domains included; devices may run meanwhile.
 */
public final class IommuDriver {
    /** Every page, as a mask of a device TLB invalidation. */
    private static final int ALL_PAGES = 52;

    private final UnitRegisters unit;
    private final Memory memory;
    private final FrameSource frames;
    private final FaultLog faultLog;
    private final Invalidator invalidator;
    private final @Nullable QueueInvalidator queue;
    private final ContextTables contexts;
    private final BitSet domainIds = new BitSet();
    private final Map<Integer, Domain> attachments = new HashMap<>();
    /** Requesters that may use translation services. */
    private final Set<Integer> deviceTlbs = new TreeSet<>();

    private long deviceTimeOuts;

    /**
     * Reads what the unit offers; changes nothing.
     *
     * @param cpu the host processor's way to devices
     * @param registerBase physical address of the register window
     * @param hostMemory host memory by physical address
     * @param frames where tables and queues come from
     * @throws IllegalStateException if no usable unit answers at {@code registerBase}
     */
    public IommuDriver(CpuPort cpu, long registerBase, Memory hostMemory, FrameSource frames) {
        this.unit = new UnitRegisters(cpu, registerBase);
        this.memory = hostMemory;
        this.frames = frames;
        this.faultLog = new FaultLog(unit);
        this.contexts = new ContextTables(hostMemory, frames);
        if (unit.queuedInvalidation()) {
            queue = new QueueInvalidator(unit, hostMemory, frames.allocatePage(), frames.allocatePage());
            invalidator = queue;
        } else {
            queue = null;
            invalidator = new RegisterInvalidator(unit);
        }
        // With caching mode the unit tags what it does not find with domain 0, so nobody may own that id.
        domainIds.set(0);
    }

    /** Bits in the largest address that a domain can translate. */
    public int addressWidth() {
        return Math.min(unit.guestAddressWidth(), 30 + 9 * unit.addressWidthCode());
    }

    /** Whether {@link #createPassThroughDomain} works. */
    public boolean supportsPassThrough() {
        return unit.passThrough();
    }

    /** Whether invalidations go through a queue. */
    public boolean usesQueuedInvalidation() {
        return queue != null;
    }

    /** Whether the unit caches absent entries, so that mapping costs an invalidation too (CAP.CM). */
    public boolean cachingMode() {
        return unit.cachingMode();
    }

    /** Whether translation is on, as the unit says. */
    public boolean isEnabled() {
        return unit.status(UnitRegisters.TRANSLATION);
    }

    /**
     * Takes the unit over and turns translation on: whatever is not attached is blocked from here on. A unit that somebody left
     * running is stopped first.
     */
    public void enable() {
        flushWriteBuffer();
        if (unit.status(UnitRegisters.TRANSLATION)) {
            unit.command(UnitRegisters.TRANSLATION, false);
        }
        if (unit.status(UnitRegisters.QUEUE)) {
            unit.command(UnitRegisters.QUEUE, false);
        }
        faultLog.discard();
        if (queue != null) {
            queue.enable();
        }
        unit.store64(UnitRegisters.RTADDR, contexts.rootHpa());
        unit.command(UnitRegisters.ROOT_POINTER, true);
        // A new root pointer flushes nothing by itself; contexts first, or the IOTLB could be refilled from a stale
        // one.
        invalidator.contextGlobal();
        invalidator.iotlbGlobal();
        unit.command(UnitRegisters.TRANSLATION, true);
    }

    /**
     * Turns translation off: every requester addresses host memory directly. Interrupt remapping stays as it is, and the queue with
     * it.
     */
    public void disable() {
        unit.command(UnitRegisters.TRANSLATION, false);
        if (queue != null && !unit.status(UnitRegisters.INTERRUPT_REMAPPING)) {
            queue.disable();
        }
    }

    /** Whether {@link #enableInterruptRemapping} works. */
    public boolean supportsInterruptRemapping() {
        return unit.interruptRemapping() && queue != null;
    }

    /** Whether entries of the interrupt-remapping table can post. */
    public boolean supportsPostedInterrupts() {
        return supportsInterruptRemapping() && unit.postedInterrupts();
    }

    /** Whether interrupt destinations can have 32 bits. */
    public boolean supportsExtendedInterruptMode() {
        return unit.extendedInterruptMode();
    }

    /**
     * Turns interrupt remapping on with a new, empty table: from then on only interrupts that have an entry pass, and none of the
     * compatibility format.
     *
     * @param extended 32-bit destinations
     * @throws IllegalStateException if the unit does not offer that, or remapping is on already
     */
    public InterruptTable enableInterruptRemapping(boolean extended) {
        if (queue == null
                || !unit.interruptRemapping()
                || extended && !unit.extendedInterruptMode()
                || unit.status(UnitRegisters.INTERRUPT_REMAPPING)) {
            throw new IllegalStateException("interrupt remapping is on already, or not offered like this");
        }
        if (!unit.status(UnitRegisters.QUEUE)) {
            queue.enable();
        }
        long tableHpa = frames.allocatePage();
        unit.store64(UnitRegisters.IRTA, tableHpa | (extended ? 1 << 11 : 0) | InterruptTable.sizeField());
        unit.command(UnitRegisters.INTERRUPT_TABLE, true);
        if (!unit.setInterruptTableFlushes()) {
            invalidator.interruptGlobal();
        }
        unit.command(UnitRegisters.INTERRUPT_REMAPPING, true);
        if (unit.status(UnitRegisters.COMPATIBILITY_FORMAT)) {
            unit.command(UnitRegisters.COMPATIBILITY_FORMAT, false);
        }
        return new InterruptTable(memory, tableHpa, extended, invalidator);
    }

    /** Turns interrupt remapping off: messages reach the processors as devices sent them. The table's frame is not given back. */
    public void disableInterruptRemapping() {
        unit.command(UnitRegisters.INTERRUPT_REMAPPING, false);
    }

    /**
     * Sets where the fault event goes and unmasks it.
     *
     * @param address an MSI address in 0xFEEx_xxxx
     * @param data MSI data, 16 bits
     */
    public void configureFaultEvent(long address, int data) {
        unit.store32(UnitRegisters.FEDATA, data);
        unit.store32(UnitRegisters.FEADDR, (int) address);
        unit.store32(UnitRegisters.FEUADDR, (int) (address >>> 32));
        unit.store32(UnitRegisters.FECTL, 0);
    }

    /** Holds the fault event back; a fault meanwhile leaves it pending. */
    public void maskFaultEvent() {
        unit.store32(UnitRegisters.FECTL, 1 << 31);
    }

    /**
     * Reads and clears every pending fault record, oldest first.
     *
     * @return how many there were
     */
    public int handleFaults(Consumer<FaultReport> report) {
        return faultLog.drain(report);
    }

    /** How often {@link #handleFaults} found that faults had been lost (FSTS.PFO). */
    public long faultOverflows() {
        return faultLog.overflows();
    }

    /** A new empty address space: its devices reach nothing until something is mapped. */
    public Domain createDomain() {
        PageTable table = new PageTable(unit, memory, frames, unit.addressWidthCode() + 2);
        return new Domain(this, allocateId(), table, 1L << addressWidth());
    }

    /** An address space whose devices reach all of host memory, untranslated, though not what lies beyond the unit's width. */
    public Domain createPassThroughDomain() {
        if (!unit.passThrough()) {
            throw new IllegalStateException("the remapping unit offers no pass-through");
        }
        return new Domain(this, allocateId(), null, 1L << unit.guestAddressWidth());
    }

    private int allocateId() {
        int id = domainIds.nextClearBit(0);
        if (id >= unit.domainIds()) {
            throw new IllegalStateException("all " + unit.domainIds() + " domain ids are in use");
        }
        domainIds.set(id);
        return id;
    }

    /** The domain of this requester, or null. */
    public @Nullable Domain domainOf(int rid) {
        return attachments.get(rid);
    }

    /**
     * Gives a requester an address space.
     *
     * @throws IllegalStateException if it has one already, or the domain was destroyed
     */
    public void attach(int rid, Domain domain) {
        if (attachments.containsKey(rid) || domain.isDestroyed()) {
            throw new IllegalStateException("cannot attach " + RequesterId.format(rid) + " to domain " + domain.id());
        }
        PageTable table = domain.table();
        if (table == null) {
            contexts.setPassThrough(rid, domain.id(), unit.addressWidthCode());
        } else {
            contexts.set(rid, domain.id(), unit.addressWidthCode(), table.rootHpa());
        }
        attachments.put(rid, domain);
        domain.attached(1);
        if (unit.cachingMode()) {
            invalidator.contextDevice(0, rid);
            invalidator.iotlbDomain(domain.id());
        } else {
            flushWriteBuffer();
        }
    }

    /**
     * Takes its address space from a requester and returns when the unit has forgotten it: all its DMA is blocked from then on.
     *
     * @throws IllegalStateException if it has none
     */
    public void detach(int rid) {
        Domain domain = attachments.remove(rid);
        if (domain == null) {
            throw new IllegalStateException(RequesterId.format(rid) + " is not attached");
        }
        contexts.clear(rid);
        domain.attached(-1);
        invalidator.contextDevice(domain.id(), rid);
        invalidator.iotlbDomain(domain.id());
        if (deviceTlbs.remove(rid) && !invalidator.deviceTlb(rid, 0, ALL_PAGES)) {
            deviceTimeOuts++;
        }
    }

    /** Whether {@link #allowDeviceTlb} works. */
    public boolean supportsDeviceTlb() {
        return unit.deviceTlb() && queue != null;
    }

    /**
     * Lets a requester cache translations and use them (TT=01), or forbids it again. To be allowed before, and forbidden after, the
     * device's own ATS Enable: a device's cache is invalidated with its domain only while it is allowed.
     *
     * @throws IllegalStateException if the unit has no device-TLB support, or the requester no page table
     */
    public void allowDeviceTlb(int rid, boolean allowed) {
        Domain domain = attachments.get(rid);
        if (!supportsDeviceTlb() || domain == null || domain.isPassThrough()) {
            throw new IllegalStateException(RequesterId.format(rid) + " cannot have a device TLB");
        }
        contexts.setDeviceTlb(rid, allowed);
        invalidator.contextDevice(domain.id(), rid);
        invalidator.iotlbDomain(domain.id());
        if (allowed) {
            deviceTlbs.add(rid);
        } else {
            deviceTlbs.remove(rid);
        }
    }

    /** Whether a requester may use translation services; one that did not answer an invalidation no longer may. */
    public boolean deviceTlbAllowed(int rid) {
        return deviceTlbs.contains(rid);
    }

    /** Device TLB invalidations that timed out. */
    public long deviceTimeOuts() {
        return deviceTimeOuts;
    }

    /** After the IOTLB, or a device could fetch once more what that has just forgotten (VT-d 6.5.2.5). */
    private void invalidateDevices(int domain, long iova, int addressMask) {
        for (int rid : List.copyOf(deviceTlbs)) {
            Domain own = attachments.get(rid);
            if (own != null && own.id() == domain && !invalidator.deviceTlb(rid, iova, addressMask)) {
                deviceTimeOuts++;
                allowDeviceTlb(rid, false);
            }
        }
    }

    /** Absent became present: the unit may have remembered the absence, or hold the change in its write buffer. */
    void mapped(int domain, long iova, long length) {
        if (unit.cachingMode()) {
            invalidatePages(domain, iova, length, false);
        } else {
            flushWriteBuffer();
        }
    }

    void unmapped(int domain, long iova, long length, boolean leafOnly) {
        invalidatePages(domain, iova, length, leafOnly);
    }

    /** One naturally aligned block that covers the range, or the whole domain when the unit takes no block that large. */
    private void invalidatePages(int domain, long iova, long length, boolean leafOnly) {
        long firstPage = iova >>> 12;
        long lastPage = iova + length - 1 >>> 12;
        int addressMask = 64 - Long.numberOfLeadingZeros(firstPage ^ lastPage);
        if (addressMask > unit.maximumAddressMask()) {
            invalidator.iotlbDomain(domain);
        } else {
            invalidator.iotlbPages(domain, firstPage >>> addressMask << addressMask + 12, addressMask, leafOnly);
        }
        if (!deviceTlbs.isEmpty()) {
            invalidateDevices(domain, iova, addressMask);
        }
    }

    /** Before the id is used again nothing tagged with it may be left. */
    void destroyed(int domain) {
        invalidator.iotlbDomain(domain);
        domainIds.clear(domain);
    }

    private void flushWriteBuffer() {
        if (unit.needsWriteBufferFlush()) {
            unit.command(UnitRegisters.WRITE_BUFFER, true);
        }
    }
}
