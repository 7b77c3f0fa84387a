package io.iolab.vmm.assign;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.MsixTable;
import io.iolab.devices.pci.PciFunction;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A physical function as the guest it is assigned to sees it: identity, BAR sizes and capabilities of the real one, but
 * BARs and MSI-X are the guest's own copies (as vfio-pci virtualises them). What the guest writes into its MSI-X table is kept
 * here; the physical table holds host vectors, and each host interrupt fires the guest's entry of the same number.
 *
 * <p>An access that is not mapped but touches neither table nor pending bits is carried out on the device.
 *
 * <p>{@link #poll} does nothing: a physical function runs on an engine of its own.
 */
public final class AssignedFunction implements PciFunction {
    private static final int ENTRY_BYTES = 16;

    private final VfioDevice device;
    private final PciFunction physical;
    private final ConfigSpace config;
    private @Nullable MsixTable msix;
    private MappedPages pages;
    private final PostedTargets targets;
    private boolean forwarding;

    /** Without posting. */
    public AssignedFunction(VfioDevice device, DmaPort messages) {
        this(device, messages, PostedTargets.NONE);
    }

    /**
     * @param device opened for this guest
     * @param messages where the guest's interrupt messages go: its local APIC
     * @param targets which of them the remapping unit is to post instead
     */
    public AssignedFunction(VfioDevice device, DmaPort messages, PostedTargets targets) {
        this.device = device;
        this.targets = targets;
        this.physical = device.physical();
        pages = new MappedPages(device.identity(), 0, 0, 0);
        config = VirtualConfig.of(
                physical.config(),
                device.identity(),
                (copy, real, at) -> addMsix(copy, real, at, messages),
                // No guest driver of the lab falls back to MSI.
                VirtualConfig.Copy.NONE);
        config.onWrite(
                ConfigSpace.COMMAND,
                2,
                () -> device.writeRegion(
                        VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, config().get(ConfigSpace.COMMAND, 2)));
        config.seal();
    }

    private void addMsix(ConfigSpace copy, ConfigSpace real, int at, DmaPort messages) {
        int vectors = VfioDevice.vectors(real, at);
        int table = real.get(at + 4, 4);
        int pending = real.get(at + 8, 4);
        pages = new MappedPages(device.identity(), vectors, table, pending);
        MsixTable guestTable =
                new MsixTable(copy, at, vectors, table & 7, table & ~7, pending & 7, pending & ~7, messages);
        msix = guestTable;
        copy.onWrite(at + 2, 2, () -> msixSwitched(guestTable));
    }

    /** The guest enabled MSI-X: from now on each host vector fires the guest's entry of the same number. */
    private void msixSwitched(MsixTable guestTable) {
        if (guestTable.enabled() && !forwarding) {
            forward(guestTable);
        }
        for (int v = 0; v < guestTable.vectors(); v++) {
            retarget(guestTable, v);
        }
    }

    /** What the guest's entry says now decides whether the unit can post the vector, or the host has to hand it over. */
    private void retarget(MsixTable guestTable, int vector) {
        if (targets == PostedTargets.NONE || !forwarding) {
            return;
        }
        long at = (long) ENTRY_BYTES * vector;
        long address = guestTable.readTable(at, 8);
        int data = (int) guestTable.readTable(at + 8, 4);
        boolean open = guestTable.enabled() && !guestTable.masked(vector);
        long descriptorHpa = open ? targets.descriptorFor(address, data) : -1;
        if (descriptorHpa < 0 || !device.post(vector, data & 0xFF, descriptorHpa)) {
            device.unpost(vector);
        }
    }

    private void forward(MsixTable guestTable) {
        forwarding = true;
        List<@Nullable Runnable> events = new ArrayList<>();
        for (int v = 0; v < guestTable.vectors(); v++) {
            int vector = v;
            events.add(() -> guestTable.fire(vector));
        }
        Errno errno = device.setIrqs(
                IrqInfo.DATA_EVENTFD | IrqInfo.ACTION_TRIGGER, IrqIndex.MSIX.ordinal(), 0, events.size(), events);
        if (errno != Errno.OK) {
            throw new IllegalStateException("SET_IRQS: " + errno);
        }
    }

    /**
     * Whether an access goes straight to the device, because its page is mapped into the guest: every page of a memory BAR but those
     * that hold a byte of the MSI-X table or its pending bits.
     */
    public boolean mapped(int bar, long offset) {
        return pages.mapped(bar, offset);
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        MsixTable guestTable = msix;
        if (guestTable != null && pages.inTable(bar, offset, width)) {
            return guestTable.readTable(offset - pages.tableOffset(), width);
        }
        if (guestTable != null && pages.inPending(bar, offset, width)) {
            return guestTable.readPending(offset - pages.pendingOffset(), width);
        }
        return physical.readBar(bar, offset, width);
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        MsixTable guestTable = msix;
        if (guestTable != null && pages.inTable(bar, offset, width)) {
            long at = offset - pages.tableOffset();
            guestTable.writeTable(at, width, value);
            retarget(guestTable, (int) (at / ENTRY_BYTES));
        } else if (!pages.inPending(bar, offset, width)) {
            physical.writeBar(bar, offset, width, value);
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

    /** Resets the physical function too. */
    @Override
    public void reset() {
        forwarding = false;
        device.reset();
        config.reset();
    }

    @Override
    public String registerName(int bar, long offset) {
        if (pages.inTable(bar, offset, 1)) {
            return "MSIX_TABLE";
        }
        return pages.inPending(bar, offset, 1) ? "MSIX_PBA" : physical.registerName(bar, offset);
    }
}
