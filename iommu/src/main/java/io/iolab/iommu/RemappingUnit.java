package io.iolab.iommu;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.register.RegisterMap;
import io.iolab.iommu.cache.TranslationCaches;
import io.iolab.iommu.fault.EventSignal;
import io.iolab.iommu.fault.FaultRecorder;
import io.iolab.iommu.invalidate.InvalidationQueue;
import io.iolab.iommu.invalidate.Invalidations;
import io.iolab.iommu.invalidate.RegisterInvalidation;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.register.VtdRegisters;
import java.util.ArrayList;
import java.util.List;

/**
 * A VT-d remapping unit in legacy mode: a register window for host software, and a {@link DmaPort} for every requester behind
 * it. It is programmed through the window and through tables in host memory, in no other way.
 *
 * <p>After construction translation is off, and ports address host memory directly.
 *
 * <p>Threading: registers from any thread. Each port from one thread at a time; different ports may run on different threads. Messages
 * are sent on the thread that caused them, while the unit's lock is held when they are the unit's own events.
 */
public final class RemappingUnit {
    private final Memory hostMemory;
    private final MessagePort messages;
    private final RegisterFile registers;
    private final MmioHandler window;
    private final Translator translator;
    private final IommuCounters counters;
    private final Requester[] known = new Requester[1 << 16];
    private volatile List<RequesterCounters> requesters = List.of();

    /**
     * @param hostMemory where tables and queues live and where translated requests go, by host physical address
     * @param messages takes interrupt messages of the requesters and of the unit itself
     */
    public RemappingUnit(RemappingOptions options, Memory hostMemory, MessagePort messages) {
        this.hostMemory = hostMemory;
        this.messages = messages;
        Capabilities capabilities = options.capabilities();
        registers = new RegisterFile(VtdRegisters.map(capabilities));
        TranslationCaches caches = options.caches();
        Invalidations invalidations = new Invalidations(caches, capabilities);
        InvalidationQueue queue = new InvalidationQueue(
                registers, hostMemory, invalidations, new EventSignal(registers, VtdRegisters.IECTL, messages));
        FaultRecorder faults = new FaultRecorder(
                registers,
                capabilities.faultRecords(),
                true,
                new EventSignal(registers, VtdRegisters.FECTL, messages),
                queue::resume);
        queue.reportTo(faults);
        new RegisterInvalidation(registers, invalidations, queue::enabled);
        translator = new Translator(options, hostMemory, caches, faults);
        new GlobalCommand(registers, capabilities, translator, queue);
        window = new Window(registers, translator);
        counters = new IommuCounters(() -> requesters, invalidations, faults);
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

    private Requester requester(int rid) {
        if (rid != (rid & 0xFFFF)) {
            throw new IllegalArgumentException("requester id 0x" + Integer.toHexString(rid));
        }
        synchronized (translator) {
            Requester requester = known[rid];
            if (requester == null) {
                requester = new Requester(rid, translator, hostMemory, messages);
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
