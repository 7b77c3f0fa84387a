package io.iolab.vmm;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.pci.PciFunction;
import io.iolab.vmm.vcpu.GuestWindow;
import java.util.Map;

/** Stand-in until PciHost lands. */
final class ConfigPorts implements GuestWindow {
    private final Map<Integer, PciFunction> functions;
    private int address;

    ConfigPorts(Map<Integer, PciFunction> functions) {
        this.functions = functions;
    }

    @Override
    public Trap trap(long offset, boolean write) {
        return Trap.USER;
    }

    @Override
    public String detail(long offset) {
        return offset < 4 ? "CONFIG_ADDRESS" : "CONFIG_DATA";
    }

    @Override
    public long read(long offset, int width) {
        if (offset < 4) {
            return address & 0xFFFF_FFFFL;
        }
        PciFunction f = functions.get(address >>> 8 & 0xFFFF);
        long ones = -1L >>> 64 - 8 * width;
        return f == null || address >= 0 ? ones : f.config().read((address & 0xFC) + (int) offset - 4, width) & ones;
    }

    @Override
    public void write(long offset, int width, long value) {
        if (offset < 4) {
            address = (int) value;
            return;
        }
        PciFunction f = functions.get(address >>> 8 & 0xFFFF);
        if (f != null && address < 0) {
            f.config().write((address & 0xFC) + (int) offset - 4, width, (int) value);
        }
    }
}
