package io.iolab.scenarios.attack;

/** The old format of messages. */
final class CompatibilityInjection implements Attack {
    /** GCMD.CFI. */
    private static final int COMPATIBILITY_FORMAT = 1 << 23;

    @Override
    public String name() {
        return "compatibility-injection";
    }

    @Override
    public String what() {
        return "Interrupt remapping is on, and guest A's function sends a message in the old format, which names processor and vector itself. "
                + "With compatibility format let through, such a message passes by the table.";
    }

    @Override
    public String defence() {
        return "GCMD.CFI = 0 (GSTS.CFIS), or extended interrupt mode, where the old format never passes (VT-d 5.1.2.1, fault 0x25)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.forged(1);
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host);
        host.driver.enableInterruptRemapping(false);
        if (!host.defended()) {
            host.command(COMPATIBILITY_FORMAT);
            host.note("GCMD.CFI is set");
        }
        guests.attacker.message(MessageForgery.VICTIMS_MESSAGE, MessageForgery.VECTOR);
        host.note(
                "01:00.0 wrote 0x%x to 0x%x, bit 4 of which is 0",
                MessageForgery.VECTOR, MessageForgery.VICTIMS_MESSAGE);
        return Verdict.forged(host.interrupts(MessageForgery.VICTIMS_PROCESSOR, MessageForgery.VECTOR));
    }
}
