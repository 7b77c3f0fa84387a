package io.iolab.vmm;

import io.iolab.vmm.inject.GuestBugs;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.CostProfile;

/**
 * What every path is built from.
 *
 * @param burst frames an I/O worker moves in a step
 */
@SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
record PathContext(
        GuestConfig config,
        int number,
        byte[] mac,
        GuestLedger ledger,
        CostProfile profile,
        Host host,
        int burst,
        GuestBugs bugs) {

    boolean physicalNic() {
        return config.path() == Path.PASSTHROUGH || config.path() == Path.NATIVE;
    }

    boolean virtualFunction() {
        return AssignedNic.isVirtual(config);
    }

    String name() {
        return config.name();
    }
}
