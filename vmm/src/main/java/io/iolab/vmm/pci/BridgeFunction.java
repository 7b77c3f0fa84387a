package io.iolab.vmm.pci;

import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;

/**
 * A function that is nothing but its configuration space: bridges of all kinds. It has no BARs, moves no frames and has no timers.
 *
 * <p>Threading: as for {@link PciFunction}.
 */
public abstract class BridgeFunction implements PciFunction {
    private final ConfigSpace config;

    /** @param config not sealed yet */
    protected BridgeFunction(ConfigSpace config) {
        this.config = config;
    }

    @Override
    public final ConfigSpace config() {
        return config;
    }

    @Override
    public final long readBar(int bar, long offset, int width) {
        return 0;
    }

    @Override
    public final void writeBar(int bar, long offset, int width, long value) {}

    @Override
    public final int poll(int budget) {
        return 0;
    }

    @Override
    public final long nextDeadlineNanos() {
        return Long.MAX_VALUE;
    }

    @Override
    public final boolean workPending() {
        return false;
    }

    /** What is behind the bridge is reset by whoever owns it. */
    @Override
    public final void reset() {
        config.reset();
    }

    @Override
    public final String registerName(int bar, long offset) {
        return "unimplemented";
    }
}
