package io.iolab.scenarios.iommu;

import io.iolab.vmm.groups.ExampleTopology;
import io.iolab.vmm.groups.IommuGroups;
import io.iolab.vmm.groups.PciTree;
import io.iolab.vmm.groups.Quirks;
import io.iolab.vmm.pci.PciTopology;

/**
 * Groups with what they are the groups of.
 *
 * @param name of the topology or scenario
 * @param description in half a sentence
 */
public record GroupsReport(String name, String description, IommuGroups groups) {

    /**
     * The groups of an example.
     *
     * @param accessControl whether the operating system has switched ACS on where it is; false leaves it as firmware did, off
     */
    public static GroupsReport of(ExampleTopology example, boolean accessControl) {
        PciTopology topology = example.build(rid -> {
            throw new IllegalStateException("nobody sends a request here");
        });
        if (accessControl) {
            PciTree.scan(topology.host().configAccess()).enableAccessControl(false);
        }
        return new GroupsReport(
                example.label(),
                example.description(),
                IommuGroups.of(PciTree.scan(topology.host().configAccess()), Quirks.NONE));
    }
}
