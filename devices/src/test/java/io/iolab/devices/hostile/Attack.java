package io.iolab.devices.hostile;

/** A way to reach one kind of device by hand: brings it up with raw register writes and asks it how it is. */
abstract class Attack {
    final HostileMachine machine;

    Attack(HostileMachine machine) {
        this.machine = machine;
    }

    static Attack on(HostileMachine machine) {
        return switch (machine.target()) {
            case I82540EM, I82574L -> new E1000Attack(machine);
            case VIRTIO_NET -> new VirtioAttack(machine);
            case VIRTIO_NET_FULL -> new RogueAttack(machine);
        };
    }

    /** Resets the device, places sound rings with raw register writes, and lets it run. */
    abstract void start();

    /** Whether frames pass in both directions without a reset, once the rings are sound. */
    abstract boolean serves();

    /** Whether the device shows why it does not serve: it says so, stands still as it must, or has counted. */
    abstract boolean refuses();

    /** Works the device until it is at rest, and finds out what became of it. */
    Verdict verdict() {
        return verdict(true, true);
    }

    /**
     * The same, at less cost: the ordinary driver, which reads a whole EEPROM bit by bit, is called only for a device that does
     * not serve; otherwise a reset and rings set up by hand have to do.
     */
    Verdict quickVerdict() {
        return verdict(true, false);
    }

    /** Of a device that may work without end, since its own registers are among its buffers. */
    Verdict verdictOnSelfDma() {
        return verdict(false, true);
    }

    private Verdict verdict(boolean mustRest, boolean thorough) {
        machine.advance(10_000_000);
        boolean rests = machine.takeQuiet();
        machine.bus().peerToPeer(false);
        boolean serves = rests && serves();
        boolean refuses = !rests && !mustRest || !serves && refuses();
        machine.takeQuiet();
        String complaint = thorough || !serves ? machine.ordinary().complaint() : afterReset();
        if (!complaint.isEmpty()) {
            reason = "after a reset: " + complaint;
            return Verdict.WEDGED;
        }
        if (!rests && mustRest) {
            reason = "the device did not come to rest";
            return Verdict.WEDGED;
        }
        if (serves) {
            return Verdict.PASS;
        }
        reason = refuses ? "" : "the device neither serves nor says why";
        return refuses ? Verdict.REJECT : Verdict.WEDGED;
    }

    private String afterReset() {
        start();
        return serves() ? "" : "no frames";
    }

    private String reason = "";

    /** Why the last verdict was WEDGED. */
    String reason() {
        return reason;
    }
}
