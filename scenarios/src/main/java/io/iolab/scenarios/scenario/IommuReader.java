package io.iolab.scenarios.scenario;

import io.iolab.scenarios.scenario.ScenarioKeys.Guest;
import io.iolab.scenarios.scenario.ScenarioKeys.Iommu;
import io.iolab.vmm.IommuTuning;
import io.iolab.vmm.IommuTuning.Policy;
import io.iolab.vmm.IommuTuning.Viommu;
import io.iolab.vmm.NicTuning;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.config.ConfigNode;
import io.iolab.vmm.ledger.Path;
import java.util.Optional;

/** The mapping {@code iommu} of a guest. */
final class IommuReader {
    /** Buffers of one direction that shadow copy has room for; a ring takes one less than it has descriptors. */
    private static final int BOUNCE_SLOTS = 512;

    private IommuReader() {}

    /**
     * @param nic the guest's
     * @param mapped as the guest says
     */
    static IommuTuning of(ConfigNode guest, Path path, NicTuning nic, boolean mapped) throws ConfigException {
        Optional<ConfigNode> found = Guest.IOMMU.find(guest);
        if (found.isEmpty()) {
            return IommuTuning.NONE;
        }
        ConfigNode node = found.get();
        Key.only(node, Iommu.ALL);
        if (path != Path.PASSTHROUGH && path != Path.NATIVE) {
            throw guest.error(
                    Guest.IOMMU.name(),
                    "expected on the passthrough and native paths only; no other has a NIC whose DMA is remapped");
        }
        boolean assigned = path == Path.PASSTHROUGH;
        Viommu viommu = Iommu.VIOMMU.read(node, assigned ? Viommu.SHADOW : Viommu.NONE);
        Policy policy = Iommu.POLICY.read(node, assigned && viommu == Viommu.NONE ? Policy.NONE : Policy.STRICT);
        if (!assigned && viommu != Viommu.NONE) {
            throw node.error(Iommu.VIOMMU.name(), "expected on the passthrough path only; here the unit is the host's");
        }
        if (assigned && (viommu == Viommu.NONE) != (policy == Policy.NONE)) {
            throw node.error(
                    "expected a viommu with a policy, or neither; without a unit a guest's kernel maps nothing");
        }
        if (policy == Policy.PASSTHROUGH && !mapped) {
            throw guest.error(
                    Guest.MAPPED.name(),
                    "expected true with policy: passthrough, in which the guest's kernel maps nothing anyway");
        }
        if (policy == Policy.SHADOW && nic.ringSize() > BOUNCE_SLOTS) {
            throw node.error(
                    Iommu.POLICY.name(), "expected rings of " + BOUNCE_SLOTS + " at most, for which there are slots");
        }
        return new IommuTuning(viommu, policy);
    }
}
