package io.iolab.devices.virtio.net;

import io.iolab.devices.net.FramePort;
import io.iolab.devices.virtio.VirtioPci;
import io.iolab.devices.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/** The transmit queues of all pairs, each served in its turn. */
final class TransmitPath {
    private final Steering steering;
    private final Transmitter[] transmitters;
    /** Pairs whose queues the negotiated features give a meaning. */
    private int pairs;

    /** The pair that a poll starts with, so that none is served before the others for good. */
    private int firstPair;

    TransmitPath(
            VirtioPci transport,
            FramePort wire,
            NetConfig netConfig,
            Steering steering,
            VirtioNetOptions options,
            VirtioNetCounters counters) {
        this.steering = steering;
        transmitters = new Transmitter[options.queuePairs()];
        for (int i = 0; i < transmitters.length; i++) {
            transmitters[i] = new Transmitter(transport, wire, netConfig, steering, i, options, counters);
        }
    }

    Transmitter transmitter(int pair) {
        return transmitters[pair];
    }

    /** See {@link VirtioNet#polled}. */
    void polled() {
        for (Transmitter transmitter : transmitters) {
            transmitter.polled();
        }
    }

    /** @param usablePairs those whose queues are what their number says */
    void start(long features, @Nullable Virtqueue[] queues, int usablePairs) {
        pairs = usablePairs;
        for (int i = 0; i < usablePairs; i++) {
            transmitters[i].start(queues[2 * i + 1], features);
        }
    }

    void stop() {
        pairs = 0;
        for (Transmitter transmitter : transmitters) {
            transmitter.stop();
        }
    }

    /** Looks at every queue in use, of which a kick may not have been heard. */
    void kicked() {
        for (int i = 0; i < pairs; i++) {
            if (steering.transmits(i)) {
                transmitters[i].kicked();
            }
        }
    }

    boolean pending() {
        for (int i = 0; i < pairs; i++) {
            if (transmitters[i].pending() && steering.transmits(i)) {
                return true;
            }
        }
        return false;
    }

    /** @return frames sent, and chains dropped */
    int poll(int budget) {
        if (pairs == 1) {
            return transmitters[0].poll(budget);
        }
        int served = 0;
        int first = firstPair;
        // A frame may come back to this device and stop it, which leaves no pairs.
        for (int i = 0; i < pairs && served < budget; i++) {
            int pair = (first + i) % pairs;
            if (steering.transmits(pair)) {
                served += transmitters[pair].poll(budget - served);
            }
        }
        firstPair = pairs == 0 ? 0 : (first + 1) % pairs;
        return served;
    }
}
