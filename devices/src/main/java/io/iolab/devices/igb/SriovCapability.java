package io.iolab.devices.igb;

import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The SR-IOV extended capability of the physical function (PCI Express SR-IOV 1.1 section 3.3): how many virtual functions there are,
 * where they answer, and under which routing ids. Other than {@link io.iolab.devices.pci.SingleRootVirtualization}, it moves the first
 * routing id with ARI Capable Hierarchy, as this part does.
 */
final class SriovCapability {
    static final int OFFSET = 0x160;
    static final int TOTAL_VFS = 8;
    /** Of both BARs of a virtual function. */
    static final int BAR_SIZE = IgbRegisters.VF_WINDOW;

    private static final int CONTROL = OFFSET + 0x08;
    private static final int CONTROL_ENABLE = 1;
    private static final int CONTROL_MEMORY = 1 << 3;
    private static final int CONTROL_ARI = 1 << 4;
    private static final int INITIAL_VFS = OFFSET + 0x0C;
    private static final int TOTAL = OFFSET + 0x0E;
    private static final int NUM_VFS = OFFSET + 0x10;
    private static final int FIRST_OFFSET = OFFSET + 0x14;
    private static final int STRIDE = OFFSET + 0x16;
    private static final int DEVICE_ID = OFFSET + 0x1A;
    private static final int SUPPORTED_PAGES = OFFSET + 0x1C;
    private static final int PAGE_SIZE = OFFSET + 0x20;
    private static final int BARS = OFFSET + 0x24;
    /** 4 KiB, 8 KiB, 64 KiB, 256 KiB, 1 MiB, 4 MiB. */
    private static final int PAGES = 0x553;

    private static final int BAR_64_PREFETCHABLE = 0xC;
    private static final Bar REGISTERS = new Bar(PciFace.REGISTER_BAR, Bar.Kind.MEMORY64, BAR_SIZE, true);
    private static final Bar VECTORS = new Bar(PciFace.VECTOR_BAR, Bar.Kind.MEMORY64, BAR_SIZE, true);
    private static final int WITH_ARI = 0x80;
    private static final int WITHOUT_ARI = 0x180;
    private static final int ROUTING_STRIDE = 2;

    private final ConfigSpace config;
    private final IntConsumer onChange;
    private int enabled;
    /** NumVFs as it was when VF Enable was set: it takes no writes from then on. */
    private int frozen;

    /** @param onChange takes the number of virtual functions each time they come or go */
    SriovCapability(ConfigSpace config, IntConsumer onChange) {
        this.config = config;
        this.onChange = onChange;
        config.extendedCapability(OFFSET, ExtendedCapability.SINGLE_ROOT_IO_VIRTUALIZATION, 1)
                .field(CONTROL, 2, 0, CONTROL_ENABLE | CONTROL_MEMORY | CONTROL_ARI, 0)
                .field(INITIAL_VFS, 2, TOTAL_VFS, 0, 0)
                .field(TOTAL, 2, TOTAL_VFS, 0, 0)
                .field(NUM_VFS, 2, 0, 0xFFFF, 0)
                .field(FIRST_OFFSET, 2, WITHOUT_ARI, 0, 0)
                .field(STRIDE, 2, ROUTING_STRIDE, 0, 0)
                .field(DEVICE_ID, 2, Igb82576.VF_DEVICE_ID, 0, 0)
                .field(SUPPORTED_PAGES, 4, PAGES, 0, 0)
                .field(PAGE_SIZE, 4, 1, PAGES, 0);
        for (Bar shape : List.of(REGISTERS, VECTORS)) {
            int bar = shape.index();
            config.field(BARS + 4 * bar, 4, BAR_64_PREFETCHABLE, -BAR_SIZE, 0).field(BARS + 4 * bar + 4, 4, 0, -1, 0);
        }
        config.onReset(() -> enable(0));
        config.onWrite(NUM_VFS, 2, this::numVfsWritten);
        config.onWrite(CONTROL, 2, this::controlWritten);
    }

    private int control() {
        return config.get(CONTROL, 2);
    }

    private void numVfsWritten() {
        if (enabled != 0) {
            config.put(NUM_VFS, 2, frozen);
        }
    }

    private void controlWritten() {
        boolean on = (control() & CONTROL_ENABLE) != 0;
        if (!on) {
            enable(0);
        }
        if (enabled == 0) {
            // Routing ids do not move under functions that are there.
            config.put(FIRST_OFFSET, 2, (control() & CONTROL_ARI) != 0 ? WITH_ARI : WITHOUT_ARI);
        }
        if (on && enabled == 0) {
            frozen = config.get(NUM_VFS, 2);
            // More than there are is a driver's error that enables those that there are.
            enable(Math.min(frozen, TOTAL_VFS));
        }
    }

    private void enable(int count) {
        if (count != enabled) {
            enabled = count;
            onChange.accept(count);
        }
    }

    /** How many virtual functions are there now. */
    int enabled() {
        return enabled;
    }

    boolean memoryEnabled() {
        return enabled != 0 && (control() & CONTROL_MEMORY) != 0;
    }

    int routingIdOffset(int index) {
        return config.get(FIRST_OFFSET, 2) + ROUTING_STRIDE * index;
    }

    /** The enabled virtual function with this routing id, or -1. */
    int indexAt(int routingIdOffset) {
        int distance = routingIdOffset - config.get(FIRST_OFFSET, 2);
        int index = distance / ROUTING_STRIDE;
        return distance >= 0 && distance % ROUTING_STRIDE == 0 && index < enabled ? index : -1;
    }

    /** Of every virtual function; null for a BAR that they lack. */
    static @Nullable Bar bar(int bar) {
        return bar == REGISTERS.index() ? REGISTERS : bar == VECTORS.index() ? VECTORS : null;
    }

    long barAddress(int index, int bar) {
        if (bar(bar) == null) {
            return 0;
        }
        long low = config.get(BARS + 4 * bar, 4) & ~0xFL & 0xFFFF_FFFFL;
        return (low | (long) config.get(BARS + 4 * bar + 4, 4) << 32) + (long) BAR_SIZE * index;
    }
}
