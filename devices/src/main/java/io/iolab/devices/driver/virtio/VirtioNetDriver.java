package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.FrameReceiver;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.driver.pci.MsixVectors;
import io.iolab.devices.driver.pci.PciDevice;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.net.PacketOffload;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The driver for a modern virtio-net device (1AF4:1041): up to 8 queue pairs with two MSI-X vectors each and one for the
 * configuration, or one for all where the device has fewer; a control queue, and the offloads that are asked for in {@link VirtioOptions}. Frames of up to 2036 bytes are
 * sent, and packets of up to 65 553 bytes with segmentation offload.
 *
 * <p>A frame goes through the pair that its addresses and ports choose, so the frames of a flow stay in order.
 *
 * <p>A device that breaks the rules of the rings, or asks for a reset, stops the driver: nothing moves any more,
 * {@link #transmitHung} holds, and {@link #failure} says why.
 */
public final class VirtioNetDriver implements NetDriver {
    /** Vendor 1AF4h, device 1040h plus virtio type 1 (virtio 1.2 section 4.1.2.1). */
    private static final int ID = 0x1AF4_1041;

    private static final int VECTOR_CONFIG = 0;
    private static final int NO_VECTOR = 0xFFFF;
    private static final int CONFIG_MAC = 0;
    private static final int CONFIG_STATUS = 6;
    private static final int CONFIG_MAX_PAIRS = 8;
    private static final int STATUS_LINK_UP = 1;
    private static final int STATUS_ANNOUNCE = 2;
    /** Where the control queue is without MQ (section 5.1.2). */
    private static final int SINGLE_PAIR_CONTROL_QUEUE = 2;
    /** What every line that the driver logs begins with. */
    private static final String LOG = "virtio_net virtio0 eth0: ";

    private final DriverPlatform platform;
    private final PciDevice device;
    private final VirtioOptions options;
    private final ModernTransport transport;
    private byte[] mac = new byte[6];
    private long features;
    private @Nullable QueuePairs pairs;
    private final FlowChoice flows = new FlowChoice();
    private ReceivedHeader received = new ReceivedHeader(0);
    private @Nullable NetCommands commands;
    private boolean configChanged;
    private boolean linkUp = true;
    private long announcements;
    /** The pair that a poll starts with. */
    private int firstPair;

    private @Nullable String failure;

    private List<String> report = List.of();

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

    @Override
    public String name() {
        return "virtio_net";
    }

    /** {@inheritDoc} To be called once, in the order of virtio 1.2 section 3.1.1. A refusal leaves FAILED in the status. */
    @Override
    public void open() {
        transport.reset();
        transport.addStatus(ModernTransport.ACKNOWLEDGE);
        transport.addStatus(ModernTransport.DRIVER);
        try {
            negotiate();
            QueuePairs opened = setUpQueues();
            readConfiguration();
            transport.addStatus(ModernTransport.DRIVER_OK);
            pairs = opened;
            opened.use(1);
            if (opened.count() > 1) {
                usePairs(opened.count());
            }
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
        features = VirtioFeatures.withoutUnmet(offered & (options.features() | VirtioFeatures.VERSION_1));
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

    private QueuePairs setUpQueues() {
        int most = has(VirtioFeatures.MQ) ? Math.max(1, transport.config16(CONFIG_MAX_PAIRS)) : 1;
        int count = Math.min(most, options.queuePairs());
        received = new ReceivedHeader(features);
        MsixVectors vectors = device.enableMsix(1);
        vectors.route(VECTOR_CONFIG, platform.allocateMessage(this::configInterrupt));
        transport.mapConfigVector(VECTOR_CONFIG);
        ReceivedHeader header = has(VirtioFeatures.RECEIVE_METADATA) ? received : null;
        QueuePairs opened = new QueuePairs(count, platform, transport, options, features, vectors, header);
        if (has(VirtioFeatures.CTRL_VQ)) {
            int index = has(VirtioFeatures.MQ) ? 2 * most : SINGLE_PAIR_CONTROL_QUEUE;
            DriverQueue control = opened.queue(index, ControlQueue.PARTS);
            commands = new NetCommands(new ControlQueue(platform, control), features);
            transport.enableQueue(control, NO_VECTOR);
        }
        return opened;
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
        return stopped();
    }

    /** With a vector that queues share every interrupt may tell of a change, so the configuration is looked at each time. */
    private boolean configInterrupt() {
        configChanged = true;
        if (pairs != null) {
            pairs.configInterrupt();
        }
        return true;
    }

    private QueuePairs opened() {
        QueuePairs opened = pairs;
        if (opened == null) {
            throw new IllegalStateException("not open");
        }
        return opened;
    }

    /** Why nothing moves any more, or null. */
    private @Nullable String stopped() {
        if (failure == null && pairs != null) {
            failure = pairs.failure();
        }
        return failure;
    }

    /**
     * The commands of the control queue.
     *
     * @throws IllegalStateException before {@link #open}, and if CTRL_VQ was not negotiated
     */
    public NetCommands commands() {
        NetCommands negotiated = commands;
        if (negotiated == null) {
            throw new IllegalStateException("no control queue");
        }
        return negotiated;
    }

    /** Queue pairs that were set up; only the first may be in use, if the device refused the others. */
    public int queuePairs() {
        return opened().count();
    }

    /** Pairs that frames are sent on. */
    public int queuePairsInUse() {
        return opened().inUse();
    }

    /**
     * Changes the number of pairs in use (section 5.1.6.5.5). No frame is queued on the others from then on.
     *
     * @param wanted 1 to {@link #queuePairs}
     * @return whether the device agreed
     */
    public boolean usePairs(int wanted) {
        QueuePairs all = opened();
        if (wanted < 1 || wanted > all.count()) {
            throw new IllegalArgumentException(wanted + " of " + all.count() + " queue pairs");
        }
        if (commands == null || !commands.queuePairs(wanted)) {
            return false;
        }
        all.use(wanted);
        return true;
    }

    /** Changes the station address. @return whether the device agreed */
    public boolean changeMacAddress(MacAddress address) {
        boolean agreed = commands != null && commands.macAddress(address);
        mac = agreed ? address.toBytes() : mac;
        return agreed;
    }

    /** How often the device has asked for an announcement, and was answered. What is announced is up to the stack above. */
    public long announcements() {
        return announcements;
    }

    /** About the frame that is being delivered; all is empty unless GUEST_CSUM or HASH_REPORT was negotiated. */
    public ReceivedHeader received() {
        return received;
    }

    @Override
    public byte[] macAddress() {
        return mac.clone();
    }

    @Override
    public boolean queue(byte[] frame, int offset, int length) {
        int longest = has(VirtioFeatures.HOST_SEGMENTATION) ? TransmitQueue.LONGEST_FRAME : TransmitQueue.FRAME_ROOM;
        TransmitQueue transmit = roomFor(frame, offset, length, longest);
        if (transmit == null) {
            return false;
        }
        transmit.put(frame, offset, length);
        return true;
    }

    /**
     * Queues a packet with something left to the device.
     *
     * @param length up to 2036 bytes, up to 65 553 if it is to be cut
     * @return false when the ring is full, see {@link #queue(byte[], int, int)}
     * @throws IllegalArgumentException if that was not negotiated, or the packet is too long
     */
    public boolean queue(byte[] frame, int offset, int length, PacketOffload offload) {
        if (!canSend(offload)) {
            throw new IllegalArgumentException(offload.segmentation() + " was not negotiated");
        }
        boolean large = has(VirtioFeatures.HOST_SEGMENTATION);
        int whole = large ? TransmitQueue.LONGEST_FRAME : TransmitQueue.FRAME_ROOM;
        boolean cut = offload.segmentation() != PacketOffload.Segmentation.NONE;
        TransmitQueue transmit = roomFor(frame, offset, length, cut ? TransmitQueue.LONGEST_PACKET : whole);
        if (transmit == null) {
            return false;
        }
        transmit.put(frame, offset, length, offload);
        return true;
    }

    /** Whether the device does this for transmitted packets. */
    public boolean canSend(PacketOffload offload) {
        if (offload.isNothing()) {
            return true;
        }
        boolean kind = switch (offload.segmentation()) {
            case NONE -> true;
            case TCP_IPV4 -> has(VirtioFeatures.HOST_TSO4);
            case TCP_IPV6 -> has(VirtioFeatures.HOST_TSO6);
            case UDP -> has(VirtioFeatures.HOST_USO);
        };
        return kind
                && offload.checksumNeeded()
                && has(VirtioFeatures.CSUM)
                && (!offload.congestionExperienced() || has(VirtioFeatures.HOST_ECN));
    }

    /** The queue that a frame goes through, with room for it; null if there is none now. */
    private @Nullable TransmitQueue roomFor(byte[] frame, int offset, int length, int longest) {
        QueuePairs all = opened();
        int inUse = all.inUse();
        QueuePair pair = all.get(inUse == 1 ? 0 : flows.pair(frame, offset, length, inUse));
        TransmitQueue transmit = pair.transmit();
        int slots = transmit.slotsFor(length);
        if (length > longest || slots > transmit.slots()) {
            throw new IllegalArgumentException("frame of " + length + " bytes");
        }
        return failure == null && pair.makeRoom(slots) ? transmit : null;
    }

    @Override
    public void flush() {
        QueuePairs all = opened();
        if (stopped() == null) {
            all.publishTransmits();
        }
    }

    /**
     * {@inheritDoc} After used_event says "at the next frame", used.idx is read again behind a full fence: a frame that came
     * between the last look and the store would never interrupt (virtio 1.2 section 2.7.10).
     */
    @Override
    public int poll(int budget, FrameReceiver receiver) {
        QueuePairs all = opened();
        if (configChanged) {
            configurationChanged();
        }
        all.reap();
        int work = 0;
        int first = firstPair;
        for (int i = 0; i < all.count() && work < budget && stopped() == null; i++) {
            work += all.get((first + i) % all.count()).receive(budget - work, budget, receiver);
        }
        firstPair = (first + 1) % all.count();
        return work;
    }

    private void configurationChanged() {
        configChanged = false;
        int status = transport.status();
        if ((status & ModernTransport.NEEDS_RESET) != 0) {
            failure = "device_status 0x" + Integer.toHexString(status) + ": DEVICE_NEEDS_RESET";
            return;
        }
        readLink();
        if (has(VirtioFeatures.GUEST_ANNOUNCE)
                && has(VirtioFeatures.STATUS)
                && (transport.config16(CONFIG_STATUS) & STATUS_ANNOUNCE) != 0
                && commands != null) {
            announcements += commands.acknowledgeAnnouncement() ? 1 : 0;
            failure = commands.broken() ? "the control queue does not answer" : failure;
        }
    }

    /**
     * Takes the first transmit queue back from the device and sets it up anew (virtio 1.2 section 2.6.1). Frames that the
     * device has not returned may have been sent or not.
     *
     * @throws IllegalStateException if RING_RESET was not negotiated
     */
    public void resetTransmitQueue() {
        resetTransmitQueue(0);
    }

    /** The same for that of a pair, 0 to {@link #queuePairs} - 1. */
    public void resetTransmitQueue(int pair) {
        opened().resetTransmit(pair);
    }

    /** The same for the first receive queue. Frames that were received and not polled are lost. */
    public void resetReceiveQueue() {
        resetReceiveQueue(0);
    }

    /** The same for that of a pair, 0 to {@link #queuePairs} - 1. */
    public void resetReceiveQueue(int pair) {
        opened().resetReceive(pair);
    }

    /** {@inheritDoc} With several pairs, of the one that has the fewest. A long packet takes several. */
    @Override
    public int transmitSlots() {
        return opened().leastFree();
    }

    /** {@inheritDoc} In slots: a long packet counts for several. */
    @Override
    public int transmitsInFlight() {
        return opened().inFlight();
    }

    /** {@inheritDoc} Looks at the used rings in RAM only; also true once the driver has stopped. */
    @Override
    public boolean transmitHung() {
        String failed = stopped();
        return found(failed == null ? opened().transmitHangs() : List.of(failed));
    }

    private boolean found(List<String> lines) {
        if (!lines.isEmpty()) {
            report = lines.stream().map(LOG::concat).toList();
        }
        return !lines.isEmpty();
    }

    @Override
    public boolean receiveStalled() {
        return found(opened().receiveStalls());
    }

    @Override
    public List<String> report() {
        return report;
    }

    @Override
    public long receiveErrors() {
        return opened().dropped();
    }

    /** {@inheritDoc} Kicks of all queues for packets. */
    @Override
    public long doorbells() {
        return opened().receiveKicks() + opened().transmitKicks();
    }

    /** Kicks of the transmit queues. */
    public long transmitDoorbells() {
        return opened().transmitKicks();
    }

    @Override
    public long doorbellsSuppressed() {
        return opened().suppressedKicks();
    }
}
