package io.iolab.devices.virtio.net;

import io.iolab.devices.virtio.queue.SplitRing;
import java.util.SplittableRandom;

/** A driver's end of the control queue, virtio 1.2 section 5.1.6.5. */
final class ControlPort {
    static final int OK = 0;
    static final int ERR = 1;
    /** What a test leaves where the ack goes. */
    static final int UNTOUCHED = 0xEE;

    private final Lab lab;
    private final int queue;
    private final SplittableRandom random = new SplittableRandom(4);
    private final long area;

    ControlPort(Lab lab, int queue) {
        this.lab = lab;
        this.queue = queue;
        area = lab.allocate(32768, 16);
    }

    static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    /** A command in one readable and one writable buffer. */
    int send(int... command) {
        return send(bytes(command), 1);
    }

    int send(byte[] command) {
        return send(command, 1);
    }

    /** A command whose readable part is cut into so many descriptors. */
    int send(byte[] command, int pieces) {
        return exchange(command, pieces, 1)[0] & 0xFF;
    }

    /** @return the writable part after the command */
    byte[] exchange(byte[] command, int pieces, int room) {
        SplitRing ring = lab.rings[queue];
        lab.ram.write(area, command, 0, command.length);
        long answer = area + command.length;
        lab.ram.fill(answer, room, (byte) UNTOUCHED);
        int used = ring.usedIdx();
        int descriptor = 0;
        int from = 0;
        for (int i = 0; i < pieces; i++) {
            int to = i == pieces - 1 ? command.length : random.nextInt(from, command.length + 1);
            ring.descriptor(descriptor, area + from, to - from, SplitRing.NEXT, descriptor + 1);
            descriptor++;
            from = to;
        }
        for (int i = 0; i < room; i++) {
            int flags = SplitRing.WRITE | (i < room - 1 ? SplitRing.NEXT : 0);
            ring.descriptor(descriptor, answer + i, 1, flags, descriptor + 1);
            descriptor++;
        }
        ring.offer(0);
        ring.publish();
        lab.kick(queue);
        lab.poll();
        if (ring.usedIdx() != (used + 1 & 0xFFFF)) {
            throw new AssertionError("the command was not used");
        }
        return lab.bytes(answer, room);
    }
}
