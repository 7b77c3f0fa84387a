package io.iolab.vmm.groups;

import static io.iolab.devices.pci.AccessControlServices.ISOLATION;
import static io.iolab.devices.pci.AccessControlServices.REQUEST_REDIRECT;
import static io.iolab.devices.pci.AccessControlServices.SOURCE_VALIDATION;
import static io.iolab.devices.pci.AccessControlServices.UPSTREAM_FORWARDING;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.pci.SingleRootVirtualization;
import io.iolab.vmm.pci.Bridge;
import io.iolab.vmm.pci.PciBridge;
import io.iolab.vmm.pci.PciTopology;
import io.iolab.vmm.pci.ProbeFunction;
import io.iolab.vmm.pci.ProbeFunction.Kind;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Fact sheet section 7.1; PCI Express Base section 6.12. */
@DisplayName("IOMMU groups")
class IommuGroupsTest {
    private static final int PROBE = 0x0005_1234;

    private final PhysicalMemory memory = PhysicalMemory.allocate(1 << 20);
    private final PciTopology.Builder build =
            new PciTopology.Builder(rid -> new DirectDma(memory, (address, data) -> {}));

    @AfterEach
    void close() {
        memory.close();
    }

    private void endpoint(@Nullable Bridge above, int device, int function, int services) {
        Kind kind = above == null ? Kind.INTEGRATED : Kind.EXPRESS;
        build.function(above, device, function, dma -> new ProbeFunction(kind, services, dma));
    }

    private IommuGroups groups(Quirks quirks) {
        PciTopology topology = build.build();
        topology.start();
        return scan(topology, quirks);
    }

    private static IommuGroups scan(PciTopology topology, Quirks quirks) {
        ConfigAccess config = topology.host().configAccess();
        PciTree.scan(config).enableAccessControl(false);
        return IommuGroups.of(PciTree.scan(config), quirks);
    }

    private static List<List<String>> names(IommuGroups groups) {
        return groups.groups().stream()
                .map(group -> group.members().stream().map(PciNode::name).toList())
                .toList();
    }

    @Test
    @DisplayName("(a) two endpoints under root ports with ACS: a group each")
    void shouldSeparateEndpointsUnderAcsRootPorts() {
        endpoint(build.rootPort(1, 0, ISOLATION), 0, 0, 0);
        endpoint(build.rootPort(2, 0, ISOLATION), 0, 0, 0);
        IommuGroups groups = groups(Quirks.NONE);
        assertThat(names(groups))
                .containsExactly(List.of("00:01.0"), List.of("00:02.0"), List.of("01:00.0"), List.of("02:00.0"));
        assertThat(groups.joins()).isEmpty();
        assertThat(groups.explain(0x0100, 0x0200)).isEmpty();
    }

    @Test
    @DisplayName("(b) two endpoints under a switch without ACS: one group, the ports too")
    void shouldJoinEndpointsUnderASwitchWithoutAcs() {
        Bridge up = build.switchUpstreamPort(build.rootPort(1, 0, ISOLATION));
        endpoint(build.switchDownstreamPort(up, 0, 0), 0, 0, 0);
        endpoint(build.switchDownstreamPort(up, 1, 0), 0, 0, 0);
        IommuGroups groups = groups(Quirks.NONE);
        assertThat(names(groups))
                .containsExactly(
                        List.of("00:01.0"), List.of("01:00.0"), List.of("02:00.0", "02:01.0", "03:00.0", "04:00.0"));
        assertThat(groups.explain(0x0300, 0x0400))
                .isNotEmpty()
                .allSatisfy(join -> assertThat(join.text()).contains("no ACS capability"));
    }

    /** What the fabric does without redirect at the first port (6.12.3): its endpoint reaches the second's. */
    @Test
    void shouldJoinWhatAnOpenPortReachesBehindAClosedOne() {
        Bridge up = build.switchUpstreamPort(build.rootPort(1, 0, ISOLATION));
        endpoint(build.switchDownstreamPort(up, 0, 0), 0, 0, 0);
        endpoint(build.switchDownstreamPort(up, 1, ISOLATION), 0, 0, 0);
        IommuGroups groups = groups(Quirks.NONE);
        assertThat(groups.groupOf(0x0300)).isEqualTo(groups.groupOf(0x0400));
        assertThat(groups.explain(0x0300, 0x0400)).allMatch(join -> join.blame().rid() == 0x0200);
    }

    @Test
    void shouldSeparateEndpointsUnderASwitchWithAcs() {
        Bridge up = build.switchUpstreamPort(build.rootPort(1, 0, ISOLATION));
        endpoint(build.switchDownstreamPort(up, 0, ISOLATION), 0, 0, 0);
        endpoint(build.switchDownstreamPort(up, 1, ISOLATION), 0, 0, 0);
        assertThat(groups(Quirks.NONE).joins()).isEmpty();
    }

    @Test
    @DisplayName("no port of the whole path has ACS: all in one group")
    void shouldJoinAllBelowARootPortWithoutAcs() {
        Bridge up = build.switchUpstreamPort(build.rootPort(1, 0, 0));
        endpoint(build.switchDownstreamPort(up, 0, ISOLATION), 0, 0, 0);
        endpoint(build.switchDownstreamPort(up, 1, ISOLATION), 0, 0, 0);
        IommuGroups groups = groups(Quirks.NONE);
        assertThat(names(groups)).hasSize(1);
        List<GroupJoin> why = groups.explain(0x0300, 0x0400);
        assertThat(why).isNotEmpty().allSatisfy(join -> {
            assertThat(join.cause()).isEqualTo(GroupJoin.Cause.NO_ACS_CAPABILITY);
            assertThat(join.blame().name()).isEqualTo("00:01.0");
            assertThat(GroupJoin.serviceNames(join.missing())).containsExactly("SV", "RR", "CR", "UF");
        });
        assertThat(why.getFirst().text()).contains("root port 00:01.0 has no ACS capability");
    }

    @Test
    void shouldNameTheServiceThatIsOff() {
        Bridge root = build.rootPort(1, 0, ISOLATION);
        endpoint(root, 0, 0, 0);
        PciTopology topology = build.build();
        topology.start();
        scan(topology, Quirks.NONE);
        root.config().write(0x106, 2, ISOLATION & ~REQUEST_REDIRECT);
        IommuGroups groups = IommuGroups.of(PciTree.scan(topology.host().configAccess()), Quirks.NONE);
        assertThat(names(groups)).containsExactly(List.of("00:01.0", "01:00.0"));
        assertThat(groups.explain(0x0008, 0x0100)).singleElement().satisfies(join -> {
            assertThat(join.cause()).isEqualTo(GroupJoin.Cause.ACS_SERVICES_OFF);
            assertThat(join.missing()).isEqualTo(REQUEST_REDIRECT);
            assertThat(join.text()).contains("RR is off");
        });
    }

    @Test
    @DisplayName("section 7: a service that the capability lacks counts as on")
    void shouldTakeAServiceThatIsNotThereForOn() {
        endpoint(build.rootPort(1, 0, SOURCE_VALIDATION | UPSTREAM_FORWARDING), 0, 0, 0);
        assertThat(names(groups(Quirks.NONE))).containsExactly(List.of("00:01.0"), List.of("01:00.0"));
    }

    @Test
    @DisplayName("(c) a multi-function endpoint without ACS: one group")
    void shouldJoinFunctionsOfOneDevice() {
        Bridge root = build.rootPort(1, 0, ISOLATION);
        endpoint(root, 0, 0, 0);
        endpoint(root, 0, 1, 0);
        IommuGroups groups = groups(Quirks.NONE);
        assertThat(names(groups)).containsExactly(List.of("00:01.0"), List.of("01:00.0", "01:00.1"));
        assertThat(groups.explain(0x0101, 0x0100))
                .singleElement()
                .extracting(GroupJoin::cause)
                .isEqualTo(GroupJoin.Cause.MULTI_FUNCTION);
    }

    @Test
    void shouldSeparateFunctionsWithAcs() {
        Bridge root = build.rootPort(1, 0, ISOLATION);
        endpoint(root, 0, 0, ISOLATION);
        endpoint(root, 0, 1, ISOLATION);
        endpoint(root, 0, 2, 0);
        assertThat(names(groups(Quirks.NONE)))
                .containsExactly(List.of("00:01.0"), List.of("01:00.0"), List.of("01:00.1"), List.of("01:00.2"));
    }

    @Test
    @DisplayName("root ports that are functions of one device without ACS join what is below them")
    void shouldJoinBelowMultiFunctionRootPorts() {
        endpoint(build.rootPort(1, 0, 0), 0, 0, 0);
        endpoint(build.rootPort(1, 1, 0), 0, 0, 0);
        assertThat(names(groups(Quirks.NONE))).containsExactly(List.of("00:01.0", "00:01.1", "01:00.0", "02:00.0"));
    }

    @Test
    @DisplayName("(d) behind a PCIe-to-PCI bridge: one group with the bridge")
    void shouldJoinEverythingOnAConventionalBus() {
        Bridge bridge = build.pciBridge(build.rootPort(1, 0, ISOLATION), PciBridge.Alias.SECONDARY_BUS);
        build.function(bridge, 4, 0, dma -> new ProbeFunction(Kind.CONVENTIONAL, 0, dma));
        build.function(bridge, 5, 0, dma -> new ProbeFunction(Kind.CONVENTIONAL, 0, dma));
        IommuGroups groups = groups(Quirks.NONE);
        assertThat(names(groups)).containsExactly(List.of("00:01.0"), List.of("01:00.0", "02:04.0", "02:05.0"));
        assertThat(groups.explain(0x0220, 0x0228))
                .hasSize(2)
                .allMatch(join -> join.cause() == GroupJoin.Cause.DMA_ALIAS);
        PciNode old = groups.groupOf(0x0220).orElseThrow().members().get(1);
        assertThat(groups.requesterIds(old)).as("2: (secondary bus, 0)").containsExactly(0x0220, 0x0200);
    }

    @Test
    void shouldBelieveQuirks() {
        endpoint(null, 3, 0, 0);
        endpoint(null, 4, 0, 0);
        IommuGroups aliased = groups(new Quirks(Set.of(), Map.of(PROBE, 4 << 3), Set.of()));
        assertThat(names(aliased)).containsExactly(List.of("00:03.0", "00:04.0"));
        assertThat(aliased.explain(0x18, 0x20).getFirst().cause()).isEqualTo(GroupJoin.Cause.QUIRK_ALIAS);
    }

    @Test
    void shouldBelieveThatAFunctionIsIsolated() {
        endpoint(null, 3, 0, 0);
        endpoint(null, 3, 1, 0);
        IommuGroups groups = groups(new Quirks(Set.of(PROBE), Map.of(), Set.of()));
        assertThat(names(groups)).containsExactly(List.of("00:03.0"), List.of("00:03.1"));
    }

    @Test
    void shouldGiveEachVirtualFunctionItsGroup() {
        Bridge root = build.rootPort(1, 0, ISOLATION);
        PciFunction physical = build.function(root, 0, 0, dma -> new PhysicalFunction(dma));
        PciTopology topology = build.build();
        topology.start();
        physical.config().write(0x110, 2, 2);
        physical.config().write(0x108, 2, 9);
        assertThat(names(scan(topology, Quirks.NONE)))
                .containsExactly(List.of("00:01.0"), List.of("01:00.0"), List.of("01:10.0"), List.of("01:10.2"));
        root.config().write(0x106, 2, 0);
        IommuGroups open = IommuGroups.of(PciTree.scan(topology.host().configAccess()), Quirks.NONE);
        assertThat(names(open)).as("7.1: all behind one open port").hasSize(1);
    }

    /** A bus number that a broken bridge repeats must not be scanned for ever. */
    @Test
    void shouldEndOnBusNumbersInALoop() {
        Bridge up = build.switchUpstreamPort(build.rootPort(1, 0, 0));
        Bridge down = build.switchDownstreamPort(up, 0, 0);
        endpoint(down, 0, 0, 0);
        PciTopology topology = build.build();
        topology.start();
        down.config().write(0x19, 1, 1);
        assertThat(PciTree.scan(topology.host().configAccess()).nodes()).hasSizeBetween(3, 4);
    }

    /** No more than its configuration space. */
    private static final class PhysicalFunction implements PciFunction {
        private final ConfigSpace config = new ConfigSpace(0x8086, 0x10C9, 1, 0x020000);

        PhysicalFunction(io.iolab.devices.dma.DmaPort dma) {
            assertThat(dma).isNotNull();
            new PciExpress(config, 0x40, PciExpress.Type.ENDPOINT, this::reset);
            new SingleRootVirtualization(
                    config,
                    ExtendedCapability.FIRST,
                    new SingleRootVirtualization.Layout(
                            8, 128, 2, 0x10CA, List.of(new Bar(0, Bar.Kind.MEMORY64, 0x4000, false))),
                    count -> {});
            config.seal();
        }

        @Override
        public ConfigSpace config() {
            return config;
        }

        @Override
        public long readBar(int bar, long offset, int width) {
            return 0;
        }

        @Override
        public void writeBar(int bar, long offset, int width, long value) {}

        @Override
        public int poll(int budget) {
            return 0;
        }

        @Override
        public long nextDeadlineNanos() {
            return Long.MAX_VALUE;
        }

        @Override
        public boolean workPending() {
            return false;
        }

        @Override
        public void reset() {
            config.reset();
        }

        @Override
        public String registerName(int bar, long offset) {
            return "unimplemented";
        }
    }
}
