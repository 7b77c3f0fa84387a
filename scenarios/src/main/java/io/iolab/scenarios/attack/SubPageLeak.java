package io.iolab.scenarios.attack;

import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.DmaDirection;
import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.iommu.explain.WalkRequest;
import java.util.Arrays;

/** Reading what lies beside a buffer on its page. */
final class SubPageLeak implements Attack {
    private static final int BUFFER = 1536;

    @Override
    public String name() {
        return "sub-page-leak";
    }

    @Override
    public String what() {
        return "A packet buffer of 1536 bytes shares its page with a key, and the NIC reads the whole page. "
                + "Pages are the smallest thing that a remapping unit can protect.";
    }

    @Override
    public String defence() {
        return "shadow copy: the NIC only ever sees bounce pages, data is copied on map and unmap (swiotlb=force)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.leaked(AttackedHost.PAGE - BUFFER);
    }

    @Override
    public Verdict run(AttackedHost host) {
        DmaPolicy policy = host.defended() ? DmaPolicy.SHADOW : DmaPolicy.STRICT;
        HostDevice nic = new HostDevice(host, policy);
        MemoryRegion page = host.region("packet and key on one page", 1);
        long iova = nic.mapper.map(page.hpa(), BUFFER, DmaDirection.TO_DEVICE);
        byte[] packet = new byte[BUFFER];
        DmaFault fault = nic.read(iova, packet);
        boolean intact = Arrays.equals(packet, Arrays.copyOf(page.canary(), BUFFER));
        host.note("%s: 01:00.0 read its packet: %s, as it should be: %b", policy.label(), fault, intact);
        byte[] loot = new byte[AttackedHost.PAGE - BUFFER];
        fault = nic.read(iova + BUFFER, loot);
        host.note("01:00.0 read the rest of the page: %s", fault);
        host.figure("sub_page_exposed", nic.mapper.counters().neighbourBytes(), "bytes");
        host.figure("copied", nic.mapper.counters().copiedBytes(), "bytes");
        host.walkEvidence(new WalkRequest(HostDevice.RID, iova, Access.READ));
        return Verdict.leaked(host.seen(page, BUFFER, loot));
    }
}
