package io.iolab.scenarios.attack;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.walk.RequestType;
import io.iolab.vmm.pci.FunctionPort;
import java.util.Objects;

/** An address that claims to be translated. */
final class TranslatedForgery implements Attack {
    @Override
    public String name() {
        return "translated-forgery";
    }

    @Override
    public String what() {
        return "Guest A's function marks its reads as translated and puts guest B's host address into them. "
                + "With address translation services on for it, the IOMMU believes the mark and does not look at any page table.";
    }

    @Override
    public String defence() {
        return "no ATS for functions that are not trusted: TT = 00b in the context entry (VT-d 9.3, fault 0x0D); ACS translation blocking";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.leaked(AttackedHost.PAGE);
    }

    @Override
    public RemappingOptions options() {
        return RemappingOptions.builder().deviceTlb(true).build();
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host);
        if (!host.defended()) {
            Domain domain = Objects.requireNonNull(host.driver.domainOf(TwoGuests.ATTACKER));
            host.driver.detach(TwoGuests.ATTACKER);
            host.driver.attachWithDeviceTlb(TwoGuests.ATTACKER, domain);
            host.note("context entry of 01:00.0: TT = 01b");
        }
        FunctionPort forging = guests.attackersPort().translated();
        byte[] loot = new byte[AttackedHost.PAGE];
        DmaFault fault = forging.read(guests.secret.hpa(), loot, 0, loot.length, DmaKind.PAYLOAD);
        host.note("01:00.0 read 0x%x with AT = 10b: %s", guests.secret.hpa(), fault);
        if (!host.defended()) {
            host.walkEvidence(new WalkRequest(
                    TwoGuests.ATTACKER,
                    FaultReport.NO_PASID,
                    guests.secret.hpa(),
                    Access.READ,
                    RequestType.TRANSLATED));
        }
        host.faults(RequestType.TRANSLATED);
        return Verdict.leaked(host.seen(guests.secret, 0, loot));
    }
}
