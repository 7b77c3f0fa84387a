package io.iolab.vmm;

import io.iolab.devices.bus.AddressMap;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.pci.PciFunction;
import io.iolab.vmm.pci.BarTarget;
import io.iolab.vmm.pci.PciHost;
import io.iolab.vmm.vcpu.GuestBus;
import io.iolab.vmm.vcpu.GuestWindow;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** What a processor can reach beside RAM: configuration ports and ECAM, fixed windows, and the BARs that are decoded now. */
final class MachineBus implements GuestBus {

    /** A function with its windows: one a BAR, wherever the BAR may move. */
    private static final class Plugged {
        private final PciFunction function;
        private final DeviceHooks hooks;
        private final FunctionWindow[] windows = new FunctionWindow[BARS];

        Plugged(PciFunction function, FunctionWindow.TrapRule rule, DeviceHooks hooks) {
            this.function = function;
            this.hooks = hooks;
            for (int bar = 0; bar < BARS; bar++) {
                windows[bar] = new FunctionWindow(function, bar, rule, hooks);
            }
        }
    }

    private static final int BARS = 6;

    private final PciHost pci;
    private final GuestWindow configPorts;
    private final GuestWindow ecam;
    private final List<Plugged> plugged = new ArrayList<>();
    private final List<AddressMap.Region<GuestWindow>> fixed = new ArrayList<>();
    private AddressMap<GuestWindow> memory = new AddressMap<>();
    private AddressMap<GuestWindow> ports = new AddressMap<>();
    private DeviceHooks[] hooks = new DeviceHooks[0];

    /** @param gsiPins as {@link PciHost} wants them */
    MachineBus(IntFunction<InterruptPin> gsiPins) {
        pci = new PciHost(gsiPins);
        configPorts = new ServedWindow(
                pci.configPorts(), GuestWindow.Trap.USER, offset -> offset < 4 ? "CONFIG_ADDRESS" : "CONFIG_DATA");
        ecam = new ServedWindow(pci.ecam(), GuestWindow.Trap.USER, offset -> "ECAM");
        pci.onRoutesChanged(this::rebuild);
        rebuild();
    }

    PciHost pci() {
        return pci;
    }

    void add(long base, long size, GuestWindow window) {
        fixed.add(new AddressMap.Region<>(base, size, window));
        rebuild();
    }

    void plug(int slot, PciFunction function, FunctionWindow.TrapRule rule, DeviceHooks deviceHooks) {
        plugged.add(new Plugged(function, rule, deviceHooks));
        hooks = plugged.stream().map(device -> device.hooks).toArray(DeviceHooks[]::new);
        pci.add(slot, 0, function);
    }

    private void rebuild() {
        AddressMap<GuestWindow> nextMemory = new AddressMap<>();
        AddressMap<GuestWindow> nextPorts = new AddressMap<>();
        nextPorts.add(PciHost.CONFIG_PORTS, PciHost.CONFIG_PORT_COUNT, configPorts);
        fixed.forEach(region -> nextMemory.add(region.base(), region.size(), region.target()));
        nextMemory.add(PciHost.ECAM_BASE, PciHost.ECAM_SIZE, ecam);
        for (BarTarget target : pci.decoded()) {
            (target.isMemory() ? nextMemory : nextPorts).add(target.base(), target.size(), window(target));
        }
        memory = nextMemory;
        ports = nextPorts;
    }

    private GuestWindow window(BarTarget target) {
        for (Plugged device : plugged) {
            if (device.function == target.function()) {
                return device.windows[target.bar()];
            }
        }
        throw new IllegalStateException("a BAR of a function that was never plugged in");
    }

    @Override
    public AddressMap.@Nullable Region<GuestWindow> memory(long pa, int width) {
        return memory.find(pa, width);
    }

    @Override
    public AddressMap.@Nullable Region<GuestWindow> ports(int port, int width) {
        return ports.find(port, width);
    }

    @Override
    public void afterUserExit() {
        for (DeviceHooks device : hooks) {
            device.afterExit();
        }
    }

    /**
     * A register window of the platform itself.
     *
     * @param trap of every access
     */
    record ServedWindow(MmioHandler registers, GuestWindow.Trap every, java.util.function.LongFunction<String> names)
            implements GuestWindow {
        @Override
        public Trap trap(long offset, boolean write) {
            return every;
        }

        @Override
        public String detail(long offset) {
            return names.apply(offset);
        }

        @Override
        public long read(long offset, int width) {
            return registers.read(offset, width);
        }

        @Override
        public void write(long offset, int width, long value) {
            registers.write(offset, width, value);
        }
    }
}
