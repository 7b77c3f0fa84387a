package io.iolab.scenarios.attack;

import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.explain.WalkRequest;

/** Writing through a mapping that is there to be read. */
final class ReadOnlyWrite implements Attack {
    @Override
    public String name() {
        return "read-only-write";
    }

    @Override
    public String what() {
        return "A buffer is mapped for a function to send from, and the function writes into it instead. "
                + "With the wrong direction in the mapping nobody notices.";
    }

    @Override
    public String defence() {
        return "the direction in the mapping: W = 0 in the second-level entry (VT-d 9.8; DMA_TO_DEVICE in Linux)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.corrupted(AttackedHost.PAGE);
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host, host.defended() ? MapRights.READ : MapRights.READ_WRITE, true);
        MemoryRegion buffer = guests.attackersMemory;
        DmaFault fault = guests.attacker.write(0, RogueWrite.complement(buffer, AttackedHost.PAGE));
        host.note("01:00.0 wrote 4096 bytes to iova 0x0: %s", fault);
        if (!host.defended()) {
            host.walkEvidence(new WalkRequest(TwoGuests.ATTACKER, 0, Access.WRITE));
        }
        return Verdict.corrupted(host.changed(buffer));
    }
}
