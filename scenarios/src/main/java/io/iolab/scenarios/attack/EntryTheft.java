package io.iolab.scenarios.attack;

import io.iolab.iommu.driver.InterruptTable;
import io.iolab.iommu.driver.InterruptTarget;
import io.iolab.iommu.driver.SourceCheck;

/** Somebody else's entry of the interrupt-remapping table. */
final class EntryTheft implements Attack {
    @Override
    public String name() {
        return "irte-theft";
    }

    @Override
    public String what() {
        return "Guest A's function names the interrupt-remapping entry of guest B's function in its message. "
                + "The entry is there and present, and with SVT = 00b it does not ask who sends.";
    }

    @Override
    public String defence() {
        return "source validation: SVT = 01b with the function's own SID in every entry (VT-d 9.9, fault 0x26)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.forged(1);
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host);
        InterruptTable table = host.driver.enableInterruptRemapping(false);
        int index = table.allocate(1);
        SourceCheck check = host.defended() ? SourceCheck.requester(TwoGuests.VICTIM) : SourceCheck.none();
        table.remap(index, check, InterruptTarget.fixed(MessageForgery.VICTIMS_PROCESSOR, MessageForgery.VECTOR));
        guests.attacker.message(InterruptTable.messageAddress(index), 0);
        host.note("01:00.0 sent a message for entry %d, which is 02:00.0's", index);
        long forged = host.interrupts(MessageForgery.VICTIMS_PROCESSOR, MessageForgery.VECTOR);
        if (!host.defended()) {
            host.entryEvidence(TwoGuests.ATTACKER, index);
        }
        host.faults();
        guests.victim.message(InterruptTable.messageAddress(index), 0);
        long all = host.interrupts(MessageForgery.VICTIMS_PROCESSOR, MessageForgery.VECTOR);
        host.note("02:00.0 sent one itself: %d arrived", all - forged);
        return Verdict.forged(forged);
    }
}
