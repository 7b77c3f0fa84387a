package io.iolab.devices.pci;

import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The SR-IOV extended capability of a physical function (Single Root I/O Virtualization 1.1 section 3.3; PCI Express Base section 9.3):
 * how many virtual functions there are, under which routing ids, and where their BARs lie. Virtual function {@code n}, counted from
 * 0, has routing id PF + first offset + n * stride, and its part of VF BAR b begins {@code n * size} bytes into it.
 *
 * <p>NumVFs can be written only while the virtual functions are off, and routing ids move only then.
 */
public final class SingleRootVirtualization {
    /** Bytes of the capability. */
    public static final int LENGTH = 0x40;

    private static final int CONTROL = 0x08;
    private static final int INITIAL_VFS = 0x0C;
    private static final int TOTAL_VFS = 0x0E;
    private static final int NUM_VFS = 0x10;
    private static final int FIRST_OFFSET = 0x14;
    private static final int STRIDE = 0x16;
    private static final int VF_DEVICE_ID = 0x1A;
    private static final int SUPPORTED_PAGE_SIZES = 0x1C;
    private static final int SYSTEM_PAGE_SIZE = 0x20;
    private static final int VF_BAR0 = 0x24;

    private static final int ENABLE = 1;
    private static final int MEMORY_SPACE = 1 << 3;
    private static final int ARI_HIERARCHY = 1 << 4;
    /** 4 KiB, 8 KiB, 64 KiB, 256 KiB, 1 MiB and 4 MiB: what every function must support. */
    private static final int PAGE_SIZES = 0x553;

    private final ConfigSpace config;
    private final int capability;
    private final Layout layout;
    private final @Nullable Bar[] bars = new Bar[6];
    private final IntConsumer onChange;
    private int active;
    private boolean on;
    /** NumVFs as it was when VF Enable was set. */
    private int frozen;

    /**
     * What a device says of its virtual functions.
     *
     * @param totalVfs 1 to 256
     * @param firstOffset from the physical function's routing id to the first virtual function's
     * @param ariFirstOffset the same while software says that the hierarchy is ARI capable
     * @param stride from one virtual function's routing id to the next one's
     * @param deviceId of the virtual functions; their vendor is the physical function's
     * @param bars of one virtual function, memory BARs of at least a page
     */
    public record Layout(int totalVfs, int firstOffset, int ariFirstOffset, int stride, int deviceId, List<Bar> bars) {
        public Layout {
            boolean pages = bars.stream().allMatch(bar -> bar.isMemory() && bar.size() >= 4096);
            boolean offsets = firstOffset >= 1 && ariFirstOffset >= 1 && (stride >= 1 || totalVfs == 1);
            if (totalVfs < 1 || totalVfs > 256 || !offsets || !pages) {
                throw new IllegalArgumentException(totalVfs + " VFs at " + firstOffset + " or " + ariFirstOffset
                        + " + n * " + stride + " with " + bars);
            }
            bars = List.copyOf(bars);
        }

        /** A device whose routing ids are the same with ARI and without. */
        public Layout(int totalVfs, int firstOffset, int stride, int deviceId, List<Bar> bars) {
            this(totalVfs, firstOffset, firstOffset, stride, deviceId, bars);
        }
    }

    /**
     * Adds the capability to {@code config} at {@code offset}.
     *
     * @param onChange takes the number of virtual functions each time they come or go
     */
    public SingleRootVirtualization(ConfigSpace config, int offset, Layout layout, IntConsumer onChange) {
        this.config = config;
        this.capability = offset;
        this.layout = layout;
        this.onChange = onChange;
        config.extendedCapability(offset, ExtendedCapability.SINGLE_ROOT_IO_VIRTUALIZATION, 1)
                .field(offset + CONTROL, 2, 0, ENABLE | MEMORY_SPACE | ARI_HIERARCHY, 0)
                .field(offset + INITIAL_VFS, 2, layout.totalVfs(), 0, 0)
                .field(offset + TOTAL_VFS, 2, layout.totalVfs(), 0, 0)
                .field(offset + NUM_VFS, 2, 0, 0xFFFF, 0)
                .field(offset + FIRST_OFFSET, 2, layout.firstOffset(), 0, 0)
                .field(offset + STRIDE, 2, layout.stride(), 0, 0)
                .field(offset + VF_DEVICE_ID, 2, layout.deviceId(), 0, 0)
                .field(offset + SUPPORTED_PAGE_SIZES, 4, PAGE_SIZES, 0, 0)
                .field(offset + SYSTEM_PAGE_SIZE, 4, 1, PAGE_SIZES, 0);
        layout.bars().forEach(this::addBar);
        config.onReset(this::disable)
                .onWrite(offset + NUM_VFS, 2, this::numVfsWritten)
                .onWrite(offset + CONTROL, 2, this::controlWritten);
    }

    private void addBar(Bar bar) {
        bars[bar.index()] = bar;
        int offset = capability + VF_BAR0 + 4 * bar.index();
        long mask = -bar.size();
        config.field(offset, 4, bar.typeBits(), (int) mask & ~0xF, 0);
        if (bar.kind() == Bar.Kind.MEMORY64) {
            config.field(offset + 4, 4, 0, (int) (mask >>> 32), 0);
        }
    }

    private int control() {
        return config.get(capability + CONTROL, 2);
    }

    private void numVfsWritten() {
        if (on) {
            config.put(capability + NUM_VFS, 2, frozen);
        }
    }

    private void controlWritten() {
        boolean wanted = (control() & ENABLE) != 0;
        if (!wanted) {
            disable();
        }
        if (!on) {
            boolean ari = (control() & ARI_HIERARCHY) != 0;
            config.put(capability + FIRST_OFFSET, 2, ari ? layout.ariFirstOffset() : layout.firstOffset());
        }
        if (wanted && !on) {
            on = true;
            frozen = config.get(capability + NUM_VFS, 2);
            // More than there are is a driver's error that enables those that there are.
            change(Math.min(frozen, layout.totalVfs()));
        }
    }

    private void disable() {
        on = false;
        change(0);
    }

    private void change(int count) {
        if (count != active) {
            active = count;
            onChange.accept(count);
        }
    }

    /** Whether the virtual functions' memory BARs are decoded (VF MSE) and there is one. */
    public boolean memoryEnabled() {
        return active != 0 && (control() & MEMORY_SPACE) != 0;
    }

    /** Virtual functions that exist now: 0 while they are off, never more than the device has. */
    public int active() {
        return active;
    }

    /**
     * Routing id of a virtual function less the physical function's, as ARI Capable Hierarchy is now.
     *
     * @param index from 0
     */
    public int routingIdOffset(int index) {
        return config.get(capability + FIRST_OFFSET, 2) + layout.stride() * index;
    }

    /** The virtual function that exists at this distance from the physical one, or -1. */
    public int indexAt(int routingIdOffset) {
        int distance = routingIdOffset - routingIdOffset(0);
        int step = Math.max(1, layout.stride());
        int index = distance / step;
        return distance >= 0 && distance % step == 0 && index < active ? index : -1;
    }

    /** Where the capability lies. */
    public int offset() {
        return capability;
    }

    /** A BAR that every virtual function has; null for one that they lack. */
    public @Nullable Bar bar(int bar) {
        return bar >= 0 && bar < bars.length ? bars[bar] : null;
    }

    /**
     * Where a virtual function's BAR begins, whether or not it is decoded.
     *
     * @param index from 0
     * @return 0 if there is no such BAR
     */
    public long barAddress(int index, int bar) {
        Bar shape = bar(bar);
        if (shape == null) {
            return 0;
        }
        int offset = capability + VF_BAR0 + 4 * bar;
        long low = config.get(offset, 4) & 0xFFFF_FFF0L;
        long base = shape.kind() == Bar.Kind.MEMORY64 ? low | (long) config.get(offset + 4, 4) << 32 : low;
        return base + index * shape.size();
    }
}
