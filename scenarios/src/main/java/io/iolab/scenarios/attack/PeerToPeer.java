package io.iolab.scenarios.attack;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.vmm.pci.Bridge;
import io.iolab.vmm.pci.ProbeFunction;

/** From function to function, past the IOMMU. */
final class PeerToPeer implements Attack {
    @Override
    public String name() {
        return "peer-to-peer";
    }

    @Override
    public String what() {
        return "Guest A's function reads guest B's function behind the same switch, by the address of its BAR. "
                + "The switch passes the request sideways, and the IOMMU at the top never sees it.";
    }

    @Override
    public String defence() {
        return "ACS P2P request redirect and upstream forwarding in the downstream ports (PCIe 6.12.1.1); without ACS one IOMMU group, one owner";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.leaked(AttackedHost.PAGE);
    }

    @Override
    public Verdict run(AttackedHost host) {
        int services = host.defended() ? AccessControlServices.ISOLATION : 0;
        Bridge up = host.build.switchUpstreamPort(host.build.rootPort(1, 0, AccessControlServices.ISOLATION));
        ProbeFunction attacker = endpoint(host, host.build.switchDownstreamPort(up, 0, services));
        ProbeFunction victim = endpoint(host, host.build.switchDownstreamPort(up, 1, services));
        host.start(true);
        int attackersRid = host.rid(attacker);
        int victimsRid = host.rid(victim);
        host.attach(attackersRid);
        host.attach(victimsRid);
        host.enableFunction(attackersRid);
        host.enableFunction(victimsRid);
        host.note(
                "%s is in group %d, %s in group %d; the host gives them to different guests",
                RequesterId.format(attackersRid),
                host.vfio().groupNumber(attackersRid),
                RequesterId.format(victimsRid),
                host.vfio().groupNumber(victimsRid));
        byte[] canary = MemoryRegion.canary("guest B's device memory", AttackedHost.PAGE);
        for (int i = 0; i < canary.length; i++) {
            victim.writeBar(0, i, 1, canary[i] & 0xFF);
        }
        long bar = victim.config().barAddress(0);
        byte[] loot = new byte[AttackedHost.PAGE];
        DmaFault fault = attacker.dma().read(bar, loot, 0, loot.length, DmaKind.PAYLOAD);
        host.note(
                "%s read 4096 bytes at 0x%x: %s; %d bytes went past the IOMMU",
                RequesterId.format(attackersRid), bar, fault, host.topology().peerToPeerBytes());
        return Verdict.leaked(host.seen("guest B's device memory", canary, bar, loot));
    }

    private static ProbeFunction endpoint(AttackedHost host, Bridge above) {
        return host.build.function(above, 0, 0, dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
    }
}
