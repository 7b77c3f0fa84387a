package io.iolab.vmm.pci;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.ats.AddressTranslation;
import io.iolab.devices.ats.DeviceTlb;
import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.pci.ProbeFunction.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Two functions behind one switch, whose downstream ports redirect peer-to-peer requests (PCI Express Base section 6.12). The requester has
 * a device TLB, and its domain maps an address to the peer's BAR: what the unit has translated may go straight there if the port has ACS
 * Direct Translated P2P on, and goes up to the root complex if it has not.
 */
@DisplayName("ACS direct translated P2P, with a real device TLB")
class DirectTranslatedTest {
    private static final long IOVA = 0x4000_0000;
    private static final int ACS_CONTROL = 0x106;
    private static final int REDIRECTING = AccessControlServices.REQUEST_REDIRECT
            | AccessControlServices.UPSTREAM_FORWARDING
            | AccessControlServices.SOURCE_VALIDATION;
    private static final long CANARY = 0x0123_4567_89AB_CDEFL;

    private final PhysicalMemory memory = PhysicalMemory.allocate(16 << 20);
    private final RemappingUnit unit =
            new RemappingUnit(RemappingOptions.builder().deviceTlb(true).build(), memory, (address, data) -> {});
    private final PciTopology.Builder build = new PciTopology.Builder(RootComplex.of(unit));
    private final Bridge root = build.rootPort(1, 0, AccessControlServices.ISOLATION);
    private final Bridge upstream = build.switchUpstreamPort(root);
    private final Bridge port = build.switchDownstreamPort(upstream, 0, AccessControlServices.ALL);
    private final Bridge peerPort = build.switchDownstreamPort(upstream, 1, AccessControlServices.ALL);
    private DeviceTlb tlb;
    private final ProbeFunction requester = build.function(port, 0, 0, dma -> {
        tlb = new DeviceTlb(((FunctionPort) dma).translation());
        AddressTranslation services = new AddressTranslation(tlb);
        ProbeFunction made = new ProbeFunction(Kind.EXPRESS, 0, services.port());
        services.addTo(made.config());
        return made;
    });
    private final ProbeFunction peer = build.function(peerPort, 0, 0, dma -> new ProbeFunction(Kind.EXPRESS, 0, dma));
    private final PciTopology topology = build.build();
    private final IommuDriver driver;
    private final Domain domain;
    private final long bar;

    DirectTranslatedTest() {
        topology.start();
        // What comes up redirected, with an address below this port, goes on to the root complex.
        root.config().write(ACS_CONTROL, 2, AccessControlServices.ISOLATION);
        requester.config().write(ConfigSpace.COMMAND, 2, 6);
        peer.config().write(ConfigSpace.COMMAND, 2, 2);
        bar = peer.config().barAddress(0);
        driver = new IommuDriver(new Registers(), 0, memory, new Frames());
        driver.enable();
        domain = driver.createDomain();
        domain.map(IOVA, bar, 0x1000, MapRights.READ_WRITE);
        driver.attachWithDeviceTlb(topology.port(requester).orElseThrow().rid(), domain);
        int ats = ExtendedCapability.find(requester.config(), ExtendedCapability.ADDRESS_TRANSLATION);
        requester.config().write(ats + 6, 2, 1 << 15);
    }

    private void accessControl(int control) {
        port.config().write(ACS_CONTROL, 2, control);
        peerPort.config().write(ACS_CONTROL, 2, control);
    }

    private DmaFault write(long iova) {
        byte[] bytes = new byte[Long.BYTES];
        LittleEndian.putLong(bytes, 0, CANARY);
        return requester.dma().write(iova, bytes, 0, 8, DmaKind.PAYLOAD);
    }

    private long peerWord(long offset) {
        return peer.readBar(0, offset, 8);
    }

    @AfterEach
    void release() {
        memory.close();
    }

    @Test
    @DisplayName(
            "6.12.3: with DT a translated request goes to the peer though redirect is on, and the unit sees the translation alone")
    void shouldGoToPeerWithDirectTranslated() {
        accessControl(REDIRECTING | AccessControlServices.DIRECT_TRANSLATED);
        assertThat(write(IOVA + 0x20)).isEqualTo(DmaFault.NONE);
        assertThat(peerWord(0x20)).isEqualTo(CANARY);
        assertThat(topology.peerToPeerBytes()).isEqualTo(8);
        assertThat(tlb.counters().translations()).isEqualTo(1);
        assertThat(tlb.counters().translatedRequests()).isEqualTo(1);
    }

    @Test
    @DisplayName("6.12.3: without DT it goes up, where the root complex has no memory at that address")
    void shouldGoUpWithoutDirectTranslated() {
        accessControl(REDIRECTING);
        assertThat(write(IOVA + 0x20)).isNotEqualTo(DmaFault.NONE);
        assertThat(tlb.counters().translatedRequests()).as("it was sent").isEqualTo(1);
        assertThat(peerWord(0x20)).isZero();
        assertThat(topology.peerToPeerBytes()).isZero();
        assertThat(port.acsViolations() + root.acsViolations() + root.unsupportedRequests())
                .as("redirected, not refused on the way")
                .isZero();
    }

    @Test
    @DisplayName(
            "6.12.3: DT is for translated addresses; the peer's own address untranslated is redirected, and the unit refuses it")
    void shouldRedirectUntranslatedInSpiteOfDirectTranslated() {
        accessControl(REDIRECTING | AccessControlServices.DIRECT_TRANSLATED);
        int ats = ExtendedCapability.find(requester.config(), ExtendedCapability.ADDRESS_TRANSLATION);
        requester.config().write(ats + 6, 2, 0);
        assertThat(write(bar + 0x20)).isNotEqualTo(DmaFault.NONE);
        assertThat(peerWord(0x20)).isZero();
        assertThat(topology.peerToPeerBytes()).isZero();
        int[] faults = new int[1];
        driver.handleFaults(report -> faults[0]++);
        assertThat(faults[0]).as("it got there").isEqualTo(1);
    }

    @Test
    @DisplayName("10.3: after the unmapping nothing of that is left: the same request reaches nobody")
    void shouldLoseThePeerWithTheMapping() {
        accessControl(REDIRECTING | AccessControlServices.DIRECT_TRANSLATED);
        assertThat(write(IOVA)).isEqualTo(DmaFault.NONE);
        domain.unmap(IOVA, 0x1000);
        assertThat(write(IOVA + 8)).isNotEqualTo(DmaFault.NONE);
        assertThat(peerWord(8)).isZero();
        assertThat(topology.peerToPeerBytes()).isEqualTo(8);
    }

    private static final class Frames implements FrameSource {
        private long next = 8 << 20;

        @Override
        public long allocatePage() {
            next += 4096;
            return next;
        }

        @Override
        public void freePage(long hpa) {}
    }

    private final class Registers implements CpuPort {
        @Override
        public long load(long pa, int width) {
            return unit.registers().read(pa, width);
        }

        @Override
        public void store(long pa, int width, long value) {
            unit.registers().write(pa, width, value);
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }
}
