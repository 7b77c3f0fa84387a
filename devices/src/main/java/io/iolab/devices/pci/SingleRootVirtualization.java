package io.iolab.devices.pci;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The SR-IOV extended capability of a physical function (Single Root I/O Virtualization 1.1 section 3.3; PCI Express Base section 9.3):
 * how many virtual functions there are, under which requester ids, and where their BARs lie. Virtual function {@code n}, counted from
 * 0, has requester id PF + first offset + n * stride, and its part of VF BAR b begins {@code n * size} bytes into it.
 *
 * <p>NumVFs can be written only while the virtual functions are off.
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
    private final Runnable changed;
    private int numVfs;

    /**
     * What a device says of its virtual functions.
     *
     * @param totalVfs 1 to 256
     * @param firstOffset from the physical function's requester id to the first virtual function's
     * @param stride from one virtual function's requester id to the next one's
     * @param deviceId of the virtual functions; their vendor is the physical function's
     * @param bars of one virtual function, memory BARs of at least a page
     */
    public record Layout(int totalVfs, int firstOffset, int stride, int deviceId, List<Bar> bars) {
        public Layout {
            boolean pages = bars.stream().allMatch(bar -> bar.isMemory() && bar.size() >= 4096);
            if (totalVfs < 1 || totalVfs > 256 || firstOffset < 1 || stride < 1 && totalVfs > 1 || !pages) {
                throw new IllegalArgumentException(
                        totalVfs + " VFs at " + firstOffset + " + n * " + stride + " with " + bars);
            }
            bars = List.copyOf(bars);
        }
    }

    /**
     * Adds the capability to {@code config} at {@code offset}.
     *
     * @param changed runs after each write that touches control, NumVFs or a VF BAR, and after a reset
     */
    public SingleRootVirtualization(ConfigSpace config, int offset, Layout layout, Runnable changed) {
        this.config = config;
        this.capability = offset;
        this.layout = layout;
        this.changed = changed;
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
        config.onReset(() -> numVfs = 0).onWrite(offset + CONTROL, VF_BAR0 + 24 - CONTROL, this::written);
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

    private void written() {
        if (enabled()) {
            config.put(capability + NUM_VFS, 2, numVfs);
        } else {
            numVfs = config.get(capability + NUM_VFS, 2);
        }
        changed.run();
    }

    /** Whether the virtual functions exist (VF Enable). */
    public boolean enabled() {
        return (config.get(capability + CONTROL, 2) & ENABLE) != 0;
    }

    /** Whether their memory BARs are decoded (VF MSE). */
    public boolean memoryEnabled() {
        return enabled() && (config.get(capability + CONTROL, 2) & MEMORY_SPACE) != 0;
    }

    /** Virtual functions that exist now: 0 while they are off, never more than the device has. */
    public int active() {
        return enabled() ? Math.min(numVfs, layout.totalVfs()) : 0;
    }

    /**
     * The requester id of a virtual function.
     *
     * @param physical the physical function's own
     * @param number from 0
     */
    public int requesterId(int physical, int number) {
        return physical + layout.firstOffset() + number * layout.stride() & 0xFFFF;
    }

    /** What {@link #requesterId} counts with. */
    public Layout layout() {
        return layout;
    }

    /**
     * Where a virtual function's BAR begins, whether or not it is decoded.
     *
     * @param number from 0
     * @return 0 if there is no such BAR
     */
    public long barAddress(int bar, int number) {
        Bar shape = bars[bar];
        if (shape == null) {
            return 0;
        }
        int offset = capability + VF_BAR0 + 4 * bar;
        long low = config.get(offset, 4) & 0xFFFF_FFF0L;
        long base = shape.kind() == Bar.Kind.MEMORY64 ? low | (long) config.get(offset + 4, 4) << 32 : low;
        return base + number * shape.size();
    }
}
