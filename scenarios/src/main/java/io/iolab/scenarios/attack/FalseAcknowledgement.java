package io.iolab.scenarios.attack;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.walk.RequestType;
import io.iolab.vmm.pci.FunctionPort;
import java.util.Objects;

/** A translation that a device says it has forgotten. */
final class FalseAcknowledgement implements Attack {
    @Override
    public String name() {
        return "device-tlb-false-ack";
    }

    @Override
    public String what() {
        return "Guest A's function has a device TLB, acknowledges every invalidation of it and forgets nothing. "
                + "The host unmaps a page with all that is due, waits for all of it, gives the page to guest B, "
                + "and the function writes to it with the translation that it has kept.";
    }

    @Override
    public String defence() {
        return "no ATS for functions that are not trusted: TT = 00b in the context entry (DTE = 0 in scalable mode), which refuses both"
                + " translation requests and translated requests (VT-d 4.1, 9.3, fault 0x0D); ACS translation blocking";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.corrupted(AttackedHost.PAGE);
    }

    @Override
    public RemappingOptions options() {
        return RemappingOptions.builder().deviceTlb(true).build();
    }

    /** Says yes to everything. */
    private static final class Liar implements AddressTranslationCache {
        private int acknowledged;

        @Override
        public boolean invalidate(long iova, int shift, int pasid, boolean allPasids) {
            acknowledged++;
            return true;
        }

        @Override
        public void pageGroupResponse(int pasid, int group, int code) {}
    }

    @Override
    public Verdict run(AttackedHost host) {
        TwoGuests guests = new TwoGuests(host);
        MemoryRegion page = guests.attackersMemory;
        Domain domain = Objects.requireNonNull(host.driver.domainOf(TwoGuests.ATTACKER));
        if (!host.defended()) {
            host.driver.detach(TwoGuests.ATTACKER);
            host.driver.attachWithDeviceTlb(TwoGuests.ATTACKER, domain);
            host.note("context entry of 01:00.0: TT = 01b");
        }
        FunctionPort function = guests.attackersPort();
        TranslationPort services = function.translation();
        Liar liar = new Liar();
        services.attach(liar);
        TranslationCompletion completion = new TranslationCompletion();
        TranslationStatus status = services.translate(
                0, TranslationPort.NO_PASID, TranslationPort.READ | TranslationPort.WRITE, completion);
        // Refused, it has to guess, and guesses well.
        long kept = status == TranslationStatus.SUCCESS ? completion.frameHpa() : page.hpa();
        host.note("01:00.0 asked for the translation of iova 0x0: %s; it goes on with 0x%x", status, kept);
        host.faults(RequestType.TRANSLATION_REQUEST);
        AttackedHost.must(guests.attacker.container().unmapDma(0, page.length()).errno(), "UNMAP_DMA");
        host.note(
                "unmapped by the driver: entry cleared, IOTLB and device TLB invalidated, waited; invalidations that the device"
                        + " acknowledged: %d, functions cut off for not answering: %d",
                liar.acknowledged, host.driver.isolations());
        byte[] secret = host.reuse(page, "guest B's new secret");
        byte[] overwrite = new byte[AttackedHost.PAGE];
        for (int i = 0; i < overwrite.length; i++) {
            overwrite[i] = (byte) ~secret[i];
        }
        DmaFault fault = function.translated().write(kept, overwrite, 0, overwrite.length, DmaKind.PAYLOAD);
        host.note("01:00.0 wrote 4096 bytes to 0x%x with AT = 10b: %s", kept, fault);
        host.note("the tables say of iova 0x0 since the page was unmapped:");
        host.walkEvidence(new WalkRequest(TwoGuests.ATTACKER, 0, Access.WRITE));
        if (!host.defended()) {
            host.walkEvidence(new WalkRequest(
                    TwoGuests.ATTACKER, FaultReport.NO_PASID, kept, Access.WRITE, RequestType.TRANSLATED));
        }
        host.faults(RequestType.TRANSLATED);
        return Verdict.corrupted(host.changed("guest B's new secret", page.hpa(), secret));
    }
}
