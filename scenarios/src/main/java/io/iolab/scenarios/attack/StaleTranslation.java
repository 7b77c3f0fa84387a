package io.iolab.scenarios.attack;

import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.explain.WalkRequest;

/** A translation that outlives its mapping because nobody invalidated it. */
final class StaleTranslation implements Attack {
    @Override
    public String name() {
        return "stale-iotlb";
    }

    @Override
    public String what() {
        return "The host takes a page from guest A's function in the page table, forgets the IOTLB, and gives the page to guest B. "
                + "The function reads on through the translation that is still cached.";
    }

    @Override
    public String defence() {
        return "IOTLB invalidation after every change that takes rights away (VT-d 6.5.2.3), before the page is used again";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.leaked(AttackedHost.PAGE);
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host);
        MemoryRegion page = guests.attackersMemory;
        guests.attacker.read(0, new byte[AttackedHost.PAGE]);
        host.note("01:00.0 read iova 0x0: the IOTLB now knows 0x%x", page.hpa());
        if (host.defended()) {
            AttackedHost.must(
                    guests.attacker.container().unmapDma(0, page.length()).errno(), "UNMAP_DMA");
            host.note("unmapped by the driver: entry cleared, IOTLB invalidated, waited");
        } else {
            host.clearLeaf(TwoGuests.ATTACKER, 0);
            host.note("page-table entry cleared, and nothing else");
        }
        byte[] secret = host.reuse(page, "guest B's new secret");
        byte[] loot = new byte[AttackedHost.PAGE];
        DmaFault fault = guests.attacker.read(0, loot);
        host.note("01:00.0 read iova 0x0 again: %s", fault);
        host.note("the tables would not have allowed that:");
        host.walkEvidence(new WalkRequest(TwoGuests.ATTACKER, 0, Access.READ));
        return Verdict.leaked(host.seen("guest B's new secret", secret, page.hpa(), loot));
    }
}
