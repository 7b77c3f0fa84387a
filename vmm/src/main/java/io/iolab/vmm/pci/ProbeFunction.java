package io.iolab.vmm.pci;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.BusMasterGate;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PciFunction;

/**
 * A function to look into isolation with: a BAR of plain memory that a peer may reach, and a DMA engine that somebody else drives, with
 * any address. A reset clears the memory.
 *
 * <p>Threading: as for {@link PciFunction}; {@link #dma} on the same thread.
 */
public final class ProbeFunction implements PciFunction {
    /** Bytes behind BAR 0. */
    public static final int BAR_BYTES = 64 << 10;

    private static final int VENDOR = 0x1234;
    private static final int DEVICE = 0x0005;
    private static final int CLASS_OTHERS = 0x00FF00;
    private static final int PCIE = 0x40;

    /** What the function is to software. */
    public enum Kind {
        /** An endpoint on a link. */
        EXPRESS,
        /** On bus 0, without a link. */
        INTEGRATED,
        /** On a conventional bus. */
        CONVENTIONAL
    }

    private final ConfigSpace config = new ConfigSpace(VENDOR, DEVICE, 1, CLASS_OTHERS);
    private final byte[] memory = new byte[BAR_BYTES];
    private final DmaPort dma;

    /**
     * @param services ACS capability bits of a function of a multi-function device; 0 for a function without
     * @param dma the function's way to memory
     */
    public ProbeFunction(Kind kind, int services, DmaPort dma) {
        this.dma = new BusMasterGate(config, dma);
        config.bar(new Bar(0, Bar.Kind.MEMORY32, BAR_BYTES, false));
        if (kind != Kind.CONVENTIONAL) {
            PciExpress.Type type =
                    kind == Kind.EXPRESS ? PciExpress.Type.ENDPOINT : PciExpress.Type.INTEGRATED_ENDPOINT;
            new PciExpress(config, PCIE, type, this::reset);
            if (services != 0) {
                new AccessControlServices(config, ExtendedCapability.FIRST, services, 0);
            }
        }
        config.seal();
    }

    /** What the function's engine can reach, behind the bus master bit. */
    public DmaPort dma() {
        return dma;
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        long value = 0;
        for (int i = 0; i < width; i++) {
            value |= (memory[(int) offset + i] & 0xFFL) << 8 * i;
        }
        return value;
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        for (int i = 0; i < width; i++) {
            memory[(int) offset + i] = (byte) (value >>> 8 * i);
        }
    }

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
        java.util.Arrays.fill(memory, (byte) 0);
        config.reset();
    }

    @Override
    public String registerName(int bar, long offset) {
        return "unimplemented";
    }
}
