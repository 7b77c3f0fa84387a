package io.iolab.vmm.assign;

import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An open device: a function in the hands of a program. Its registers are regions, its interrupts are events that the program hands in,
 * its configuration space is a copy that keeps what is the host's with the host.
 *
 * <p>Opening resets the function, and so does {@link #close}, so that nothing of one user is left for the next: registers, rings,
 * vectors. Bus mastering is off at both ends.
 *
 * <p>Threading: one thread at a time; events run on the thread of the device that sent the interrupt.
 */
public final class VfioDevice {
    /** Regions by index: BAR 0 to 5, and these. */
    public static final int ROM_REGION = 6;

    public static final int CONFIG_REGION = 7;
    public static final int VGA_REGION = 8;
    /** Regions of a PCI device. */
    public static final int REGIONS = 9;

    private static final int BARS = 6;
    /** A region's place in the device's file. */
    private static final int OFFSET_SHIFT = 40;

    /**
     * GET_INFO.
     *
     * @param reset whether {@link VfioDevice#reset} works
     */
    public record Info(boolean reset, int regions, int interrupts) {}

    /** A range of a region, in bytes from its start. */
    public record Area(long offset, long size) {}

    /**
     * GET_REGION_INFO.
     *
     * @param size 0 for a region that the device does not have
     * @param offset in the device's file
     * @param mmap whether pages of it can be mapped: those of {@code sparse}
     * @param sparse the pages that can be mapped: not those with MSI-X entries or pending bits
     */
    public record Region(boolean read, boolean write, boolean mmap, long size, long offset, List<Area> sparse) {}

    /**
     * A function or bridge that a hot reset affects.
     *
     * @param name {@code 0000:01:00.0}
     */
    public record Affected(int group, int rid, String name) {}

    /**
     * PCI_HOT_RESET.
     *
     * @param obstacles whom the caller does not have, in words
     */
    public record HotResetResult(Errno errno, List<String> obstacles) {}

    private final PciFunction physical;
    private final Identity identity;
    private final FunctionReset reset;
    private final Runnable onClose;
    private final ConfigSpace config;
    private final DeviceInterrupts interrupts;
    private MappedPages pages;
    private @Nullable HotReset hotReset;
    private boolean closed;

    /** @param rid the function's, for the source check of its interrupts */
    VfioDevice(
            PciFunction physical,
            Identity identity,
            int rid,
            HostInterrupts host,
            FunctionReset reset,
            Runnable onClose) {
        this.physical = physical;
        this.identity = identity;
        this.reset = reset;
        this.onClose = onClose;
        reset.run();
        ConfigSpace real = physical.config();
        pages = new MappedPages(identity, 0, 0, 0);
        config = VirtualConfig.of(real, identity, this::copyMsix, VfioDevice::copyMsi)
                .onWrite(ConfigSpace.COMMAND, 2, this::commandWritten)
                .seal();
        interrupts = new DeviceInterrupts(physical, rid, host, pages);
        commandWritten();
    }

    /** The copy takes writes, which change nothing: vectors are switched on by {@link #setIrqs}. */
    private void copyMsix(ConfigSpace copy, ConfigSpace real, int at) {
        pages = new MappedPages(identity, vectors(real, at), real.get(at + 4, 4), real.get(at + 8, 4));
        copy.capability(at, VirtualConfig.MSIX)
                .field(at + 2, 2, real.get(at + 2, 2) & 0x7FF, 0xC000, 0)
                .field(at + 4, 4, real.get(at + 4, 4), 0, 0)
                .field(at + 8, 4, real.get(at + 8, 4), 0, 0);
    }

    /** The same of MSI: enable and granted vectors, address, data and mask bits are the copy's. */
    private static void copyMsi(ConfigSpace copy, ConfigSpace real, int at) {
        int control = real.get(at + 2, 2);
        boolean wide = (control & 1 << 7) != 0;
        int data = wide ? at + 12 : at + 8;
        copy.capability(at, VirtualConfig.MSI)
                .field(at + 2, 2, control & (0x180 | 7 << 1), 0x71, 0)
                .field(at + 4, 4, 0, 0xFFFF_FFFC, 0)
                .field(data, 2, 0, 0xFFFF, 0);
        if (wide) {
            copy.field(at + 8, 4, 0, -1, 0);
        }
        if ((control & 1 << 8) != 0) {
            copy.field(data + 4, 4, 0, -1, 0).field(data + 8, 4, 0, 0, 0);
        }
    }

    static int vectors(ConfigSpace real, int msix) {
        return (real.get(msix + 2, 2) & 0x7FF) + 1;
    }

    /**
     * Bus mastering is the user's to switch; decoding of the physical function stays on for the host's mapping, and INTx is as
     * {@link LineInterrupt} wants it.
     */
    private void commandWritten() {
        interrupts.lineDisabledByUser(config.intxDisabled());
        int command = ConfigSpace.COMMAND_MEMORY
                | ConfigSpace.COMMAND_IO
                | interrupts.commandBits()
                | (config.busMaster() ? ConfigSpace.COMMAND_BUS_MASTER : 0);
        physical.config().write(ConfigSpace.COMMAND, 2, command);
    }

    /** GET_INFO. */
    public Info info() {
        return new Info(reset.method() != FunctionReset.Method.NONE, REGIONS, DeviceInterrupts.INDEXES);
    }

    /**
     * GET_REGION_INFO.
     *
     * @param index 0 to 8
     * @return {@link Errno#EINVAL} for another index
     */
    public Opened<Region> regionInfo(int index) {
        if (index < 0 || index >= REGIONS) {
            return Opened.failed(Errno.EINVAL);
        }
        long offset = (long) index << OFFSET_SHIFT;
        if (index == CONFIG_REGION) {
            return Opened.of(new Region(true, true, false, ConfigSpace.SIZE, offset, List.of()));
        }
        Bar bar = index < BARS ? config.bar(index) : null;
        if (bar == null) {
            return Opened.of(new Region(false, false, false, 0, offset, List.of()));
        }
        List<Area> sparse = mappedAreas(index, bar);
        return Opened.of(new Region(true, true, !sparse.isEmpty(), bar.size(), offset, sparse));
    }

    private List<Area> mappedAreas(int index, Bar bar) {
        List<Area> areas = new ArrayList<>();
        long start = -1;
        for (long page = 0; page < bar.size(); page += AddressRange.PAGE_SIZE) {
            boolean mapped = pages.mapped(index, page);
            if (mapped && start < 0) {
                start = page;
            } else if (!mapped && start >= 0) {
                areas.add(new Area(start, page - start));
                start = -1;
            }
        }
        if (start >= 0) {
            areas.add(new Area(start, bar.size() - start));
        }
        return areas;
    }

    /**
     * Reads from a region. Configuration space takes aligned accesses of 1, 2 and 4 bytes; the MSI-X table reads all ones.
     *
     * @param width 1, 2, 4, or for a BAR 8
     * @return zero-extended; all ones beyond the region and of a closed device
     */
    public long readRegion(int index, long offset, int width) {
        if (index == CONFIG_REGION && inside(ConfigSpace.SIZE, offset, width) && !closed) {
            return config.read((int) offset, width) & 0xFFFF_FFFFL;
        }
        return barClaims(index, offset, width) ? physical.readBar(index, offset, width) : -1L >>> 64 - 8 * width;
    }

    /** Writes to a region, as {@link #readRegion}; what it does not take is dropped. */
    public void writeRegion(int index, long offset, int width, long value) {
        if (index == CONFIG_REGION && inside(ConfigSpace.SIZE, offset, width) && !closed) {
            config.write((int) offset, width, (int) value);
        } else if (barClaims(index, offset, width)) {
            physical.writeBar(index, offset, width, value);
        }
    }

    private static boolean inside(long size, long offset, int width) {
        return offset >= 0 && offset <= size - width;
    }

    private boolean barClaims(int index, long offset, int width) {
        Bar bar = index >= 0 && index < BARS ? config.bar(index) : null;
        return bar != null && !closed && inside(bar.size(), offset, width) && !pages.inTable(index, offset, width);
    }

    /**
     * GET_IRQ_INFO.
     *
     * @param index as in {@link IrqIndex#ordinal}
     */
    public Opened<IrqInfo> irqInfo(int index) {
        return interrupts.info(index);
    }

    /**
     * SET_IRQS. With events the device itself is switched to this kind of interrupt, and each of its interrupts runs the event of its
     * vector, on the thread of the device. INTx is masked with that, and unmasking it while the device still asserts runs the event again,
     * also from inside the event; a device whose interrupt does not end in this way is heard again after the next unmask.
     *
     * @param flags one DATA and one ACTION bit of {@link IrqInfo}
     * @param events for DATA_EVENTFD {@code count} events, a null takes the vector's event away; for DATA_BOOL a null means false; else
     *     empty
     * @return {@link Errno#EINVAL} for flags or vectors that do not fit the index, for vectors beyond those first switched on, or while
     *     another kind of interrupt is on, or to switch off what is not on; {@link Errno#ENOTTY} to mask anything but INTx, or that by an
     *     event; {@link Errno#ENOSPC} if the host has no vectors left; {@link Errno#EBUSY} for an interrupt
     *     line that the device cannot share
     */
    public Errno setIrqs(int flags, int index, int start, int count, List<@Nullable Runnable> events) {
        return closed ? Errno.EINVAL : interrupts.set(flags, index, start, count, events);
    }

    /**
     * Has an MSI-X vector posted to a vCPU past the host, as KVM does by way of its bypass of an irqfd.
     *
     * @param vector one that {@link #setIrqs} has switched on
     * @param guestVector 0 to 255
     * @param descriptorHpa of the vCPU's posted-interrupt descriptor
     * @return false where that cannot be: its event is raised as before
     */
    public boolean post(int vector, int guestVector, long descriptorHpa) {
        return !closed && interrupts.post(vector, guestVector, descriptorHpa);
    }

    /** Ends that: the vector's event is raised again. */
    public void unpost(int vector) {
        interrupts.unpost(vector);
    }

    /**
     * RESET: by function-level reset, Advanced Features, D3hot or the bus above, the first that there is. Interrupts are off afterwards.
     *
     * @return {@link Errno#ENOTTY} if there is no way
     */
    public Errno reset() {
        if (closed) {
            return Errno.EINVAL;
        }
        interrupts.disableAll();
        boolean possible = reset.run() != FunctionReset.Method.NONE;
        config.reset();
        return possible ? Errno.OK : Errno.ENOTTY;
    }

    /**
     * GET_PCI_HOT_RESET_INFO: everybody on the bus, in the order of requester ids.
     *
     * @return {@link Errno#ENODEV} on bus 0, which cannot be reset
     */
    public Opened<List<Affected>> hotResetInfo() {
        List<Affected> affected = hotReset == null || closed ? List.of() : hotReset.affected();
        return affected.isEmpty() ? Opened.failed(Errno.ENODEV) : Opened.of(affected);
    }

    /**
     * PCI_HOT_RESET: resets the bus that the device is on, and with it everybody in {@link #hotResetInfo}. Interrupts and bus mastering of
     * them are off afterwards, whoever has them open.
     *
     * @param groups that the caller has open: those of everybody affected
     * @return {@link Errno#ENODEV} on bus 0; {@link Errno#EINVAL} if a group is missing or somebody affected is not bound to VFIO, a bridge
     *     for instance; nothing has changed then
     */
    public HotResetResult hotReset(List<VfioGroup> groups) {
        HotReset all = hotReset;
        return all == null || closed ? new HotResetResult(Errno.ENODEV, List.of()) : all.run(groups);
    }

    /**
     * FEATURE: of what could be asked, migration and the device's own log of its DMA among it, a physical function has nothing. Pages
     * that it writes are logged by the IOMMU: {@link VfioContainer#dirtyBitmap}.
     *
     * @param feature by its number
     * @return {@link Errno#ENOTTY}
     */
    public Errno feature(int feature) {
        return Errno.ENOTTY;
    }

    void hotResets(HotReset all) {
        hotReset = all;
    }

    void beforeBusReset() {
        interrupts.disableAll();
    }

    void afterBusReset() {
        config.reset();
    }

    /** Gives the device back: interrupts off, bus mastering off, reset. */
    public void close() {
        if (closed) {
            return;
        }
        interrupts.close();
        reset.run();
        closed = true;
        onClose.run();
    }

    /** How the device is reset: {@code FLR}, {@code AF_FLR}, {@code PM}, {@code BUS} or {@code NONE}. */
    public String resetMethod() {
        return reset.method().name();
    }

    Identity identity() {
        return identity;
    }

    PciFunction physical() {
        return physical;
    }
}
