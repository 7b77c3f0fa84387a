package io.iolab.vmm.assign;

import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * INTx of an open device, forwarded as a level: delivered once and masked with that, until the user unmasks it; what is still asserted
 * then is delivered again.
 *
 * <pre>
 *   closed --open--> listening --device asserts--> masked, event raised
 *                       ^  ^                          |
 *                       |  `-- unmask, nothing asserted
 *                       `----- unmask, still asserted: once more
 * </pre>
 *
 * <p>Masked is the device's own interrupt disable bit, so that others on the line are heard meanwhile (PCI Local Bus 3.0 section 6.2.2);
 * a device without that bit has the line for itself, and the line is masked. While closed the bit is set too.
 *
 * <p>Threading: unmasking is the user's, the rest the device's; one at a time.
 */
final class LineInterrupt {
    private final PciFunction physical;
    private final HostInterrupts host;
    private final Runnable event;
    private final boolean maskable;
    private final BooleanSupplier raised = this::raised;
    private @Nullable HostLine line;
    private boolean open;
    private boolean masked;
    /** The user's own interrupt disable bit, which holds whatever is unmasked. */
    private boolean disabled;

    /** @param event runs when the device has interrupted */
    LineInterrupt(PciFunction physical, HostInterrupts host, Runnable event) {
        this.physical = physical;
        this.host = host;
        this.event = event;
        maskable = setDisable(true);
    }

    /** Whether the device took the bit. */
    private boolean setDisable(boolean on) {
        ConfigSpace config = physical.config();
        int command = config.get(ConfigSpace.COMMAND, 2);
        int bit = ConfigSpace.COMMAND_INTX_DISABLE;
        config.write(ConfigSpace.COMMAND, 2, on ? command | bit : command & ~bit);
        return config.intxDisabled() == on;
    }

    /** What the command register of the device must have in it. */
    int commandBits() {
        return maskable && (!open || masked || disabled) ? ConfigSpace.COMMAND_INTX_DISABLE : 0;
    }

    boolean isOpen() {
        return open;
    }

    /**
     * Listens; again changes nothing. Where the host has no interrupt lines nothing will ever be heard.
     *
     * @return {@link Errno#EBUSY} if the line would have to be shared and cannot
     */
    Errno open() {
        if (open) {
            return Errno.OK;
        }
        if (host.hasLines()) {
            int gsi = physical.config().get(ConfigSpace.INTERRUPT_LINE, 1);
            HostLine opened = host.line(gsi, raised, !maskable);
            if (opened == null) {
                return Errno.EBUSY;
            }
            line = opened;
        }
        open = true;
        masked = false;
        apply();
        return Errno.OK;
    }

    void close() {
        HostLine opened = line;
        open = false;
        masked = false;
        apply();
        line = null;
        if (opened != null) {
            opened.remove(raised);
        }
    }

    void mask() {
        masked = true;
        apply();
    }

    /** A line that was closed against a storm opens too. */
    void unmask() {
        masked = false;
        HostLine opened = line;
        apply();
        if (opened != null && maskable && !disabled) {
            opened.unmask();
        }
    }

    /** The user wrote its interrupt disable bit. */
    void disabledByUser(boolean now) {
        if (now != disabled) {
            disabled = now;
            apply();
        }
    }

    private void apply() {
        HostLine opened = line;
        if (maskable) {
            setDisable(commandBits() != 0);
        } else if (opened != null) {
            if (open && !masked && !disabled) {
                opened.unmask();
            } else {
                opened.mask();
            }
        }
    }

    /** The line interrupts: whether it was this device, by its status bit. */
    private boolean raised() {
        boolean asserting = (physical.config().get(ConfigSpace.STATUS, 2) & ConfigSpace.STATUS_INTERRUPT) != 0;
        if (!asserting || masked || disabled) {
            return false;
        }
        deliver();
        return true;
    }

    /** Masked before the event: who serves it may unmask from inside. */
    void deliver() {
        if (!masked) {
            mask();
            event.run();
        }
    }
}
