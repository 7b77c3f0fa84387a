package io.iolab.devices.hostile;

import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.queue.RingFeatures;
import java.util.SplittableRandom;

/**
 * All queues of a network device, with traffic in them: receive buffers, packets with offload headers, commands. Sound in
 * form; what the packets and commands say need not be.
 */
final class RogueDriver {
    static final int QUEUES = 17;
    private static final int MOST_RECEIVE_BYTES = 1600;
    private static final int ANSWER = 9;

    final RogueQueue[] queues = new RogueQueue[QUEUES];
    private SplittableRandom random;
    private long features;

    RogueDriver(GuestWindow window, SplittableRandom random) {
        this.random = random;
        for (int i = 0; i < QUEUES; i++) {
            queues[i] = new RogueQueue(window, i, random);
        }
    }

    void random(SplittableRandom source) {
        random = source;
        for (RogueQueue queue : queues) {
            queue.random(source);
        }
    }

    /** All queues empty and in their places, as these features have them. */
    void place(long negotiated) {
        features = negotiated;
        boolean packed = RogueFeatures.packed(negotiated);
        int size = RogueFeatures.size(random, packed);
        for (RogueQueue queue : queues) {
            queue.place(packed, Math.min(size, 64));
        }
        if (size > 64) {
            queues[random.nextInt(2)].place(packed, size);
        }
    }

    int packetQueues() {
        return RogueFeatures.packetQueues(features);
    }

    boolean hasControlQueue() {
        return RingFeatures.has(features, NetFeatures.CTRL_VQ);
    }

    /** Queue 2 for a driver of a single pair. */
    int controlQueue() {
        return packetQueues();
    }

    boolean isControl(int number) {
        return hasControlQueue() && number == controlQueue();
    }

    private boolean indirect() {
        return RingFeatures.has(features, RingFeatures.INDIRECT_DESC) && random.nextInt(4) == 0;
    }

    /** One more chain for a queue. */
    void traffic(int number) {
        RogueQueue queue = queues[number];
        if (isControl(number)) {
            command(queue);
        } else if ((number & 1) == 0) {
            receiveBuffers(queue);
        } else {
            packet(queue);
        }
        queue.offer(indirect());
    }

    private void receiveBuffers(RogueQueue queue) {
        int parts = random.nextInt(4) == 0 ? 1 + random.nextInt(4) : 1;
        for (int i = 0; i < parts; i++) {
            queue.part(queue.buffer(), 64 + random.nextInt(MOST_RECEIVE_BYTES), true);
        }
    }

    private void packet(RogueQueue queue) {
        byte[] bytes = RogueTraffic.packet(random, RogueFeatures.headerBytes(features));
        split(queue, queue.data(bytes), Math.min(bytes.length, 0x4000), random.nextInt(3) == 0 ? 4 : 1);
        if (random.nextInt(64) == 0) {
            queue.part(queue.buffer(), 16, true);
        }
    }

    /** The command in up to fourteen parts, then room for the answer: too little, enough, or scattered. */
    private void command(RogueQueue queue) {
        byte[] bytes = RogueTraffic.command(random);
        split(queue, queue.data(bytes), bytes.length, random.nextInt(4) == 0 ? 14 : 2);
        if (random.nextInt(32) == 0) {
            return;
        }
        if (random.nextInt(8) == 0) {
            queue.part(queue.buffer(), 0, true);
            queue.part(queue.buffer(), ANSWER, true);
        } else {
            queue.part(queue.buffer(), 1 + random.nextInt(ANSWER), true);
        }
    }

    private void split(RogueQueue queue, long iova, int length, int most) {
        int parts = 1 + random.nextInt(most);
        int done = 0;
        for (int i = 0; i < parts; i++) {
            int part = i == parts - 1 ? length - done : random.nextInt(length - done + 1);
            queue.part(iova + done, part, false);
            done += part;
        }
    }
}
