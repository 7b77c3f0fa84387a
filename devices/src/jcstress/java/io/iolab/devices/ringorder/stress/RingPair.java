package io.iolab.devices.ringorder.stress;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.driver.virtio.RingDriver;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.virtio.queue.DescriptorChain;
import io.iolab.devices.virtio.queue.PackedQueue;
import io.iolab.devices.virtio.queue.QueueLayout;
import io.iolab.devices.virtio.queue.RingFeatures;
import io.iolab.devices.virtio.queue.SplitQueue;
import io.iolab.devices.virtio.queue.Virtqueue;
import java.util.concurrent.atomic.AtomicLong;

/** Both ends of a ring of two descriptors with event indices, in a piece of memory of its own. */
abstract class RingPair {
    static final long SPLIT = RingFeatures.VERSION_1 | RingFeatures.EVENT_IDX;
    static final long PACKED = SPLIT | RingFeatures.RING_PACKED;

    /** What an actor answers when it finds nothing. */
    static final int NOTHING = -1;

    static final int PAYLOAD = 0x600D_DA7A;
    /** A buffer that nobody offered, or a ring that is broken. */
    static final int BROKEN = -2;

    private static final int SIZE = 2;
    private static final int LENGTH = 4;
    private static final int PIECE = 512;
    private static final int BUFFERS = 256;
    /** More pieces than the harness has states at a time. */
    private static final long PIECES = 1 << 19;

    private static final PhysicalMemory MEMORY = PhysicalMemory.allocate(PIECES * PIECE);
    private static final AtomicLong USED = new AtomicLong();

    private final byte[] scratch = new byte[LENGTH];
    final Memory ram;
    final DmaPort dma;
    final RingDriver driver;
    final Virtqueue device;
    final QueueLayout layout;
    final long buffersPa;

    RingPair(long features, boolean fenced) {
        long piece = PIECE * (USED.getAndIncrement() % PIECES);
        MEMORY.fill(piece, PIECE, (byte) 0);
        ram = fenced ? MEMORY : new UnfencedMemory(MEMORY);
        DirectDma direct = new DirectDma(ram, (address, data) -> {});
        dma = fenced ? direct : new UnfencedDma(direct);
        buffersPa = piece + BUFFERS;
        driver = new RingDriver(new StressMachine(ram, piece), SIZE, features, buffersPa, LENGTH, true);
        layout = new QueueLayout(driver.descriptorsBus(), driver.driverBus(), driver.deviceBus());
        device = (features & RingFeatures.RING_PACKED) == 0
                ? new SplitQueue(dma, SIZE, layout, features)
                : new PackedQueue(dma, SIZE, layout, features);
        driver.silenceInterrupts();
        device.disableKicks();
    }

    /** One buffer makes the round, so that initial event indices lie behind. */
    final void warm() {
        driver.offer(1);
        use();
        device.interruptWanted();
        driver.reap(1);
    }

    /** The device's part up to publishing. */
    final void use() {
        if (device.take() == Virtqueue.Take.CHAIN) {
            device.chain().next();
            device.complete(device.token(), LENGTH);
            device.publish();
        }
    }

    /** Both buffers' contents, then both at once. */
    final void fillAndOffer() {
        ram.writeInt(buffersPa, PAYLOAD);
        ram.writeInt(buffersPa + LENGTH, PAYLOAD);
        driver.offer(SIZE);
    }

    /** What is in the buffer that is available next. */
    final int takeAndRead() {
        Virtqueue.Take taken = device.take();
        if (taken != Virtqueue.Take.CHAIN) {
            return taken == Virtqueue.Take.EMPTY ? NOTHING : BROKEN;
        }
        DescriptorChain chain = device.chain();
        if (chain.next() != DescriptorChain.Step.DESCRIPTOR || chain.length() != LENGTH || chain.iova() < buffersPa) {
            return BROKEN;
        }
        dma.read(chain.iova(), scratch, 0, LENGTH, DmaKind.PAYLOAD);
        return io.iolab.devices.dma.LittleEndian.getInt(scratch, 0);
    }

    /** Takes what was offered; it is written and returned later. */
    final void takeBoth() {
        driver.offer(SIZE);
        device.take();
        device.chain().next();
        firstToken = device.token();
        device.take();
        device.chain().next();
    }

    private int firstToken;

    /** Fills both buffers, and shows both at once. */
    final void writeAndReturn() {
        io.iolab.devices.dma.LittleEndian.putInt(scratch, 0, PAYLOAD);
        dma.write(buffersPa, scratch, 0, LENGTH, DmaKind.PAYLOAD);
        dma.write(buffersPa + LENGTH, scratch, 0, LENGTH, DmaKind.PAYLOAD);
        device.complete(firstToken, LENGTH);
        device.complete(device.token(), LENGTH);
        device.publish();
    }

    /** What is in the buffers that came back, if they are the same. */
    final int reapAndRead() {
        int count = driver.reap(SIZE);
        if (count == 0) {
            return driver.sawForeignBuffer() ? BROKEN : NOTHING;
        }
        int first = ram.readInt(buffersPa);
        int second = ram.readInt(buffersPa + LENGTH);
        return count == SIZE && first == second ? first : BROKEN;
    }

    /** @return 1 if the device is told of the buffer */
    final int offerAndKick() {
        long before = driver.kicks();
        driver.offer(1);
        return (int) (driver.kicks() - before);
    }

    /** @return 1 if the device sees the buffer, and so does not sleep */
    final int askForKicks() {
        return device.enableKicks() ? 1 : 0;
    }

    /** @return 1 if the driver is told of the buffer */
    final int returnAndInterrupt() {
        device.complete(device.token(), LENGTH);
        device.publish();
        return device.interruptWanted() ? 1 : 0;
    }

    /** One buffer with the device, taken. */
    final void takeOne() {
        driver.offer(1);
        device.take();
        device.chain().next();
    }

    /** @return 1 if the driver sees the buffer, and so does not sleep */
    final int askForInterrupts() {
        return driver.armInterrupt(0) ? 0 : 1;
    }
}
