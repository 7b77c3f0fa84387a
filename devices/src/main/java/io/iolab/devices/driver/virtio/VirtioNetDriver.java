package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.FrameReceiver;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.driver.pci.MsixVectors;
import io.iolab.devices.driver.pci.PciDevice;
import org.jspecify.annotations.Nullable;

/**
 * The driver for a modern virtio-net device (1AF4:1041), one queue pair, three MSI-X vectors. Frames of up to 2036 bytes are
 * sent.
 *
 * <p>A device that breaks the rules of the rings, or asks for a reset, stops the driver: nothing moves any more,
 * {@link #transmitHung} holds, and {@link #failure} says why.
 */
public final class VirtioNetDriver implements NetDriver {
    /** Vendor 1AF4h, device 1040h plus virtio type 1 (virtio 1.2 section 4.1.2.1). */
    private static final int ID = 0x1AF4_1041;

    private static final int RECEIVE_QUEUE = 0;
    private static final int TRANSMIT_QUEUE = 1;
    private static final int VECTOR_CONFIG = 0;
    private static final int VECTOR_RECEIVE = 1;
    private static final int VECTOR_TRANSMIT = 2;
    private static final int CONFIG_MAC = 0;
    private static final int CONFIG_STATUS = 6;
    private static final int STATUS_LINK_UP = 1;

    private final DriverPlatform platform;
    private final PciDevice device;
    private final VirtioOptions options;
    private final ModernTransport transport;
    private byte[] mac = new byte[6];
    private long features;
    private @Nullable Rings rings;
    private boolean configChanged;
    private boolean linkUp = true;
    private @Nullable String failure;

    /** What the previous look for a hang saw: buffers returned, or -1. */
    private long watchedUsed = -1;

    private record Rings(
            DriverQueue receiveRing, DriverQueue transmitRing, ReceiveQueue receive, TransmitQueue transmit) {}

    /** @throws DriverException if this is no such device, or it lacks a capability */
    public VirtioNetDriver(DriverPlatform platform, PciDevice device, VirtioOptions options) {
        int id = device.vendorId() << 16 | device.deviceId();
        if (id != ID) {
            throw DriverException.register("PCI vendor and device id", id & 0xFFFF_FFFFL, "1af41041 (virtio-net)");
        }
        this.platform = platform;
        this.device = device;
        this.options = options;
        transport = new ModernTransport(platform, device);
    }

    /** {@inheritDoc} To be called once, in the order of virtio 1.2 section 3.1.1. A refusal leaves FAILED in the status. */
    @Override
    public void open() {
        transport.reset();
        transport.addStatus(ModernTransport.ACKNOWLEDGE);
        transport.addStatus(ModernTransport.DRIVER);
        try {
            negotiate();
            Rings opened = setUpQueues();
            readConfiguration();
            transport.addStatus(ModernTransport.DRIVER_OK);
            rings = opened;
            opened.receive.fill();
        } catch (DriverException e) {
            transport.addStatus(ModernTransport.FAILED);
            throw e;
        }
    }

    private void negotiate() {
        long offered = transport.deviceFeatures();
        if ((offered & VirtioFeatures.VERSION_1) == 0) {
            throw DriverException.register("device_feature", offered, "VERSION_1 (bit 32)");
        }
        features = offered & (options.features() | VirtioFeatures.VERSION_1);
        if (!has(VirtioFeatures.MRG_RXBUF) && options.bufferSize() < VirtioOptions.LEAST_BUFFER) {
            throw DriverException.register("device_feature", offered, "MRG_RXBUF (bit 15) for buffers this small");
        }
        transport.acceptFeatures(features);
        transport.addStatus(ModernTransport.FEATURES_OK);
        int status = transport.status();
        if ((status & ModernTransport.FEATURES_OK) == 0) {
            throw DriverException.register(
                    "device_status", status, "FEATURES_OK (8) after accepting 0x" + Long.toHexString(features));
        }
    }

    private Rings setUpQueues() {
        MsixVectors vectors = device.enableMsix(3);
        vectors.route(VECTOR_CONFIG, platform.allocateMessage(this::configInterrupt));
        vectors.route(VECTOR_RECEIVE, platform.allocateMessage(this::receiveInterrupt));
        vectors.route(VECTOR_TRANSMIT, platform.allocateMessage(this::transmitInterrupt));
        transport.mapConfigVector(VECTOR_CONFIG);
        DriverQueue receiveRing = queue(RECEIVE_QUEUE, 0);
        DriverQueue transmitRing = queue(TRANSMIT_QUEUE, TransmitQueue.PARTS);
        ReceiveQueue receive =
                new ReceiveQueue(platform, receiveRing, options.bufferSize(), has(VirtioFeatures.MRG_RXBUF));
        TransmitQueue transmit = new TransmitQueue(platform, transmitRing, options.header());
        transport.enableQueue(receiveRing, VECTOR_RECEIVE);
        transport.enableQueue(transmitRing, VECTOR_TRANSMIT);
        return new Rings(receiveRing, transmitRing, receive, transmit);
    }

    /** @param parts the most that a buffer has where it is not one */
    private DriverQueue queue(int index, int parts) {
        int size = Math.min(transport.queueSize(index), options.largestQueue());
        if (!has(VirtioFeatures.RING_PACKED)) {
            size = Integer.highestOneBit(size);
        }
        return DriverQueue.create(platform, index, size, features, parts);
    }

    private void readConfiguration() {
        if (has(VirtioFeatures.MAC)) {
            mac = transport.configBytes(CONFIG_MAC, 6);
        } else {
            // Locally administered, and different for each function of a machine.
            mac = new byte[] {2, 0, 0, 0, (byte) (device.rid() >>> 8), (byte) device.rid()};
        }
        readLink();
    }

    private void readLink() {
        linkUp = !has(VirtioFeatures.STATUS) || (transport.config16(CONFIG_STATUS) & STATUS_LINK_UP) != 0;
    }

    private boolean has(long feature) {
        return (features & feature) != 0;
    }

    /** What was negotiated; valid after {@link #open}. */
    public long features() {
        return features;
    }

    /** The link state as the device last told it; true where it cannot tell. */
    public boolean linkUp() {
        return linkUp;
    }

    /** Why the driver has stopped, or null. */
    public @Nullable String failure() {
        return failure;
    }

    private boolean configInterrupt() {
        configChanged = true;
        return true;
    }

    /** With EVENT_IDX the event index has been passed and stays silent by itself. */
    private boolean receiveInterrupt() {
        if (!has(VirtioFeatures.EVENT_IDX) && rings != null) {
            rings.receiveRing.silenceInterrupts();
        }
        return true;
    }

    private boolean transmitInterrupt() {
        return true;
    }

    private Rings rings() {
        Rings opened = rings;
        if (opened == null) {
            throw new IllegalStateException("not open");
        }
        return opened;
    }

    @Override
    public byte[] macAddress() {
        return mac.clone();
    }

    @Override
    public boolean queue(byte[] frame, int offset, int length) {
        if (length > TransmitQueue.FRAME_ROOM) {
            throw new IllegalArgumentException("frame of " + length + " bytes");
        }
        TransmitQueue transmit = rings().transmit;
        reap(transmit);
        if (failure != null || transmit.free() == 0 && !wait(transmit)) {
            return false;
        }
        transmit.put(frame, offset, length);
        return true;
    }

    /** Asks for an interrupt. @return whether slots came back while it did */
    private boolean wait(TransmitQueue transmit) {
        if (!transmit.arm()) {
            reap(transmit);
        }
        return transmit.free() > 0;
    }

    private void reap(TransmitQueue transmit) {
        if (failure == null && !transmit.reap()) {
            failure = badRing(rings().transmitRing);
        }
    }

    private static String badRing(DriverQueue queue) {
        return "queue " + queue.index() + ": used id 0x" + Integer.toHexString(queue.usedId())
                + " is not a buffer that the device has";
    }

    @Override
    public void flush() {
        if (failure == null) {
            rings().transmitRing.publish();
        }
    }

    /**
     * {@inheritDoc} After used_event says "at the next frame", used.idx is read again behind a full fence: a frame that came
     * between the last look and the store would never interrupt (virtio 1.2 section 2.7.10).
     */
    @Override
    public int poll(int budget, FrameReceiver receiver) {
        Rings opened = rings();
        if (configChanged) {
            configurationChanged();
        }
        reap(opened.transmit);
        int work = 0;
        while (failure == null) {
            int got = opened.receive.receive(budget - work, budget, receiver);
            if (got < 0) {
                failure = badRing(opened.receiveRing);
            } else {
                work += got;
                if (work == budget || opened.receive.rearm()) {
                    break;
                }
            }
        }
        return work;
    }

    private void configurationChanged() {
        configChanged = false;
        int status = transport.status();
        if ((status & ModernTransport.NEEDS_RESET) != 0) {
            failure = "device_status 0x" + Integer.toHexString(status) + ": DEVICE_NEEDS_RESET";
        } else {
            readLink();
        }
    }

    /**
     * Takes the transmit queue back from the device and sets it up anew (virtio 1.2 section 2.6.1). Frames that the device has
     * not returned may have been sent or not.
     *
     * @throws IllegalStateException if RING_RESET was not negotiated
     */
    public void resetTransmitQueue() {
        Rings opened = rings();
        takeBack(opened.transmitRing);
        opened.transmit.reset();
        transport.enableQueue(opened.transmitRing, VECTOR_TRANSMIT);
    }

    /** The same for the receive queue. Frames that were received and not polled are lost. */
    public void resetReceiveQueue() {
        Rings opened = rings();
        takeBack(opened.receiveRing);
        transport.enableQueue(opened.receiveRing, VECTOR_RECEIVE);
        opened.receive.reset();
    }

    private void takeBack(DriverQueue ring) {
        if (!has(VirtioFeatures.RING_RESET)) {
            throw new IllegalStateException("RING_RESET was not negotiated");
        }
        transport.resetQueue(ring.index());
        ring.reset();
    }

    @Override
    public int transmitSlots() {
        return rings().transmit.free();
    }

    @Override
    public int transmitsInFlight() {
        return rings().transmit.inFlight();
    }

    /** {@inheritDoc} Looks at the used ring in RAM only; also true once the driver has stopped. */
    @Override
    public boolean transmitHung() {
        Rings opened = rings();
        reap(opened.transmit);
        if (failure != null) {
            return true;
        }
        long used = opened.transmitRing.reaped();
        if (opened.transmitRing.inFlight() == 0) {
            watchedUsed = -1;
            return false;
        }
        boolean stuck = used == watchedUsed;
        watchedUsed = used;
        return stuck;
    }

    /** Received frames thrown away because their length or buffer count made no sense. */
    public long receiveErrors() {
        return rings().receive.dropped();
    }

    /** {@inheritDoc} Kicks of both queues. */
    @Override
    public long doorbells() {
        return rings().receiveRing.kicks() + rings().transmitRing.kicks();
    }

    /** Kicks of the transmit queue. */
    public long transmitDoorbells() {
        return rings().transmitRing.kicks();
    }

    @Override
    public long doorbellsSuppressed() {
        return rings().receiveRing.suppressedKicks() + rings().transmitRing.suppressedKicks();
    }
}
