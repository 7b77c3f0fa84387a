package io.iolab.scenarios.scenario;

import io.iolab.scenarios.scenario.ScenarioKeys.Guest;
import io.iolab.scenarios.scenario.ScenarioKeys.Msix;
import io.iolab.scenarios.scenario.ScenarioKeys.Nic;
import io.iolab.scenarios.scenario.ScenarioKeys.Virtio;
import io.iolab.vmm.AssignedNic;
import io.iolab.vmm.NicTuning;
import io.iolab.vmm.VirtioTuning;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.config.ConfigNode;
import io.iolab.vmm.ledger.Path;
import java.util.List;
import java.util.Optional;

/** The mappings {@code nic}, {@code virtio} and {@code msix}. */
final class NicReader {
    /** virtio-net offers no larger queue unless asked for, as QEMU does. */
    private static final int MAX_VIRTQUEUE = 256;

    /** The keys of {@code nic} that only a virtio device has. */
    static final List<Key<?>> VIRTIO_FEATURES = List.of(Nic.EVENT_INDEX, Nic.MERGEABLE);

    private static final int ITR_UNIT_NANOS = 256;

    /** Keys of a guest that only an assigned NIC has. */
    static final List<Key<?>> ASSIGNED = List.of(Guest.DEVICE, Guest.MSIX, Guest.INTERRUPTS);

    private NicReader() {}

    /** A guest's NIC, which has what the whole scenario says unless the guest says otherwise. */
    static NicTuning of(ConfigNode guest, Path path, NicTuning defaults) throws ConfigException {
        NicTuning nic = nic(guest, ringFor(path, defaults));
        if (path == Path.VIRTIO && nic.ringSize() > MAX_VIRTQUEUE) {
            throw guest.error(
                    ScenarioKeys.NIC.name(),
                    "expected ring: " + MAX_VIRTQUEUE + " at most, found " + nic.ringSize() + "; a larger virtqueue is "
                            + ScenarioKeys.VIRTIO.name() + ": {" + Virtio.QUEUE_SIZE.name() + ": " + nic.ringSize()
                            + "}");
        }
        if (path != Path.VIRTIO && ScenarioKeys.VIRTIO.has(guest)) {
            throw guest.error(ScenarioKeys.VIRTIO.name(), "expected on the virtio path only");
        }
        for (Key<?> key : ASSIGNED) {
            if (path != Path.PASSTHROUGH && key.has(guest)) {
                throw guest.error(key.name(), "expected on the passthrough path only; no other has an assigned NIC");
            }
        }
        return assigned(guest, virtio(guest, nic));
    }

    /** Common settings fit every path: a virtqueue takes the largest size that it can have. */
    static NicTuning ringFor(Path path, NicTuning nic) {
        return path == Path.VIRTIO && nic.ringSize() > MAX_VIRTQUEUE ? nic.withRing(MAX_VIRTQUEUE) : nic;
    }

    /** @param absent what there is without the section, or without a key in it */
    static NicTuning nic(ConfigNode parent, NicTuning absent) throws ConfigException {
        Optional<ConfigNode> found = ScenarioKeys.NIC.find(parent);
        if (found.isEmpty()) {
            return absent;
        }
        Key.only(found.get(), Nic.ALL);
        return nicKeys(found.get(), absent);
    }

    /** The keys themselves, whichever mapping they stand in. */
    static NicTuning nicKeys(ConfigNode node, NicTuning absent) throws ConfigException {
        return new NicTuning(
                Nic.RING.read(node, absent.ringSize()),
                Nic.ITR.read(node, absent.itr()),
                Nic.TX_DELAY.read(node, absent.txDelay()),
                Nic.RX_DELAY.read(node, absent.rxDelay()),
                Nic.TX_INTERRUPTS.read(node, absent.txInterrupts()),
                Nic.EVENT_INDEX.read(node, absent.eventIndex()),
                Nic.MERGEABLE.read(node, absent.mergeable()),
                Nic.COALESCED_MMIO.read(node, absent.coalescedMmio()),
                absent.virtio(),
                absent.msixSharedPage(),
                absent.interrupts(),
                absent.assigned());
    }

    /** Of {@link #nicKeys} those of {@link #VIRTIO_FEATURES}. */
    static NicTuning virtioFeatures(ConfigNode node, NicTuning absent) throws ConfigException {
        return new NicTuning(
                absent.ringSize(),
                absent.itr(),
                absent.txDelay(),
                absent.rxDelay(),
                absent.txInterrupts(),
                Nic.EVENT_INDEX.read(node, absent.eventIndex()),
                Nic.MERGEABLE.read(node, absent.mergeable()),
                absent.coalescedMmio(),
                absent.virtio(),
                absent.msixSharedPage(),
                absent.interrupts(),
                absent.assigned());
    }

    /** See {@link #nic}. */
    static NicTuning virtio(ConfigNode parent, NicTuning absent) throws ConfigException {
        Optional<ConfigNode> found = ScenarioKeys.VIRTIO.find(parent);
        if (found.isEmpty()) {
            return absent;
        }
        Key.only(found.get(), Virtio.ALL);
        return virtioKeys(found.get(), absent);
    }

    /** See {@link #nicKeys}. */
    static NicTuning virtioKeys(ConfigNode node, NicTuning absent) throws ConfigException {
        VirtioTuning virtio = absent.virtio();
        return absent.withVirtio(new VirtioTuning(
                Virtio.BACKEND.read(node, virtio.backend()),
                Virtio.RING.read(node, virtio.ring()),
                Virtio.IN_ORDER.read(node, virtio.inOrder()),
                Virtio.QUEUE_SIZE.read(node, virtio.queueSize())));
    }

    /** The keys of an assigned NIC that stand beside {@code nic}. */
    static NicTuning assigned(ConfigNode parent, NicTuning absent) throws ConfigException {
        AssignedNic device = Guest.DEVICE.read(parent, absent.assigned());
        NicTuning nic = msix(
                parent, absent.withAssigned(device).withInterrupts(Guest.INTERRUPTS.read(parent, absent.interrupts())));
        if (device == AssignedNic.IGBVF && nic.itr() * ITR_UNIT_NANOS > AssignedNic.MOST_MODERATION_NANOS) {
            throw parent.error("expected itr: 8191us at most with device: igbvf, whose EITR holds no more");
        }
        if (device == AssignedNic.IGBVF && nic.msixSharedPage()) {
            throw parent.error(
                    Guest.MSIX.name(),
                    "expected with device: e1000e only; a virtual function has its table in a BAR of its own");
        }
        return nic;
    }

    /** See {@link #nic}. */
    private static NicTuning msix(ConfigNode parent, NicTuning absent) throws ConfigException {
        Optional<ConfigNode> found = Guest.MSIX.find(parent);
        if (found.isEmpty()) {
            return absent;
        }
        Key.only(found.get(), Msix.ALL);
        return absent.withMsixSharedPage(Msix.SHARED_PAGE.read(found.get(), absent.msixSharedPage()));
    }
}
