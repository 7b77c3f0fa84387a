package io.iolab.vmm.pci;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.irq.InterruptPin;
import org.jspecify.annotations.Nullable;

/** An interrupt pin somewhere in the hierarchy; which line it ends at is looked up when it first changes. */
final class SwizzledPin implements InterruptPin {
    private static final int PINS = 4;

    private final PciHost host;
    private final @Nullable Bridge above;
    private final int device;
    private final int pin;
    private @Nullable InterruptPin wire;

    SwizzledPin(PciHost host, @Nullable Bridge above, int device, int pin) {
        this.host = host;
        this.above = above;
        this.device = device;
        this.pin = pin;
    }

    /** The pin of a bridge that a pin of a device below comes out at. */
    static int turned(int pin, int device) {
        return (pin - 1 + device) % PINS + 1;
    }

    @Override
    public void set(boolean asserted) {
        InterruptPin wired = wire;
        if (wired == null) {
            wired = resolve();
            wire = wired;
        }
        wired.set(asserted);
    }

    private InterruptPin resolve() {
        int at = device;
        int turned = pin;
        for (Bridge bridge = above; bridge != null; bridge = bridge.parent()) {
            turned = turned(turned, at);
            at = RequesterId.device(bridge.rid());
        }
        return host.intx(at, turned);
    }
}
