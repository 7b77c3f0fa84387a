package io.iolab.vmm.remote;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Board;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.edu.EduDevice;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.testdev.IommuTestDevice;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.vmm.pci.RootPort;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** Builds what {@code -netdev} and {@code -device} ask for and plugs it in. */
final class DeviceRack {
    /** QEMU's first station address; every adapter without one of its own takes the next. */
    private static final long FIRST_MAC = MacAddress.parse("52:54:00:12:34:56").bits();

    private static final int RED_HAT = 0x1B36;
    private static final int ROOT_PORT = 0x000C;

    /** Parts that our devices lack, such as expansion ROMs, and things that only firmware and migration ask about. */
    private static final Set<String> WITHOUT_EFFECT =
            Set.of("romfile", "rombar", "bootindex", "chassis", "port", "slot", "disable-legacy", "disable-modern");

    private final RemoteMachine machine;
    private final List<String> warnings;
    private final Map<String, Netdev> netdevs = new HashMap<>();
    private final Map<Long, Hub> hubs = new HashMap<>();
    private final List<SocketNetdev> sockets = new ArrayList<>();
    private final Map<String, Bridge> bridges = new HashMap<>();
    private int adapters;

    /** A root port that waits for what comes behind it. */
    private record Bridge(int device, int function, RootPort port) {}

    /** Where a device goes: its slot, or one behind a root port. */
    private record Place(int device, int function, @Nullable Bridge behind) {}

    /** What a device is made from, besides its options. */
    private record Ports(
            DmaPort dma, InterruptPin pin, @Nullable Netdev netdev) {
        io.iolab.devices.net.FramePort wire() {
            return netdev == null ? io.iolab.devices.net.FramePort.UNPLUGGED : netdev;
        }
    }

    DeviceRack(RemoteMachine machine, List<String> warnings) {
        this.machine = machine;
        this.warnings = warnings;
    }

    /** The inherited sockets, for whoever waits for frames. */
    List<SocketNetdev> sockets() {
        return sockets;
    }

    Map<String, Netdev> netdevs() {
        return netdevs;
    }

    void addNetdev(Properties options) throws OptionException, IOException {
        String id = options.require("id");
        Netdev netdev = switch (options.head()) {
            case "socket" -> socket(options);
            case "hubport" ->
                hubs.computeIfAbsent(options.takeNumber("hubid", 0, Integer.MAX_VALUE, 0), n -> new Hub())
                        .port();
            default ->
                throw new OptionException(
                        "-netdev " + options.head() + " is not offered; socket,fd=N and hubport,hubid=N are");
        };
        if (netdevs.putIfAbsent(id, netdev) != null) {
            throw new OptionException("-netdev: id=" + id + " is taken");
        }
        warnAboutRest(options);
    }

    private SocketNetdev socket(Properties options) throws OptionException, IOException {
        String fd = options.take("fd");
        if (fd == null) {
            throw new OptionException("-netdev socket: fd= is missing; listen=, connect= and others are not offered");
        }
        int number;
        try {
            number = Integer.parseUnsignedInt(fd);
        } catch (NumberFormatException e) {
            throw new OptionException("-netdev socket: fd=" + fd + " is not a descriptor's number");
        }
        SocketNetdev netdev = new SocketNetdev(PosixSocket.adopt(number));
        sockets.add(netdev);
        return netdev;
    }

    /** In the order given: a root port comes before what names it as its bus. */
    void addDevices(List<Properties> devices) throws OptionException {
        for (Properties options : devices) {
            if (options.head().equals("pcie-root-port")) {
                addRootPort(options);
            } else {
                addDevice(options);
            }
        }
        for (Bridge bridge : bridges.values()) {
            machine.plug(bridge.device, bridge.function, bridge.port);
        }
    }

    private void addRootPort(Properties options) throws OptionException {
        String id = options.take("id", "");
        Place place = place(options);
        bridges.put(id, new Bridge(place.device, place.function, new RootPort(RED_HAT, ROOT_PORT)));
        warnAboutRest(options);
    }

    private void addDevice(Properties options) throws OptionException {
        String driver = options.head();
        String id = options.take("id", driver);
        Place place = place(options);
        Bridge bridge = place.behind;
        int slot = bridge == null ? place.device : bridge.device;
        IntSupplier requester = bridge == null
                ? () -> place.device << 3 | place.function
                : () -> bridge.port.secondaryBus() << 8 | place.function;
        Netdev netdev = netdev(options);
        PciFunction function = build(driver, options, new Ports(machine.dma(requester), machine.intx(slot, 1), netdev));
        RemoteMachine.Slot plugged = new RemoteMachine.Slot(id, driver, function, netdev);
        if (bridge == null) {
            machine.plug(place.device, place.function, plugged);
        } else {
            bridge.port.attach(place.function, function);
            machine.adopt(plugged);
        }
        warnAboutRest(options);
    }

    private @Nullable Netdev netdev(Properties options) throws OptionException {
        String id = options.take("netdev");
        if (id == null) {
            return null;
        }
        Netdev netdev = netdevs.get(id);
        if (netdev == null) {
            throw new OptionException(options.describe() + ": no -netdev has id=" + id);
        }
        return netdev;
    }

    private PciFunction build(String driver, Properties options, Ports ports) throws OptionException {
        return switch (driver) {
            case "e1000", "e1000-82540em" -> e1000(E1000Model.I82540EM, options, ports);
            case "e1000e" -> e1000(E1000Model.I82574L, options, ports);
            case "virtio-net-pci", "virtio-net-pci-non-transitional" ->
                new VirtioNet(
                        VirtioProperties.options(mac(options), options, warnings),
                        ports.dma,
                        ports.pin,
                        ports.wire(),
                        machine.time());
            case "edu" -> {
                long mask = options.takeNumber("dma_mask", 0, Long.MAX_VALUE, EduDevice.DEFAULT_DMA_MASK);
                yield new EduDevice(mask, ports.dma, ports.pin, machine.time());
            }
            case "iommu-testdev" -> new IommuTestDevice(ports.dma, machine.memory());
            default ->
                throw new OptionException("-device " + driver
                        + " is not offered; e1000, e1000e, virtio-net-pci, edu, iommu-testdev, pcie-root-port and"
                        + " intel-iommu are");
        };
    }

    private PciFunction e1000(E1000Model model, Properties options, Ports ports) throws OptionException {
        return E1000.create(model, E1000Board.QEMU, mac(options), ports.dma, ports.pin, ports.wire(), machine.time());
    }

    private byte[] mac(Properties options) throws OptionException {
        String text = options.take("mac");
        try {
            MacAddress mac = text == null ? new MacAddress(FIRST_MAC + adapters++) : MacAddress.parse(text);
            if (mac.isMulticast()) {
                throw new OptionException(options.describe() + ": mac=" + text + " is a group address");
            }
            return mac.toBytes();
        } catch (IllegalArgumentException e) {
            throw new OptionException(options.describe() + ": mac=" + e.getMessage());
        }
    }

    // ---- slots

    private Place place(Properties options) throws OptionException {
        String bus = options.take("bus");
        String address = options.take("addr");
        Bridge behind = bus == null || bus.equals("pcie.0") || bus.equals("pci.0") ? null : bridges.get(bus);
        if (bus != null && behind == null && !bus.endsWith(".0")) {
            throw new OptionException(options.describe() + ": there is no bus " + bus);
        }
        if (address == null) {
            return behind == null ? new Place(freeDevice(options), 0, null) : new Place(0, 0, behind);
        }
        Place place = parse(options, address, behind);
        if (behind == null && isTaken(place.device, place.function)) {
            throw new OptionException(options.describe() + ": addr=" + address + " is taken");
        }
        return place;
    }

    private static Place parse(Properties options, String address, @Nullable Bridge behind) throws OptionException {
        int dot = address.indexOf('.');
        try {
            String device = dot < 0 ? address : address.substring(0, dot);
            int number = Integer.parseInt(device.startsWith("0x") ? device.substring(2) : device, 16);
            int function = dot < 0 ? 0 : Integer.parseInt(address.substring(dot + 1), 16);
            if (number >= 0 && number < 32 && function >= 0 && function < 8 && (behind == null || number == 0)) {
                return new Place(number, function, behind);
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new OptionException(options.describe() + ": addr=" + address + " is not a slot such as 04.0");
    }

    private boolean isTaken(int device, int function) {
        return machine.taken(device, function)
                || bridges.values().stream().anyMatch(bridge -> bridge.device == device && bridge.function == function);
    }

    private int freeDevice(Properties options) throws OptionException {
        for (int device = 0; device < 32; device++) {
            if (!isTaken(device, 0)) {
                return device;
            }
        }
        throw new OptionException(options.describe() + ": no slot is free");
    }

    private void warnAboutRest(Properties options) {
        for (String key : options.left()) {
            if (!WITHOUT_EFFECT.contains(key)) {
                warnings.add(options.describe() + ": property " + key + " is not known here, ignored");
            }
        }
    }
}
