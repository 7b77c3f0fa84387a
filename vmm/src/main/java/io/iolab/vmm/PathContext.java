package io.iolab.vmm;

import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.CostProfile;

/** What every path is built from. */
@SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
record PathContext(GuestConfig config, int number, byte[] mac, GuestLedger ledger, CostProfile profile, Host host) {

    boolean physicalNic() {
        return config.path() == Path.PASSTHROUGH || config.path() == Path.NATIVE;
    }

    String name() {
        return config.name();
    }
}
