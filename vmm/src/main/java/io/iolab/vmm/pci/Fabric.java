package io.iolab.vmm.pci;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.pci.SriovFunction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The routing rules of a PCI Express hierarchy for memory requests from below (PCI Express Base sections 2.2.4, 6.12; PCI-to-PCI Bridge
 * 1.2 section 4.1).
 *
 * <pre>
 *   function --> port above it: bus master? ACS SV, TB
 *                  |   own subtree's address:  UF ? up : unsupported
 *                  |   a sibling port's window: RR ? up : EC ? violation : sideways --> peer's BAR
 *                  v
 *                port above that ... --> root complex (requester id, address type)
 * </pre>
 *
 * <p>Egress control decides first where it is on: to a port whose bit is clear the request goes directly, to one whose bit is set it is
 * redirected with RR and a violation without. A translated request goes directly with DT in spite of RR.
 *
 * <p>Between root ports that are functions of one device requests go sideways too, between others only if the root complex is built so:
 * software takes the former for possible and the latter not.
 *
 * <p>Threading: registers may change meanwhile; every request sees one state or another.
 */
final class Fabric {
    private final PciHost host;
    private final RootComplex rootComplex;
    private final boolean rootPeerToPeer;
    private long peerBytes;

    Fabric(PciHost host, RootComplex rootComplex, boolean rootPeerToPeer) {
        this.host = host;
        this.rootComplex = rootComplex;
        this.rootPeerToPeer = rootPeerToPeer;
    }

    RootComplex rootComplex() {
        return rootComplex;
    }

    void countPeerBytes(int bytes) {
        peerBytes += bytes;
    }

    long peerBytes() {
        return peerBytes;
    }

    /** @param rid what the request carries at first */
    void route(Route route, FunctionPort.Place place, int rid, AddressType type, long address, int length) {
        route.start(rid);
        Bridge bridge = place.above();
        boolean redirected = false;
        while (bridge != null) {
            if (!bridge.passesUpwards()) {
                refuse(route, bridge, DmaFault.UNSUPPORTED_REQUEST);
                return;
            }
            Step step = switch (bridge) {
                case PciBridge conventional -> conventional(route, conventional, address, length);
                case SwitchPort port
                when port.type() == PciExpress.Type.UPSTREAM_PORT ->
                    redirected ? Step.UP : unlessOwn(route, port, address, length);
                default -> {
                    AddressType carried = route.keepsAddressType ? type : AddressType.UNTRANSLATED;
                    yield port(route, bridge, carried, address, length);
                }
            };
            if (step == Step.ENDS) {
                return;
            }
            redirected |= step == Step.REDIRECTED;
            bridge = bridge.parent();
        }
    }

    private enum Step {
        UP,
        /** Up in spite of an address that lies in a window down here. */
        REDIRECTED,
        ENDS
    }

    private static Step refuse(Route route, Bridge where, DmaFault fault) {
        route.fault = fault;
        route.peer = null;
        if (fault == DmaFault.ACS_VIOLATION) {
            where.countViolation();
        } else {
            where.countUnsupported();
        }
        return Step.ENDS;
    }

    /** On a conventional bus whoever claims the address has it; the bridge takes what lies outside of its windows. */
    private static Step conventional(Route route, PciBridge bridge, long address, int length) {
        if (claim(route, bridge, address, length)) {
            return Step.ENDS;
        }
        route.rid = bridge.aliasRid();
        route.keepsAddressType = false;
        return unlessOwn(route, bridge, address, length);
    }

    /** A bridge would send its own windows' addresses down again, though nobody there wants them. */
    private static Step unlessOwn(Route route, Bridge bridge, long address, int length) {
        return bridge.forwardsMemory(address, length) ? refuse(route, bridge, DmaFault.UNSUPPORTED_REQUEST) : Step.UP;
    }

    /** A root or downstream port. */
    private Step port(Route route, Bridge port, AddressType type, long address, int length) {
        AccessControlServices acs = port.accessControl();
        if (enabled(acs, AccessControlServices.SOURCE_VALIDATION)
                && !port.header().leadsTo(RequesterId.bus(route.rid))) {
            return refuse(route, port, DmaFault.ACS_VIOLATION);
        }
        if (enabled(acs, AccessControlServices.TRANSLATION_BLOCKING) && type != AddressType.UNTRANSLATED) {
            return refuse(route, port, DmaFault.ACS_VIOLATION);
        }
        if (port.forwardsMemory(address, length)) {
            return enabled(acs, AccessControlServices.UPSTREAM_FORWARDING)
                    ? Step.REDIRECTED
                    : refuse(route, port, DmaFault.UNSUPPORTED_REQUEST);
        }
        Bridge sibling = sibling(port, address, length);
        if (sibling == null) {
            return Step.UP;
        }
        return switch (toPeer(sibling, acs, type)) {
            case REDIRECTED -> Step.REDIRECTED;
            case ENDS -> refuse(route, port, DmaFault.ACS_VIOLATION);
            case UP ->
                claim(route, sibling, address, length)
                        ? Step.ENDS
                        : refuse(route, sibling, DmaFault.UNSUPPORTED_REQUEST);
        };
    }

    /**
     * PCI Express Base section 6.12.3 and its table: request redirect, egress control and direct translated, together. Translation
     * blocking comes before: with it no translated request gets here (7.7.8.3, DT).
     *
     * @return {@code UP} for directly to the peer, {@code ENDS} for a violation
     */
    private static Step toPeer(Bridge sibling, @Nullable AccessControlServices acs, AddressType type) {
        if (acs == null || type == AddressType.TRANSLATED && acs.enabled(AccessControlServices.DIRECT_TRANSLATED)) {
            return Step.UP;
        }
        boolean redirect = acs.enabled(AccessControlServices.REQUEST_REDIRECT);
        if (acs.enabled(AccessControlServices.EGRESS_CONTROL)) {
            boolean blocked = acs.egressBlocked(sibling.portNumber());
            return !blocked ? Step.UP : redirect ? Step.REDIRECTED : Step.ENDS;
        }
        return redirect ? Step.REDIRECTED : Step.UP;
    }

    private static boolean enabled(@Nullable AccessControlServices acs, int service) {
        return acs != null && acs.enabled(service);
    }

    private @Nullable Bridge sibling(Bridge port, long address, int length) {
        Bridge above = port.parent();
        List<Bridge> siblings = above == null ? host.bridges() : above.bridges();
        for (int i = 0; i < siblings.size(); i++) {
            Bridge candidate = siblings.get(i);
            boolean connected = above != null || rootPeerToPeer || candidate.rid() >>> 3 == port.rid() >>> 3;
            if (candidate != port && connected && candidate.forwardsMemory(address, length)) {
                return candidate;
            }
        }
        return null;
    }

    /** Looks for the function behind a bridge whose BAR has all of the range, and puts it into the route. */
    private static boolean claim(Route route, Bridge bridge, long address, int length) {
        List<PciFunction> functions = bridge.inOrder();
        for (int i = 0; i < functions.size(); i++) {
            if (claimsItself(route, functions.get(i), address, length)) {
                return true;
            }
        }
        List<Bridge> below = bridge.bridges();
        for (int i = 0; i < below.size(); i++) {
            if (below.get(i).forwardsMemory(address, length) && claim(route, below.get(i), address, length)) {
                return true;
            }
        }
        return false;
    }

    private static boolean claimsItself(Route route, PciFunction function, long address, int length) {
        ConfigSpace config = function.config();
        for (int bar = 0; bar < 6; bar++) {
            Bar shape = config.bar(bar);
            if (shape != null && shape.isMemory() && config.barDecodes(bar)) {
                long offset = address - config.barAddress(bar);
                if (offset >= 0 && offset <= shape.size() - length) {
                    route.peer = function;
                    route.peerBar = bar;
                    route.peerOffset = offset;
                    return true;
                }
            }
        }
        return function instanceof SriovFunction physical
                && physical.virtualMemoryEnabled()
                && claimsVirtual(route, physical, address, length);
    }

    private static boolean claimsVirtual(Route route, SriovFunction physical, long address, int length) {
        List<PciFunction> functions = physical.functions();
        for (int index = 0; index < functions.size() - 1; index++) {
            for (int bar = 0; bar < 6; bar++) {
                Bar shape = physical.virtualBar(bar);
                long base = physical.virtualBarAddress(index, bar);
                if (shape != null && base != 0 && AddressRange.contains(base, shape.size(), address, length)) {
                    route.peer = functions.get(index + 1);
                    route.peerBar = bar;
                    route.peerOffset = address - base;
                    return true;
                }
            }
        }
        return false;
    }
}
