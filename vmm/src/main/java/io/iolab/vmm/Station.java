package io.iolab.vmm;

import io.iolab.devices.driver.NetDriver;
import io.iolab.iommu.RequesterCounters;
import io.iolab.vmm.backend.Link;
import io.iolab.vmm.backend.NicWorker;
import io.iolab.vmm.guest.GuestKernel;
import io.iolab.vmm.guest.Peer;
import io.iolab.vmm.guest.Program;
import io.iolab.vmm.inject.GuestBugs;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.vcpu.Processor;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A guest with its path and its peer, ready to run.
 *
 * @param program of the guest; {@code peerProgram} is the other end
 * @param links the guest's outgoing and incoming, then the peer's
 * @param syncCounters copies what the device counts itself into the ledger
 * @param iommu what the IOMMU has counted for the guest's device; {@code requester} are its live counters, if there is one
 * @param guestUnit the remapping unit that the guest sees
 * @param bugs of the guest
 */
record Station(
        GuestConfig config,
        GuestLedger ledger,
        Processor processor,
        GuestKernel kernel,
        NicWorker worker,
        Peer peer,
        Program program,
        Program peerProgram,
        List<Link> links,
        Runnable syncCounters,
        Supplier<GuestFigures.Iommu> iommu,
        Optional<RequesterCounters> requester,
        Optional<SeenUnit> guestUnit,
        GuestBugs bugs) {

    /** For whoever watches the run. */
    LiveCounters live() {
        return new LiveCounters(ledger, requester, () -> {
            NetDriver driver = kernel.driver();
            return driver == null || kernel.bootedPicos() == Long.MAX_VALUE ? 0 : driver.transmitsInFlight();
        });
    }

    /** Whether the guest's NIC and cable are others' too. */
    boolean sharesNic() {
        return AssignedNic.isVirtual(config);
    }

    /** The thread of the guest and of its NIC, when there are threads. */
    String group() {
        return sharesNic() ? SharedNic.NAME : config.name();
    }

    boolean done() {
        return program.done() && peerProgram.done();
    }
}
