package io.iolab.scenarios.attack;

import io.iolab.devices.fault.DmaFault;

/** Writing over what belongs to somebody else. */
final class RogueWrite implements Attack {
    @Override
    public String name() {
        return "rogue-write";
    }

    @Override
    public String what() {
        return "Guest A has its function write over host memory of guest B. "
                + "Whatever lies there afterwards, code or page tables, B will use it.";
    }

    @Override
    public String defence() {
        return "DMA remapping: GCMD.TE with a context entry and a second-level table of A's own (VT-d 3.4, 3.7)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.corrupted(AttackedHost.PAGE);
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host);
        if (!host.defended()) {
            host.driver.disable();
            host.note("translation is off: GSTS.TES = 0");
        }
        byte[] overwrite = complement(guests.secret, AttackedHost.PAGE);
        DmaFault fault = guests.attacker.write(guests.secret.hpa(), overwrite);
        host.note("01:00.0 wrote 4096 bytes at 0x%x: %s", guests.secret.hpa(), fault);
        return Verdict.corrupted(host.changed(guests.secret));
    }

    /** Bytes of which none is what is there, so that every byte written is a byte changed. */
    static byte[] complement(MemoryRegion region, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) ~region.canary()[i];
        }
        return bytes;
    }
}
