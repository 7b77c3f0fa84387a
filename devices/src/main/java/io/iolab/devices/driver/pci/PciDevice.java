package io.iolab.devices.driver.pci;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.driver.DriverException;
import java.util.List;

/** A function found by {@link PciBus#scan}: who it is, where its BARs are, and its configuration space. */
public final class PciDevice {
    public static final int COMMAND_IO = 1;
    public static final int COMMAND_MEMORY = 1 << 1;
    public static final int COMMAND_BUS_MASTER = 1 << 2;
    public static final int COMMAND_INTX_DISABLE = 1 << 10;

    public static final int CAPABILITY_EXPRESS = 0x10;
    public static final int CAPABILITY_MSIX = 0x11;
    public static final int CAPABILITY_VENDOR = 0x09;

    private static final int COMMAND = 0x04;
    private static final int STATUS = 0x06;
    private static final int STATUS_CAPABILITY_LIST = 1 << 4;
    private static final int CAPABILITIES_POINTER = 0x34;
    private static final int INTERRUPT_LINE = 0x3C;
    /** 48 capabilities of 4 bytes fill 40h to FFh: a longer list is a loop. */
    private static final int MOST_CAPABILITIES = 48;

    private static final int FIRST_EXTENDED = 0x100;
    /** As many of 8 bytes fill the space. */
    private static final int MOST_EXTENDED = (4096 - 256) / 8;

    private final CpuPort cpu;
    private final ConfigAccess config;
    private final int rid;
    private final int vendorId;
    private final int deviceId;
    private final List<PciBar> bars;

    PciDevice(CpuPort cpu, ConfigAccess config, int rid, int id, List<PciBar> bars) {
        this.cpu = cpu;
        this.config = config;
        this.rid = rid;
        this.vendorId = id & 0xFFFF;
        this.deviceId = id >>> 16;
        this.bars = List.copyOf(bars);
    }

    /** Bus 15:8, device 7:3, function 2:0. */
    public int rid() {
        return rid;
    }

    public int vendorId() {
        return vendorId;
    }

    public int deviceId() {
        return deviceId;
    }

    public int revision() {
        return read(0x08, 1);
    }

    /** Base class 23:16, subclass 15:8, programming interface 7:0. */
    public int classCode() {
        return read(0x08, 4) >>> 8;
    }

    /** The implemented BARs in index order. */
    public List<PciBar> bars() {
        return bars;
    }

    /** @throws DriverException if there is no memory BAR with this index */
    public PciBar memoryBar(int index) {
        return bars.stream()
                .filter(bar -> bar.index() == index && bar.isMemory())
                .findFirst()
                .orElseThrow(() -> new DriverException(this + ": BAR" + index + " is not a memory BAR"));
    }

    /**
     * The first I/O BAR, wherever it is: its number differs between boards of one device.
     *
     * @throws DriverException if there is none
     */
    public PciBar ioBar() {
        return bars.stream()
                .filter(bar -> !bar.isMemory())
                .findFirst()
                .orElseThrow(() -> new DriverException(this + ": no I/O BAR"));
    }

    public int read(int offset, int width) {
        return config.read(rid, offset, width);
    }

    public void write(int offset, int width, int value) {
        config.write(rid, offset, width, value);
    }

    /** Sets command bits; written only if one is missing. */
    public void enable(int commandBits) {
        int command = read(COMMAND, 2);
        if ((command & commandBits) != commandBits) {
            write(COMMAND, 2, command | commandBits);
        }
    }

    /** What the platform wrote into the Interrupt Line register. */
    public int interruptLine() {
        return read(INTERRUPT_LINE, 1);
    }

    /** The first capability with this id, or 0. */
    public int findCapability(int id) {
        return nextCapability(0, id);
    }

    /**
     * The next capability with this id (PCI Local Bus 3.0 section 6.7). The walk is bounded, so a list that loops ends.
     *
     * @param previous a capability's offset, or 0 to start
     * @return its offset, or 0 if there is no more
     */
    public int nextCapability(int previous, int id) {
        int offset;
        if (previous != 0) {
            offset = read(previous + 1, 1) & 0xFC;
        } else if ((read(STATUS, 2) & STATUS_CAPABILITY_LIST) != 0) {
            offset = read(CAPABILITIES_POINTER, 1) & 0xFC;
        } else {
            return 0;
        }
        for (int walked = 0; offset >= 0x40 && walked < MOST_CAPABILITIES; walked++) {
            int header = read(offset, 2);
            if ((header & 0xFF) == id) {
                return offset;
            }
            offset = header >>> 8 & 0xFC;
        }
        return 0;
    }

    /**
     * The extended capability with this id (PCI Express Base section 7.9), which needs a configuration access that reaches beyond 256
     * bytes. The walk is bounded.
     *
     * @return its offset, or 0 if there is none
     */
    public int findExtendedCapability(int id) {
        int offset = FIRST_EXTENDED;
        for (int walked = 0; offset >= FIRST_EXTENDED && walked < MOST_EXTENDED; walked++) {
            int header = read(offset, 4);
            if (header == 0 || header == -1) {
                return 0;
            }
            if ((header & 0xFFFF) == id) {
                return offset;
            }
            offset = header >>> 20 & 0xFFC;
        }
        return 0;
    }

    /**
     * Switches the function to MSI-X; all vectors start masked.
     *
     * @throws DriverException if it has no such capability or fewer vectors
     */
    public MsixVectors enableMsix(int wanted) {
        return new MsixVectors(cpu, this, wanted);
    }

    @Override
    public String toString() {
        return String.format("%s %04x:%04x", RequesterId.format(rid), vendorId, deviceId);
    }
}
