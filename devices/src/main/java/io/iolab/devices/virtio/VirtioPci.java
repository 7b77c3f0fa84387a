package io.iolab.devices.virtio;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.BusMasterGate;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.virtio.queue.PackedQueue;
import io.iolab.devices.virtio.queue.RingFeatures;
import io.iolab.devices.virtio.queue.SplitQueue;
import io.iolab.devices.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/**
 * The modern virtio PCI transport (virtio 1.2 section 4.1), laid out as QEMU does: MSI-X in BAR1, the virtio structures in
 * BAR4. It decodes accesses, keeps the status machine and turns it into {@link DeviceType#start} and
 * {@link DeviceType#stop}, and is where every ring fault ends.
 */
public final class VirtioPci {
    static final int MSIX_BAR = 1;
    static final int PENDING_OFFSET = 0x800;
    private static final int VIRTIO_BAR = 4;

    private static final int VENDOR = 0x1AF4;
    /** Modern device ids are 0x1040 plus the device type (section 4.1.2.1). */
    private static final int MODERN_ID_BASE = 0x1040;

    private static final int MODERN_REVISION = 1;
    private static final int SUBSYSTEM = 0x1100;

    private static final int REGION_SIZE = 0x1000;
    private static final int NOTIFY_MULTIPLIER = 4;

    private static final String UNIMPLEMENTED = "unimplemented";

    private enum Region {
        COMMON(1, 0x40, 16),
        ISR(3, 0x50, 16),
        DEVICE(4, 0x60, 16),
        NOTIFY(2, 0x70, 20);

        static final Region[] ALL = values();

        final int capabilityType;
        final int capability;
        final int capabilityLength;

        Region(int capabilityType, int capability, int capabilityLength) {
            this.capabilityType = capabilityType;
            this.capability = capability;
            this.capabilityLength = capabilityLength;
        }

        int offset() {
            return ordinal() * REGION_SIZE;
        }
    }

    private static final int VENDOR_CAPABILITY = 0x09;
    private static final int CONFIGURATION_ACCESS = 0x84;
    private static final int CONFIGURATION_ACCESS_TYPE = 5;
    private static final int MSIX_CAPABILITY = 0x98;

    private final DeviceType type;
    private final ConfigSpace config;
    private final DmaPort dma;
    private final TransportCounters counters;
    private final InterruptUnit interrupts;
    private final CommonConfiguration common;

    /**
     * @param function the function that this is the transport of; called back for accesses through configuration space
     * @param deviceType virtio device type, 1 for net
     * @param classCode PCI class, subclass and interface, 24 bits
     */
    public VirtioPci(
            PciFunction function, DeviceType type, int deviceType, int classCode, DmaPort dma, InterruptPin pin) {
        this.type = type;
        this.counters = new TransportCounters(type.queues());
        this.config = new ConfigSpace(VENDOR, MODERN_ID_BASE + deviceType, MODERN_REVISION, classCode)
                .subsystem(VENDOR, SUBSYSTEM)
                .interruptPin(1)
                .bar(new Bar(MSIX_BAR, Bar.Kind.MEMORY32, REGION_SIZE, false))
                .bar(new Bar(VIRTIO_BAR, Bar.Kind.MEMORY64, (long) Region.ALL.length * REGION_SIZE, true));
        this.dma = new BusMasterGate(config, dma);
        this.interrupts = InterruptUnit.at(config, MSIX_CAPABILITY, type.vectors(), this.dma, pin);
        this.common = new CommonConfiguration(type, interrupts, counters);
        addCapabilities(function);
        config.seal();
    }

    /** Section 4.1.4: one structure of each kind. The list runs downwards from MSI-X, as QEMU's does. */
    private void addCapabilities(PciFunction function) {
        config.capability(CONFIGURATION_ACCESS, VENDOR_CAPABILITY)
                .field(CONFIGURATION_ACCESS + 2, 1, 20, 0, 0)
                .field(CONFIGURATION_ACCESS + 3, 1, CONFIGURATION_ACCESS_TYPE, 0, 0);
        new PciConfigurationAccess(function, config, CONFIGURATION_ACCESS);
        for (Region region : new Region[] {Region.NOTIFY, Region.DEVICE, Region.ISR, Region.COMMON}) {
            int at = region.capability;
            config.capability(at, VENDOR_CAPABILITY)
                    .field(at + 2, 1, region.capabilityLength, 0, 0)
                    .field(at + 3, 1, region.capabilityType, 0, 0)
                    .field(at + 4, 1, VIRTIO_BAR, 0, 0)
                    .field(at + 8, 4, region.offset(), 0, 0)
                    .field(at + 12, 4, REGION_SIZE, 0, 0);
        }
        config.put(Region.NOTIFY.capability + 16, 4, NOTIFY_MULTIPLIER);
    }

    public ConfigSpace config() {
        return config;
    }

    public TransportCounters counters() {
        return counters;
    }

    /** The function's way to memory, behind its bus master bit. */
    public DmaPort dma() {
        return dma;
    }

    /** DRIVER_OK, and neither NEEDS_RESET nor FAILED; and the function may master the bus. */
    public boolean running() {
        return common.status().running() && config.busMaster();
    }

    public NotifyWindow notifyWindow() {
        return new NotifyWindow(VIRTIO_BAR, Region.NOTIFY.offset(), REGION_SIZE, NOTIFY_MULTIPLIER);
    }

    /** Messages and INTx assertions so far, configuration changes included. */
    public long interruptsSent() {
        return interrupts.sent();
    }

    /** See {@link PciFunction#readBar}. */
    public long readBar(int bar, long offset, int width) {
        if (bar == MSIX_BAR) {
            return offset < PENDING_OFFSET
                    ? interrupts.msix().readTable(offset, width)
                    : interrupts.msix().readPending(offset - PENDING_OFFSET, width);
        }
        if (bar != VIRTIO_BAR || offset < 0 || offset >= (long) Region.ALL.length * REGION_SIZE) {
            return ignored(RegisterFault.UNKNOWN_OFFSET);
        }
        int within = (int) offset % REGION_SIZE;
        return switch (Region.ALL[(int) offset / REGION_SIZE]) {
            case COMMON -> readCommon(within, width);
            case ISR -> readIsr(within, width);
            case DEVICE -> readDeviceConfig(within, width);
            case NOTIFY -> 0;
        };
    }

    /** See {@link PciFunction#writeBar}. */
    public void writeBar(int bar, long offset, int width, long value) {
        if (bar == MSIX_BAR) {
            if (offset < PENDING_OFFSET) {
                interrupts.msix().writeTable(offset, width, value);
            }
            return;
        }
        if (bar != VIRTIO_BAR || offset < 0 || offset >= (long) Region.ALL.length * REGION_SIZE) {
            ignored(RegisterFault.UNKNOWN_OFFSET);
            return;
        }
        int within = (int) offset % REGION_SIZE;
        switch (Region.ALL[(int) offset / REGION_SIZE]) {
            case COMMON -> writeCommon(within, width, value);
            case NOTIFY -> writeNotify(within, width);
            // The configuration of a modern device is read-only, ISR is read-to-clear.
            case ISR, DEVICE -> ignored(RegisterFault.READ_ONLY);
        }
    }

    private long readCommon(int offset, int width) {
        if (width == 8 && wide(offset)) {
            return readCommon(offset, 4) | readCommon(offset + 4, 4) << 32;
        }
        CommonField field = field(offset, width);
        if (field == null) {
            return 0;
        }
        return common.read(field, offset - field.offset >>> 2) & (1L << 8 * width) - 1;
    }

    private void writeCommon(int offset, int width, long value) {
        if (width == 8 && wide(offset)) {
            writeCommon(offset, 4, value);
            writeCommon(offset + 4, 4, value >>> 32);
            return;
        }
        CommonField field = field(offset, width);
        if (field == null) {
            return;
        }
        int written = (int) (value & (1L << 8 * width) - 1);
        if (!field.writable) {
            ignored(RegisterFault.READ_ONLY);
        } else if (field == CommonField.DEVICE_STATUS) {
            writeStatus(written);
        } else if (field == CommonField.QUEUE_RESET) {
            resetQueue(written);
        } else if (field == CommonField.QUEUE_ENABLE) {
            enableQueue(written);
        } else {
            common.write(field, offset - field.offset >>> 2, written);
        }
    }

    /** Whether an 8-byte access hits a 64-bit field squarely; it is split into halves as a 32-bit bus would. */
    private static boolean wide(int offset) {
        CommonField field = CommonField.at(offset);
        return field != null && field.width == 8 && field.offset == offset;
    }

    private @Nullable CommonField field(int offset, int width) {
        CommonField field = CommonField.at(offset);
        if (field == null || !RingFeatures.has(common.features(), field.feature)) {
            ignored(RegisterFault.UNKNOWN_OFFSET);
            return null;
        }
        if (!field.takes(offset, width)) {
            ignored(RegisterFault.WRONG_WIDTH);
            return null;
        }
        return field;
    }

    private long readIsr(int offset, int width) {
        if (offset != 0) {
            return ignored(RegisterFault.UNKNOWN_OFFSET);
        }
        return width == 1 ? interrupts.readIsr() : ignored(RegisterFault.WRONG_WIDTH);
    }

    /** Readable at any time and in any width: drivers copy the structure byte by byte or field by field. */
    private long readDeviceConfig(int offset, int width) {
        if (offset > type.configBytes() - width) {
            return ignored(RegisterFault.UNKNOWN_OFFSET);
        }
        long value = 0;
        for (int i = 0; i < width; i++) {
            value |= (long) type.configByte(offset + i) << 8 * i;
        }
        return value;
    }

    /**
     * The address tells the queue, since an ioeventfd has nothing else. The value repeats it, or has a number of ours in its
     * place (NOTIF_CONFIG_DATA), or says in its upper half how far the driver got (NOTIFICATION_DATA); the ring says that too,
     * and may be trusted more (sections 2.9 and 4.1.5.2).
     */
    private void writeNotify(int offset, int width) {
        if (offset % NOTIFY_MULTIPLIER != 0 || offset / NOTIFY_MULTIPLIER >= type.queues()) {
            ignored(RegisterFault.UNKNOWN_OFFSET);
        } else if (width != 2 && width != 4) {
            ignored(RegisterFault.WRONG_WIDTH);
        } else {
            notifyQueue(offset / NOTIFY_MULTIPLIER);
        }
    }

    /** A kick. Ignored for a queue that does not exist and before DRIVER_OK (section 3.1.1). */
    public void notifyQueue(int queue) {
        if (queue < 0 || queue >= type.queues() || !common.status().running()) {
            counters.countIgnoredKick();
            return;
        }
        counters.countKick(queue);
        type.kicked(queue);
    }

    private void writeStatus(int written) {
        switch (common.status().write(written, common.featuresValid())) {
            case RESET -> resetDevice();
            case STARTED -> start();
            case GIVEN_UP -> type.stop();
            case ILLEGAL -> ignored(RegisterFault.ILLEGAL_STATE);
            case UNCHANGED, ADVANCED, FEATURES_REFUSED -> {}
        }
    }

    private void start() {
        @Nullable Virtqueue[] queues = new @Nullable Virtqueue[type.queues()];
        for (int i = 0; i < queues.length; i++) {
            QueueRegisters registers = common.queue(i);
            if (registers.enabled) {
                queues[i] = queue(registers);
            }
        }
        type.start(common.features(), queues);
    }

    private Virtqueue queue(QueueRegisters registers) {
        return RingFeatures.has(common.features(), RingFeatures.RING_PACKED)
                ? new PackedQueue(dma, registers.size, registers.layout(), common.features())
                : new SplitQueue(dma, registers.size, registers.layout(), common.features());
    }

    /** A queue that is enabled while the device runs has been reset before (section 2.6.1). */
    private void enableQueue(int written) {
        int index = common.selected();
        boolean before = index >= 0 && common.queue(index).enabled;
        common.write(CommonField.QUEUE_ENABLE, 0, written);
        if (!before
                && index >= 0
                && common.queue(index).enabled
                && common.status().running()) {
            type.startQueue(index, queue(common.queue(index)));
        }
    }

    /** Queue reset (section 2.6.1): complete when the write returns, so queue_reset never reads 1. */
    private void resetQueue(int written) {
        int index = common.selected();
        int vector = index < 0 ? InterruptUnit.NO_VECTOR : common.queue(index).vector;
        if (common.resetQueue(written)) {
            if (common.status().running()) {
                type.stopQueue(index);
            }
            if (!common.shares(vector)) {
                interrupts.forget(vector);
            }
        }
    }

    /** Device reset (section 2.4): complete when the write to device_status returns. */
    private void resetDevice() {
        type.stop();
        common.reset();
        interrupts.reset();
    }

    /** Conventional PCI reset: the device with its configuration space. */
    public void reset() {
        resetDevice();
        config.reset();
    }

    /** Used buffers were published and the driver wants to know. */
    public void interrupt(int queue) {
        interrupts.queueEvent(common.queue(queue).vector);
    }

    /**
     * The device configuration changed: a new generation, and an interrupt once there is a driver to take it (section
     * 2.5).
     *
     * @param notify whether the driver negotiated what changed
     */
    public void configurationChanged(boolean notify) {
        common.nextGeneration();
        if (notify && common.status().has(StatusMachine.DRIVER_OK)) {
            interrupts.configurationEvent(common.configVector());
        }
    }

    /**
     * The one answer to a malformed ring: the device stops, sets DEVICE_NEEDS_RESET and sends a configuration change
     * notification, once until the next reset (section 2.1.2).
     */
    public void ringFault(RingFault fault) {
        if (common.status().running()) {
            counters.countRingFault(fault);
            common.status().needsReset();
            type.stop();
            interrupts.configurationEvent(common.configVector());
        }
    }

    private long ignored(RegisterFault fault) {
        counters.countIgnored(fault);
        return 0;
    }

    /** See {@link PciFunction#registerName}. */
    public String registerName(int bar, long offset) {
        if (bar == MSIX_BAR && offset >= 0 && offset < REGION_SIZE) {
            return offset < PENDING_OFFSET
                    ? msixName(offset, "msix_table", 16)
                    : msixName(offset - PENDING_OFFSET, "msix_pba", 0);
        }
        if (bar != VIRTIO_BAR || offset < 0 || offset >= (long) Region.ALL.length * REGION_SIZE) {
            return UNIMPLEMENTED;
        }
        int within = (int) offset % REGION_SIZE;
        return switch (Region.ALL[(int) offset / REGION_SIZE]) {
            case COMMON -> {
                CommonField field = CommonField.at(within);
                yield field == null ? UNIMPLEMENTED : field.specName;
            }
            case ISR -> within == 0 ? "isr_status" : UNIMPLEMENTED;
            case DEVICE -> within < type.configBytes() ? type.configField(within) : UNIMPLEMENTED;
            case NOTIFY -> within < NOTIFY_MULTIPLIER * type.queues() ? "queue_notify" : UNIMPLEMENTED;
        };
    }

    private String msixName(long offset, String name, int entryBytes) {
        long end = entryBytes == 0 ? 8 : (long) entryBytes * interrupts.msix().vectors();
        return offset < end ? name : UNIMPLEMENTED;
    }
}
