package io.iolab.scenarios.attack;

import io.iolab.iommu.driver.InterruptTable;
import io.iolab.iommu.driver.SourceCheck;
import io.iolab.iommu.interrupt.PostedDescriptor;

/** Notifications for a vCPU that does not run. */
final class PostedFlood implements Attack {
    private static final int MESSAGES = 10_000;
    private static final int PROCESSOR = 2;
    private static final int WAKE_UP_VECTOR = 0xF1;
    private static final int GUEST_VECTOR = 0x31;

    @Override
    public String name() {
        return "posted-flood";
    }

    @Override
    public String what() {
        return "Guest A's function floods the posted-interrupt descriptor of a vCPU that is not running, by an entry marked urgent. "
                + "Notifications are suppressed, but urgent ones are sent all the same, each time to the processor where guest B runs now.";
    }

    @Override
    public String defence() {
        return "URG = 0 in entries of guests, and SN = 1 in the descriptor while its vCPU does not run (VT-d 5.2.3, 9.10, 9.11)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.forged(MESSAGES);
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host);
        InterruptTable table = host.driver.enableInterruptRemapping(false);
        int index = table.allocate(1);
        long descriptor =
                host.region("guest A's posted-interrupt descriptor", 1).hpa();
        PostedDescriptor.initialise(host.memory, descriptor, WAKE_UP_VECTOR, PROCESSOR << 8);
        PostedDescriptor.suppress(host.memory, descriptor, true);
        table.post(index, SourceCheck.requester(TwoGuests.ATTACKER), GUEST_VECTOR, descriptor, !host.defended());
        host.processors.onMessage(vector -> PostedDescriptor.clearOutstanding(host.memory, descriptor));
        for (int i = 0; i < MESSAGES; i++) {
            guests.attacker.message(InterruptTable.messageAddress(index), 0);
        }
        long arrived = host.interrupts(PROCESSOR, WAKE_UP_VECTOR);
        host.note("%d messages, URG = %d, SN = 1: %d notifications", MESSAGES, host.defended() ? 0 : 1, arrived);
        host.note("vector kept for when the vCPU runs: %b", PostedDescriptor.pending(host.memory, descriptor));
        host.entryEvidence(TwoGuests.ATTACKER, index);
        return Verdict.forged(arrived);
    }
}
