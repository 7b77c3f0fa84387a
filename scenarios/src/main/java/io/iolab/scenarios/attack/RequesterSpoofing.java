package io.iolab.scenarios.attack;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.vmm.pci.FunctionPort;

/** Under another one's name. */
final class RequesterSpoofing implements Attack {
    @Override
    public String name() {
        return "requester-spoofing";
    }

    @Override
    public String what() {
        return "Guest A's function puts the requester id of guest B's function on its reads. "
                + "The IOMMU knows requesters by nothing else, so it translates them by B's tables.";
    }

    @Override
    public String defence() {
        return "ACS source validation in the port above the function (PCIe 6.12.1.1 SV)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.leaked(AttackedHost.PAGE);
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host, MapRights.READ_WRITE, host.defended());
        FunctionPort forging = guests.attackersPort().forging(TwoGuests.VICTIM);
        byte[] loot = new byte[AttackedHost.PAGE];
        DmaFault fault = forging.read(0, loot, 0, loot.length, DmaKind.PAYLOAD);
        host.note("01:00.0 read iova 0x0 as 02:00.0: %s", fault);
        if (!host.defended()) {
            host.walkEvidence(new WalkRequest(TwoGuests.VICTIM, 0, Access.READ));
        }
        return Verdict.leaked(host.seen(guests.secret, 0, loot));
    }
}
