package io.iolab.vmm;

import io.iolab.vmm.backend.Link;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.GuestLedger;
import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;

/** The lab put together. Only the shape: the machine itself is not wired in here yet. */
public final class Lab implements AutoCloseable {
    private Lab() {}

    /** Builds memory, devices and guests; nothing runs yet. */
    public static Lab create(LabConfig config) throws ConfigException, IOException {
        throw new UnsupportedOperationException("the machine is not wired yet");
    }

    public List<Link> links() {
        throw new UnsupportedOperationException("the machine is not wired yet");
    }

    public List<GuestLedger> ledgers() {
        throw new UnsupportedOperationException("the machine is not wired yet");
    }

    public void warmUp(long picos) {
        throw new UnsupportedOperationException("the machine is not wired yet");
    }

    public void measure(long picos, LongConsumer progressPicos) {
        throw new UnsupportedOperationException("the machine is not wired yet");
    }

    public List<GuestFigures> figures() {
        throw new UnsupportedOperationException("the machine is not wired yet");
    }

    public long nowPicos() {
        throw new UnsupportedOperationException("the machine is not wired yet");
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException("the machine is not wired yet");
    }
}
