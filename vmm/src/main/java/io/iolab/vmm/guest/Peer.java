package io.iolab.vmm.guest;

import io.iolab.devices.net.Delivery;
import io.iolab.vmm.backend.Link;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.time.Actor;

/**
 * The other end of a guest's traffic, on the wire side of the switch: a source and a sink whose work costs nothing, so that
 * what is measured is the guest's path.
 */
public final class Peer extends Actor implements Endpoint {
    private static final int BURST = 32;

    private final byte[] mac;
    private final Link incoming;
    private final Link outgoing;
    private final GuestLedger ledger;
    private final Program program;
    private boolean started;

    /** @param ledger of the guest this peer belongs to */
    public Peer(String name, byte[] mac, Link incoming, Link outgoing, GuestLedger ledger, Program program) {
        super(name);
        this.mac = mac.clone();
        this.incoming = incoming;
        this.outgoing = outgoing;
        this.ledger = ledger;
        this.program = program;
        incoming.receiver(this);
        outgoing.sender(this);
    }

    @Override
    protected boolean step() {
        if (!started) {
            started = true;
            program.start(this);
        }
        boolean worked = false;
        for (int i = 0; i < BURST && incoming.arrived(nowPicos()); i++) {
            program.frame(incoming.frame(), 0, incoming.frameLength());
            incoming.release(nowPicos());
            worked = true;
        }
        worked |= program.step();
        long next = Math.min(incoming.nextArrivalPicos(), program.nextWakePicos());
        if (next == NEVER) {
            idle();
        } else {
            sleepUntil(next);
        }
        return worked;
    }

    @Override
    public byte[] macAddress() {
        return mac.clone();
    }

    /** The wire takes as long as it takes: a source that runs ahead of it waits. */
    @Override
    public boolean send(byte[] frame, int offset, int length) {
        return outgoing.send(frame, offset, length, nowPicos()) == Delivery.ACCEPTED;
    }

    @Override
    public void flush() {}

    @Override
    public void latency(long sincePicos) {
        ledger.latency(Direction.TX).record((nowPicos() - sincePicos) / 1000);
    }

    @Override
    public void corrupt() {
        ledger.drop(Direction.TX, DropCause.CORRUPT);
    }
}
