package io.iolab.scenarios.attack;

import io.iolab.devices.fault.DmaFault;

/** An interrupt in somebody else's name. */
final class MessageForgery implements Attack {
    static final int VICTIMS_PROCESSOR = 2;
    static final int VECTOR = 0x41;
    static final long VICTIMS_MESSAGE = 0xFEE0_0000L | VICTIMS_PROCESSOR << 12;

    @Override
    public String name() {
        return "msi-forgery";
    }

    @Override
    public String what() {
        return "Guest A's function writes an interrupt message of its own making: guest B's processor, a vector of A's choice. "
                + "An interrupt message is nothing but a write, so any bus master can send one.";
    }

    @Override
    public String defence() {
        return "interrupt remapping: GCMD.IRE, messages without an entry are blocked (VT-d 5.1, fault 0x25)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.forged(1);
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host);
        if (host.defended()) {
            host.driver.enableInterruptRemapping(false);
        }
        DmaFault fault = guests.attacker.message(VICTIMS_MESSAGE, VECTOR);
        host.note("01:00.0 wrote 0x%x to 0x%x: %s (posted: the sender learns nothing)", VECTOR, VICTIMS_MESSAGE, fault);
        return Verdict.forged(host.interrupts(VICTIMS_PROCESSOR, VECTOR));
    }
}
