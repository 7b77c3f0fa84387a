package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.net.OffloadPort;
import io.iolab.devices.net.PacketOffload;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.devices.time.Clock;
import io.iolab.devices.virtio.DeviceType;
import io.iolab.devices.virtio.NotifyWindow;
import io.iolab.devices.virtio.VirtioPci;
import io.iolab.devices.virtio.queue.RingFeatures;
import io.iolab.devices.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/**
 * A virtio network device on PCI: receiveq and transmitq of pair i are queues 2i and 2i + 1. The control queue is the one
 * behind all pairs if MQ or RSS was negotiated, else queue 2.
 *
 * <p>A kick only marks its queue. {@link #poll} carries out commands, transmits, then decides for each queue whether what was
 * published since the last poll is worth an interrupt. While it has more to do than its budget allowed, kicks stay suppressed
 * and {@link #workPending} is true; so they do while a frame waits for a busy wire, which only another poll can move. When
 * {@link #poll} runs the transmit ring dry, kicks are on again.
 *
 * <p>{@link #send(byte[], int, int)} answers FILTERED while there is no driver or no link and for frames that the driver does
 * not want, BUSY while there are not enough receive buffers (a kick of the receive queue then announces new ones), ACCEPTED
 * when the frame is in guest memory and in the used ring.
 *
 * <p>Two such devices whose wires are each other exchange packets of 64 KiB, uncut, where both drivers negotiated it. For an
 * owner that polls all the time, {@link #polled} keeps kicks off for good.
 *
 * <p>While the command register's bus master bit is clear nothing moves, and nothing is lost.
 */
public final class VirtioNet implements NetworkFunction, OffloadPort {
    /** receiveq1. */
    public static final int RECEIVE_QUEUE = 0;

    /** transmitq1. */
    public static final int TRANSMIT_QUEUE = 1;

    private static final int DEVICE_TYPE = 1;
    private static final int ETHERNET_CONTROLLER = 0x020000;
    private static final int NO_QUEUE = -1;
    private static final int SINGLE_PAIR_CONTROL_QUEUE = 2;

    private final VirtioNetOptions options;
    private final NetConfig netConfig;
    private final VirtioPci transport;
    private final VirtioNetCounters counters;
    private final TransmitPath transmitPath;
    private final ReceivePath receivePath;
    private final ReceiveFilter filter;
    private final PacketHash hash = new PacketHash();
    private final Steering steering = new Steering(hash);
    private final Moderation moderation;
    private final Commands commands;
    private final ControlQueue controlQueue;
    private @Nullable Virtqueue[] queues;
    private long features;
    private int controlIndex = NO_QUEUE;
    /** Pairs whose queues the negotiated features give a meaning. */
    private int pairs;

    private boolean polling;

    /**
     * @param dma memory as the device reaches it
     * @param intx INTA#
     * @param wire takes transmitted frames of 14 to 16384 bytes; an {@link OffloadPort} also what it says it takes
     * @param clock read only while notifications are coalesced
     */
    public VirtioNet(VirtioNetOptions options, DmaPort dma, InterruptPin intx, FramePort wire, Clock clock) {
        this.options = options;
        netConfig = new NetConfig(options);
        queues = new @Nullable Virtqueue[options.queues()];
        moderation = new Moderation(clock, options.queues());
        transport = new VirtioPci(this, new NetType(), DEVICE_TYPE, ETHERNET_CONTROLLER, dma, intx);
        counters = new VirtioNetCounters(transport);
        filter = new ReceiveFilter(netConfig, options, counters);
        receivePath = new ReceivePath(transport, options, filter, hash, steering, counters);
        transmitPath = new TransmitPath(transport, wire, netConfig, steering, options, counters);
        Commands.Target target = new CommandTarget();
        commands =
                new Commands(target, options.queuePairs(), netConfig, filter, hash, steering, receivePath, moderation);
        controlQueue = new ControlQueue(transport, commands, counters);
    }

    /**
     * Never asks for a kick: the owner calls {@link #poll} all the time, and {@link #workPending} is true while a driver runs. With
     * VIRTIO_F_EVENT_IDX avail_event stays where it is, because the split ring has no way to say "never" (virtio 1.2 section
     * 2.7.10.1): one kick in 65536 entries of a queue comes all the same. To be called before the device is used.
     */
    public VirtioNet polled() {
        transmitPath.polled();
        receivePath.polled();
        return this;
    }

    /** The transport's view of this device. */
    private final class NetType implements DeviceType {
        @Override
        public long offeredFeatures() {
            return options.offeredFeatures();
        }

        @Override
        public boolean accepts(long wanted) {
            return NetFeatures.complete(wanted);
        }

        @Override
        public int queues() {
            return options.queues();
        }

        @Override
        public int vectors() {
            return options.vectorsOrDefault();
        }

        @Override
        public int queueSize(int queue) {
            return options.queueSize(queue);
        }

        @Override
        public int configBytes() {
            return netConfig.bytes();
        }

        @Override
        public int configByte(int offset) {
            return netConfig.read(offset);
        }

        @Override
        public String configField(int offset) {
            return NetConfig.fieldAt(offset);
        }

        @Override
        public void start(long negotiated, @Nullable Virtqueue[] enabled) {
            startDevice(negotiated, enabled);
        }

        @Override
        public void stop() {
            stopDevice();
        }

        @Override
        public void stopQueue(int queue) {
            Virtqueue stopped = queues[queue];
            if (stopped != null) {
                counters.retire(stopped);
            }
            moderation.queueReset(queue);
            use(queue, null);
        }

        @Override
        public void startQueue(int queue, Virtqueue restarted) {
            use(queue, restarted);
        }

        @Override
        public void kicked(int queue) {
            int pair = queue >>> 1;
            boolean transmit = (queue & 1) == TRANSMIT_QUEUE;
            if (queue == controlIndex) {
                controlQueue.kicked();
            } else if (queue >= 2 * pairs || !(transmit ? steering.transmits(pair) : steering.receives(pair))) {
                counters.kicksDisabled++;
            } else if (transmit) {
                transmitPath.transmitter(pair).kicked();
            } else {
                receivePath.receiver(pair).kicked();
            }
        }
    }

    /** What commands reach of this device. */
    private final class CommandTarget implements Commands.Target {
        @Override
        public void configurationChanged() {
            transport.configurationChanged(false);
        }

        /** A queue that comes into use may hold buffers of which no kick was heard. */
        @Override
        public void pairsChanged() {
            transmitPath.kicked();
        }

        @Override
        public boolean carriesPackets(int queue) {
            return queue < 2 * pairs && queues[queue] != null;
        }
    }

    private void startDevice(long negotiated, @Nullable Virtqueue[] enabled) {
        boolean several = (negotiated & (NetFeatures.MQ | NetFeatures.RSS)) != 0;
        features = negotiated;
        queues = enabled;
        pairs = several ? options.queuePairs() : 1;
        counters.queues(enabled);
        filter.start(negotiated);
        commands.start(negotiated);
        receivePath.start(negotiated, enabled, pairs);
        transmitPath.start(negotiated, enabled, pairs);
        if (RingFeatures.has(negotiated, NetFeatures.CTRL_VQ)) {
            controlIndex = several ? 2 * pairs : SINGLE_PAIR_CONTROL_QUEUE;
            controlQueue.start(enabled[controlIndex]);
        }
    }

    private void stopDevice() {
        boolean wasChanged = netConfig.announce() || netConfig.mac() != netConfig.permanentMac();
        queues = new @Nullable Virtqueue[options.queues()];
        features = 0;
        pairs = 0;
        controlIndex = NO_QUEUE;
        counters.queues(queues);
        transmitPath.stop();
        receivePath.stop();
        controlQueue.stop();
        steering.reset();
        hash.reset();
        filter.start(0);
        moderation.reset();
        netConfig.reset();
        if (wasChanged) {
            transport.configurationChanged(false);
        }
    }

    /** Gives a queue its ring, or takes it away. */
    private void use(int queue, @Nullable Virtqueue ring) {
        queues[queue] = ring;
        if (queue == controlIndex) {
            controlQueue.start(ring);
        } else if (queue >= 2 * pairs) {
            return;
        } else if ((queue & 1) == TRANSMIT_QUEUE) {
            transmitPath.transmitter(queue >>> 1).start(ring, features);
        } else {
            receivePath.receiver(queue >>> 1).start(ring, features);
        }
    }

    @Override
    public ConfigSpace config() {
        return transport.config();
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        return transport.readBar(bar, offset, width);
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        transport.writeBar(bar, offset, width, value);
    }

    /**
     * A call from inside a call, by a wire that answers at once, does nothing: the outer one is at it.
     *
     * @return frames sent, chains of transmit queues dropped for a counted reason, and commands answered
     */
    @Override
    public int poll(int budget) {
        if (polling || !transport.running()) {
            return 0;
        }
        polling = true;
        try {
            return serve(budget);
        } finally {
            polling = false;
        }
    }

    private int serve(int budget) {
        int served = controlQueue.pending() ? controlQueue.poll(budget) : 0;
        served += transmitPath.poll(budget - served);
        for (int i = 0; i < pairs; i++) {
            receivePath.receiver(i).poll();
        }
        for (int i = 0; i < queues.length; i++) {
            decideInterrupt(i);
        }
        return served;
    }

    private void decideInterrupt(int index) {
        Virtqueue queue = queues[index];
        if (queue == null || !queue.interruptUndecided() || moderation.active() && !due(index, queue)) {
            return;
        }
        boolean wanted = queue.interruptWanted();
        counters.interruptsSuppressed += wanted ? 0 : 1;
        if (wanted) {
            transport.interrupt(index);
        }
        RingFault fault = queue.fault();
        if (fault != null) {
            transport.ringFault(fault);
        }
    }

    /** Whether coalescing lets a queue's used buffers be told of now; it is about to be if so. */
    private boolean due(int index, Virtqueue queue) {
        return moderation.settle(index, packets(index, queue));
    }

    /** A packet may take several receive buffers, but is one chain when it is sent. */
    private long packets(int index, Virtqueue queue) {
        return index < 2 * pairs && (index & 1) == RECEIVE_QUEUE
                ? receivePath.receiver(index >>> 1).packets()
                : queue.chains();
    }

    /** When the first coalesced notification is due. */
    @Override
    public long nextDeadlineNanos() {
        return moderation.nextDeadlineNanos();
    }

    @Override
    public boolean workPending() {
        if (!transport.running()) {
            return false;
        }
        if (controlQueue.pending() || transmitPath.pending()) {
            return true;
        }
        for (int i = 0; i < pairs; i++) {
            if (receivePath.receiver(i).pending()) {
                return true;
            }
        }
        for (int i = 0; i < queues.length; i++) {
            Virtqueue queue = queues[i];
            if (queue != null
                    && queue.interruptUndecided()
                    && (!moderation.active() || moderation.due(i, packets(i, queue)))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void reset() {
        transport.reset();
    }

    @Override
    public String registerName(int bar, long offset) {
        return transport.registerName(bar, offset);
    }

    private boolean listening() {
        return transport.running() && netConfig.linkUp();
    }

    @Override
    public Delivery send(byte[] frame, int offset, int length) {
        if (!listening()) {
            counters.rxFiltered++;
            return Delivery.FILTERED;
        }
        return receivePath.send(frame, offset, length);
    }

    /** {@inheritDoc} Those are the receive offloads that the driver negotiated and has switched on. */
    @Override
    public boolean takes(PacketOffload offload) {
        return listening() && receivePath.takes(offload);
    }

    @Override
    public Delivery send(byte[] frame, int offset, int length, PacketOffload offload) {
        if (!listening()) {
            counters.rxFiltered++;
            return Delivery.FILTERED;
        }
        return receivePath.send(frame, offset, length, offload);
    }

    /** Changes net status bit 0 and tells a driver that negotiated STATUS (virtio 1.2 section 5.1.4). */
    @Override
    public void setLink(boolean connected) {
        if (netConfig.linkUp() != connected) {
            netConfig.linkUp(connected);
            transport.configurationChanged(RingFeatures.has(features, NetFeatures.STATUS));
        }
    }

    /**
     * Asks the driver to announce itself to the network, as a virtual machine monitor does after it has moved a guest (virtio
     * 1.2 section 5.1.6.5.4). Repeated until the driver acknowledges, it is one request.
     *
     * @return false if there is no driver that could
     */
    public boolean requestAnnouncement() {
        if (!transport.running() || !RingFeatures.has(features, NetFeatures.GUEST_ANNOUNCE)) {
            return false;
        }
        netConfig.announce(true);
        transport.configurationChanged(true);
        return true;
    }

    public VirtioNetCounters counters() {
        return counters;
    }

    /** Where the driver kicks. */
    public NotifyWindow notifyWindow() {
        return transport.notifyWindow();
    }

    /** The same as a notify write for this queue: 0 receiveq1, 1 transmitq1 and so on. */
    public void kick(int queueIndex) {
        transport.notifyQueue(queueIndex);
    }
}
