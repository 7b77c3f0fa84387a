package io.iolab.vmm;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Counters;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.devices.virtio.NotifyWindow;
import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetCounters;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import io.iolab.vmm.backend.CopyingDma;
import io.iolab.vmm.backend.NicWorker;
import io.iolab.vmm.backend.WorkAccount;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.vcpu.GuestWindow.Trap;
import java.util.Optional;

/** The two paths whose device is software: an emulated e1000 of the VMM process, and virtio-net with its back ends. */
final class SoftwarePath {
    /** The NIC's place on the guest's bus. */
    static final int SLOT = 4;

    private static final int REGISTER_BAR = 0;
    /** A ring has at most 4096 descriptors; one exit works through it at most twice. */
    private static final int MAX_POLLS_PER_EXIT = 2 * 4096 / NicWorker.BURST;

    private final PathContext context;
    private final Cabling cabling;
    private final VirtualMachine vm;
    private final WorkAccount account;
    private final CostProfile profile;
    private final GuestLedger ledger;

    private SoftwarePath(PathContext context, Cabling cabling) {
        this.context = context;
        this.cabling = cabling;
        this.profile = context.profile();
        this.ledger = context.ledger();
        account = new WorkAccount(ledger);
        vm = new VirtualMachine(context, account);
    }

    static PathHardware emulated(PathContext context, Cabling cabling) {
        SoftwarePath path = new SoftwarePath(context, cabling);
        NicWorker.Costs costs = path.costs(Cost.BACKEND_EMULATED_RX, Cost.BACKEND_EMULATED_TX);
        E1000 nic = E1000.create(
                E1000Model.I82540EM,
                context.mac(),
                path.copying(path.vm.messages(path.account)),
                context.bugs().pin(path.vm.pin(SLOT, path.account)),
                context.bugs().wire(NicWorker.wire(cabling.fromGuest(), path.account, costs.perTransmitted())),
                path.account);
        context.bugs().plugged(nic);
        NicWorker worker = path.worker("-io", nic, costs);
        boolean coalesced = context.config().nic().coalescedMmio();
        path.vm.plug(
                SLOT,
                nic,
                (bar, offset, write) ->
                        write && coalesced && bar == REGISTER_BAR && !actsAtOnce(offset) ? Trap.COALESCED : Trap.USER,
                path.new ServedInExit(nic, worker));
        return path.hardware(worker, () -> path.sync(nic.counters()));
    }

    /** The registers that QEMU leaves out of the coalesced zone: MDIC, ICR, ICS, IMS, IMC, TCTL and TDT. */
    private static boolean actsAtOnce(long offset) {
        return switch ((int) offset) {
            case 0x20, 0xC0, 0xC8, 0xD0, 0xD8, 0x400, 0x3818 -> true;
            default -> false;
        };
    }

    static PathHardware virtio(PathContext context, Cabling cabling) {
        SoftwarePath path = new SoftwarePath(context, cabling);
        return switch (context.config().nic().virtio().backend()) {
            case USER -> path.servedByVmm();
            case VHOST -> path.servedByKernel();
            case POLL -> path.servedByPolling();
        };
    }

    /** No ioeventfd: the notify window exits like any register, and the VMM hands each frame over by a system call. */
    private PathHardware servedByVmm() {
        NicWorker.Costs costs = costs(Cost.BACKEND_EMULATED_RX, Cost.BACKEND_EMULATED_TX);
        VirtioNet nic = virtioNet(vm.messagesBySystemCall(account), costs);
        NicWorker worker = worker("-io", nic, costs);
        vm.plug(SLOT, nic, (bar, offset, write) -> Trap.USER, new ServedInExit(nic, worker));
        return hardware(worker, () -> sync(nic.counters()));
    }

    private PathHardware servedByKernel() {
        NicWorker.Costs costs = costs(Cost.BACKEND_VIRTIO_RX, Cost.BACKEND_VIRTIO_TX);
        VirtioNet nic = virtioNet(vm.messages(account), costs);
        NicWorker worker = worker("-vhost", nic, costs);
        vm.plug(SLOT, nic, ioeventfdAt(nic.notifyWindow()), new ServedByWorker(nic, worker));
        return hardware(worker, () -> sync(nic.counters()));
    }

    /** The ioeventfd is there, for a driver that kicks all the same; nobody waits for it. */
    private PathHardware servedByPolling() {
        NicWorker.Costs costs = costs(Cost.BACKEND_VIRTIO_RX, Cost.BACKEND_VIRTIO_TX);
        VirtioNet nic = virtioNet(vm.messagesBySystemCall(account), costs).polled();
        NicWorker worker = worker("-poll", nic, costs).polling(vm.vcpu()::nowPicos);
        vm.plug(SLOT, nic, ioeventfdAt(nic.notifyWindow()), new ServedByWorker(nic, worker));
        return hardware(worker, () -> sync(nic.counters()));
    }

    private NicWorker.Costs costs(Cost perReceived, Cost perTransmitted) {
        return new NicWorker.Costs(
                profile.picos(Cost.WAKE_WORKER),
                profile.picos(perReceived),
                profile.picos(perTransmitted),
                CpuShare.WORKER);
    }

    private VirtioNet virtioNet(MessagePort messages, NicWorker.Costs costs) {
        NicTuning tuning = context.config().nic();
        VirtioNetOptions options = new VirtioNetOptions(
                context.mac(),
                tuning.virtqueueSize(),
                NetFeatures.DEFAULT | tuning.virtio().ringFeatures());
        VirtioNet nic = new VirtioNet(
                options,
                copying(messages),
                vm.pin(SLOT, account),
                context.bugs().wire(NicWorker.wire(cabling.fromGuest(), account, costs.perTransmitted())),
                account);
        context.bugs().plugged(nic);
        return nic;
    }

    private static FunctionWindow.TrapRule ioeventfdAt(NotifyWindow notify) {
        return (bar, offset, write) ->
                write && bar == notify.bar() && offset >= notify.offset() && offset < notify.offset() + notify.length()
                        ? Trap.FAST
                        : Trap.USER;
    }

    private DmaPort copying(MessagePort messages) {
        DmaPort memory = new DirectDma(vm.memory(), messages);
        return context.bugs().dma(new CopyingDma(memory, account, ledger, profile));
    }

    private NicWorker worker(String suffix, NetworkFunction nic, NicWorker.Costs costs) {
        return new NicWorker(
                context.name() + suffix, nic, account, cabling.toGuest(), cabling.fromGuest(), costs, context.burst());
    }

    private PathHardware hardware(NicWorker worker, Runnable syncCounters) {
        return new PathHardware(
                vm.vcpu(),
                vm.memory(),
                VirtualMachine.HEAP,
                vm.memory().size(),
                worker,
                syncCounters,
                () -> GuestFigures.Iommu.NONE,
                Optional.empty());
    }

    private void sync(E1000Counters counters) {
        ledger.drops(Direction.RX, DropCause.NO_DESCRIPTOR, counters.rxOverruns());
        ledger.drops(Direction.RX, DropCause.FILTERED, counters.rxFiltered() + counters.rxDisabled());
        ledger.drops(Direction.RX, DropCause.DMA_FAULT, counters.rxUnreachable());
        ledger.drops(Direction.TX, DropCause.BAD_DESCRIPTOR, counters.txMalformed());
        ledger.drops(Direction.TX, DropCause.DMA_FAULT, counters.txUnreachable());
        ledger.interrupts(InterruptOutcome.SUPPRESSED, counters.moderated());
    }

    private void sync(VirtioNetCounters counters) {
        ledger.drops(Direction.RX, DropCause.FILTERED, counters.rxFiltered());
        ledger.drops(
                Direction.RX, DropCause.BAD_DESCRIPTOR, counters.rxBufferTooSmallDrops() + counters.rxRingFaultDrops());
        ledger.drops(Direction.RX, DropCause.DMA_FAULT, counters.rxDmaFaultDrops());
        ledger.drops(Direction.TX, DropCause.BAD_DESCRIPTOR, counters.txOversizeDrops() + counters.txRuntDrops());
        ledger.drops(Direction.TX, DropCause.DMA_FAULT, counters.txDmaFaultDrops());
        ledger.interrupts(InterruptOutcome.SUPPRESSED, counters.interruptsSuppressed());
    }

    /** A device of the VMM process does its transmit work inside the exit that asked for it. */
    private final class ServedInExit implements DeviceHooks {
        private final NetworkFunction nic;
        private final NicWorker worker;

        ServedInExit(NetworkFunction nic, NicWorker worker) {
            this.nic = nic;
            this.worker = worker;
        }

        @Override
        public void before() {
            account.owner(vm.vcpu(), CpuShare.EXIT);
        }

        @Override
        public void afterMapped() {
            throw new IllegalStateException("no BAR of a device in the VMM process is mapped");
        }

        @Override
        public void afterKick() {
            throw new IllegalStateException("a device in the VMM process has no ioeventfd");
        }

        @Override
        public void afterExit() {
            before();
            for (int i = 0; i < MAX_POLLS_PER_EXIT && nic.poll(NicWorker.BURST) == NicWorker.BURST; i++) {
                // All of what one doorbell published goes out in its exit.
            }
            worker.deviceTouched(vm.vcpu().nowPicos());
        }
    }

    /** A virtqueue is served by its worker; an exit only tells it. */
    private final class ServedByWorker implements DeviceHooks {
        private final NetworkFunction nic;
        private final NicWorker worker;

        ServedByWorker(NetworkFunction nic, NicWorker worker) {
            this.nic = nic;
            this.worker = worker;
        }

        @Override
        public void before() {
            account.owner(vm.vcpu(), CpuShare.EXIT);
        }

        @Override
        public void afterMapped() {
            throw new IllegalStateException("no BAR of a virtio device is mapped");
        }

        /** The signal is out a little after the exit began, before the vCPU is back in the guest. */
        @Override
        public void afterKick() {
            long exit = profile.picos(Cost.EXIT_FAST_MMIO);
            worker.signal(vm.vcpu().nowPicos() - exit + Math.min(exit, profile.picos(Cost.KICK_SIGNAL)));
        }

        @Override
        public void afterExit() {
            if (nic.workPending()) {
                worker.signal(vm.vcpu().nowPicos());
            } else {
                worker.deviceTouched(vm.vcpu().nowPicos());
            }
        }
    }
}
