package io.iolab.vmm.pci;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.pci.SriovFunction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A PCI hierarchy: root ports, switches, PCI Express to PCI bridges and functions, as software finds it through {@link #host}, and as
 * requests of its functions are routed in it.
 *
 * <pre>
 *   var build = new PciTopology.Builder(rootComplex);
 *   Bridge root = build.rootPort(1, 0, 0);
 *   Bridge up = build.switchUpstreamPort(root);
 *   Bridge down = build.switchDownstreamPort(up, 0, AccessControlServices.ISOLATION);
 *   build.function(down, 0, 0, dma -> new ProbeFunction(Kind.EXPRESS, 0, dma));
 *   PciTopology topology = build.build();
 *   topology.start();
 * </pre>
 *
 * <p>Threading: built by one thread; then as {@link PciHost} and {@link FunctionPort}.
 */
public final class PciTopology {
    private static final int MULTI_FUNCTION = 0x80;
    private static final int RED_HAT = 0x1B36;
    private static final int ROOT_PORT = 0x000C;

    private final PciHost host;
    private final Fabric fabric;
    private final Map<PciFunction, FunctionPort> ports;
    /** Of virtual functions, by physical function and distance from its routing id. */
    private final Map<SriovFunction, Map<Integer, FunctionPort>> virtualPorts;

    private PciTopology(
            PciHost host,
            Fabric fabric,
            Map<PciFunction, FunctionPort> ports,
            Map<SriovFunction, Map<Integer, FunctionPort>> virtualPorts) {
        this.host = host;
        this.fabric = fabric;
        this.ports = ports;
        this.virtualPorts = virtualPorts;
    }

    /**
     * A function's way into the fabric, for software that drives its requests itself: forges them, or says that they are translated.
     *
     * @return empty for a bridge, for a virtual function that is not enabled, and for what is not in this topology
     */
    public Optional<FunctionPort> port(PciFunction function) {
        FunctionPort own = ports.get(function);
        return own != null ? Optional.of(own) : virtualPort(function);
    }

    private Optional<FunctionPort> virtualPort(PciFunction function) {
        for (Map.Entry<SriovFunction, Map<Integer, FunctionPort>> entry : virtualPorts.entrySet()) {
            int place = entry.getKey().functions().indexOf(function);
            if (place > 0) {
                int offset = entry.getKey().routingIdOffset(place - 1);
                return Optional.ofNullable(entry.getValue().get(offset));
            }
        }
        return Optional.empty();
    }

    /** The host bridge: configuration space and BARs. */
    public PciHost host() {
        return host;
    }

    /** Numbers buses, places BARs and opens windows, as firmware does; endpoints' bus mastering stays off. */
    public void start() {
        new Firmware(host).configure();
    }

    /** Bytes that went from function to function without passing the root complex. */
    public long peerToPeerBytes() {
        return fabric.peerBytes();
    }

    /** Puts a topology together. Methods throw {@link IllegalArgumentException} if a place is taken or does not exist. */
    public static final class Builder {
        private record Root(int device, int function, PciFunction what) {}

        private final PciHost host;
        private final Fabric fabric;
        private final List<Root> roots = new ArrayList<>();
        private final List<Bridge> ports = new ArrayList<>();
        private final Map<PciFunction, FunctionPort> functionPorts = new IdentityHashMap<>();
        private final Map<SriovFunction, Map<Integer, FunctionPort>> virtualPorts = new IdentityHashMap<>();

        /** A topology without interrupt pins, whose root ports pass no requests between each other. */
        public Builder(RootComplex rootComplex) {
            this(rootComplex, false, gsi -> InterruptPin.UNCONNECTED);
        }

        /**
         * @param rootPeerToPeer whether requests go between root ports of different devices if access control lets them; those
         *     of one device always do
         * @param gsiPins as {@link PciHost} wants them
         */
        public Builder(RootComplex rootComplex, boolean rootPeerToPeer, IntFunction<InterruptPin> gsiPins) {
            host = new PciHost(gsiPins);
            fabric = new Fabric(host, rootComplex, rootPeerToPeer);
        }

        /** @param services bits of {@link io.iolab.devices.pci.AccessControlServices}; 0 for a port without that capability */
        public Bridge rootPort(int device, int function, int services) {
            RootPort port = new RootPort(RED_HAT, ROOT_PORT, services);
            roots.add(new Root(device, function, port));
            return port;
        }

        /** A switch's upstream port, on the link of a root or downstream port. */
        public Bridge switchUpstreamPort(Bridge above) {
            return put(above, 0, 0, SwitchPort.upstream());
        }

        /**
         * A downstream port of a switch; its port number is one more than its device number.
         *
         * @param services as for {@link #rootPort}
         */
        public Bridge switchDownstreamPort(Bridge upstream, int device, int services) {
            return put(upstream, device, 0, SwitchPort.downstream(device + 1, services));
        }

        /** A bridge to a conventional bus. */
        public Bridge pciBridge(Bridge above, PciBridge.Alias alias) {
            return put(above, 0, 0, new PciBridge(alias));
        }

        /**
         * A function on a bridge's secondary bus.
         *
         * @param above null for bus 0
         * @param make makes the function with its way to memory
         */
        public <F extends PciFunction> F function(
                @Nullable Bridge above, int device, int function, Function<DmaPort, F> make) {
            FunctionPort port = new FunctionPort(fabric);
            F made = make.apply(port);
            port.place().take(above, device << 3 | function);
            functionPorts.put(made, port);
            if (above == null) {
                roots.add(new Root(device, function, made));
            } else {
                put(above, device, function, made);
            }
            return made;
        }

        /**
         * A physical function whose virtual functions come and go with its SR-IOV capability.
         *
         * @param above null for bus 0
         * @param make makes the function with the way to memory of each of its functions, by the distance of the routing id from
         *     the physical function's, 0 for itself
         */
        public <F extends SriovFunction> F physicalFunction(
                @Nullable Bridge above, int device, int function, Function<IntFunction<DmaPort>, F> make) {
            Map<Integer, FunctionPort> ports = new HashMap<>();
            F made = function(
                    above,
                    device,
                    function,
                    own -> make.apply(offset -> {
                        if (offset == 0) {
                            return own;
                        }
                        return ports.computeIfAbsent(offset, distance -> {
                            FunctionPort port = new FunctionPort(fabric);
                            port.place().take(above, (device << 3 | function) + distance);
                            return port;
                        });
                    }));
            virtualPorts.put(made, ports);
            return made;
        }

        private <F extends PciFunction> F put(Bridge above, int device, int function, F what) {
            boolean conventional = above.type() == PciExpress.Type.PCIE_TO_PCI_BRIDGE;
            switch (above) {
                case RootPort root when device == 0 -> root.attach(function, what);
                case SwitchPort port -> port.attach(device, function, what);
                case PciBridge bridge when conventional -> bridge.attach(device, function, what);
                default -> throw new IllegalArgumentException("a link has device 0 only, not " + device);
            }
            ports.add(above);
            return what;
        }

        /**
         * A virtual function that is always there: it answers on its physical function's bus, at any of 256 places, once the port above forwards ARI.
         *
         * @param devfn 8 to 255: the physical function's plus first offset plus a multiple of the stride
         */
        public <F extends PciFunction> F virtualFunction(Bridge above, int devfn, Function<DmaPort, F> make) {
            FunctionPort port = new FunctionPort(fabric);
            F made = make.apply(port);
            port.place().take(above, devfn);
            functionPorts.put(made, port);
            above.put(devfn, made);
            return made;
        }

        /** Ends building. */
        public PciTopology build() {
            ports.forEach(Builder::markMultiFunction);
            for (Root root : roots) {
                boolean several = roots.stream()
                        .anyMatch(other -> other.device == root.device && other.function != root.function);
                if (root.function == 0 && several) {
                    markMultiFunction(root.what);
                }
                if (root.what instanceof Bridge bridge) {
                    host.addBridge(root.device, root.function, bridge);
                } else {
                    host.add(root.device, root.function, root.what);
                }
            }
            return new PciTopology(host, fabric, functionPorts, virtualPorts);
        }

        private static void markMultiFunction(Bridge bridge) {
            bridge.functions().forEach((devfn, function) -> {
                boolean several = bridge.functions().keySet().stream()
                        .anyMatch(other -> other >>> 3 == devfn >>> 3 && !other.equals(devfn));
                boolean virtual = function.config().get(ConfigSpace.VENDOR_ID, 2) == 0xFFFF;
                if ((devfn & 7) == 0 && several && !virtual) {
                    markMultiFunction(function);
                }
            });
        }

        private static void markMultiFunction(PciFunction function) {
            ConfigSpace config = function.config();
            config.put(ConfigSpace.HEADER_TYPE, 1, config.get(ConfigSpace.HEADER_TYPE, 1) | MULTI_FUNCTION);
            config.seal();
        }
    }
}
