package io.iolab.vmm.remote;

import io.iolab.devices.net.FramePort;
import io.iolab.devices.pci.NetworkFunction;

/** What a network adapter's cable leads to. {@link #send} takes what the adapter transmits. */
interface Netdev extends FramePort {

    /**
     * Offers frames that have arrived until the adapter has no room.
     *
     * @return whether it took any
     */
    boolean offerTo(NetworkFunction adapter);

    /** Whether {@link #send} would answer BUSY now. */
    default boolean congested() {
        return false;
    }
}
