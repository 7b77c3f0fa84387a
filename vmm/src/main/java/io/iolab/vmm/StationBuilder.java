package io.iolab.vmm;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.driver.NetDrivers;
import io.iolab.devices.driver.e1000.E1000Options;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.PortConfigAccess;
import io.iolab.devices.driver.pci.ResourceWindow;
import io.iolab.devices.driver.virtio.VirtioFeatures;
import io.iolab.devices.driver.virtio.VirtioOptions;
import io.iolab.vmm.backend.LearningSwitch;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.guest.GuestKernel;
import io.iolab.vmm.guest.Peer;
import io.iolab.vmm.guest.Programs;
import io.iolab.vmm.guest.StationPair;
import io.iolab.vmm.guest.WatchdogPace;
import io.iolab.vmm.inject.GuestBugs;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.GuestLedger;
import java.io.IOException;

/** Puts a guest together with its path, its cables and its peer. */
final class StationBuilder {
    /** Below the I/O APIC and the interrupt range, above any guest's RAM. */
    private static final long MMIO_BASE = 0xE000_0000L;

    private static final long MMIO_SIZE = 0x1000_0000L;
    private static final long IO_BASE = 0xC000L;
    private static final long IO_SIZE = 0x3000L;

    private StationBuilder() {}

    static Station build(LabConfig lab, int number, Host host, LearningSwitch fabric, int burst)
            throws ConfigException, IOException {
        GuestConfig config = lab.guests().get(number);
        GuestLedger ledger = new GuestLedger(config.name(), config.path());
        StationPair stations = StationPair.ofGuest(number);
        Programs programs = Programs.of(config.workload(), stations, lab.seed() + number);
        GuestBugs bugs = GuestBugs.of(lab.injections(), config.name());
        PathContext context = new PathContext(config, number, stations.mac(), ledger, lab.profile(), host, burst, bugs);
        boolean physical = context.physicalNic();
        Cabling cabling = Cabling.plug(config, fabric, physical);
        PathHardware path = switch (config.path()) {
            case EMULATED -> SoftwarePath.emulated(context, cabling);
            case VIRTIO -> SoftwarePath.virtio(context, cabling);
            case PASSTHROUGH -> PhysicalPath.assigned(context, cabling);
            case NATIVE -> PhysicalPath.bare(context, cabling);
        };
        GuestKernel kernel = new GuestKernel(
                path.processor(),
                path.ram(),
                path.heapStart(),
                path.heapEnd(),
                ledger,
                lab.profile(),
                programs.guest(),
                platform -> probe(bugs.platform(platform), config.nic()),
                new WatchdogPace(WatchPeriod.picos(lab.clock(), config), bugs.any()));
        path.processor().run(kernel);
        Peer peer = new Peer(
                config.name() + "-peer",
                stations.reversed().mac(),
                cabling.toPeer(),
                cabling.fromPeer(),
                ledger,
                programs.peer());
        return new Station(
                config,
                ledger,
                path.processor(),
                kernel,
                path.worker(),
                peer,
                programs.guest(),
                programs.peer(),
                cabling.links(),
                () -> {
                    path.syncCounters().run();
                    ledger.drops(
                            Direction.RX, DropCause.QUEUE_FULL, cabling.port().dropped());
                    ledger.drops(
                            Direction.TX,
                            DropCause.QUEUE_FULL,
                            cabling.peerPort().dropped());
                },
                path.iommu(),
                path.requester(),
                bugs);
    }

    private static NetDriver probe(DriverPlatform platform, NicTuning nic) {
        PciBus bus = new PciBus(
                platform.cpu(),
                new PortConfigAccess(platform.cpu()),
                new ResourceWindow("MMIO", MMIO_BASE, MMIO_SIZE),
                new ResourceWindow("I/O", IO_BASE, IO_SIZE));
        return NetDrivers.probe(platform, bus, new NetDrivers.Options(e1000(nic), virtio(nic)));
    }

    private static E1000Options e1000(NicTuning nic) {
        E1000Options plain = E1000Options.defaults()
                .withRings(nic.ringSize(), nic.ringSize())
                .unmoderated();
        return new E1000Options(
                plain.txRing(),
                plain.rxRing(),
                plain.bufferSize(),
                nic.itr(),
                nic.txDelay(),
                4 * nic.txDelay(),
                nic.rxDelay(),
                4 * nic.rxDelay(),
                Math.min(plain.rxBatchRefill(), nic.ringSize() / 2),
                nic.txInterrupts());
    }

    private static VirtioOptions virtio(NicTuning nic) {
        long without =
                (nic.eventIndex() ? 0 : VirtioFeatures.EVENT_IDX) | (nic.mergeable() ? 0 : VirtioFeatures.MRG_RXBUF);
        long with = (nic.virtio().ring() == VirtioTuning.Ring.PACKED ? VirtioFeatures.RING_PACKED : 0)
                | (nic.virtio().inOrder() ? VirtioFeatures.IN_ORDER : 0);
        return VirtioOptions.defaults().with(with).without(without).withLargestQueue(nic.virtqueueSize());
    }
}
