package io.iolab.scenarios.attack;

import io.iolab.devices.fault.DmaFault;

/** Reading what belongs to somebody else. */
final class RogueRead implements Attack {
    @Override
    public String name() {
        return "rogue-read";
    }

    @Override
    public String what() {
        return "Guest A has its function read host memory in which guest B keeps a secret. "
                + "The address is one that A was never given; it is guessed.";
    }

    @Override
    public String defence() {
        return "DMA remapping: GCMD.TE with a context entry and a second-level table of A's own (VT-d 3.4, 3.7)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.leaked(AttackedHost.PAGE);
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host);
        if (!host.defended()) {
            host.driver.disable();
            host.note("translation is off: GSTS.TES = 0");
        }
        byte[] loot = new byte[AttackedHost.PAGE];
        DmaFault fault = guests.attacker.read(guests.secret.hpa(), loot);
        host.note("01:00.0 read 4096 bytes at 0x%x: %s", guests.secret.hpa(), fault);
        return Verdict.leaked(host.seen(guests.secret, 0, loot));
    }
}
