package io.iolab.vmm.pci;

import io.iolab.devices.bus.AddressMap;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.BridgeHeader;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.pci.SingleRootVirtualization;
import io.iolab.devices.pci.SriovFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The host bridge's work: it finds the function that a configuration access addresses, by ports CF8 and CFC or by ECAM, and keeps
 * track of which BARs are decoded where. Functions sit on bus 0 or behind a {@link Bridge} on it; an absent one reads all ones and
 * swallows writes.
 *
 * <p>A byte, word or doubleword that is not naturally aligned reaches the function as single bytes, which is what byte enables say.
 *
 * <p>Where decoded BARs overlap, the function with the lower requester id claims the access, and within a function the lower BAR. RAM,
 * I/O APIC and local APIC come before all BARs: whoever owns the address space asks here last.
 *
 * <p>Threading: {@link #add} during set-up; configuration accesses one at a time; {@link #findMemory} and {@link #findIo} from any
 * thread, and they allocate nothing.
 */
public final class PciHost {
    /** First port of configuration mechanism #1. */
    public static final int CONFIG_PORTS = 0xCF8;

    /** CF8 to CFF. */
    public static final int CONFIG_PORT_COUNT = 8;

    /** Where q35 puts bus 0 of the memory-mapped configuration space. */
    public static final long ECAM_BASE = 0xB000_0000L;

    /** 256 buses of 1 MiB. */
    public static final long ECAM_SIZE = 256L << 20;

    private static final int DATA_OFFSET = 4;
    private static final int ENABLE = 1 << 31;
    /** Bits 30:24 and 1:0 of the address register are read-only zeros. */
    private static final int ADDRESS_WRITABLE = 0x80FF_FFFC;

    private static final int BAR_BYTES = 24;
    private static final int FIRST_PIRQ_GSI = 16;

    private final IntFunction<InterruptPin> gsiPins;
    /** Bus 0, by device and function. */
    private final @Nullable PciFunction[] functions = new PciFunction[256];

    private final List<Bridge> bridges = new ArrayList<>();

    private final MmioHandler configPorts = new ConfigPorts();
    private final MmioHandler ecam = new Ecam();
    private final List<Runnable> listeners = new ArrayList<>();
    private int configAddress;
    private List<BarTarget> decoded = List.of();
    /** Replaced as a whole, so that a look-up on another thread sees one state or the other. */
    private volatile AddressMap<BarTarget> memory = new AddressMap<>();

    private volatile AddressMap<BarTarget> io = new AddressMap<>();

    /** @param gsiPins gives a new source on the pin of a global system interrupt, 16 to 23: an I/O APIC's {@code pin} */
    public PciHost(IntFunction<InterruptPin> gsiPins) {
        this.gsiPins = gsiPins;
    }

    /**
     * Plugs a function into bus 0 and writes its Interrupt Line register, as firmware does.
     *
     * @param device 0 to 31
     * @param function 0 to 7
     * @return its requester id
     * @throws IllegalArgumentException if the place is taken or does not exist
     */
    public int add(int device, int function, PciFunction pciFunction) {
        int rid = RequesterId.of(0, device, function);
        if (RequesterId.device(rid) != device || RequesterId.function(rid) != function || functions[rid] != null) {
            throw new IllegalArgumentException("no free place at device " + device + ", function " + function);
        }
        functions[rid] = pciFunction;
        writeInterruptLine(rid, pciFunction.config());
        follow(pciFunction);
        updateRoutes();
        return rid;
    }

    /**
     * Plugs a bridge into bus 0, with all that is behind it. Its bus numbers and windows are the guest's to program.
     *
     * @return its requester id
     * @throws IllegalArgumentException as for {@link #add}
     */
    public int addBridge(int device, int function, Bridge bridge) {
        int rid = add(device, function, bridge);
        bridge.placeOnBus0(rid);
        bridges.add(bridge);
        followBridge(bridge);
        return rid;
    }

    private void followBridge(Bridge bridge) {
        bridge.config().onWrite(BridgeHeader.BUS_NUMBERS, BridgeHeader.FORWARDING_BYTES, this::updateRoutes);
        bridge.config().onWrite(BridgeHeader.BRIDGE_CONTROL, 2, this::updateRoutes);
        bridge.functions().values().forEach(this::follow);
        bridge.bridges().forEach(this::followBridge);
    }

    /** The function's own hooks ran before, so its virtual functions are what the capability says. */
    private void follow(PciFunction function) {
        ConfigSpace config = function.config();
        config.onWrite(ConfigSpace.COMMAND, 2, this::updateRoutes)
                .onWrite(ConfigSpace.BAR0, BAR_BYTES, this::updateRoutes);
        if (function instanceof SriovFunction physical) {
            config.onWrite(physical.sriovCapability(), SingleRootVirtualization.LENGTH, this::updateRoutes);
        }
    }

    /** The bridges on bus 0, in the order in which they were plugged in. */
    List<Bridge> bridges() {
        return bridges;
    }

    /** The function that answers configuration accesses to {@code rid}, or null. */
    public @Nullable PciFunction function(int rid) {
        if (RequesterId.bus(rid) == 0) {
            PciFunction present = functions[RequesterId.devfn(rid)];
            return present != null ? present : virtualFunction(rid);
        }
        return behind(bridges, rid);
    }

    private @Nullable PciFunction virtualFunction(int rid) {
        for (int physical = 0; physical < rid; physical++) {
            if (functions[physical] instanceof SriovFunction sriov && sriov.functionAt(rid - physical) != null) {
                return sriov.functionAt(rid - physical);
            }
        }
        return null;
    }

    /** A type 1 access becomes type 0 on the bridge whose secondary bus it names (PCI-to-PCI Bridge 1.2 section 3.1.2.1). */
    private static @Nullable PciFunction behind(List<Bridge> bridges, int rid) {
        int bus = RequesterId.bus(rid);
        for (Bridge bridge : bridges) {
            if (bridge.secondaryBus() == bus) {
                return bridge.answering(RequesterId.devfn(rid));
            }
            if (bridge.header().leadsTo(bus) && !bridge.header().resetHeld()) {
                PciFunction below = behind(bridge.bridges(), rid);
                return below != null ? below : bridge.virtualFunction(rid - (bridge.secondaryBus() << 8));
            }
        }
        return null;
    }

    /** Writes every Interrupt Line register again: firmware's part after functions were reset. */
    public void writeInterruptLines() {
        for (int rid = 0; rid < functions.length; rid++) {
            PciFunction function = functions[rid];
            if (function != null) {
                writeInterruptLine(rid, function.config());
            }
        }
    }

    private static void writeInterruptLine(int rid, ConfigSpace config) {
        int pin = config.get(ConfigSpace.INTERRUPT_PIN, 1);
        if (pin >= 1 && pin <= 4) {
            config.write(ConfigSpace.INTERRUPT_LINE, 1, gsi(RequesterId.device(rid), pin));
        }
    }

    /**
     * The global system interrupt of a slot's pin on q35: devices 0 to 24 take turns on PIRQ E to H, 30 takes them in order, the
     * chipset's own places take PIRQ A to D in order; PIRQ A is GSI 16.
     *
     * @param device 0 to 31
     * @param pin as in the Interrupt Pin register: 1 to 4 for INTA# to INTD#
     */
    public static int gsi(int device, int pin) {
        if (device < 0 || device > 31 || pin < 1 || pin > 4) {
            throw new IllegalArgumentException("device " + device + ", pin " + pin);
        }
        int index = pin - 1;
        int pirq = device <= 24 ? 4 + ((device + index) & 3) : device == 30 ? 4 + index : index;
        return FIRST_PIRQ_GSI + pirq;
    }

    /** A new source on the interrupt line that a slot's pin is wired to; arguments as for {@link #gsi}. */
    public InterruptPin intx(int device, int pin) {
        return gsiPins.apply(gsi(device, pin));
    }

    /** Ports CF8 to CFF; offsets from {@link #CONFIG_PORTS}. */
    public MmioHandler configPorts() {
        return configPorts;
    }

    /** The memory-mapped configuration space; offsets from {@link #ECAM_BASE}. */
    public MmioHandler ecam() {
        return ecam;
    }

    /** The same for software that needs no processor to get there. */
    public ConfigAccess configAccess() {
        return new ConfigAccess() {
            @Override
            public int read(int rid, int offset, int width) {
                return (int) ecam.read((rid & 0xFFFFL) << 12 | offset, width);
            }

            @Override
            public void write(int rid, int offset, int width, int value) {
                ecam.write((rid & 0xFFFFL) << 12 | offset, width, value & 0xFFFF_FFFFL);
            }
        };
    }

    /** The memory BAR that claims all of {@code [gpa, gpa + width)}, or null. */
    public @Nullable BarTarget findMemory(long gpa, int width) {
        AddressMap.Region<BarTarget> region = memory.find(gpa, width);
        return region == null ? null : region.target();
    }

    /** The I/O BAR that claims all of {@code [port, port + width)}, or null. */
    public @Nullable BarTarget findIo(int port, int width) {
        AddressMap.Region<BarTarget> region = io.find(port, width);
        return region == null ? null : region.target();
    }

    /** Every BAR that is decoded now, memory and I/O, the one that wins an overlap first. */
    public List<BarTarget> decoded() {
        return decoded;
    }

    /** Runs {@code action} after each change of {@link #decoded}: mapped BARs and cached look-ups follow there. */
    public void onRoutesChanged(Runnable action) {
        listeners.add(action);
    }

    private void updateRoutes() {
        List<BarTarget> next = new ArrayList<>();
        for (int rid = 0; rid < functions.length; rid++) {
            PciFunction function = functions[rid];
            if (function != null) {
                addDecoded(next, rid, function, target -> true);
            }
        }
        bridges.forEach(bridge -> addBehind(next, bridge, bridge::forwards));
        if (next.equals(decoded)) {
            return;
        }
        AddressMap<BarTarget> nextMemory = new AddressMap<>();
        AddressMap<BarTarget> nextIo = new AddressMap<>();
        for (BarTarget target : next) {
            (target.isMemory() ? nextMemory : nextIo).add(target.base(), target.size(), target);
        }
        decoded = List.copyOf(next);
        memory = nextMemory;
        io = nextIo;
        listeners.forEach(Runnable::run);
    }

    private static void addBehind(List<BarTarget> targets, Bridge bridge, Predicate<BarTarget> reachable) {
        bridge.functions()
                .forEach((devfn, function) ->
                        addDecoded(targets, bridge.secondaryBus() << 8 | devfn, function, reachable));
        bridge.bridges().forEach(below -> addBehind(targets, below, reachable.and(below::forwards)));
    }

    private static void addDecoded(
            List<BarTarget> targets, int rid, PciFunction function, Predicate<BarTarget> reachable) {
        ConfigSpace config = function.config();
        for (int bar = 0; bar < 6; bar++) {
            Bar shape = config.bar(bar);
            if (shape != null && config.barDecodes(bar)) {
                BarTarget target = new BarTarget(function, rid, bar, config.barAddress(bar), shape.size());
                if (reachable.test(target)) {
                    targets.add(target);
                }
            }
        }
        if (function instanceof SriovFunction physical && physical.virtualMemoryEnabled()) {
            addVirtual(targets, rid, physical, reachable);
        }
    }

    private static void addVirtual(
            List<BarTarget> targets, int rid, SriovFunction physical, Predicate<BarTarget> reachable) {
        List<PciFunction> all = physical.functions();
        for (int index = 0; index < all.size() - 1; index++) {
            for (int bar = 0; bar < 6; bar++) {
                Bar shape = physical.virtualBar(bar);
                long base = physical.virtualBarAddress(index, bar);
                if (shape != null && placed(base, shape.size())) {
                    int virtual = rid + physical.routingIdOffset(index) & 0xFFFF;
                    BarTarget target = new BarTarget(all.get(index + 1), virtual, bar, base, shape.size());
                    if (reachable.test(target)) {
                        targets.add(target);
                    }
                }
            }
        }
    }

    /** A window at 0 has not been placed, and one that would wrap around is being sized. */
    private static boolean placed(long base, long size) {
        return base != 0 && !AddressRange.wraps(base, size);
    }

    /** @param offset 0 to 4095 */
    private int readConfig(int rid, int offset, int width) {
        PciFunction function = function(rid);
        if (function == null) {
            return ones(width);
        }
        if (offset % width == 0) {
            return function.config().read(offset, width);
        }
        int value = 0;
        for (int i = 0; i < width; i++) {
            value |= (offset + i < ConfigSpace.SIZE ? function.config().read(offset + i, 1) : 0xFF) << 8 * i;
        }
        return value;
    }

    private void writeConfig(int rid, int offset, int width, int value) {
        PciFunction function = function(rid);
        if (function == null) {
            return;
        }
        if (offset % width == 0) {
            function.config().write(offset, width, value);
            return;
        }
        for (int i = 0; i < width && offset + i < ConfigSpace.SIZE; i++) {
            function.config().write(offset + i, 1, value >>> 8 * i & 0xFF);
        }
    }

    private static int ones(int width) {
        return width == 4 ? -1 : (1 << 8 * width) - 1;
    }

    /**
     * Configuration mechanism #1 (PCI Local Bus 3.0 section 3.2.2.3.2). Only a doubleword access reaches the address register; the low
     * bits of the data port are byte lanes. What this mechanism does not claim reads all ones.
     */
    private final class ConfigPorts implements MmioHandler {
        @Override
        public long read(long offset, int width) {
            if (offset == 0 && width == 4) {
                return configAddress & 0xFFFF_FFFFL;
            }
            if (!claimsData(offset, width)) {
                return width == 8 ? -1 : ones(width) & 0xFFFF_FFFFL;
            }
            return readConfig(rid(), register(offset), width) & 0xFFFF_FFFFL;
        }

        @Override
        public void write(long offset, int width, long value) {
            if (offset == 0 && width == 4) {
                configAddress = (int) value & ADDRESS_WRITABLE;
            } else if (claimsData(offset, width)) {
                writeConfig(rid(), register(offset), width, (int) value);
            }
        }

        private boolean claimsData(long offset, int width) {
            return (configAddress & ENABLE) != 0
                    && offset >= DATA_OFFSET
                    && width <= 4
                    && offset <= CONFIG_PORT_COUNT - width;
        }

        private int rid() {
            return configAddress >>> 8 & 0xFFFF;
        }

        private int register(long offset) {
            return configAddress & 0xFC | (int) offset & 3;
        }
    }

    /** One 4 KiB page a function: bus 27:20, device 19:15, function 14:12 (PCI Express Base section 7.2.2). */
    private final class Ecam implements MmioHandler {
        @Override
        public long read(long offset, int width) {
            if (width == 8) {
                return read(offset, 4) | read(offset + 4, 4) << 32;
            }
            return readConfig(rid(offset), register(offset), width) & 0xFFFF_FFFFL;
        }

        @Override
        public void write(long offset, int width, long value) {
            if (width == 8) {
                write(offset, 4, value & 0xFFFF_FFFFL);
                write(offset + 4, 4, value >>> 32);
                return;
            }
            writeConfig(rid(offset), register(offset), width, (int) value);
        }

        private static int rid(long offset) {
            return (int) (offset >>> 12) & 0xFFFF;
        }

        private static int register(long offset) {
            return (int) offset & 0xFFF;
        }
    }
}
