package io.iolab.vmm.groups;

import io.iolab.devices.pci.AccessControlServices;
import io.iolab.vmm.pci.Bridge;
import io.iolab.vmm.pci.PciBridge;
import io.iolab.vmm.pci.PciTopology;
import io.iolab.vmm.pci.ProbeFunction;
import io.iolab.vmm.pci.ProbeFunction.Kind;
import io.iolab.vmm.pci.RootComplex;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Hierarchies from which one sees what decides a group. Every endpoint is a {@link ProbeFunction}. */
public enum ExampleTopology {
    ROOT_PORTS_ACS("two endpoints, each under a root port with ACS") {
        @Override
        void assemble(PciTopology.Builder build) {
            endpoint(build, build.rootPort(1, 0, ACS), 0, 0);
            endpoint(build, build.rootPort(2, 0, ACS), 0, 0);
        }
    },
    ROOT_PORTS_NO_ACS("two endpoints under root ports without ACS that are functions of one device") {
        @Override
        void assemble(PciTopology.Builder build) {
            endpoint(build, build.rootPort(0x1C, 0, 0), 0, 0);
            endpoint(build, build.rootPort(0x1C, 1, 0), 0, 0);
        }
    },
    SWITCH_ACS("two endpoints under a switch whose downstream ports have ACS") {
        @Override
        void assemble(PciTopology.Builder build) {
            Bridge upstream = build.switchUpstreamPort(build.rootPort(1, 0, ACS));
            endpoint(build, build.switchDownstreamPort(upstream, 0, ACS), 0, 0);
            endpoint(build, build.switchDownstreamPort(upstream, 1, ACS), 0, 0);
        }
    },
    SWITCH_NO_ACS("two endpoints under a switch whose downstream ports have no ACS") {
        @Override
        void assemble(PciTopology.Builder build) {
            Bridge upstream = build.switchUpstreamPort(build.rootPort(1, 0, ACS));
            endpoint(build, build.switchDownstreamPort(upstream, 0, 0), 0, 0);
            endpoint(build, build.switchDownstreamPort(upstream, 1, 0), 0, 0);
        }
    },
    PCIE_PCI_BRIDGE("two conventional functions behind a PCIe-to-PCI bridge, an endpoint beside it") {
        @Override
        void assemble(PciTopology.Builder build) {
            Bridge bridge = build.pciBridge(build.rootPort(1, 0, ACS), PciBridge.Alias.SECONDARY_BUS);
            build.function(bridge, 4, 0, dma -> new ProbeFunction(Kind.CONVENTIONAL, 0, dma));
            build.function(bridge, 5, 0, dma -> new ProbeFunction(Kind.CONVENTIONAL, 0, dma));
            endpoint(build, build.rootPort(2, 0, ACS), 0, 0);
        }
    },
    MULTIFUNCTION("an endpoint of two functions without ACS") {
        @Override
        void assemble(PciTopology.Builder build) {
            Bridge root = build.rootPort(1, 0, ACS);
            endpoint(build, root, 0, 0);
            endpoint(build, root, 1, 0);
        }
    },
    MULTIFUNCTION_ACS("an endpoint of two functions with ACS") {
        @Override
        void assemble(PciTopology.Builder build) {
            Bridge root = build.rootPort(1, 0, ACS);
            endpoint(build, root, 0, ACS);
            endpoint(build, root, 1, ACS);
        }
    };

    /** What ports with ACS have: all that does not need a vector of ports. */
    private static final int ACS = AccessControlServices.ALL & ~AccessControlServices.EGRESS_CONTROL;

    private final String description;

    ExampleTopology(String description) {
        this.description = description;
    }

    abstract void assemble(PciTopology.Builder build);

    private static void endpoint(PciTopology.Builder build, Bridge above, int function, int services) {
        build.function(above, 0, function, dma -> new ProbeFunction(Kind.EXPRESS, services, dma));
    }

    /** The name on a command line: {@code switch-no-acs}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** In half a sentence. */
    public String description() {
        return description;
    }

    /** The example with this name, or null. */
    public static @Nullable ExampleTopology named(String label) {
        return List.of(values()).stream()
                .filter(example -> example.label().equals(label))
                .findFirst()
                .orElse(null);
    }

    /** Builds the hierarchy and starts it as firmware does; access control is off, as after a reset. */
    public PciTopology build(RootComplex rootComplex) {
        PciTopology.Builder build = new PciTopology.Builder(rootComplex);
        assemble(build);
        PciTopology topology = build.build();
        topology.start();
        return topology;
    }
}
