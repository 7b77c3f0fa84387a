package io.iolab.vmm;

import io.iolab.devices.bus.AddressMap;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import io.iolab.vmm.vcpu.GuestBus;
import io.iolab.vmm.vcpu.GuestWindow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a processor can reach beside RAM: configuration ports, fixed windows, and the BARs that are decoded now. */
final class MachineBus implements GuestBus {
    private static final int CONFIG_PORTS = 0xCF8;
    private static final int CONFIG_PORTS_SIZE = 8;
    private static final int INTERRUPT_LINE_BASE = 16;

    private record Plugged(PciFunction function, FunctionWindow.TrapRule rule, DeviceHooks hooks) {}

    private record Fixed(long base, long size, GuestWindow window) {}

    private final List<Plugged> plugged = new ArrayList<>();
    private final List<Fixed> fixed = new ArrayList<>();
    private final Map<Integer, PciFunction> functions = new HashMap<>();
    private AddressMap<GuestWindow> memory = new AddressMap<>();
    private AddressMap<GuestWindow> ports = new AddressMap<>();
    private DeviceHooks[] hooks = new DeviceHooks[0];

    MachineBus() {
        rebuild();
    }

    void add(long base, long size, GuestWindow window) {
        fixed.add(new Fixed(base, size, window));
        rebuild();
    }

    void plug(int slot, PciFunction function, FunctionWindow.TrapRule rule, DeviceHooks deviceHooks) {
        ConfigSpace config = function.config();
        config.put(ConfigSpace.INTERRUPT_LINE, 1, INTERRUPT_LINE_BASE + 4 + slot % 4);
        config.onWrite(ConfigSpace.COMMAND, 2, this::rebuild);
        config.onWrite(ConfigSpace.BAR0, 24, this::rebuild);
        functions.put(RequesterId.of(0, slot, 0), function);
        plugged.add(new Plugged(function, rule, deviceHooks));
        hooks = plugged.stream().map(Plugged::hooks).toArray(DeviceHooks[]::new);
        rebuild();
    }

    private void rebuild() {
        AddressMap<GuestWindow> nextMemory = new AddressMap<>();
        AddressMap<GuestWindow> nextPorts = new AddressMap<>();
        nextPorts.add(CONFIG_PORTS, CONFIG_PORTS_SIZE, new ConfigPorts(functions));
        fixed.forEach(f -> nextMemory.add(f.base, f.size, f.window));
        for (Plugged device : plugged) {
            ConfigSpace config = device.function.config();
            for (int i = 0; i < 6; i++) {
                Bar bar = config.bar(i);
                if (bar != null && config.barDecodes(i)) {
                    AddressMap<GuestWindow> map = bar.isMemory() ? nextMemory : nextPorts;
                    map.add(
                            config.barAddress(i),
                            bar.size(),
                            new FunctionWindow(device.function, i, device.rule, device.hooks));
                }
            }
        }
        memory = nextMemory;
        ports = nextPorts;
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
}
