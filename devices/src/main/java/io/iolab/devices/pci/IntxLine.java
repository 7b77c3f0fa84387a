package io.iolab.devices.pci;

import io.iolab.devices.irq.InterruptPin;
import java.util.function.BooleanSupplier;

/**
 * A function's INTx request and what reaches the wire: the request shows in status bit 3 always, and asserts the pin unless
 * command bit 10 forbids it or messages have replaced it (PCI Local Bus 3.0 sections 6.2.2, 6.2.3 and 6.8).
 */
public final class IntxLine {
    private final ConfigSpace config;
    private final InterruptPin pin;
    private final BooleanSupplier messagesEnabled;
    private boolean asserted;

    /** @param messagesEnabled whether MSI or MSI-X is enabled at this moment */
    public IntxLine(ConfigSpace config, InterruptPin pin, BooleanSupplier messagesEnabled) {
        this.config = config;
        this.pin = pin;
        this.messagesEnabled = messagesEnabled;
        config.onWrite(ConfigSpace.COMMAND, 2, this::evaluate);
    }

    /** The device's internal request. */
    public void request(boolean wanted) {
        int status = config.get(ConfigSpace.STATUS, 2);
        int next = wanted ? status | ConfigSpace.STATUS_INTERRUPT : status & ~ConfigSpace.STATUS_INTERRUPT;
        if (next != status) {
            config.put(ConfigSpace.STATUS, 2, next);
            evaluate();
        }
    }

    /** To be called when MSI or MSI-X was switched. */
    public void evaluate() {
        boolean wanted = (config.get(ConfigSpace.STATUS, 2) & ConfigSpace.STATUS_INTERRUPT) != 0
                && !config.intxDisabled()
                && !messagesEnabled.getAsBoolean();
        if (wanted != asserted) {
            asserted = wanted;
            pin.set(wanted);
        }
    }
}
