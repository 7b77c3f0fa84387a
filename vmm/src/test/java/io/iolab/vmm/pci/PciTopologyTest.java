package io.iolab.vmm.pci;

import static io.iolab.devices.fault.DmaFault.ACS_VIOLATION;
import static io.iolab.devices.fault.DmaFault.BUS_MASTER_OFF;
import static io.iolab.devices.fault.DmaFault.NONE;
import static io.iolab.devices.fault.DmaFault.UNSUPPORTED_REQUEST;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.driver.pci.EcamConfigAccess;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.PciDevice;
import io.iolab.devices.driver.pci.ResourceWindow;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** PCI Express Base sections 2.2.4, 6.12 and 7.3; PCI-to-PCI Bridge 1.2 chapters 3 and 4. */
@DisplayName("PCI topology")
class PciTopologyTest {
    private static final int ECAM_VENDOR_AND_DEVICE = 0;
    private static final int ACS_CONTROL = 0x106;
    private static final int EGRESS_VECTOR = 0x108;
    private static final int ALL = AccessControlServices.ALL;

    private final RecordingRoot root = new RecordingRoot();
    private final PciTopology.Builder build = new PciTopology.Builder(root, true, gsi -> InterruptPin.UNCONNECTED);
    private final Bridge rootPort = build.rootPort(1, 0, ALL);
    private final Bridge upstream = build.switchUpstreamPort(rootPort);
    private final Bridge first = build.switchDownstreamPort(upstream, 0, ALL);
    private final Bridge second = build.switchDownstreamPort(upstream, 1, ALL);
    private final ProbeFunction attacker =
            build.function(first, 0, 0, dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
    private final ProbeFunction victim =
            build.function(second, 0, 0, dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
    private final Bridge conventional = build.pciBridge(build.rootPort(2, 0, ALL), PciBridge.Alias.SECONDARY_BUS);
    private final ProbeFunction old =
            build.function(conventional, 4, 0, dma -> new ProbeFunction(ProbeFunction.Kind.CONVENTIONAL, 0, dma));
    private final ProbeFunction oldSibling =
            build.function(conventional, 5, 0, dma -> new ProbeFunction(ProbeFunction.Kind.CONVENTIONAL, 0, dma));
    private final PciTopology topology = build.build();
    private final byte[] bytes = new byte[8192];

    PciTopologyTest() {
        topology.start();
        for (ProbeFunction function : List.of(attacker, victim, old, oldSibling)) {
            function.config().write(ConfigSpace.COMMAND, 2, 6);
        }
    }

    private FunctionPort port() {
        return topology.port(attacker).orElseThrow();
    }

    private static long bar(ProbeFunction function) {
        return function.config().barAddress(0);
    }

    private static io.iolab.devices.fault.DmaFault read(DmaPort from, long iova) {
        return from.read(iova, new byte[4], 0, 4, DmaKind.PAYLOAD);
    }

    @Test
    void shouldBeFoundByAnOrdinaryEnumeration() {
        CountingCpu cpu = new CountingCpu(topology.host());
        PciBus bus = new PciBus(
                cpu,
                new EcamConfigAccess(cpu, PciHost.ECAM_BASE),
                new ResourceWindow("MMIO", 0xE000_0000L, 1 << 20),
                new ResourceWindow("I/O", 0x1000, 0x1000));
        assertThat(bus.scan().stream().map(PciDevice::rid))
                .as("7.3.1: bus numbers depth first, endpoints only")
                .containsExactlyInAnyOrder(0x0300, 0x0400, 0x0620, 0x0628);
        assertThat(topology.host().function(0x0308))
                .as("a link has device 0 only")
                .isNull();
        assertThat(topology.host().ecam().read(0x0308L << 12 | ECAM_VENDOR_AND_DEVICE, 4))
                .isEqualTo(0xFFFF_FFFFL);
    }

    @Test
    void shouldGoUpWithItsOwnRequesterId() {
        assertThat(read(attacker.dma(), 0x1000)).isEqualTo(NONE);
        assertThat(root.seen).containsExactly("0300 read 0x1000+4");
    }

    @Test
    void shouldSplitAtPages() {
        assertThat(attacker.dma().write(0x1FFE, bytes, 0, 0x1004, DmaKind.PAYLOAD))
                .isEqualTo(NONE);
        assertThat(root.seen)
                .as("2.2.7: no request crosses 4 KiB")
                .containsExactly("0300 write 0x1ffe+2", "0300 write 0x2000+4096", "0300 write 0x3000+2");
    }

    @Test
    void shouldReachAPeerPastTheRootComplexWithoutRedirect() {
        bytes[5] = 42;
        assertThat(attacker.dma().write(bar(victim) + 3, bytes, 3, 7, DmaKind.PAYLOAD))
                .isEqualTo(NONE);
        assertThat(victim.readBar(0, 5, 1)).as("bytes in the peer's BAR").isEqualTo(42);
        assertThat(root.seen).as("6.12: no IOMMU sees it").isEmpty();
        assertThat(topology.peerToPeerBytes()).isEqualTo(7);
        byte[] back = new byte[7];
        attacker.dma().read(bar(victim) + 3, back, 0, 7, DmaKind.PAYLOAD);
        assertThat(back[2]).isEqualTo((byte) 42);
        assertThat(attacker.dma().loadShortAcquire(bar(victim) + 4, DmaKind.DESCRIPTOR))
                .isEqualTo(42 << 8);
        attacker.dma().storeShortRelease(bar(victim) + 4, 0x1234, DmaKind.DESCRIPTOR);
        assertThat(victim.readBar(0, 4, 2)).isEqualTo(0x1234);
    }

    /** Rows of PCI Express Base section 6.12.3: egress control, redirect, bit of the target's port. */
    @ParameterizedTest
    @CsvSource({"0x00,0,PEER", "0x04,0,UP", "0x20,0,PEER", "0x20,1,VIOLATION", "0x24,0,PEER", "0x24,1,UP", "0x00,1,PEER"
    })
    void shouldCombineRedirectAndEgressControl(int control, int blocked, String expected) {
        first.config().write(ACS_CONTROL, 2, control);
        first.config().write(EGRESS_VECTOR, 4, blocked << 2);
        rootPort.config().write(ACS_CONTROL, 2, AccessControlServices.UPSTREAM_FORWARDING);
        var fault = read(attacker.dma(), bar(victim));
        assertThat(fault).isEqualTo(expected.equals("VIOLATION") ? ACS_VIOLATION : NONE);
        assertThat(root.seen).hasSize(expected.equals("UP") ? 1 : 0);
        assertThat(first.acsViolations()).isEqualTo(expected.equals("VIOLATION") ? 1 : 0);
    }

    @Test
    void shouldEndAtTheRootPortWithoutUpstreamForwarding() {
        first.config().write(ACS_CONTROL, 2, AccessControlServices.REQUEST_REDIRECT);
        assertThat(read(attacker.dma(), bar(victim))).isEqualTo(UNSUPPORTED_REQUEST);
        assertThat(rootPort.unsupportedRequests()).isEqualTo(1);
        rootPort.config().write(ACS_CONTROL, 2, AccessControlServices.UPSTREAM_FORWARDING);
        assertThat(read(attacker.dma(), bar(victim))).isEqualTo(NONE);
        assertThat(root.seen).containsExactly(String.format("0300 read 0x%x+4", bar(victim)));
    }

    @Test
    void shouldValidateTheSource() {
        FunctionPort forged = port().forging(0x0620);
        assertThat(read(forged, 0x1000))
                .as("without SV the root complex believes it")
                .isEqualTo(NONE);
        assertThat(root.seen).containsExactly("0620 read 0x1000+4");
        first.config().write(ACS_CONTROL, 2, AccessControlServices.SOURCE_VALIDATION);
        assertThat(read(forged, 0x1000)).isEqualTo(ACS_VIOLATION);
        assertThat(read(port(), 0x1000)).isEqualTo(NONE);
        assertThat(read(port().forging(0x0307), 0x1000))
                .as("6.12.1.1: only the bus number is looked at")
                .isEqualTo(NONE);
    }

    @Test
    void shouldBlockTranslatedRequests() {
        FunctionPort translated = port().translated();
        assertThat(read(translated, 0x1000)).isEqualTo(NONE);
        assertThat(root.seen).containsExactly("0300 translated read 0x1000+4");
        first.config().write(ACS_CONTROL, 2, AccessControlServices.TRANSLATION_BLOCKING);
        assertThat(read(translated, 0x1000)).isEqualTo(ACS_VIOLATION);
        assertThat(read(port(), 0x1000)).isEqualTo(NONE);
    }

    @Test
    void shouldLetTranslatedRequestsToPeersInSpiteOfRedirect() {
        first.config()
                .write(
                        ACS_CONTROL,
                        2,
                        AccessControlServices.REQUEST_REDIRECT | AccessControlServices.DIRECT_TRANSLATED);
        assertThat(read(port().translated(), bar(victim))).isEqualTo(NONE);
        assertThat(root.seen).isEmpty();
        assertThat(read(port(), bar(victim))).as("not the untranslated ones").isEqualTo(UNSUPPORTED_REQUEST);
    }

    @Test
    void shouldTakeOverRequestsFromAConventionalBus() {
        assertThat(read(old.dma(), 0x1000)).isEqualTo(NONE);
        assertThat(read(oldSibling.dma(), 0x2000)).isEqualTo(NONE);
        assertThat(root.seen)
                .as("sheet 2: secondary bus, device 0, function 0")
                .containsExactly("0600 read 0x1000+4", "0600 read 0x2000+4");
        oldSibling.writeBar(0, 0, 4, 7);
        byte[] word = new byte[4];
        assertThat(old.dma().read(bar(oldSibling), word, 0, 4, DmaKind.PAYLOAD)).isEqualTo(NONE);
        assertThat(word[0]).as("siblings on the bus hear each other").isEqualTo((byte) 7);
    }

    @Test
    void shouldGoFromRootPortToRootPortUnlessRedirected() {
        assertThat(read(attacker.dma(), bar(old))).isEqualTo(NONE);
        assertThat(root.seen).isEmpty();
        rootPort.config().write(ACS_CONTROL, 2, AccessControlServices.REQUEST_REDIRECT);
        assertThat(read(attacker.dma(), bar(old))).isEqualTo(NONE);
        assertThat(root.seen).hasSize(1);
    }

    @Test
    void shouldPassNothingUpwardsWithoutBusMasterOfThePortAbove() {
        upstream.config().write(ConfigSpace.COMMAND, 2, 2);
        assertThat(read(attacker.dma(), 0x1000)).isEqualTo(UNSUPPORTED_REQUEST);
        attacker.config().write(ConfigSpace.COMMAND, 2, 2);
        assertThat(read(attacker.dma(), 0x1000)).isEqualTo(BUS_MASTER_OFF);
    }

    @Test
    void shouldResetWhatIsBehindABridge() {
        victim.writeBar(0, 0, 4, 7);
        second.config().write(0x3E, 2, 0x40);
        assertThat(victim.readBar(0, 0, 4)).isZero();
        assertThat(victim.config().memoryEnabled()).isFalse();
        assertThat(topology.host().function(0x0400)).as("held in reset").isNull();
        second.config().write(0x3E, 2, 0);
        assertThat(topology.host().function(0x0400)).isSameAs(victim);
    }

    @Test
    void shouldMarkMultiFunctionDevices() {
        PciTopology.Builder other = new PciTopology.Builder(root);
        Bridge link = other.rootPort(1, 0, 0);
        other.function(link, 0, 0, dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
        other.function(link, 0, 3, dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
        PciTopology two = other.build();
        two.start();
        assertThat(two.host().ecam().read(0x0100L << 12 | 0x0E, 1)).isEqualTo(0x80);
        assertThat(two.host().ecam().read(0x0103L << 12 | 0x0E, 1)).isZero();
    }
}
