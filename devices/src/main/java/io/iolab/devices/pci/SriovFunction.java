package io.iolab.devices.pci;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A physical function with virtual functions (PCI Express SR-IOV 1.1). A virtual function has its own routing id, configuration space
 * and BARs, but its BAR registers read 0: the physical function's capability places the windows of all of them, one behind the other.
 *
 * <p>Whoever routes to the functions looks here again after each write to the capability ({@link #sriovCapability}, 64 bytes) and after
 * a reset of the physical function; virtual functions come and go with VF Enable.
 *
 * <p>Threading: all functions of a device belong to the one thread that owns the physical one.
 */
public interface SriovFunction extends PciFunction {
    /** Where the capability lies in configuration space. */
    int sriovCapability();

    /** The physical function, then the enabled virtual functions in order. */
    List<PciFunction> functions();

    /** Routing id of virtual function {@code index} less that of the physical function; depends on ARI Capable Hierarchy. */
    int routingIdOffset(int index);

    /** The function at this distance from the physical function's routing id, 0 for itself; null if there is none now. */
    @Nullable
    PciFunction functionAt(int routingIdOffset);

    /** Whether the windows of virtual functions answer: VF Enable and VF Memory Space Enable. */
    boolean virtualMemoryEnabled();

    /** The shape of a BAR that every virtual function has, always memory; null for one that they lack. */
    @Nullable
    Bar virtualBar(int bar);

    /** Where the window of a virtual function starts, whether or not it answers; 0 for a BAR that they lack. */
    long virtualBarAddress(int index, int bar);
}
