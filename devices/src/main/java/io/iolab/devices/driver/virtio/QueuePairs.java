package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.pci.MsixVectors;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * All queue pairs of a driver: how they are set up and reset, how many of them are in use, and what they amount to. Pair
 * {@code i} has queues 2i and 2i + 1 (virtio 1.2 section 5.1.2) and the two vectors behind the configuration's. Where the device has
 * not that many, the first is everyone's.
 */
final class QueuePairs {
    private static final int VECTOR_CONFIG = 0;

    private final DriverPlatform platform;
    private final ModernTransport transport;
    private final VirtioOptions options;
    private final long features;
    private final QueuePair[] pairs;
    private final boolean sharedVector;
    /** Those that frames are sent on and received. */
    private int inUse = 1;

    /** @throws DriverException if the device lacks a queue or a vector */
    QueuePairs(
            int count,
            DriverPlatform platform,
            ModernTransport transport,
            VirtioOptions options,
            long features,
            MsixVectors vectors,
            @Nullable ReceivedHeader header) {
        this.platform = platform;
        this.transport = transport;
        this.options = options;
        this.features = features;
        sharedVector = vectors.size() < VECTOR_CONFIG + 1 + 2 * count;
        pairs = new QueuePair[count];
        for (int i = 0; i < count; i++) {
            pairs[i] = setUp(i, vectors, header);
        }
    }

    private int receiveVector(int pair) {
        return sharedVector ? VECTOR_CONFIG : VECTOR_CONFIG + 1 + 2 * pair;
    }

    private int transmitVector(int pair) {
        return sharedVector ? VECTOR_CONFIG : receiveVector(pair) + 1;
    }

    /** An interrupt of the configuration's vector, which may have come from any queue if all share it (section 4.1.5.4.2). */
    void configInterrupt() {
        if (sharedVector) {
            for (QueuePair pair : pairs) {
                pair.receiveInterrupt();
            }
        }
    }

    private QueuePair setUp(int number, MsixVectors vectors, @Nullable ReceivedHeader header) {
        DriverQueue receiveRing = queue(2 * number, 0);
        DriverQueue transmitRing = queue(2 * number + 1, TransmitQueue.parts(features));
        ReceiveQueue receive = new ReceiveQueue(platform, receiveRing, options.bufferSize(), features, header);
        TransmitQueue transmit = new TransmitQueue(platform, transmitRing, options.header(), features);
        boolean eventIdx = (features & VirtioFeatures.EVENT_IDX) != 0;
        QueuePair pair = new QueuePair(receiveRing, transmitRing, receive, transmit, eventIdx);
        if (!sharedVector) {
            vectors.route(receiveVector(number), platform.allocateMessage(() -> {
                pair.receiveInterrupt();
                return true;
            }));
            vectors.route(transmitVector(number), platform.allocateMessage(() -> true));
        }
        transport.enableQueue(receiveRing, receiveVector(number));
        transport.enableQueue(transmitRing, transmitVector(number));
        return pair;
    }

    /** @param parts the most that a buffer has where it is not one */
    DriverQueue queue(int index, int parts) {
        int size = Math.min(transport.queueSize(index), options.largestQueue());
        if ((features & VirtioFeatures.RING_PACKED) == 0) {
            size = Integer.highestOneBit(size);
        }
        return DriverQueue.create(platform, index, size, features, parts);
    }

    int count() {
        return pairs.length;
    }

    QueuePair get(int pair) {
        return pairs[pair];
    }

    int inUse() {
        return inUse;
    }

    /** The device has agreed to use so many; the others keep their buffers and are not kicked. */
    void use(int wanted) {
        inUse = wanted;
        for (int i = 0; i < pairs.length; i++) {
            if (i < wanted) {
                pairs[i].receive().use();
            } else {
                pairs[i].receive().rest();
            }
        }
    }

    /** What the device did wrong, or null. */
    @Nullable
    String failure() {
        for (QueuePair pair : pairs) {
            if (pair.failure() != null) {
                return pair.failure();
            }
        }
        return null;
    }

    void resetTransmit(int pair) {
        takeBack(pairs[pair].transmitRing());
        pairs[pair].transmit().reset();
        transport.enableQueue(pairs[pair].transmitRing(), transmitVector(pair));
    }

    void resetReceive(int pair) {
        takeBack(pairs[pair].receiveRing());
        transport.enableQueue(pairs[pair].receiveRing(), receiveVector(pair));
        pairs[pair].receive().reset();
    }

    private void takeBack(DriverQueue ring) {
        if ((features & VirtioFeatures.RING_RESET) == 0) {
            throw new IllegalStateException("RING_RESET was not negotiated");
        }
        transport.resetQueue(ring.index());
        ring.reset();
    }

    void publishTransmits() {
        for (int i = 0; i < inUse; i++) {
            pairs[i].transmitRing().publish();
        }
    }

    void reap() {
        for (QueuePair pair : pairs) {
            pair.reap();
        }
    }

    /** Free slots of the pair in use that has the fewest. */
    int leastFree() {
        int least = Integer.MAX_VALUE;
        for (int i = 0; i < inUse; i++) {
            least = Math.min(least, pairs[i].transmit().free());
        }
        return least;
    }

    int inFlight() {
        int sum = 0;
        for (QueuePair pair : pairs) {
            sum += pair.transmit().inFlight();
        }
        return sum;
    }

    /** A line for each pair whose transmit queue hangs, of all pairs. */
    List<String> transmitHangs() {
        long now = platform.clock().nanos();
        return lines(pair -> pair.transmitHang(now));
    }

    /** A line for each pair whose receive queue stalls. */
    List<String> receiveStalls() {
        return lines(QueuePair::receiveStall);
    }

    private List<String> lines(Function<QueuePair, @Nullable String> look) {
        List<String> found = new ArrayList<>();
        for (QueuePair pair : pairs) {
            String line = look.apply(pair);
            if (line != null) {
                found.add(line);
            }
        }
        return found;
    }

    long dropped() {
        long sum = 0;
        for (QueuePair pair : pairs) {
            sum += pair.receive().dropped();
        }
        return sum;
    }

    long receiveKicks() {
        long sum = 0;
        for (QueuePair pair : pairs) {
            sum += pair.receiveRing().kicks();
        }
        return sum;
    }

    long transmitKicks() {
        long sum = 0;
        for (QueuePair pair : pairs) {
            sum += pair.transmitRing().kicks();
        }
        return sum;
    }

    long suppressedKicks() {
        long sum = 0;
        for (QueuePair pair : pairs) {
            sum += pair.receiveRing().suppressedKicks() + pair.transmitRing().suppressedKicks();
        }
        return sum;
    }
}
