package io.iolab.vmm.pci;

import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.BridgeHeader;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.pci.SriovFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A port or bridge with what is on its secondary bus (PCI-to-PCI Bridge 1.2 chapter 3; PCI Express Base section 7.3). It forwards
 * configuration accesses to the buses behind it, and memory and I/O accesses that fall into its windows while its command register lets
 * them pass. While software holds the secondary bus in reset nothing behind it answers.
 *
 * <p>Threading: as {@link PciHost}.
 */
public abstract sealed class Bridge extends BridgeFunction permits RootPort, SwitchPort, PciBridge {
    private static final int FUNCTIONS = 256;
    /** Without ARI a link has one device of eight functions. */
    private static final int FUNCTIONS_OF_A_DEVICE = 8;

    private final BridgeHeader header;
    private final PciExpress.Type type;
    private final Map<Integer, PciFunction> functions = new TreeMap<>();
    /** The same, for the way of a request, which allocates nothing. */
    private final List<PciFunction> inOrder = new ArrayList<>();

    private final List<Bridge> bridges = new ArrayList<>();
    private @Nullable Bridge parent;
    private int place;
    private long acsViolations;
    private long unsupported;

    /** @param config not sealed yet, without a header of its own */
    Bridge(ConfigSpace config, PciExpress.Type type) {
        super(config);
        this.type = type;
        header = new BridgeHeader(config, this::resetSecondaryBus);
    }

    /**
     * Puts a function on the secondary bus; to be done before the bridge is plugged in.
     *
     * @param devfn device 7:3 and function 2:0; with ARI all of it is the function
     * @throws IllegalArgumentException if its place is taken or does not exist, or a bridge has another place already
     */
    final void put(int devfn, PciFunction behind) {
        if (devfn < 0 || devfn >= FUNCTIONS || functions.putIfAbsent(devfn, behind) != null) {
            throw new IllegalArgumentException("no free place for device and function " + devfn);
        }
        inOrder.add(behind);
        if (behind instanceof Bridge bridge) {
            if (bridge.parent != null || bridge == this) {
                throw new IllegalArgumentException("a bridge has one place");
            }
            bridge.parent = this;
            bridge.place = devfn;
            bridges.add(bridge);
        }
    }

    /** @param devfn device and function of this bridge on bus 0 */
    final void placeOnBus0(int devfn) {
        place = devfn;
    }

    /** The bridge's own requester id, as bus numbers are programmed now. */
    public final int rid() {
        return parent == null ? place : parent.secondaryBus() << 8 | place;
    }

    /** What kind of port or bridge this is. */
    public final PciExpress.Type type() {
        return type;
    }

    /** The bridge whose secondary bus this one is on; null on bus 0. */
    public final @Nullable Bridge parent() {
        return parent;
    }

    /** By device and function. */
    public final Map<Integer, PciFunction> functions() {
        return java.util.Collections.unmodifiableMap(functions);
    }

    final List<PciFunction> inOrder() {
        return inOrder;
    }

    /** Those of the functions that are bridges. */
    final List<Bridge> bridges() {
        return bridges;
    }

    /** Bus numbers and windows. */
    final BridgeHeader header() {
        return header;
    }

    /** As programmed; 0 before that. */
    public final int secondaryBus() {
        return header.secondaryBus();
    }

    /** The access control services of the port; null for one without the capability. */
    abstract @Nullable AccessControlServices accessControl();

    /** The number that an egress control vector knows this port by. */
    int portNumber() {
        return 0;
    }

    /** Whether configuration accesses to all 256 functions get through, not only to those of device 0. */
    boolean reachesAllDevices() {
        return true;
    }

    /** What answers on the secondary bus; null for nobody, and for everybody during a reset. */
    final @Nullable PciFunction answering(int devfn) {
        if (header.resetHeld() || devfn >= FUNCTIONS_OF_A_DEVICE && !reachesAllDevices()) {
            return null;
        }
        PciFunction present = functions.get(devfn);
        return present != null ? present : virtualFunction(devfn);
    }

    /**
     * A virtual function that a physical function on the secondary bus has enabled.
     *
     * @param place its routing id less that of device 0 on the secondary bus: from 256 on it has a bus number of its own
     */
    final @Nullable PciFunction virtualFunction(int place) {
        for (Map.Entry<Integer, PciFunction> entry : functions.entrySet()) {
            int offset = place - entry.getKey();
            if (offset > 0 && entry.getValue() instanceof SriovFunction physical) {
                PciFunction found = physical.functionAt(offset);
                if (found != null) {
                    return found;
                }
            }
        }
        return null;
    }

    /** Whether memory requests with addresses in this range, all of it, go down through this bridge. */
    final boolean forwardsMemory(long address, long length) {
        return config().memoryEnabled() && !header.resetHeld() && header.memoryWindowContains(address, length);
    }

    /** Whether an access to this BAR of a function behind the bridge gets there. */
    final boolean forwards(BarTarget target) {
        if (secondaryBus() == 0 || header.resetHeld()) {
            return false;
        }
        if (!target.isMemory()) {
            return config().ioEnabled() && header.ioWindowContains(target.base(), target.size());
        }
        return forwardsMemory(target.base(), target.size());
    }

    /** Whether the bridge lets requests from below pass upwards (command bit 2; PCI Express Base section 7.5.1.1.3). */
    final boolean passesUpwards() {
        return config().busMaster() && !header.resetHeld();
    }

    /** Resets everything behind the bridge (PCI-to-PCI Bridge 1.2 section 3.2.5.17). */
    private void resetSecondaryBus() {
        for (PciFunction behind : functions.values()) {
            behind.reset();
            if (behind instanceof Bridge bridge) {
                bridge.resetSecondaryBus();
            }
        }
    }

    final void countViolation() {
        acsViolations++;
    }

    final void countUnsupported() {
        unsupported++;
    }

    /** Requests from below that access control refused here. */
    public final long acsViolations() {
        return acsViolations;
    }

    /** Requests from below that ended here because nothing claims or forwards them. */
    public final long unsupportedRequests() {
        return unsupported;
    }
}
