package io.iolab.vmm.pci;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.pci.BridgeHeader;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What firmware does with a PCI hierarchy before an operating system sees it, by configuration accesses alone: numbers buses depth
 * first, sizes and places memory BARs bus by bus, opens each bridge's memory window around what is behind it, and writes into each
 * Interrupt Line register where the function's pin ends.
 */
final class Firmware {
    private static final int DEVICES = 32;
    private static final int FUNCTIONS = 8;
    private static final int MULTI_FUNCTION = 0x80;
    private static final int LAST_BUS = 255;
    private static final int MEMORY_WINDOW = 0x20;
    private static final int PREFETCHABLE_WINDOW = 0x24;
    private static final int BRIDGE_COMMAND =
            ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_BUS_MASTER;
    /** Base above limit. */
    private static final int EMPTY_WINDOW = 0x0000_FFF0;

    private static final long MEMORY_BASE = 0xC000_0000L;
    private static final long MEMORY_END = 0xFE00_0000L;
    private static final long MEGABYTE = 1 << 20;

    private static final int TOTAL_VFS = 0x0E;
    private static final int FIRST_OFFSET = 0x14;
    private static final int STRIDE = 0x16;
    private static final int VF_BAR0 = 0x24;

    private final MmioHandler ecam;
    /** Device numbers of the bridges above the present bus, the nearest first. */
    private final Deque<Integer> above = new ArrayDeque<>();

    private int lastBus;
    private long next = MEMORY_BASE;

    Firmware(PciHost host) {
        ecam = host.ecam();
    }

    /** @throws IllegalStateException if there are too many buses, or more BARs than room */
    void configure() {
        bus(0);
    }

    private int read(int rid, int offset, int width) {
        return (int) ecam.read((long) rid << 12 | offset, width);
    }

    private void write(int rid, int offset, int width, int value) {
        ecam.write((long) rid << 12 | offset, width, value & 0xFFFF_FFFFL);
    }

    private void bus(int bus) {
        for (int device = 0; device < DEVICES; device++) {
            int rid = RequesterId.of(bus, device, 0);
            if (read(rid, ConfigSpace.VENDOR_ID, 2) == 0xFFFF) {
                continue;
            }
            boolean several = (read(rid, ConfigSpace.HEADER_TYPE, 1) & MULTI_FUNCTION) != 0;
            for (int function = 0; function < (several ? FUNCTIONS : 1); function++) {
                if (read(rid | function, ConfigSpace.VENDOR_ID, 2) != 0xFFFF) {
                    function(rid | function);
                }
            }
        }
    }

    private void function(int rid) {
        if ((read(rid, ConfigSpace.HEADER_TYPE, 1) & 0x7F) == 1) {
            bridge(rid);
        } else {
            bars(rid, ConfigSpace.BAR0, 1);
            int sriov = extendedCapability(rid, ExtendedCapability.SINGLE_ROOT_IO_VIRTUALIZATION);
            if (sriov != 0) {
                int total = read(rid, sriov + TOTAL_VFS, 2);
                bars(rid, sriov + VF_BAR0, total);
                reserveBuses(rid, sriov, total);
            }
            write(rid, ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MEMORY);
        }
        interruptLine(rid);
    }

    private void interruptLine(int rid) {
        int pin = read(rid, ConfigSpace.INTERRUPT_PIN, 1);
        if (pin < 1 || pin > 4) {
            return;
        }
        int device = RequesterId.device(rid);
        for (int bridge : above) {
            pin = SwizzledPin.turned(pin, device);
            device = bridge;
        }
        write(rid, ConfigSpace.INTERRUPT_LINE, 1, PciHost.gsi(device, pin));
    }

    /** Virtual functions may lie on bus numbers after their physical function's (SR-IOV 1.1 section 2.1.2). */
    private void reserveBuses(int rid, int sriov, int total) {
        int last = rid + read(rid, sriov + FIRST_OFFSET, 2) + (total - 1) * read(rid, sriov + STRIDE, 2);
        if (RequesterId.bus(rid) != 0 && total != 0) {
            lastBus = Math.min(LAST_BUS, Math.max(lastBus, last >>> 8));
        }
    }

    private int extendedCapability(int rid, int id) {
        int at = ExtendedCapability.FIRST;
        for (int i = 0; i < ConfigSpace.SIZE / 4 && at >= ExtendedCapability.FIRST; i++) {
            int header = read(rid, at, 4);
            if ((header & 0xFFFF) == id) {
                return at;
            }
            at = header >>> 20 & 0xFFC;
        }
        return 0;
    }

    /** The subordinate bus is open upwards until everything behind is numbered. */
    private void bridge(int rid) {
        if (lastBus == LAST_BUS) {
            throw new IllegalStateException("more than 255 buses behind bridges");
        }
        int secondary = ++lastBus;
        write(rid, BridgeHeader.BUS_NUMBERS, 4, LAST_BUS << 16 | secondary << 8 | RequesterId.bus(rid));
        align(MEGABYTE);
        long base = next;
        above.addFirst(RequesterId.device(rid));
        bus(secondary);
        above.removeFirst();
        align(MEGABYTE);
        write(rid, BridgeHeader.BUS_NUMBERS, 4, lastBus << 16 | secondary << 8 | RequesterId.bus(rid));
        int window = next == base ? EMPTY_WINDOW : (int) ((next - 1 >>> 20 << 20) | base >>> 16);
        write(rid, MEMORY_WINDOW, 4, window);
        write(rid, PREFETCHABLE_WINDOW, 4, EMPTY_WINDOW);
        write(rid, ConfigSpace.COMMAND, 2, BRIDGE_COMMAND);
    }

    private void align(long alignment) {
        next = (next + alignment - 1) / alignment * alignment;
    }

    /** @param copies how many of each BAR follow one another: 1, or the number of virtual functions */
    private void bars(int rid, int first, int copies) {
        for (int offset = first; offset < first + 24; offset += 4) {
            write(rid, offset, 4, -1);
            int mask = read(rid, offset, 4);
            if (mask == 0 || (mask & 1) != 0) {
                write(rid, offset, 4, 0);
                continue;
            }
            boolean wide = (mask & 6) == 4;
            long size = -(long) (mask & ~0xF);
            align(size);
            if (next + size * copies > MEMORY_END) {
                throw new IllegalStateException("no room for BARs below 4 GiB");
            }
            write(rid, offset, 4, (int) next);
            next += size * copies;
            if (wide) {
                offset += 4;
                write(rid, offset, 4, 0);
            }
        }
    }
}
