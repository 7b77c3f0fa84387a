package io.iolab.devices.driver.virtio;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.pci.PciBar;
import io.iolab.devices.driver.pci.PciDevice;

/**
 * virtio over modern PCI (virtio 1.2 section 4.1): finds the register blocks through vendor capabilities and accesses each
 * field with its own width, 64-bit ones as two halves (4.1.3.1).
 */
final class ModernTransport {
    static final int ACKNOWLEDGE = 1;
    static final int DRIVER = 2;
    static final int DRIVER_OK = 4;
    static final int FEATURES_OK = 8;
    static final int NEEDS_RESET = 64;
    static final int FAILED = 128;

    private static final int CFG_COMMON = 1;
    private static final int CFG_NOTIFY = 2;
    private static final int CFG_DEVICE = 4;

    private static final int DEVICE_FEATURE_SELECT = 0x00;
    private static final int DEVICE_FEATURE = 0x04;
    private static final int DRIVER_FEATURE_SELECT = 0x08;
    private static final int DRIVER_FEATURE = 0x0C;
    private static final int CONFIG_MSIX_VECTOR = 0x10;
    private static final int DEVICE_STATUS = 0x14;
    private static final int CONFIG_GENERATION = 0x15;
    private static final int QUEUE_SELECT = 0x16;
    private static final int QUEUE_SIZE = 0x18;
    private static final int QUEUE_MSIX_VECTOR = 0x1A;
    private static final int QUEUE_ENABLE = 0x1C;
    private static final int QUEUE_NOTIFY_OFF = 0x1E;
    private static final int QUEUE_DESC = 0x20;
    private static final int QUEUE_DRIVER = 0x28;
    private static final int QUEUE_DEVICE = 0x30;
    private static final int QUEUE_NOTIF_CONFIG_DATA = 0x38;
    private static final int QUEUE_RESET = 0x3A;
    /** Up to the last field that every version has. */
    private static final int COMMON_LENGTH = 0x38;

    private static final int RESET_ATTEMPTS = 1000;
    private static final long RESET_WAIT_NANOS = 1_000_000;

    /** A register block inside of a BAR. */
    private record Block(long pa, long length, int capability) {}

    private final CpuPort cpu;
    private final DriverPlatform platform;
    private final PciDevice device;
    private final Block common;
    private final Block notify;
    private final Block config;
    private final int notifyMultiplier;
    private long features;

    ModernTransport(DriverPlatform platform, PciDevice device) {
        this.cpu = platform.cpu();
        this.platform = platform;
        this.device = device;
        device.enable(PciDevice.COMMAND_MEMORY | PciDevice.COMMAND_BUS_MASTER);
        common = block(CFG_COMMON, "common", COMMON_LENGTH);
        notify = block(CFG_NOTIFY, "notify", 2);
        config = block(CFG_DEVICE, "device", 6);
        notifyMultiplier = device.read(notify.capability + 16, 4);
    }

    /** The first usable capability of a type wins; unknown types and reserved BAR numbers are passed over (4.1.4.1). */
    private Block block(int type, String name, int least) {
        int capability = device.nextCapability(0, PciDevice.CAPABILITY_VENDOR);
        for (; capability != 0; capability = device.nextCapability(capability, PciDevice.CAPABILITY_VENDOR)) {
            int bar = device.read(capability + 4, 1);
            if (device.read(capability + 3, 1) == type && bar <= 5) {
                long offset = device.read(capability + 8, 4) & 0xFFFF_FFFFL;
                long length = device.read(capability + 12, 4) & 0xFFFF_FFFFL;
                for (PciBar candidate : device.bars()) {
                    if (candidate.index() == bar && candidate.isMemory() && offset + length <= candidate.size()) {
                        return checked(new Block(candidate.address() + offset, length, capability), name, least);
                    }
                }
            }
        }
        throw new DriverException(
                device + ": no usable virtio capability for the " + name + " configuration (cfg_type " + type + ")");
    }

    private static Block checked(Block block, String name, int least) {
        if (block.length < least) {
            throw DriverException.register(
                    "length of the " + name + " configuration", block.length, "at least " + least);
        }
        return block;
    }

    int status() {
        return (int) cpu.load(common.pa + DEVICE_STATUS, 1);
    }

    /** Bits are only ever added (3.1.1); a reset is the way back. */
    void addStatus(int bits) {
        cpu.store(common.pa + DEVICE_STATUS, 1, status() | bits);
    }

    /** Writes 0 and waits for the device to present it (4.1.4.3.2). */
    void reset() {
        cpu.store(common.pa + DEVICE_STATUS, 1, 0);
        int status = status();
        for (int attempt = 0; status != 0; attempt++) {
            if (attempt == RESET_ATTEMPTS) {
                throw DriverException.register("device_status", status, "0 after a reset");
            }
            platform.delayNanos(RESET_WAIT_NANOS);
            status = status();
        }
    }

    long deviceFeatures() {
        cpu.store32(common.pa + DEVICE_FEATURE_SELECT, 0);
        long low = cpu.load(common.pa + DEVICE_FEATURE, 4);
        cpu.store32(common.pa + DEVICE_FEATURE_SELECT, 1);
        return cpu.load(common.pa + DEVICE_FEATURE, 4) << 32 | low;
    }

    void acceptFeatures(long accepted) {
        features = accepted;
        cpu.store32(common.pa + DRIVER_FEATURE_SELECT, 0);
        cpu.store32(common.pa + DRIVER_FEATURE, (int) features);
        cpu.store32(common.pa + DRIVER_FEATURE_SELECT, 1);
        cpu.store32(common.pa + DRIVER_FEATURE, (int) (features >>> 32));
    }

    /** The device answers FFFFh where it could not map the vector (4.1.5.1.2). */
    void mapConfigVector(int vector) {
        cpu.store(common.pa + CONFIG_MSIX_VECTOR, 2, vector);
        checkVector("config_msix_vector", cpu.load(common.pa + CONFIG_MSIX_VECTOR, 2), vector);
    }

    private static void checkVector(String name, long answer, int vector) {
        if (answer != vector) {
            throw DriverException.register(name, answer, "vector " + vector + " to be mapped");
        }
    }

    /**
     * @return what the device offers; for a split ring a power of two (2.7), for a packed one anything (2.8)
     * @throws DriverException if the device has no such queue, or one whose size is out of range
     */
    int queueSize(int queue) {
        cpu.store(common.pa + QUEUE_SELECT, 2, queue);
        int size = (int) cpu.load(common.pa + QUEUE_SIZE, 2);
        if (size == 0 || size > 32768) {
            throw DriverException.register("queue_size of queue " + queue, size, "1 to 0x8000");
        }
        if (!has(VirtioFeatures.RING_PACKED) && Integer.bitCount(size) != 1) {
            throw DriverException.register("queue_size of queue " + queue, size, "a power of two up to 0x8000");
        }
        return size;
    }

    /** Everything about a queue before its enable bit, which is never cleared again (4.1.4.3.2). */
    void enableQueue(DriverQueue queue, int vector) {
        cpu.store(common.pa + QUEUE_SELECT, 2, queue.index());
        cpu.store(common.pa + QUEUE_SIZE, 2, queue.size());
        store64(QUEUE_DESC, queue.descriptorsBus());
        store64(QUEUE_DRIVER, queue.driverBus());
        store64(QUEUE_DEVICE, queue.deviceBus());
        long offset = cpu.load(common.pa + QUEUE_NOTIFY_OFF, 2) * (notifyMultiplier & 0xFFFF_FFFFL);
        int width = has(VirtioFeatures.NOTIFICATION_DATA) ? 4 : 2;
        if (offset + width > notify.length || (notify.pa + offset) % width != 0) {
            throw DriverException.register(
                    "queue_notify_off times its multiplier", offset, "an aligned offset inside of the notify block");
        }
        int number = has(VirtioFeatures.NOTIF_CONFIG_DATA)
                ? (int) cpu.load(common.pa + QUEUE_NOTIF_CONFIG_DATA, 2)
                : queue.index();
        queue.notifyAt(notify.pa + offset, number);
        cpu.store(common.pa + QUEUE_MSIX_VECTOR, 2, vector);
        checkVector("queue_msix_vector of queue " + queue.index(), cpu.load(common.pa + QUEUE_MSIX_VECTOR, 2), vector);
        cpu.store(common.pa + QUEUE_ENABLE, 2, 1);
    }

    /** Resets one queue and waits until the device has let go of it (2.6.1); RING_RESET is negotiated. */
    void resetQueue(int queue) {
        cpu.store(common.pa + QUEUE_SELECT, 2, queue);
        cpu.store(common.pa + QUEUE_RESET, 2, 1);
        for (int attempt = 0; cpu.load(common.pa + QUEUE_RESET, 2) != 0; attempt++) {
            if (attempt == RESET_ATTEMPTS) {
                throw DriverException.register("queue_reset of queue " + queue, 1, "0 after a reset");
            }
            platform.delayNanos(RESET_WAIT_NANOS);
        }
        long enabled = cpu.load(common.pa + QUEUE_ENABLE, 2);
        if (enabled != 0) {
            throw DriverException.register("queue_enable of queue " + queue, enabled, "0 after a reset");
        }
    }

    private boolean has(long feature) {
        return (features & feature) != 0;
    }

    private void store64(int offset, long value) {
        cpu.store32(common.pa + offset, (int) value);
        cpu.store32(common.pa + offset + 4, (int) (value >>> 32));
    }

    /** Bytes of the device configuration that belong together: read again if they changed meanwhile (2.5.2). */
    byte[] configBytes(int offset, int length) {
        byte[] bytes = new byte[length];
        for (int attempt = 0; attempt < RESET_ATTEMPTS; attempt++) {
            long generation = cpu.load(common.pa + CONFIG_GENERATION, 1);
            for (int i = 0; i < length; i++) {
                bytes[i] = (byte) cpu.load(config.pa + offset + i, 1);
            }
            if (cpu.load(common.pa + CONFIG_GENERATION, 1) == generation) {
                return bytes;
            }
        }
        throw new DriverException("config_generation changed " + RESET_ATTEMPTS + " times in a row");
    }

    int config16(int offset) {
        return (int) cpu.load(config.pa + offset, 2);
    }
}
