package io.iolab.scenarios.attack;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.vmm.assign.Opened;
import io.iolab.vmm.assign.VfioContainer;
import io.iolab.vmm.assign.VfioGroup;
import io.iolab.vmm.assign.VfioHost;
import io.iolab.vmm.pci.Bridge;
import io.iolab.vmm.pci.PciBridge;
import io.iolab.vmm.pci.ProbeFunction;
import java.util.Objects;

/** Two functions with one name. */
final class DeviceAlias implements Attack {
    @Override
    public String name() {
        return "device-alias";
    }

    @Override
    public String what() {
        return "Two conventional functions behind a bridge go to different guests, though all their requests carry the bridge's requester id. "
                + "Guest A's function reads, and the IOMMU translates by the tables of whoever the id was given to: guest B.";
    }

    @Override
    public String defence() {
        return "IOMMU groups by DMA alias: whatever shares a requester id has one owner (PCIe-to-PCI bridge 2.3; VFIO opens a group once)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.leaked(AttackedHost.PAGE);
    }

    @Override
    public Verdict run(AttackedHost host) {
        Bridge bridge = host.build.pciBridge(
                host.build.rootPort(1, 0, AccessControlServices.ISOLATION), PciBridge.Alias.SECONDARY_BUS);
        ProbeFunction attacker = conventional(host, bridge, 4);
        ProbeFunction victim = conventional(host, bridge, 5);
        host.start(true);
        int attackersRid = host.rid(attacker);
        int victimsRid = host.rid(victim);
        MemoryRegion own = host.region("guest A's memory", 1);
        MemoryRegion secret = host.region("guest B's secret", 1);
        if (host.defended()) {
            Assigned assigned = host.assign(attackersRid, attacker);
            host.map(assigned, 0, own, MapRights.READ_WRITE);
            askFor(host, victimsRid, secret);
        } else {
            host.attach(attackersRid).map(0, own.hpa(), own.length(), MapRights.READ_WRITE);
            Domain victims = host.attach(victimsRid);
            victims.map(0, secret.hpa(), secret.length(), MapRights.READ_WRITE);
            host.driver.attach(victimsRid & 0xFF00, victims);
            host.enableFunction(attackersRid);
            host.note("no groups: the bridge's id %s went to guest B", RequesterId.format(victimsRid & 0xFF00));
        }
        byte[] loot = new byte[AttackedHost.PAGE];
        DmaFault fault = attacker.dma().read(0, loot, 0, loot.length, DmaKind.PAYLOAD);
        host.note("%s read iova 0x0: %s", RequesterId.format(attackersRid), fault);
        host.walkEvidence(new WalkRequest(victimsRid & 0xFF00, 0, Access.READ));
        return Verdict.leaked(host.seen(secret, 0, loot));
    }

    /** Were the group another one, guest B would get its device, and with it the id that the device's requests carry. */
    private static void askFor(AttackedHost host, int rid, MemoryRegion secret) {
        host.vfio().bind(rid, VfioHost.VFIO_DRIVER);
        Opened<VfioGroup> group = host.vfio().openGroup(host.vfio().groupNumber(rid));
        host.note("guest B asks for the group of %s: %s", RequesterId.format(rid), group.errno());
        if (group.value().isPresent()) {
            VfioContainer container = host.vfio().openContainer();
            AttackedHost.must(group.orElseThrow().setContainer(container), "SET_CONTAINER");
            AttackedHost.must(container.setIommu(VfioContainer.Extension.TYPE1V2), "SET_IOMMU");
            host.map(container, 0, secret, MapRights.READ_WRITE);
            host.driver.attach(rid & 0xFF00, Objects.requireNonNull(host.driver.domainOf(rid)));
        }
    }

    private static ProbeFunction conventional(AttackedHost host, Bridge bridge, int device) {
        return host.build.function(
                bridge, device, 0, dma -> new ProbeFunction(ProbeFunction.Kind.CONVENTIONAL, 0, dma));
    }
}
