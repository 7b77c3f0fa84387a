package io.iolab.iommu.driver;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    private static final int FIRST_LEVEL_LEVELS = 4;
    private static final int FIRST_LEVEL_BITS = 47;

    private final UnitRegisters unit;
    private final Memory memory;
    private final FrameSource frames;
    private final FaultLog faultLog;
    private final Invalidator invalidator;
    private final @Nullable QueueInvalidator queue;
    private final TableMode mode;
    private final RequesterTables requesters;
    private final DomainInvalidator caches;
    private final DomainIds domainIds;
    private final Map<Integer, Domain> attachments = new HashMap<>();
    private final NestedSpaces nested;
    private @Nullable InterruptTable interrupts;
    private long isolations;

    /** As the constructor below, in {@link TableMode#LEGACY}. */
    public IommuDriver(CpuPort cpu, long registerBase, Memory hostMemory, FrameSource frames) {
        this(cpu, registerBase, hostMemory, frames, TableMode.LEGACY);
    }

    /**
     * Reads what the unit offers; changes nothing.
     *
     * @param cpu the host processor's way to devices
     * @param registerBase physical address of the register window
     * @param hostMemory host memory by physical address
     * @param frames where tables and queues come from
     * @param mode which structures to build
     * @throws IllegalStateException if no usable unit answers at {@code registerBase}, or it does not offer the mode
     */
    public IommuDriver(CpuPort cpu, long registerBase, Memory hostMemory, FrameSource frames, TableMode mode) {
        this.unit = new UnitRegisters(cpu, registerBase);
        if (!unit.offers(mode)) {
            throw new IllegalStateException("the remapping unit does not offer " + mode);
        }
        this.mode = mode;
        this.memory = hostMemory;
        this.frames = frames;
        this.faultLog = new FaultLog(unit);
        this.requesters = mode.isScalable()
                ? new PasidTables(hostMemory, frames, mode.isFirstLevel())
                : new ContextTables(hostMemory, frames);
        if (unit.queuedInvalidation()) {
            queue = new QueueInvalidator(
                    unit, hostMemory, frames.allocatePage(), frames.allocatePage(), mode.isScalable());
            invalidator = queue;
        } else {
            queue = null;
            invalidator = new RegisterInvalidator(unit);
        }
        caches = new DomainInvalidator(unit, invalidator, mode);
        domainIds = new DomainIds(unit.domainIds());
        boolean nests = mode == TableMode.SCALABLE_SECOND_LEVEL && unit.nested();
        nested = new NestedSpaces(unit, nests ? requesters : null, invalidator, domainIds);
    }

    /** Bits in the largest address that a domain can translate; of first-level tables the lower half of 48 bits is used. */
    public int addressWidth() {
        int tables = mode.isFirstLevel() ? FIRST_LEVEL_BITS : 30 + 9 * unit.addressWidthCode();
        return Math.min(unit.guestAddressWidth(), tables);
    }

    public TableMode tableMode() {
        return mode;
    }

    /** Whether {@link #attachWithDeviceTlb} works. */
    public boolean supportsDeviceTlbs() {
        return queue != null && unit.deviceTlb();
    }

    /** Whether {@link Domain#trackDirty} works: ECAP.SLADS, used by tables of {@link TableMode#SCALABLE_SECOND_LEVEL}. */
    public boolean supportsDirtyTracking() {
        return mode == TableMode.SCALABLE_SECOND_LEVEL && unit.secondLevelDirty();
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
        unit.stop(UnitRegisters.TRANSLATION);
        unit.stop(UnitRegisters.QUEUE);
        faultLog.discard();
        if (queue != null) {
            queue.enable();
        }
        unit.store64(UnitRegisters.RTADDR, requesters.rootAddress());
        unit.command(UnitRegisters.ROOT_POINTER, true);
        if (!unit.setRootFlushes()) {
            caches.everything();
        }
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
        InterruptTable table = InterruptTable.start(unit, memory, frames, queue, extended);
        interrupts = table;
        return table;
    }

    /** Messages reach the processors as devices sent them from here on. The table's frame is not given back. */
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
        faultLog.configureEvent(address, data);
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
        int levels = mode.isFirstLevel() ? FIRST_LEVEL_LEVELS : unit.addressWidthCode() + 2;
        PageTable table = new PageTable(unit, memory, frames, mode.isFirstLevel(), levels);
        return new Domain(this, domainIds.allocate(), table, 1L << addressWidth());
    }

    /** An address space whose devices reach all of host memory, untranslated, though not what lies beyond the unit's width. */
    public Domain createPassThroughDomain() {
        if (!unit.passThrough()) {
            throw new IllegalStateException("the remapping unit offers no pass-through");
        }
        return new Domain(this, domainIds.allocate(), null, 1L << unit.guestAddressWidth());
    }

    /**
     * A way for a device driver to map buffers in a domain that nobody else maps in.
     *
     * @param domain a pass-through one for {@link DmaPolicy#PASS_THROUGH}, and one with a table for the others
     * @param clock times the deferred flush; not read by the other policies
     * @throws IllegalArgumentException if domain and policy do not go together
     */
    public DmaMapper createMapper(Domain domain, DmaPolicy policy, Clock clock) {
        return policy.mapper(domain, clock, memory, frames);
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
        attach(rid, domain, false);
    }

    /**
     * The same for a function whose translation services are about to be switched on: it may cache translations and use them. When
     * something is unmapped the function is asked to forget it, too; one that does not answer is cut off ({@link #isolations}).
     *
     * @throws IllegalStateException as {@link #attach}, or if the unit has no support, or for a pass-through domain, where requests for
     *     translation are refused
     */
    public void attachWithDeviceTlb(int rid, Domain domain) {
        if (!supportsDeviceTlbs() || domain.isPassThrough()) {
            throw new IllegalStateException("no device TLB for " + RequesterId.format(rid));
        }
        attach(rid, domain, true);
    }

    /** Whether {@link #attachNested} works, which takes scalable mode with second-level tables. */
    public boolean supportsNesting() {
        return nested.supported();
    }

    /**
     * Gives a requester with first-level tables of a guest its place behind a domain that maps the guest's memory. {@link #detach} ends
     * it; throws as {@link #attach}, for a pass-through domain, and without nesting.
     *
     * @param deviceTlb whether its translation services are about to be switched on; throws as {@link #attachWithDeviceTlb} too
     */
    public NestedSpace attachNested(int rid, Domain parent, boolean deviceTlb) {
        if (attachments.containsKey(rid) || deviceTlb && !supportsDeviceTlbs()) {
            throw new IllegalStateException("cannot nest " + RequesterId.format(rid));
        }
        NestedSpace space = nested.open(rid, parent, deviceTlb);
        attachments.put(rid, parent);
        parent.attached(1);
        return space;
    }

    /** Whether {@link #servePageRequests} works: page requests are a matter of scalable mode. */
    public boolean supportsPageRequests() {
        return queue != null && mode.isScalable() && unit.pageRequests();
    }

    /**
     * Sets the page-request queue up. Which functions may use it is for {@link #allowPageRequests} to say.
     *
     * @throws IllegalStateException if the unit or the mode has no page requests
     */
    public PageRequestHandler servePageRequests(PageResolver resolver) {
        if (queue == null || !supportsPageRequests()) {
            throw new IllegalStateException("no page requests");
        }
        return new PageRequestHandler(unit, memory, queue, resolver, frames.allocatePage());
    }

    /** Lets a function attached with a device TLB ask for absent pages (PRE), or not; throws {@link IllegalStateException} for another. */
    public void allowPageRequests(int rid, boolean allowed) {
        Domain domain = attachments.get(rid);
        if (!(requesters instanceof PasidTables tables)
                || domain == null
                || !domain.deviceTlbs().contains(rid)) {
            throw new IllegalStateException(RequesterId.format(rid) + " cannot ask for pages");
        }
        tables.setPageRequests(rid, allowed);
        caches.appeared(rid, domain.id());
    }

    private void attach(int rid, Domain domain, boolean deviceTlb) {
        if (attachments.containsKey(rid) || domain.isDestroyed()) {
            throw new IllegalStateException("cannot attach " + RequesterId.format(rid) + " to domain " + domain.id());
        }
        PageTable table = domain.table();
        if (table == null) {
            requesters.setPassThrough(rid, domain.id(), unit.addressWidthCode());
        } else {
            requesters.set(rid, domain.id(), unit.addressWidthCode(), table.rootHpa(), deviceTlb);
        }
        attachments.put(rid, domain);
        domain.attached(1);
        if (deviceTlb) {
            domain.deviceTlbs().add(rid);
        }
        if (unit.cachingMode()) {
            caches.appeared(rid, domain.id());
        } else {
            flushWriteBuffer();
        }
    }

    /**
     * Takes its address space from a requester and returns when the unit, and the device itself, have forgotten it: all its DMA is
     * blocked from then on.
     *
     * @throws IllegalStateException if it has none
     */
    public void detach(int rid) {
        Domain domain = attachments.remove(rid);
        if (domain == null) {
            throw new IllegalStateException(RequesterId.format(rid) + " is not attached");
        }
        domain.attached(-1);
        nested.close(rid);
        cutOff(rid, domain);
    }

    /** A device that does not answer can do no harm: with its structures gone, translated requests are refused like all others. */
    private void cutOff(int rid, Domain domain) {
        requesters.clear(rid);
        flushWriteBuffer();
        caches.disappeared(rid, domain.id());
        if (domain.deviceTlbs().remove(rid)) {
            caches.device(rid);
        }
    }

    /**
     * The device is gone: its interrupts are blocked first, so that none comes for what is torn down, then its DMA.
     *
     * @param rid attached or not
     */
    public void remove(int rid) {
        InterruptTable table = interrupts;
        if (table != null) {
            table.freeAll(rid);
        }
        if (attachments.containsKey(rid)) {
            detach(rid);
        }
    }

    /**
     * How often a device was cut off because it did not answer an invalidation. It stays attached, and reaches nothing until it is
     * detached and attached again.
     */
    public long isolations() {
        return isolations + nested.isolations();
    }

    /**
     * Absent became present: the unit may have remembered the absence, or hold the change in its write buffer. Devices do neither, and
     * absent first-level entries are not remembered either, caching mode or not; Linux relies on that ({@code __mapping_notify_one}).
     */
    void mapped(Domain domain, long iova, long length) {
        if (unit.cachingMode() && !mode.isFirstLevel()) {
            caches.pages(domain.id(), iova, length, false);
        } else {
            flushWriteBuffer();
        }
    }

    void unmapped(Domain domain, long iova, long length, boolean leafOnly) {
        flushWriteBuffer();
        caches.pages(domain.id(), iova, length, leafOnly);
        nested.forget(domain);
        while (!domain.deviceTlbs().isEmpty()) {
            int dead = caches.devicePages(domain.deviceTlbs(), iova, length);
            if (dead < 0) {
                return;
            }
            isolations++;
            cutOff(dead, domain);
        }
    }

    /** SLADE is in the PASID entries; what was translated with it or without goes too. */
    void trackDirty(Domain domain, boolean on) {
        if (requesters instanceof PasidTables tables) {
            tables.trackDirty(domain.id(), on);
            flushWriteBuffer();
            caches.pasidEntries(domain.id());
            flush(domain);
        }
    }

    void flush(Domain domain) {
        flushWriteBuffer();
        caches.domain(domain.id());
        nested.forget(domain);
        for (int rid : List.copyOf(domain.deviceTlbs())) {
            if (!caches.device(rid)) {
                isolations++;
                cutOff(rid, domain);
            }
        }
    }

    /** Before the id is used again nothing tagged with it may be left. */
    void destroyed(Domain domain) {
        flush(domain);
        domainIds.free(domain.id());
    }

    private void flushWriteBuffer() {
        if (unit.needsWriteBufferFlush()) {
            unit.command(UnitRegisters.WRITE_BUFFER, true);
        }
    }
}
