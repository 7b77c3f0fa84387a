package io.iolab.iommu;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.register.RegisterMap;
import io.iolab.iommu.cache.InterruptEntryCache;
import io.iolab.iommu.cache.TranslationCaches;
import io.iolab.iommu.fault.EventSignal;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.fault.FaultRecorder;
import io.iolab.iommu.fault.PageRequestQueue;
import io.iolab.iommu.interrupt.InterruptPort;
import io.iolab.iommu.interrupt.InterruptRemapper;
import io.iolab.iommu.invalidate.InvalidationQueue;
import io.iolab.iommu.invalidate.Invalidations;
import io.iolab.iommu.invalidate.RegisterInvalidation;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.register.VtdRegisters;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A VT-d remapping unit: a register window for host software, a {@link DmaPort} for every requester behind it, and an
 * {@link InterruptPort} for every source of interrupts. It is programmed through the window and through tables in host memory, in no
 * other way.
 *
 * <p>After construction translation and interrupt remapping are off: ports address host memory directly, and messages pass.
 *
 * <p>Threading: registers from any thread. Each port from one thread at a time; different ports may run on different threads. Messages
 * are sent on the thread that caused them, while the unit's lock is held when they are the unit's own events.
 */
public final class RemappingUnit {
    private final Memory hostMemory;
    private final RegisterFile registers;
    private final MmioHandler window;
    private final Translator translator;
    private final IommuCounters counters;
    private final InvalidationQueue queue;
    private final FaultRecorder faults;
    private final InterruptRemapper interrupts;
    private final ProtectedMemory protectedMemory;
    private final @Nullable Requester[] known = new Requester[1 << 16];
    private final @Nullable InterruptPort[] portsOfInterrupts = new InterruptPort[1 << 16];
    private volatile List<RequesterCounters> requesters = List.of();
    private volatile List<InterruptPort> interruptPorts = List.of();

    /**
     * @param hostMemory where tables and queues live and where translated requests go, by host physical address
     * @param messages takes interrupt messages of the requesters and of the unit itself
     */
    public RemappingUnit(RemappingOptions options, Memory hostMemory, MessagePort messages) {
        this.hostMemory = hostMemory;
        Capabilities capabilities = options.capabilities();
        registers = new RegisterFile(VtdRegisters.map(capabilities));
        TranslationCaches caches = options.caches();
        InterruptEntryCache entries = new InterruptEntryCache(options.interruptCache());
        Invalidations invalidations = new Invalidations(caches, entries, capabilities);
        queue = new InvalidationQueue(
                registers, hostMemory, invalidations, new EventSignal(registers, VtdRegisters.IECTL, messages));
        faults = new FaultRecorder(
                registers,
                capabilities.faultRecords(),
                options.compressFaults(),
                new EventSignal(registers, VtdRegisters.FECTL, messages),
                queue::resume);
        queue.reportTo(faults);
        new RegisterInvalidation(registers, invalidations, () -> queue.enabled() || queue.scalableTables());
        translator = new Translator(options, hostMemory, caches, faults);
        interrupts = new InterruptRemapper(translator, capabilities, hostMemory, messages, faults, entries);
        PageRequestQueue pageRequests = capabilities.pageRequests()
                ? new PageRequestQueue(
                        registers,
                        hostMemory,
                        caches.devices(),
                        new EventSignal(registers, VtdRegisters.PECTL, messages))
                : null;
        if (pageRequests != null) {
            admitPageRequestsTo(pageRequests);
        }
        new GlobalCommand(registers, capabilities, translator, caches, queue, interrupts);
        protectedMemory =
                new ProtectedMemory(registers, capabilities.protectedLowMemory(), capabilities.protectedHighMemory());
        window = new Window(registers, translator);
        counters = new IommuCounters(
                () -> requesters, () -> interruptPorts, invalidations, faults, pageRequests, protectedMemory);
    }

    /** Requesters run on threads of their own; the queue is the unit's. */
    private void admitPageRequestsTo(PageRequestQueue requests) {
        translator.pageRequestsTo((rid, pasid, iova, wanted, group, last) -> {
            synchronized (translator) {
                requests.pageRequest(rid, pasid, iova, wanted, group, last);
            }
        });
    }

    /** The 4 KiB register window. Aligned accesses of 4 and 8 bytes; others read 0, change nothing and are counted. */
    public MmioHandler registers() {
        return window;
    }

    /** The registers as data: names for traces. */
    public RegisterMap registerMap() {
        return registers.map();
    }

    /** Register accesses and commands that the unit ignored or found out of order, for this reason. */
    public long ignored(RegisterFault reason) {
        return registers.ignored(reason);
    }

    /**
     * The way to memory of a requester; always the same object for the same id.
     *
     * @param rid bus 15:8, device 7:3, function 2:0
     * @throws IllegalArgumentException if {@code rid} has more than 16 bits
     */
    public DmaPort portFor(int rid) {
        return requester(rid).untranslated();
    }

    /**
     * The same requester with address translation services and PASIDs; its untranslated port is {@link #portFor}'s.
     *
     * @throws IllegalArgumentException if {@code rid} has more than 16 bits
     */
    public TranslationPort translationPortFor(int rid) {
        return requester(rid);
    }

    /**
     * The way of a source's interrupt messages to the processors; always the same object for the same id. What a requester writes to
     * the interrupt range through {@link #portFor} passes it too; sources that are no bus masters, such as an I/O APIC, use it as
     * it is. Its counters tell what became of the messages.
     *
     * @param rid the source id of the messages
     * @throws IllegalArgumentException if {@code rid} has more than 16 bits
     */
    public InterruptPort interruptPortFor(int rid) {
        checkRequester(rid);
        synchronized (translator) {
            InterruptPort port = portsOfInterrupts[rid];
            if (port == null) {
                port = interrupts.port(rid);
                portsOfInterrupts[rid] = port;
                List<InterruptPort> grown = new ArrayList<>(interruptPorts);
                grown.add(port);
                interruptPorts = List.copyOf(grown);
            }
            return port;
        }
    }

    /**
     * A device has sent an invalidation completion that nothing asked for: sets FSTS.ICE with its id.
     *
     * @param rid 16 bits
     */
    public void unexpectedCompletion(int rid) {
        checkRequester(rid);
        synchronized (translator) {
            queue.unexpectedCompletion(rid);
        }
    }

    /**
     * A request was refused elsewhere on account of this unit's tables: whoever shows the unit to a guest, and has the requests of
     * assigned functions translated by another unit, says so here. The fault is recorded and signalled like one of the unit's own
     * (VT-d 7.2, 7.3).
     *
     * @param faultsDisabled FPD of the entries that led to it
     * @param rid 16 bits
     * @param pasid 20 bits, or {@link TranslationPort#NO_PASID}
     * @param read whether it was a read
     */
    public void refusedElsewhere(
            FaultReason reason, boolean faultsDisabled, int rid, int pasid, long iova, boolean read) {
        RequesterCounters counted = countersFor(rid);
        synchronized (translator) {
            counted.fault(reason);
            faults.record(reason, faultsDisabled, rid, iova, read ? FaultRecorder.READ : 0, pasid);
        }
    }

    private static void checkRequester(int rid) {
        if (rid != (rid & 0xFFFF)) {
            throw new IllegalArgumentException("requester id 0x" + Integer.toHexString(rid));
        }
    }

    private Requester requester(int rid) {
        checkRequester(rid);
        synchronized (translator) {
            Requester requester = known[rid];
            if (requester == null) {
                requester = new Requester(rid, translator, hostMemory, interruptPortFor(rid), protectedMemory);
                known[rid] = requester;
                List<RequesterCounters> grown = new ArrayList<>(requesters);
                grown.add(requester.counters());
                requesters = List.copyOf(grown);
            }
            return requester;
        }
    }

    public IommuCounters counters() {
        return counters;
    }

    /** What the unit did for one requester. */
    public RequesterCounters countersFor(int rid) {
        return requester(rid).counters();
    }

    /** Register accesses under the unit's lock. */
    private record Window(RegisterFile registers, Translator lock) implements MmioHandler {
        @Override
        public long read(long offset, int width) {
            synchronized (lock) {
                return registers.read(offset, width);
            }
        }

        @Override
        public void write(long offset, int width, long value) {
            synchronized (lock) {
                registers.write(offset, width, value);
            }
        }
    }
}
