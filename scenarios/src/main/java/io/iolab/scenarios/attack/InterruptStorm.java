package io.iolab.scenarios.attack;

import io.iolab.iommu.driver.InterruptTable;
import io.iolab.iommu.driver.InterruptTarget;
import io.iolab.iommu.driver.SourceCheck;
import io.iolab.iommu.interrupt.PostedDescriptor;

/** More interrupts than a processor can do. */
final class InterruptStorm implements Attack {
    private static final int MESSAGES = 10_000;
    private static final int PROCESSOR = 1;
    private static final int VECTOR = 0x51;
    private static final int GUEST_VECTOR = 0x31;

    @Override
    public String name() {
        return "interrupt-storm";
    }

    @Override
    public String what() {
        return "Guest A's function sends ten thousand interrupts through its own entry, with nothing behind them. "
                + "Each one stops the processor that guest B runs on.";
    }

    @Override
    public String defence() {
        return "posted format: vectors collect in the descriptor, and while ON is set no further notification is sent (VT-d 5.2.3, 9.11)";
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
        SourceCheck own = SourceCheck.requester(TwoGuests.ATTACKER);
        if (host.defended()) {
            long descriptor =
                    host.region("guest A's posted-interrupt descriptor", 1).hpa();
            PostedDescriptor.initialise(host.memory, descriptor, VECTOR, PROCESSOR << 8);
            table.post(index, own, GUEST_VECTOR, descriptor, false);
        } else {
            table.remap(index, own, InterruptTarget.fixed(PROCESSOR, VECTOR));
        }
        for (int i = 0; i < MESSAGES; i++) {
            guests.attacker.message(InterruptTable.messageAddress(index), 0);
        }
        long arrived = host.interrupts(PROCESSOR, VECTOR);
        host.note("%d messages through entry %d: %d interrupts", MESSAGES, index, arrived);
        host.entryEvidence(TwoGuests.ATTACKER, index);
        // The first notification is guest A's good right.
        return Verdict.forged(host.defended() ? arrived - 1 : arrived);
    }
}
