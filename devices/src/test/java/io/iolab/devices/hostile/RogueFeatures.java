package io.iolab.devices.hostile;

import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.queue.RingFeatures;
import java.util.SplittableRandom;

/** A driver's choice of features: any, though mostly such as the device accepts (virtio 1.2 5.1.3.1). */
final class RogueFeatures {
    /** What others need; with these a random choice is complete. */
    private static final long REQUIRED = NetFeatures.CSUM
            | NetFeatures.GUEST_CSUM
            | NetFeatures.HOST_TSO4
            | NetFeatures.GUEST_TSO4
            | NetFeatures.CTRL_VQ;

    /** A device that is offered with ACCESS_PLATFORM does without it no more than without VERSION_1 (section 6.1). */
    static final long PLAIN = RingFeatures.VERSION_1 | RingFeatures.ACCESS_PLATFORM;

    private static final int HEADER = 12;
    private static final int HASH_HEADER = 20;

    private RogueFeatures() {}

    static long choose(SplittableRandom random, long offered) {
        long wanted = offered & random.nextLong();
        if (random.nextInt(32) != 0) {
            wanted |= offered & REQUIRED | PLAIN;
        }
        // Packed three times out of four.
        return random.nextInt(2) == 0 ? wanted | offered & RingFeatures.RING_PACKED : wanted;
    }

    static boolean packed(long features) {
        return RingFeatures.has(features, RingFeatures.RING_PACKED);
    }

    static int headerBytes(long features) {
        return RingFeatures.has(features, NetFeatures.HASH_REPORT) ? HASH_HEADER : HEADER;
    }

    /** Queues that have a meaning, the control queue not among them. */
    static int packetQueues(long features) {
        return (features & (NetFeatures.MQ | NetFeatures.RSS)) != 0 ? 16 : 2;
    }

    /** A split ring has a power of two of descriptors; a packed one any number. */
    static int size(SplittableRandom random, boolean packed) {
        int most = random.nextInt(8) == 0 ? 256 : 16;
        return packed
                ? 1 + random.nextInt(most)
                : 1 << random.nextInt(Integer.numberOfTrailingZeros(Integer.highestOneBit(most)) + 1);
    }
}
