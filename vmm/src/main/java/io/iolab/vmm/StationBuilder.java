package io.iolab.vmm;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.driver.NetDrivers;
import io.iolab.devices.driver.e1000.E1000Options;
import io.iolab.devices.driver.igb.IgbOptions;
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
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Puts a guest together with its path, its cables and its peer. */
final class StationBuilder {
    /** Below the I/O APIC and the interrupt range, above any guest's RAM. */
    static final long MMIO_BASE = 0xE000_0000L;

    static final long MMIO_SIZE = 0x1000_0000L;
    private static final long IO_BASE = 0xC000L;
    private static final long IO_SIZE = 0x3000L;

    private StationBuilder() {}

    /** What the guest with this number is built from. */
    static PathContext context(LabConfig lab, int number, Host host, int burst) {
        GuestConfig config = lab.guests().get(number);
        return new PathContext(
                config,
                number,
                StationPair.ofGuest(number).mac(),
                new GuestLedger(config.name(), config.path()),
                lab.profile(),
                host,
                burst,
                GuestBugs.of(lab.injections(), config.name()));
    }

    /** @param shared where virtual functions come from; may be null if the guest has none */
    static Station build(LabConfig lab, PathContext context, LearningSwitch fabric, @Nullable SharedNic shared)
            throws ConfigException, IOException {
        GuestConfig config = context.config();
        GuestLedger ledger = context.ledger();
        StationPair stations = StationPair.ofGuest(context.number());
        Programs programs = Programs.of(config.workload(), stations, lab.seed() + context.number());
        GuestBugs bugs = context.bugs();
        SharedNic provider = context.virtualFunction() ? Objects.requireNonNull(shared) : null;
        Cabling cabling = provider == null
                ? Cabling.plug(config, fabric, context.physicalNic())
                : Cabling.plug(config, fabric, provider.cable(), context.mac());
        PathHardware path = path(context, cabling, provider);
        GuestKernel kernel = new GuestKernel(
                path.processor(),
                path.ram(),
                path.heapStart(),
                path.heapEnd(),
                ledger,
                lab.profile(),
                programs.guest(),
                platform -> probe(bugs.platform(platform), config.nic()),
                new WatchdogPace(WatchPeriod.picos(lab.clock(), config), bugs.any()),
                path.startDma());
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
                            Direction.RX, DropCause.QUEUE_FULL, cabling.lost().getAsLong());
                    ledger.drops(
                            Direction.TX,
                            DropCause.QUEUE_FULL,
                            cabling.peerLost().getAsLong());
                },
                path.iommu(),
                path.requester(),
                path.guestUnit(),
                bugs);
    }

    private static PathHardware path(PathContext context, Cabling cabling, @Nullable SharedNic provider) {
        return switch (context.config().path()) {
            case EMULATED -> SoftwarePath.emulated(context, cabling);
            case VIRTIO -> SoftwarePath.virtio(context, cabling);
            case PASSTHROUGH ->
                provider == null
                        ? PhysicalPath.assigned(context, cabling)
                        : PhysicalPath.virtualFunction(context, cabling, provider);
            case NATIVE -> PhysicalPath.bare(context, cabling);
        };
    }

    private static NetDriver probe(DriverPlatform platform, NicTuning nic) {
        PciBus bus = new PciBus(
                platform.cpu(),
                new PortConfigAccess(platform.cpu()),
                new ResourceWindow("MMIO", MMIO_BASE, MMIO_SIZE),
                new ResourceWindow("I/O", IO_BASE, IO_SIZE));
        return NetDrivers.probe(
                platform, bus, new NetDrivers.Options(e1000(nic), virtio(nic), IgbOptions.physical(), igbvf(nic)));
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

    /** EITR counts whole microseconds (82576 datasheet 8.8.14) in bits 14:2, ITR 256 ns. */
    private static IgbOptions igbvf(NicTuning nic) {
        int nanos = Math.min(nic.itr() * 256, AssignedNic.MOST_MODERATION_NANOS);
        return IgbOptions.virtual()
                .withRings(nic.ringSize(), nic.ringSize())
                .moderated((nanos + 500) / 1000 << 2)
                .withTxInterrupts(nic.txInterrupts());
    }

    private static VirtioOptions virtio(NicTuning nic) {
        long without =
                (nic.eventIndex() ? 0 : VirtioFeatures.EVENT_IDX) | (nic.mergeable() ? 0 : VirtioFeatures.MRG_RXBUF);
        long with = (nic.virtio().ring() == VirtioTuning.Ring.PACKED ? VirtioFeatures.RING_PACKED : 0)
                | (nic.virtio().inOrder() ? VirtioFeatures.IN_ORDER : 0);
        return VirtioOptions.defaults().with(with).without(without).withLargestQueue(nic.virtqueueSize());
    }
}
