package io.iolab.vmm.pci;

import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;

/** A function that is nothing but a configuration space. */
record FakeFunction(ConfigSpace config) implements PciFunction {

    @Override
    public long readBar(int bar, long offset, int width) {
        return 0;
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {}

    @Override
    public int poll(int budget) {
        return 0;
    }

    @Override
    public long nextDeadlineNanos() {
        return Long.MAX_VALUE;
    }

    @Override
    public boolean workPending() {
        return false;
    }

    @Override
    public void reset() {
        config.reset();
    }

    @Override
    public String registerName(int bar, long offset) {
        return "unimplemented";
    }
}
