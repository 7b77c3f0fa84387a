package io.iolab.vmm.groups;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.vmm.pci.Bridge;
import io.iolab.vmm.pci.PciBridge;
import io.iolab.vmm.pci.PciTopology;
import io.iolab.vmm.pci.ProbeFunction;
import io.iolab.vmm.pci.ProbeFunction.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a group is for (fact sheet section 7.1): functions of different groups cannot reach each other past the root complex, and the root
 * complex can tell their requests apart. Tried with requests, on the fabric.
 */
@DisplayName("IOMMU groups and requests")
class GroupsAndFabricTest {
    /** The requester id that the last request brought to the root complex. */
    private int arrived = -1;

    private final PhysicalMemory memory = PhysicalMemory.allocate(1 << 20);
    private final DirectDma direct = new DirectDma(memory, (address, data) -> {});

    private void check(PciTopology topology, String what) {
        IommuGroups groups = IommuGroups.of(PciTree.scan(topology.host().configAccess()), Quirks.NONE);
        Map<Integer, Integer> groupByAlias = new HashMap<>();
        List<ProbeFunction> probes = new ArrayList<>();
        List<Integer> groupOf = new ArrayList<>();
        for (IommuGroups.Group group : groups.groups()) {
            for (PciNode node : group.assignable()) {
                if (topology.host().function(node.rid()) instanceof ProbeFunction probe) {
                    probe.config().write(ConfigSpace.COMMAND, 2, 6);
                    probes.add(probe);
                    groupOf.add(group.number());
                    arrived = -1;
                    probe.dma().read(0x1000, new byte[4], 0, 4, DmaKind.PAYLOAD);
                    assertThat(groups.requesterIds(node)).as(what).contains(arrived);
                    Integer other = groupByAlias.putIfAbsent(arrived, group.number());
                    assertThat(other).as("%s: requester id %04x", what, arrived).isIn(null, group.number());
                }
            }
        }
        assertThat(probes).as(what).isNotEmpty();
        for (int a = 0; a < probes.size(); a++) {
            for (int b = 0; b < probes.size(); b++) {
                arrived = -1;
                long before = topology.peerToPeerBytes();
                long bar = probes.get(b).config().barAddress(0);
                if (a != b) {
                    probes.get(a).dma().write(bar, new byte[4], 0, 4, DmaKind.PAYLOAD);
                }
                if (topology.peerToPeerBytes() != before) {
                    assertThat(groupOf.get(a))
                            .as("%s: %d reaches %d", what, a, b)
                            .isEqualTo(groupOf.get(b));
                }
            }
        }
    }

    private io.iolab.devices.dma.DmaPort arrive(int rid) {
        return new io.iolab.devices.dma.DmaPort() {
            @Override
            public io.iolab.devices.fault.DmaFault read(
                    long iova, byte[] target, int offset, int length, DmaKind kind) {
                arrived = rid;
                return direct.read(iova, target, offset, length, kind);
            }

            @Override
            public io.iolab.devices.fault.DmaFault write(
                    long iova, byte[] source, int offset, int length, DmaKind kind) {
                arrived = rid;
                return direct.write(iova, source, offset, length, kind);
            }

            @Override
            public int loadShortAcquire(long iova, DmaKind kind) {
                return direct.loadShortAcquire(iova, kind);
            }

            @Override
            public io.iolab.devices.fault.DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
                return direct.storeShortRelease(iova, value, kind);
            }
        };
    }

    @ParameterizedTest
    @EnumSource(ExampleTopology.class)
    void shouldKeepGroupsOfTheExamplesApart(ExampleTopology example) {
        PciTopology topology = example.build(this::arrive);
        check(topology, example.label() + ", ACS off");
        PciTree.scan(topology.host().configAccess()).enableAccessControl(false);
        check(topology, example.label() + ", ACS on");
    }

    @Test
    void shouldKeepGroupsOfRandomHierarchiesApart() {
        long seed = 20261123;
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 400; round++) {
            PciTopology.Builder build = new PciTopology.Builder(this::arrive);
            List<Bridge> links = new ArrayList<>();
            int roots = random.nextInt(1, 4);
            boolean oneDevice = random.nextBoolean();
            for (int i = 0; i < roots; i++) {
                int services = services(random);
                links.add(oneDevice ? build.rootPort(1, i, services) : build.rootPort(1 + i, 0, services));
            }
            int endpoints = 0;
            while (!links.isEmpty()) {
                Bridge link = links.removeFirst();
                int kind = random.nextInt(4);
                if (kind == 0 && endpoints < 12) {
                    Bridge upstream = build.switchUpstreamPort(link);
                    int ports = random.nextInt(1, 4);
                    for (int i = 0; i < ports; i++) {
                        links.add(build.switchDownstreamPort(upstream, i, services(random)));
                        endpoints++;
                    }
                } else if (kind == 1) {
                    Bridge bridge = build.pciBridge(link, PciBridge.Alias.SECONDARY_BUS);
                    build.function(bridge, 1, 0, dma -> new ProbeFunction(Kind.CONVENTIONAL, 0, dma));
                    build.function(bridge, 2, 0, dma -> new ProbeFunction(Kind.CONVENTIONAL, 0, dma));
                } else {
                    build.function(link, 0, 0, dma -> new ProbeFunction(Kind.EXPRESS, 0, dma));
                }
            }
            PciTopology topology = build.build();
            topology.start();
            check(topology, "seed " + seed + ", round " + round + ", ACS off");
            PciTree.scan(topology.host().configAccess()).enableAccessControl(random.nextBoolean());
            check(topology, "seed " + seed + ", round " + round + ", ACS on");
        }
    }

    /** None, or some; what a port does not offer it may do all the same in this fabric, so only full sets stand for themselves. */
    private static int services(SplittableRandom random) {
        return random.nextBoolean() ? 0 : AccessControlServices.ALL & ~AccessControlServices.EGRESS_CONTROL;
    }
}
