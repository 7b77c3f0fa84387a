package io.iolab.scenarios.attack;

import io.iolab.devices.fault.DmaFault;

/** A translation that outlives its mapping because nobody waited. */
final class InvalidationNotAwaited implements Attack {
    @Override
    public String name() {
        return "invalidation-not-awaited";
    }

    @Override
    public String what() {
        return "The host invalidates the IOTLB but gives the page to guest B without waiting for the unit to have done it. "
                + "The queue has stopped on an earlier descriptor, and guest A's function reads on through the cached translation.";
    }

    @Override
    public String defence() {
        return "an invalidation wait descriptor with a status write, polled before the page is used again; FSTS.IQE handled (VT-d 6.5.2.8, 6.5.2.10)";
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
        RawQueue queue = new RawQueue(host);
        queue.submit(RawQueue.INVALID_TYPE, 0);
        host.note("a descriptor of an unknown type stops the queue: FSTS.IQE = %b", queue.stopped());
        host.clearLeaf(TwoGuests.ATTACKER, 0);
        queue.submit(RawQueue.IOTLB_GLOBAL, 0);
        if (host.defended()) {
            boolean done = queue.submitWait();
            host.note("global IOTLB invalidation and a wait submitted; status written: %b", done);
            if (!done) {
                queue.replaceHead(RawQueue.IOTLB_GLOBAL);
                host.note("bad descriptor replaced, IQE cleared; status written: %b", queue.waitDone());
            }
        } else {
            host.note("global IOTLB invalidation submitted; IQH has not moved: %b", queue.pending());
        }
        byte[] secret = host.reuse(page, "guest B's new secret");
        byte[] loot = new byte[AttackedHost.PAGE];
        DmaFault fault = guests.attacker.read(0, loot);
        host.note("01:00.0 read iova 0x0 again: %s", fault);
        return Verdict.leaked(host.seen("guest B's new secret", secret, page.hpa(), loot));
    }
}
