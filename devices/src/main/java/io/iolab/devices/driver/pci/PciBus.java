package io.iolab.devices.driver.pci;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.RequesterId;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Enumerates functions and gives their BARs addresses. Bridges keep the bus numbers that the platform gave them and are
 * descended into; what a bridge forwards is the platform's business too.
 *
 * <p>All BARs are sized before any is placed, so that a BAR which firmware has placed is never overlapped by a new one.
 */
public final class PciBus {
    private static final int COMMAND = 0x04;
    private static final int DECODE = PciDevice.COMMAND_IO | PciDevice.COMMAND_MEMORY;
    private static final int HEADER_TYPE = 0x0E;
    private static final int MULTI_FUNCTION = 0x80;
    private static final int BRIDGE = 1;
    private static final int SECONDARY_BUS = 0x19;
    private static final int BAR0 = 0x10;
    private static final int DEVICES = 32;
    private static final int DEVICE_CAPABILITIES_2 = 0x24;
    private static final int DEVICE_CONTROL_2 = 0x28;
    private static final int ARI_FORWARDING = 1 << 5;

    private final CpuPort cpu;
    private final ConfigAccess config;
    private final ResourceWindow mmio;
    private final ResourceWindow io;

    /**
     * @param mmio where memory BARs may be placed; 32-bit BARs need it below 4 GiB
     * @param io where I/O BARs may be placed
     */
    public PciBus(CpuPort cpu, ConfigAccess config, ResourceWindow mmio, ResourceWindow io) {
        this.cpu = cpu;
        this.config = config;
        this.mmio = mmio;
        this.io = io;
    }

    /** A BAR as sizing found it; {@code address} 0 means that nobody has placed it. */
    private record SizedBar(int rid, PciBar bar) {}

    /** Every endpoint on bus 0 and behind its bridges, in order of discovery, with its BARs placed. */
    public List<PciDevice> scan() {
        List<Integer> rids = discover();
        List<SizedBar> sized = new ArrayList<>();
        for (int rid : rids) {
            size(rid, sized);
        }
        for (SizedBar entry : sized) {
            if (entry.bar.address() != 0) {
                window(entry.bar).reserve(entry.bar.address(), entry.bar.size());
            }
        }
        List<SizedBar> placed = sized.stream().map(this::place).toList();
        List<PciDevice> devices = new ArrayList<>();
        for (int rid : rids) {
            List<PciBar> bars = placed.stream()
                    .filter(entry -> entry.rid == rid)
                    .map(SizedBar::bar)
                    .toList();
            devices.add(new PciDevice(cpu, config, rid, config.read(rid, 0, 4), bars));
        }
        return devices;
    }

    private List<Integer> discover() {
        List<Integer> endpoints = new ArrayList<>();
        BitSet seen = new BitSet();
        List<int[]> buses = new ArrayList<>();
        buses.add(new int[] {0, DEVICES});
        seen.set(0);
        for (int next = 0; next < buses.size(); next++) {
            int bus = buses.get(next)[0];
            for (int device = 0; device < buses.get(next)[1]; device++) {
                discoverDevice(bus, device, endpoints, seen, buses);
            }
        }
        return endpoints;
    }

    private void discoverDevice(int bus, int device, List<Integer> endpoints, BitSet seen, List<int[]> buses) {
        int functions = 1;
        for (int function = 0; function < functions; function++) {
            int rid = RequesterId.of(bus, device, function);
            int id = config.read(rid, 0, 4);
            // A device that is absent or broken reads as one of these; Linux knows all four.
            if (id == 0xFFFF_FFFF || id == 0 || id == 0x0000_FFFF || id == 0xFFFF_0000) {
                continue;
            }
            int type = config.read(rid, HEADER_TYPE, 1);
            if (function == 0 && (type & MULTI_FUNCTION) != 0) {
                functions = 8;
            }
            if ((type & 0x7F) == 0) {
                endpoints.add(rid);
            } else if ((type & 0x7F) == BRIDGE) {
                descend(rid, id, seen, buses);
            }
        }
    }

    /** Behind a root port or a switch's downstream port sits device 0 alone (PCI Express Base section 7.3.1). */
    private void descend(int rid, int id, BitSet seen, List<int[]> buses) {
        int secondary = config.read(rid, SECONDARY_BUS, 1);
        if (secondary == 0 || seen.get(secondary)) {
            return;
        }
        seen.set(secondary);
        PciDevice bridge = new PciDevice(cpu, config, rid, id, List.of());
        int express = bridge.findCapability(PciDevice.CAPABILITY_EXPRESS);
        int portType = express == 0 ? -1 : bridge.read(express + 2, 2) >>> 4 & 0xF;
        buses.add(new int[] {secondary, portType == 4 || portType == 6 ? 1 : DEVICES});
    }

    /** Decoding is off meanwhile: a BAR full of ones would claim the top of the address space. */
    private void size(int rid, List<SizedBar> into) {
        int command = stopDecoding(rid);
        int index = 0;
        while (index < 6) {
            PciBar bar = sizeBar(rid, index);
            if (bar.size() != 0) {
                into.add(new SizedBar(rid, bar));
            }
            index += bar.kind() == PciBar.Kind.MEMORY64 ? 2 : 1;
        }
        resumeDecoding(rid, command);
    }

    /** @return the command register as it was */
    private int stopDecoding(int rid) {
        int command = config.read(rid, COMMAND, 2);
        if ((command & DECODE) != 0) {
            config.write(rid, COMMAND, 2, command & ~DECODE);
        }
        return command;
    }

    private void resumeDecoding(int rid, int command) {
        if ((command & DECODE) != 0) {
            config.write(rid, COMMAND, 2, command);
        }
    }

    /** Write ones, read back, restore (PCI Local Bus 3.0 section 6.2.5.1). The size is 0 for a BAR that does not exist. */
    private PciBar sizeBar(int rid, int index) {
        int offset = BAR0 + 4 * index;
        int low = config.read(rid, offset, 4);
        int lowMask = ones(rid, offset, low);
        if (lowMask == 0) {
            return new PciBar(index, PciBar.Kind.MEMORY32, 0, 0, false);
        }
        if ((lowMask & 1) != 0) {
            // A device may hard-wire the upper 16 bits to 0: ports end at 64 Ki.
            long size = (~((lowMask & ~3) | 0xFFFF_0000) & 0xFFFF_FFFFL) + 1;
            return new PciBar(index, PciBar.Kind.IO, low & 0xFFFC, size, false);
        }
        boolean prefetchable = (lowMask & 8) != 0;
        long address = low & 0xFFFF_FFF0L;
        if ((lowMask & 6) != 4 || index == 5) {
            long size = (~(lowMask & ~0xF) & 0xFFFF_FFFFL) + 1;
            return new PciBar(index, PciBar.Kind.MEMORY32, address, size, prefetchable);
        }
        int high = config.read(rid, offset + 4, 4);
        long mask = (long) ones(rid, offset + 4, high) << 32 | lowMask & 0xFFFF_FFF0L;
        return new PciBar(index, PciBar.Kind.MEMORY64, address | (long) high << 32, -mask, prefetchable);
    }

    private int ones(int rid, int offset, int restore) {
        config.write(rid, offset, 4, 0xFFFF_FFFF);
        int mask = config.read(rid, offset, 4);
        config.write(rid, offset, 4, restore);
        return mask;
    }

    private SizedBar place(SizedBar entry) {
        PciBar bar = entry.bar;
        if (bar.address() != 0) {
            return entry;
        }
        long address = window(bar).allocate(bar.size());
        int offset = BAR0 + 4 * bar.index();
        int command = stopDecoding(entry.rid);
        config.write(entry.rid, offset, 4, (int) address);
        if (bar.kind() == PciBar.Kind.MEMORY64) {
            config.write(entry.rid, offset + 4, 4, (int) (address >>> 32));
        }
        resumeDecoding(entry.rid, command);
        return new SizedBar(entry.rid, new PciBar(bar.index(), bar.kind(), address, bar.size(), bar.prefetchable()));
    }

    /**
     * Has a root or downstream port route by all eight bits of device and function, as Linux does where the port offers it (PCI Express Base
     * section 6.13): without it, what is behind the port ends at function 7.
     *
     * @param port its requester id
     * @return whether it does so now
     */
    public boolean forwardAlternativeRouting(int port) {
        PciDevice bridge = new PciDevice(cpu, config, port, config.read(port, 0, 4), List.of());
        int express = bridge.findCapability(PciDevice.CAPABILITY_EXPRESS);
        if (express == 0 || (bridge.read(express + DEVICE_CAPABILITIES_2, 4) & ARI_FORWARDING) == 0) {
            return false;
        }
        int control = bridge.read(express + DEVICE_CONTROL_2, 2);
        bridge.write(express + DEVICE_CONTROL_2, 2, control | ARI_FORWARDING);
        return true;
    }

    /** A function that enumeration does not find: a virtual one. */
    PciDevice function(int rid, int id, List<PciBar> bars) {
        return new PciDevice(cpu, config, rid, id, bars);
    }

    /** @param length a power of two */
    long allocateMemory(long length) {
        return mmio.allocate(length);
    }

    private ResourceWindow window(PciBar bar) {
        return bar.isMemory() ? mmio : io;
    }
}
