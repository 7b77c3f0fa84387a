package io.iolab.vmm.assign;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.driver.DriverPlatform.MessageTarget;
import io.iolab.devices.pci.Bar;
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
    private static final int POWER_MANAGEMENT = 0x01;
    private static final int PCI_EXPRESS = 0x10;
    private static final int MSIX = 0x11;
    /** More than fit between 0x40 and 0xFF, so a damaged list ends. */
    private static final int MAX_CAPABILITIES = 48;

    private static final int MSIX_ENABLE = 1 << 15;

    private final PciFunction physical;
    private final HostInterrupts host;
    private final ConfigSpace config;
    private @Nullable MsixTable msix;
    private MappedPages pages;
    /** Claimed once; a reset function is given the same again. */
    private final List<MessageTarget> hostVectors = new ArrayList<>();

    private boolean hostVectorsProgrammed;

    /**
     * @param messages where the guest's interrupt messages go: its local APIC
     */
    public AssignedFunction(PciFunction physical, HostInterrupts host, DmaPort messages) {
        this.physical = physical;
        this.host = host;
        ConfigSpace real = physical.config();
        config = new ConfigSpace(
                        real.get(ConfigSpace.VENDOR_ID, 2),
                        real.get(ConfigSpace.DEVICE_ID, 2),
                        real.get(ConfigSpace.REVISION_ID, 1),
                        real.get(ConfigSpace.CLASS_CODE, 2) | real.get(ConfigSpace.CLASS_CODE + 2, 1) << 16)
                .subsystem(real.get(ConfigSpace.SUBSYSTEM_VENDOR_ID, 2), real.get(ConfigSpace.SUBSYSTEM_ID, 2))
                .interruptPin(real.get(ConfigSpace.INTERRUPT_PIN, 1));
        for (int i = 0; i < 6; i++) {
            Bar bar = real.bar(i);
            if (bar != null) {
                config.bar(bar);
            }
        }
        pages = new MappedPages(config, 0, 0, 0);
        copyCapabilities(real, messages);
        config.onWrite(ConfigSpace.COMMAND, 2, this::commandWritten);
        config.seal();
    }

    private void copyCapabilities(ConfigSpace real, DmaPort messages) {
        int at = real.get(ConfigSpace.CAPABILITIES_POINTER, 1);
        for (int i = 0; at >= 0x40 && i < MAX_CAPABILITIES; i++) {
            switch (real.get(at, 1)) {
                case MSIX -> addMsix(real, at, messages);
                case POWER_MANAGEMENT -> copy(real, at, 8);
                case PCI_EXPRESS -> copy(real, at, 0x14);
                default -> {
                    // Not shown to the guest: MSI would need the same treatment as MSI-X and no driver of ours falls
                    // back to it.
                }
            }
            at = real.get(at + 1, 1);
        }
    }

    private void copy(ConfigSpace real, int at, int length) {
        config.capability(at, real.get(at, 1));
        for (int i = 2; i < length; i++) {
            config.field(at + i, 1, real.get(at + i, 1), 0, 0);
        }
    }

    private void addMsix(ConfigSpace real, int at, DmaPort messages) {
        int vectors = (real.get(at + 2, 2) & 0x7FF) + 1;
        int table = real.get(at + 4, 4);
        int pending = real.get(at + 8, 4);
        pages = new MappedPages(config, vectors, table, pending);
        msix = new MsixTable(config, at, vectors, table & 7, table & ~7, pending & 7, pending & ~7, messages);
        config.onWrite(at + 2, 2, () -> msixSwitched(at));
    }

    /** The guest enabled MSI-X: the host points the physical table at its own vectors (VFIO_DEVICE_SET_IRQS). */
    private void msixSwitched(int capability) {
        MsixTable guestTable = msix;
        if (guestTable == null || !guestTable.enabled() || hostVectorsProgrammed) {
            return;
        }
        hostVectorsProgrammed = true;
        ConfigSpace real = physical.config();
        for (int v = 0; v < guestTable.vectors(); v++) {
            MessageTarget target = hostVector(guestTable, v);
            int bar = pages.tableBar();
            long entry = pages.tableOffset() + 16L * v;
            physical.writeBar(bar, entry, 4, target.address());
            physical.writeBar(bar, entry + 4, 4, 0);
            physical.writeBar(bar, entry + 8, 4, target.data());
            physical.writeBar(bar, entry + 12, 4, 0);
        }
        real.write(capability + 2, 2, MSIX_ENABLE);
    }

    private MessageTarget hostVector(MsixTable guestTable, int vector) {
        if (vector == hostVectors.size()) {
            hostVectors.add(host.allocate(() -> guestTable.fire(vector)));
        }
        return hostVectors.get(vector);
    }

    /** Bus mastering is the guest's to switch; memory decoding of the physical function stays on for the host's mapping. */
    private void commandWritten() {
        int command = ConfigSpace.COMMAND_MEMORY
                | ConfigSpace.COMMAND_IO
                | (config.busMaster() ? ConfigSpace.COMMAND_BUS_MASTER : 0);
        physical.config().write(ConfigSpace.COMMAND, 2, command);
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
            guestTable.writeTable(offset - pages.tableOffset(), width, value);
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

    /** Releases the device: the physical function is reset too, so that nothing of one guest is left for the next. */
    @Override
    public void reset() {
        physical.reset();
        config.reset();
        hostVectorsProgrammed = false;
    }

    @Override
    public String registerName(int bar, long offset) {
        if (pages.inTable(bar, offset, 1)) {
            return "MSIX_TABLE";
        }
        return pages.inPending(bar, offset, 1) ? "MSIX_PBA" : physical.registerName(bar, offset);
    }
}
