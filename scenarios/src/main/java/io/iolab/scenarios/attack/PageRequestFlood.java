package io.iolab.scenarios.attack;

import io.iolab.devices.dma.TranslationPort;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.register.VtdRegisters;

/** More page requests than there is room for. */
final class PageRequestFlood implements Attack {
    private static final int REQUESTS = 1000;
    private static final int VICTIMS = 8;
    private static final int QUEUE_BYTES = 4096;
    private static final int ENTRY_BYTES = 32;

    @Override
    public String name() {
        return "page-request-flood";
    }

    @Override
    public String what() {
        return "Guest A's function asks for a thousand pages that are not there, faster than the host answers. "
                + "The unit has one page request queue for all, and what guest B's function asks for after that is lost.";
    }

    @Override
    public String defence() {
        return "PRE = 0 in the context entry of functions that are not trusted (VT-d 9.4, fault 0x47)";
    }

    @Override
    public RemappingOptions options() {
        return RemappingOptions.builder()
                .scalableMode(true)
                .secondLevel(true)
                .deviceTlb(true)
                .pageRequests(true)
                .build();
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.of(Verdict.Kind.DENIED, VICTIMS, "page request");
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host);
        TranslationPort attacker = guests.attackersPort().translation();
        TranslationPort victim =
                host.topology().port(guests.victim.function()).orElseThrow().translation();
        ScalableTables tables = new ScalableTables(host);
        tables.add(TwoGuests.ATTACKER, !host.defended());
        tables.add(TwoGuests.VICTIM, true);
        tables.enable();
        long queueHpa = host.frame();
        host.store64(VtdRegisters.PQA, queueHpa);
        ask(attacker, REQUESTS);
        host.note("01:00.0 asked for %d pages; PRS = 0x%x", REQUESTS, host.load32(VtdRegisters.PRS));
        ask(victim, VICTIMS);
        long arrived = inQueue(host, queueHpa, TwoGuests.VICTIM);
        host.note("02:00.0 asked for %d pages; %d of its requests are in the queue", VICTIMS, arrived);
        byte[] head = new byte[2 * ENTRY_BYTES];
        host.memory.read(queueHpa, head, 0, head.length);
        host.evidence("the page request queue", queueHpa, head);
        return Verdict.of(Verdict.Kind.DENIED, VICTIMS - arrived, "page request");
    }

    private static void ask(TranslationPort port, int count) {
        for (int i = 0; i < count; i++) {
            port.requestPage((long) i * AttackedHost.PAGE, TranslationPort.NO_PASID, TranslationPort.READ, 0, true);
        }
    }

    /** Entries of a requester: type 1 in bits 7:0, the requester in bits 31:16 (VT-d 7.4.1). */
    private static long inQueue(AttackedHost host, long queueHpa, int rid) {
        long count = 0;
        for (int at = 0; at < QUEUE_BYTES; at += ENTRY_BYTES) {
            int low = host.memory.readInt(queueHpa + at);
            count += (low & 0xFF) == 1 && low >>> 16 == rid ? 1 : 0;
        }
        return count;
    }
}
