package io.iolab.vmm.pci;

import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.PciFunction;
import org.jspecify.annotations.Nullable;

/** Where a request ends, filled in anew for each: at the root complex when there is neither a fault nor a peer. */
final class Route {
    DmaFault fault = DmaFault.NONE;
    /** The requester id with which the request arrives at the top. */
    int rid;
    /** False once a conventional bus has lost the address type. */
    boolean keepsAddressType;

    @Nullable
    PciFunction peer;

    int peerBar;
    long peerOffset;

    void start(int requester) {
        fault = DmaFault.NONE;
        rid = requester;
        keepsAddressType = true;
        peer = null;
    }
}
