package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
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
 * A virtio network device on PCI: receiveq1 is queue 0, transmitq1 is queue 1.
 *
 * <p>A kick only marks its queue. {@link #poll} transmits, then decides for each queue whether what was published since the
 * last poll is worth an interrupt. While it has more to do than its budget allowed, kicks stay suppressed and
 * {@link #workPending} is true; so they do while a frame waits for a busy wire, which only another poll can move. When
 * {@link #poll} runs the transmit ring dry, kicks are on again.
 *
 * <p>{@link #send} answers FILTERED while there is no driver or no link, BUSY while there are not enough receive buffers (a
 * kick of queue 0 then announces new ones), ACCEPTED when the frame is in guest memory and in the used ring.
 *
 * <p>While the command register's bus master bit is clear nothing moves, and nothing is lost.
 */
public final class VirtioNet implements NetworkFunction {
    /** receiveq1. */
    public static final int RECEIVE_QUEUE = 0;

    /** transmitq1. */
    public static final int TRANSMIT_QUEUE = 1;

    private static final int QUEUES = 2;
    private static final int DEVICE_TYPE = 1;
    private static final int ETHERNET_CONTROLLER = 0x020000;

    private final long offeredFeatures;
    private final int queueSize;
    private final NetConfig netConfig;
    private final VirtioPci transport;
    private final VirtioNetCounters counters;
    private final Transmitter transmitter;
    private final Receiver receiver;
    private @Nullable Virtqueue[] queues = new @Nullable Virtqueue[QUEUES];
    private long features;

    /**
     * @param dma memory as the device reaches it
     * @param intx INTA#
     * @param wire takes transmitted frames of 14 to 16384 bytes
     * @param clock not read yet: nothing in the device depends on time
     */
    public VirtioNet(VirtioNetOptions options, DmaPort dma, InterruptPin intx, FramePort wire, Clock clock) {
        offeredFeatures = options.offeredFeatures();
        queueSize = options.queueSize();
        netConfig = new NetConfig(options);
        transport = new VirtioPci(this, new NetType(), DEVICE_TYPE, ETHERNET_CONTROLLER, dma, intx);
        counters = new VirtioNetCounters(transport);
        transmitter = new Transmitter(transport, wire, netConfig, counters);
        receiver = new Receiver(transport, counters);
    }

    /** The transport's view of this device. */
    private final class NetType implements DeviceType {
        @Override
        public long offeredFeatures() {
            return offeredFeatures;
        }

        /** None of the implemented features depends on another (virtio 1.2 section 5.1.3.1). */
        @Override
        public boolean accepts(long wanted) {
            return true;
        }

        @Override
        public int queues() {
            return QUEUES;
        }

        @Override
        public int queueSize(int queue) {
            return queueSize;
        }

        @Override
        public int configBytes() {
            return NetConfig.BYTES;
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
            features = negotiated;
            queues = enabled;
            counters.queues(enabled);
            transmitter.start(enabled[TRANSMIT_QUEUE]);
            receiver.start(enabled[RECEIVE_QUEUE], negotiated);
        }

        @Override
        public void stop() {
            queues = new @Nullable Virtqueue[QUEUES];
            features = 0;
            counters.queues(queues);
            transmitter.stop();
            receiver.stop();
        }

        @Override
        public void stopQueue(int queue) {
            Virtqueue stopped = queues[queue];
            if (stopped != null) {
                counters.retire(stopped);
            }
            use(queue, null);
        }

        @Override
        public void startQueue(int queue, Virtqueue restarted) {
            use(queue, restarted);
        }

        private void use(int queue, @Nullable Virtqueue ring) {
            queues[queue] = ring;
            if (queue == TRANSMIT_QUEUE) {
                transmitter.start(ring);
            } else {
                receiver.start(ring, features);
            }
        }

        @Override
        public void kicked(int queue) {
            if (queue == TRANSMIT_QUEUE) {
                transmitter.kicked();
            } else {
                receiver.kicked();
            }
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

    /** @return chains consumed from the transmit queue: frames sent, and frames dropped for a counted reason */
    @Override
    public int poll(int budget) {
        if (!transport.running()) {
            return 0;
        }
        int served = transmitter.poll(budget);
        receiver.poll();
        for (int i = 0; i < QUEUES; i++) {
            decideInterrupt(i);
        }
        return served;
    }

    private void decideInterrupt(int index) {
        Virtqueue queue = queues[index];
        if (queue == null || !queue.interruptUndecided()) {
            return;
        }
        if (queue.interruptWanted()) {
            transport.interrupt(index);
        } else {
            counters.interruptsSuppressed++;
        }
        RingFault fault = queue.fault();
        if (fault != null) {
            transport.ringFault(fault);
        }
    }

    /** No timers. */
    @Override
    public long nextDeadlineNanos() {
        return Long.MAX_VALUE;
    }

    @Override
    public boolean workPending() {
        return transport.running()
                && (transmitter.pending()
                        || receiver.pending()
                        || undecided(RECEIVE_QUEUE)
                        || undecided(TRANSMIT_QUEUE));
    }

    private boolean undecided(int index) {
        Virtqueue queue = queues[index];
        return queue != null && queue.interruptUndecided();
    }

    @Override
    public void reset() {
        transport.reset();
    }

    @Override
    public String registerName(int bar, long offset) {
        return transport.registerName(bar, offset);
    }

    @Override
    public Delivery send(byte[] frame, int offset, int length) {
        if (!transport.running() || !netConfig.linkUp()) {
            counters.rxFiltered++;
            return Delivery.FILTERED;
        }
        return receiver.send(frame, offset, length);
    }

    /** Changes net status bit 0 and tells a driver that negotiated STATUS (virtio 1.2 section 5.1.4). */
    @Override
    public void setLink(boolean connected) {
        if (netConfig.linkUp() != connected) {
            netConfig.linkUp(connected);
            transport.configurationChanged(RingFeatures.has(features, NetFeatures.STATUS));
        }
    }

    public VirtioNetCounters counters() {
        return counters;
    }

    /** Where the driver kicks. */
    public NotifyWindow notifyWindow() {
        return transport.notifyWindow();
    }

    /** The same as a notify write for this queue: 0 receiveq1, 1 transmitq1. */
    public void kick(int queueIndex) {
        transport.notifyQueue(queueIndex);
    }
}
