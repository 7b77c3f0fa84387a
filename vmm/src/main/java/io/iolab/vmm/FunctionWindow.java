package io.iolab.vmm;

import io.iolab.devices.pci.PciFunction;
import io.iolab.vmm.vcpu.GuestWindow;

/** A BAR in a guest's address space. */
final class FunctionWindow implements GuestWindow {

    /** How accesses to a function's BARs are handled. */
    @FunctionalInterface
    interface TrapRule {
        Trap trap(int bar, long offset, boolean write);
    }

    private final PciFunction function;
    private final int bar;
    private final TrapRule rule;
    private final DeviceHooks hooks;

    FunctionWindow(PciFunction function, int bar, TrapRule rule, DeviceHooks hooks) {
        this.function = function;
        this.bar = bar;
        this.rule = rule;
        this.hooks = hooks;
    }

    @Override
    public Trap trap(long offset, boolean write) {
        return rule.trap(bar, offset, write);
    }

    @Override
    public String detail(long offset) {
        return function.registerName(bar, offset);
    }

    @Override
    public long read(long offset, int width) {
        hooks.before();
        long value = function.readBar(bar, offset, width);
        if (rule.trap(bar, offset, false) == Trap.NONE) {
            hooks.afterMapped();
        }
        return value;
    }

    @Override
    public void write(long offset, int width, long value) {
        hooks.before();
        function.writeBar(bar, offset, width, value);
        switch (rule.trap(bar, offset, true)) {
            case NONE -> hooks.afterMapped();
            case FAST -> hooks.afterKick();
            case USER, KERNEL, COALESCED -> {
                // The processor calls afterExit for all devices when the exit is over.
            }
        }
    }
}
