package io.iolab.vmm;

import io.iolab.devices.ats.AddressTranslation;
import io.iolab.devices.ats.DeviceTlb;
import io.iolab.devices.ats.DeviceTlbCounters;
import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Board;
import io.iolab.devices.e1000.E1000Counters;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.igb.Igb82576Counters;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.devices.pci.PciFunction;
import io.iolab.iommu.IommuCounters;
import io.iolab.iommu.RequesterCounters;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.interrupt.InterruptPort;
import io.iolab.iommu.invalidate.InvalidationKind;
import io.iolab.vmm.assign.AssignedFunction;
import io.iolab.vmm.assign.PostedTargets;
import io.iolab.vmm.assign.VfioDevice;
import io.iolab.vmm.backend.NicWorker;
import io.iolab.vmm.backend.PcieDma;
import io.iolab.vmm.backend.WorkAccount;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.vcpu.GuestWindow.Trap;
import io.iolab.vmm.vcpu.PostedInterrupts;
import io.iolab.vmm.vcpu.Processor;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * The paths with a physical NIC: an 82574L assigned to a guest through the IOMMU or used bare, or an 82576's virtual function, assigned in
 * the same way.
 */
final class PhysicalPath {
    private static final int FIRST_SLOT = 8;
    private static final NicWorker.Costs HARDWARE = new NicWorker.Costs(0, 0, 0, null);

    private final PathContext context;
    private final Cabling cabling;
    private final WorkAccount account;
    private final GuestLedger ledger;

    private PhysicalPath(PathContext context, Cabling cabling) {
        this(context, cabling, new WorkAccount(context.ledger()));
    }

    private PhysicalPath(PathContext context, Cabling cabling, WorkAccount account) {
        this.context = context;
        this.cabling = cabling;
        this.ledger = context.ledger();
        this.account = account;
    }

    static PathHardware assigned(PathContext context, Cabling cabling) {
        PhysicalPath path = new PhysicalPath(context, cabling);
        Host host = context.host();
        int rid = RequesterId.of(0, FIRST_SLOT + context.number(), 0);
        RequesterCounters counters = host.iommu().countersFor(rid);
        E1000Board board =
                context.config().nic().msixSharedPage() ? E1000Board.SHARED_VECTOR_PAGE : E1000Board.REFERENCE;
        AddressTranslation services = context.config().nic().deviceTlb()
                ? new AddressTranslation(new DeviceTlb(host.iommu().translationPortFor(rid)))
                : null;
        DmaPort port = services == null ? host.iommu().portFor(rid) : services.port();
        E1000 nic = path.nic(board, port, counters::walkAccesses);
        if (services != null) {
            services.addTo(nic.config());
        }
        VirtualMachine vm = new VirtualMachine(context, path.account);
        GuestIommu unit = context.config().iommu().any() ? new GuestIommu(context, vm, path.account) : null;
        VfioDevice device = unit != null
                ? unit.assign(rid, nic)
                : host.assign(
                        rid,
                        nic,
                        vm.memory(),
                        context.config().mapped(),
                        context.bugs().rights());
        NicWorker engine = path.engine(nic);
        PathHardware hardware = path.assigned(
                rid,
                vm,
                device,
                engine,
                path.new PostedWrites(nic, engine, vm.vcpu()),
                () -> path.sync(nic.counters()),
                Optional.ofNullable(services).map(present -> present.tlb().counters()));
        return unit == null ? hardware : hardware.behind(unit);
    }

    /** A virtual function of the lab's 82576. */
    static PathHardware virtualFunction(PathContext context, Cabling cabling, SharedNic nic) {
        PhysicalPath path = new PhysicalPath(context, cabling, nic.account());
        int vf = nic.index(context);
        VirtualMachine vm = new VirtualMachine(context, path.account);
        GuestIommu unit = context.config().iommu().any() ? new GuestIommu(context, vm, path.account) : null;
        VfioDevice device = unit != null
                ? unit.assign(nic.rid(vf))
                : context.host()
                        .assign(
                                nic.rid(vf),
                                vm.memory(),
                                context.config().mapped(),
                                context.bugs().rights());
        PostedWrites hooks = path.new PostedWrites(nic.function(vf), nic.engine(), vm.vcpu()) {
            @Override
            public void afterMapped() {
                nic.touched();
                super.afterMapped();
            }
        };
        PathHardware hardware = path.assigned(
                nic.rid(vf), vm, device, nic.engine(), hooks, () -> path.sync(nic.counters(), vf), Optional.empty());
        return unit == null ? hardware : hardware.behind(unit);
    }

    /** What a guest has of a function that the host has opened for it. */
    private PathHardware assigned(
            int rid,
            VirtualMachine vm,
            VfioDevice device,
            NicWorker engine,
            DeviceHooks hooks,
            Runnable syncDevice,
            Optional<DeviceTlbCounters> deviceTlb) {
        Host host = context.host();
        RequesterCounters counters = host.iommu().countersFor(rid);
        InterruptPort interrupts = host.iommu().interruptPortFor(rid);
        AssignedFunction assigned =
                new AssignedFunction(device, new DirectDma(vm.memory(), vm.messages(account)), posting(vm, interrupts));
        context.bugs().plugged(assigned);
        vm.plug(
                SoftwarePath.SLOT,
                assigned,
                (bar, offset, write) -> assigned.mapped(bar, offset) ? Trap.NONE : Trap.USER,
                hooks);
        return new PathHardware(
                vm.vcpu(),
                vm.memory(),
                VirtualMachine.HEAP,
                vm.memory().size(),
                engine,
                () -> {
                    syncDevice.run();
                    ledger.interrupts(InterruptOutcome.REMAPPED, interrupts.remapped());
                    ledger.interrupts(InterruptOutcome.BLOCKED, interrupts.blocked());
                },
                () -> figures(counters, host.iommu().counters(), deviceTlb),
                Optional.of(counters));
    }

    /** Each vCPU has a processor of its own, whose APIC id is the guest's number. */
    private PostedTargets posting(VirtualMachine vm, InterruptPort interrupts) {
        if (context.config().nic().interrupts() != InterruptDelivery.POSTED) {
            return PostedTargets.NONE;
        }
        Host host = context.host();
        PostedInterrupts descriptor =
                new PostedInterrupts(host.memory(), host.frames().allocate(), context.number(), interrupts::posted);
        Runnable notified = () -> vm.vcpu().notification(account.nowPicos());
        host.interrupts().processor(context.number(), notified, notified);
        vm.vcpu().postsInto(descriptor);
        return (address, data) -> vm.postable(address, data) ? descriptor.hpa() : -1;
    }

    static PathHardware bare(PathContext context, Cabling cabling) {
        PhysicalPath path = new PhysicalPath(context, cabling);
        BareMachine machine = new BareMachine(context);
        PhysicalMemory memory = context.host().memory();
        Host host = context.host();
        boolean remapped = context.config().iommu().any();
        int rid = RequesterId.of(0, FIRST_SLOT + context.number(), 0);
        Optional<RequesterCounters> counters =
                remapped ? Optional.of(host.iommu().countersFor(rid)) : Optional.empty();
        DmaPort direct = new DirectDma(memory, machine.messages(path.account));
        E1000 nic = path.nic(
                E1000Board.REFERENCE,
                remapped ? new BehindUnit(host.iommu().portFor(rid), direct) : direct,
                () -> counters.map(RequesterCounters::walkAccesses).orElse(0L));
        context.bugs().plugged(nic);
        NicWorker engine = path.engine(nic);
        machine.plug(SoftwarePath.SLOT, nic, path.new PostedWrites(nic, engine, machine.cpu()));
        long heap = machine.heap();
        PathHardware hardware = new PathHardware(
                machine.cpu(),
                memory,
                heap,
                heap + AddressRange.alignDown(context.config().ramBytes(), AddressRange.LARGE_PAGE_SIZE),
                engine,
                () -> path.sync(nic.counters()),
                () -> counters.map(own -> figures(own, host.iommu().counters(), Optional.empty()))
                        .orElse(GuestFigures.Iommu.NONE),
                counters);
        return remapped
                ? hardware.withDma(kernel -> GuestIommu.dma(context, host.driver(), rid, kernel, true))
                : hardware;
    }

    /** @param port memory as the NIC's requests reach it */
    private E1000 nic(E1000Board board, DmaPort port, LongSupplier walkAccesses) {
        return E1000.create(
                E1000Model.I82574L,
                board,
                context.mac(),
                context.bugs().dma(new PcieDma(port, account, ledger, context.profile(), walkAccesses)),
                InterruptPin.UNCONNECTED,
                context.bugs().wire(NicWorker.wire(cabling.fromGuest(), account, 0)),
                account);
    }

    private NicWorker engine(NetworkFunction nic) {
        return new NicWorker(
                context.name() + "-nic",
                nic,
                account,
                cabling.toGuest(),
                cabling.fromGuest(),
                HARDWARE,
                context.burst());
    }

    private void sync(E1000Counters counters) {
        ledger.drops(Direction.RX, DropCause.NO_DESCRIPTOR, counters.rxOverruns());
        ledger.drops(Direction.RX, DropCause.FILTERED, counters.rxFiltered() + counters.rxDisabled());
        ledger.drops(Direction.RX, DropCause.DMA_FAULT, counters.rxUnreachable());
        ledger.drops(Direction.TX, DropCause.BAD_DESCRIPTOR, counters.txMalformed());
        ledger.drops(Direction.TX, DropCause.DMA_FAULT, counters.txUnreachable());
        ledger.interrupts(InterruptOutcome.SUPPRESSED, counters.moderated());
    }

    /** What was lost of one virtual function's; what no filter lets pass is nobody's. */
    private void sync(Igb82576Counters counters, int vf) {
        ledger.drops(Direction.RX, DropCause.NO_DESCRIPTOR, counters.rxOverruns(vf));
        ledger.drops(Direction.RX, DropCause.DMA_FAULT, counters.rxUnreachable(vf));
        ledger.drops(Direction.TX, DropCause.BAD_DESCRIPTOR, counters.txMalformed(vf));
        ledger.drops(Direction.TX, DropCause.DMA_FAULT, counters.txUnreachable(vf));
        ledger.drops(Direction.TX, DropCause.FILTERED, counters.txSpoofed(vf));
    }

    private static GuestFigures.Iommu figures(
            RequesterCounters own, IommuCounters all, Optional<DeviceTlbCounters> deviceTlb) {
        long faults = 0;
        for (FaultReason reason : FaultReason.values()) {
            faults += own.faults(reason);
        }
        long invalidations = 0;
        for (InvalidationKind kind : InvalidationKind.values()) {
            invalidations += all.invalidations(kind);
        }
        return new GuestFigures.Iommu(own.iotlbHits(), own.iotlbMisses(), own.walkAccesses(), faults, invalidations)
                .with(deviceTlb.map(PhysicalPath::figures));
    }

    private static GuestFigures.DeviceTlb figures(DeviceTlbCounters counters) {
        return new GuestFigures.DeviceTlb(
                counters.hits(),
                counters.misses(),
                counters.translations(),
                counters.translatedRequests(),
                counters.untranslatedRequests(),
                counters.invalidations());
    }

    /**
     * Register accesses that go straight to the NIC. A write is posted and the engine sees it at once, but works on its own
     * time; what a register access itself does (an unmasked cause that sends its message) is not the processor's time.
     */
    private class PostedWrites implements DeviceHooks {
        private final PciFunction nic;
        private final NicWorker engine;
        private final Processor processor;

        PostedWrites(PciFunction nic, NicWorker engine, Processor processor) {
            this.nic = nic;
            this.engine = engine;
            this.processor = processor;
        }

        @Override
        public void before() {
            account.owner(processor, null);
        }

        @Override
        public void afterMapped() {
            if (nic.workPending()) {
                engine.signal(processor.nowPicos());
            } else {
                engine.deviceTouched(processor.nowPicos());
            }
        }

        @Override
        public void afterKick() {
            throw new IllegalStateException("a physical device has no ioeventfd");
        }

        @Override
        public void afterExit() {
            afterMapped();
        }
    }
}
