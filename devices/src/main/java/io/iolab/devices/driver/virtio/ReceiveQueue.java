package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.FrameReceiver;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A receive queue: every descriptor has a buffer. Buffers go back when more than half a budget (or half a queue) of them is
 * out, as in Linux.
 */
final class ReceiveQueue {
    /** The longest frame that any feature set allows. */
    private static final int LONGEST_FRAME = 65_597;

    private final DriverQueue queue;
    private final Memory ram;
    private final int bufferSize;
    private final boolean mergeable;
    private final int headerBytes;
    private final @Nullable ReceivedHeader header;
    private final long buffersPa;
    private final long[] buffersBus;
    private final byte[] scratch = new byte[LONGEST_FRAME];
    private boolean inUse;
    private boolean filledOnce;
    private int filled;
    private int buffersToCome;
    private boolean damaged;
    private int unpublished;
    private long dropped;

    /** @param header takes each frame's header, if these are worth reading */
    ReceiveQueue(
            DriverPlatform platform,
            DriverQueue queue,
            int bufferSize,
            long features,
            @Nullable ReceivedHeader header) {
        this.queue = queue;
        this.header = header;
        this.ram = platform.ram();
        this.bufferSize = bufferSize;
        this.mergeable = (features & VirtioFeatures.MRG_RXBUF) != 0;
        headerBytes = new PacketHeader(features).bytes();
        buffersPa = platform.allocate((long) queue.size() * bufferSize, AddressRange.PAGE_SIZE);
        buffersBus = new long[queue.size()];
        Arrays.setAll(buffersBus, i -> platform.busAddress(bufferPa(i)));
    }

    private long bufferPa(int id) {
        return buffersPa + (long) id * bufferSize;
    }

    /** Frames thrown away because their length or buffer count made no sense. */
    long dropped() {
        return dropped;
    }

    /** The device is to receive here: it gets every buffer. After DRIVER_OK, since it kicks. */
    void use() {
        inUse = true;
        if (filledOnce) {
            publish();
        } else {
            fill();
        }
    }

    /** The device does not receive here any more, so the queue must not be kicked (5.1.6.5.5); it keeps its buffers. */
    void rest() {
        inUse = false;
    }

    private void fill() {
        filledOnce = true;
        queue.armInterrupt(0);
        for (int i = 0; i < queue.size(); i++) {
            giveBack(i);
        }
        publish();
    }

    /** After a reset of the queue: a frame of which only a part was there is lost. */
    void reset() {
        filled = 0;
        buffersToCome = 0;
        damaged = false;
        unpublished = 0;
        fill();
    }

    private void giveBack(int id) {
        queue.add(id, buffersBus[id], bufferSize, true);
        unpublished++;
    }

    private void publish() {
        if (inUse) {
            unpublished = 0;
            queue.publish();
        }
    }

    /**
     * Delivers frames until there are no more or {@code limit} is reached.
     *
     * @param budget what the whole poll may deliver
     * @return frames, damaged ones included; or -1 if the device returned what it does not have
     */
    int receive(int limit, int budget, FrameReceiver receiver) {
        int work = 0;
        while (work < limit && queue.hasUsed()) {
            int id = queue.usedToken();
            if (id == DriverQueue.NO_BUFFER) {
                return -1;
            }
            int length = queue.usedLength();
            queue.consume();
            gather(bufferPa(id), length);
            giveBack(id);
            if (buffersToCome == 0) {
                deliver(receiver);
                work++;
            }
        }
        if (unpublished > Math.min(budget, queue.size()) / 2) {
            publish();
        }
        return work;
    }

    /** Interrupts on again. @return false if a frame came in between: receive again */
    boolean rearm() {
        return queue.armInterrupt(0);
    }

    /** Only the first buffer of a frame carries the header, and it says how many there are (5.1.6.4). */
    private void gather(long buffer, int length) {
        int start = 0;
        if (buffersToCome == 0) {
            start = headerBytes;
            buffersToCome = mergeable ? Math.max(1, ram.readShort(buffer + PacketHeader.NUM_BUFFERS) & 0xFFFF) : 1;
            if (header != null) {
                header.read(ram, buffer, length >= headerBytes);
            }
        }
        buffersToCome--;
        int bytes = length - start;
        if (bytes < 0 || length > bufferSize || filled + bytes > scratch.length) {
            damaged = true;
        } else {
            ram.read(buffer + start, scratch, filled, bytes);
            filled += bytes;
        }
    }

    private void deliver(FrameReceiver receiver) {
        int length = filled;
        boolean usable = !damaged && length > 0;
        filled = 0;
        damaged = false;
        if (usable) {
            receiver.frame(scratch, 0, length);
        } else {
            dropped++;
        }
    }
}
