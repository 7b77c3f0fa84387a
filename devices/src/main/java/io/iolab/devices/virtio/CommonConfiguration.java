package io.iolab.devices.virtio;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.virtio.queue.RingFeatures;

/**
 * The common configuration structure (virtio 1.2 section 4.1.4.3): negotiation, device status, and the registers of all
 * queues behind queue_select. It keeps state and rules; what a status change sets in motion is {@link VirtioPci}'s.
 */
final class CommonConfiguration {
    /** What a kick carries with NOTIF_CONFIG_DATA, plus the queue: different from the queue, so that nobody takes one for it. */
    private static final int NOTIF_CONFIG_DATA = 0x4000;

    private final DeviceType type;
    private final InterruptUnit interrupts;
    private final TransportCounters counters;
    private final StatusMachine status = new StatusMachine();
    private final QueueRegisters[] queues;

    private int deviceFeatureSelect;
    private int driverFeatureSelect;
    private long driverFeatures;
    private int configVector = InterruptUnit.NO_VECTOR;
    private int generation;
    private boolean generationRead;
    private int queueSelect;

    CommonConfiguration(DeviceType type, InterruptUnit interrupts, TransportCounters counters) {
        this.type = type;
        this.interrupts = interrupts;
        this.counters = counters;
        this.queues = new QueueRegisters[type.queues()];
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new QueueRegisters(type.queueSize(i));
        }
    }

    StatusMachine status() {
        return status;
    }

    long features() {
        return driverFeatures;
    }

    QueueRegisters queue(int index) {
        return queues[index];
    }

    int configVector() {
        return configVector;
    }

    /**
     * The device configuration changed: a driver that reads around it must notice (section 2.5.2). One step for all changes between two
     * reads, or after 256 of them the counter of 8 bits would be where it was.
     */
    void nextGeneration() {
        if (generationRead) {
            generationRead = false;
            generation = generation + 1 & 0xFF;
        }
    }

    private int readGeneration() {
        generationRead = true;
        return generation;
    }

    /** Everything but the generation, which keeps counting. */
    void reset() {
        status.write(0, false);
        deviceFeatureSelect = 0;
        driverFeatureSelect = 0;
        driverFeatures = 0;
        configVector = InterruptUnit.NO_VECTOR;
        queueSelect = 0;
        for (QueueRegisters queue : queues) {
            queue.reset();
        }
    }

    /** @param half 0, or 1 for the upper half of a 64-bit field */
    int read(CommonField field, int half) {
        return switch (field) {
            case DEVICE_FEATURE_SELECT -> deviceFeatureSelect;
            case DEVICE_FEATURE -> window(type.offeredFeatures(), deviceFeatureSelect);
            case DRIVER_FEATURE_SELECT -> driverFeatureSelect;
            case DRIVER_FEATURE -> window(driverFeatures, driverFeatureSelect);
            case CONFIG_MSIX_VECTOR -> configVector;
            case NUM_QUEUES -> queues.length;
            case DEVICE_STATUS -> status.status();
            case CONFIG_GENERATION -> readGeneration();
            case QUEUE_SELECT -> queueSelect;
            default -> readQueue(field, half);
        };
    }

    private int readQueue(CommonField field, int half) {
        if (queueSelect >= queues.length) {
            // Size 0 says that the queue does not exist (section 4.1.4.3.1).
            return field == CommonField.QUEUE_MSIX_VECTOR ? InterruptUnit.NO_VECTOR : 0;
        }
        QueueRegisters queue = queues[queueSelect];
        return switch (field) {
            case QUEUE_SIZE -> queue.size;
            case QUEUE_MSIX_VECTOR -> queue.vector;
            case QUEUE_ENABLE -> queue.enabled ? 1 : 0;
            case QUEUE_NOTIFY_OFF -> queueSelect;
            case QUEUE_DESC -> window(queue.desc, half);
            case QUEUE_DRIVER -> window(queue.driver, half);
            case QUEUE_DEVICE -> window(queue.device, half);
            case QUEUE_NOTIF_CONFIG_DATA -> NOTIF_CONFIG_DATA + queueSelect;
            default -> 0;
        };
    }

    private static int window(long value, int select) {
        return select == 0 ? (int) value : select == 1 ? (int) (value >>> 32) : 0;
    }

    /** A write to any writable field but device_status. */
    void write(CommonField field, int half, int value) {
        switch (field) {
            case DEVICE_FEATURE_SELECT -> deviceFeatureSelect = value;
            case DRIVER_FEATURE_SELECT -> driverFeatureSelect = value;
            case DRIVER_FEATURE -> writeFeatures(value);
            case CONFIG_MSIX_VECTOR -> configVector = interrupts.map(value);
            case QUEUE_SELECT -> queueSelect = value;
            default -> writeQueue(field, half, value);
        }
    }

    /** Bits are fixed from FEATURES_OK on (section 3.1.1); no bit above 63 is offered, so none can be accepted. */
    private void writeFeatures(int value) {
        boolean offerable = driverFeatureSelect == 0 || driverFeatureSelect == 1;
        if (status.has(StatusMachine.FEATURES_OK) || !offerable && value != 0) {
            illegal();
        } else if (offerable) {
            driverFeatures = withHalf(driverFeatures, driverFeatureSelect, value);
        }
    }

    /** Whether FEATURES_OK may stay set (sections 2.2.2 and 6.1). */
    boolean featuresValid() {
        long offered = type.offeredFeatures();
        return RingFeatures.has(offered, driverFeatures)
                && RingFeatures.has(driverFeatures, RingFeatures.VERSION_1 | offered & RingFeatures.ACCESS_PLATFORM)
                && type.accepts(driverFeatures);
    }

    private void writeQueue(CommonField field, int half, int value) {
        if (queueSelect >= queues.length) {
            illegal();
            return;
        }
        QueueRegisters queue = queues[queueSelect];
        if (field == CommonField.QUEUE_MSIX_VECTOR) {
            queue.vector = interrupts.map(value);
            return;
        }
        // Too late once the queue is enabled or the device runs (sections 3.1.1 and 4.1.4.3.2), but for a reset queue.
        if (queue.enabled || status.has(StatusMachine.DRIVER_OK) && !queue.restartable) {
            illegal();
            return;
        }
        switch (field) {
            case QUEUE_SIZE -> writeSize(queue, value);
            case QUEUE_ENABLE -> enable(queue, value);
            case QUEUE_DESC -> queue.desc = withHalf(queue.desc, half, value);
            case QUEUE_DRIVER -> queue.driver = withHalf(queue.driver, half, value);
            case QUEUE_DEVICE -> queue.device = withHalf(queue.device, half, value);
            default -> illegal();
        }
    }

    private boolean packed() {
        return RingFeatures.has(driverFeatures, RingFeatures.RING_PACKED);
    }

    /** A split queue's size is a power of two (section 2.7); drivers can reduce it, not raise it. */
    private void writeSize(QueueRegisters queue, int value) {
        if (value > 0 && value <= queue.maxSize && (packed() || Integer.bitCount(value) == 1)) {
            queue.size = value;
        } else {
            illegal();
        }
    }

    private void enable(QueueRegisters queue, int value) {
        if (value == 1
                && status.has(StatusMachine.FEATURES_OK)
                && (packed() ? queue.layout().fitsPacked(queue.size) : fitsSplit(queue))) {
            queue.enabled = true;
        } else {
            illegal();
        }
    }

    private static boolean fitsSplit(QueueRegisters queue) {
        return Integer.bitCount(queue.size) == 1 && queue.layout().fitsSplit(queue.size);
    }

    /** The selected queue, or -1 if there is none. */
    int selected() {
        return queueSelect < queues.length ? queueSelect : -1;
    }

    /**
     * A write to queue_reset (section 2.6.1): back to what the registers hold after a device reset. What the queue does is the
     * caller's to stop first.
     *
     * @return whether there was a queue to reset
     */
    boolean resetQueue(int value) {
        if (value != 1 || queueSelect >= queues.length || !queues[queueSelect].enabled) {
            illegal();
            return false;
        }
        queues[queueSelect].reset();
        queues[queueSelect].restartable = true;
        return true;
    }

    /** Whether any event but a queue's maps to a vector. */
    boolean shares(int vector) {
        boolean shared = configVector == vector;
        for (QueueRegisters queue : queues) {
            shared |= queue.vector == vector;
        }
        return shared;
    }

    private static long withHalf(long value, int half, int written) {
        long bits = written & 0xFFFF_FFFFL;
        return half == 0 ? value & ~0xFFFF_FFFFL | bits : value & 0xFFFF_FFFFL | bits << 32;
    }

    private void illegal() {
        counters.countIgnored(RegisterFault.ILLEGAL_STATE);
    }
}
