package io.iolab.devices.pci;

import io.iolab.devices.net.FramePort;

/**
 * A PCI network adapter. {@link #send} delivers a frame that arrives from the wire. The owner of the function calls
 * {@link #poll} after a burst of deliveries: a device may put off its interrupt decision until then, so that a burst costs one.
 */
public interface NetworkFunction extends PciFunction, FramePort {

    /**
     * Plugs or unplugs the cable.
     *
     * @param connected the physical state; what the guest sees follows after link-up rules of the device
     */
    void setLink(boolean connected);
}
