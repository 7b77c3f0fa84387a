package io.iolab.devices.ringorder;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.driver.virtio.RingDriver;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.ringorder.Step.Kind;
import io.iolab.devices.time.Clock;
import io.iolab.devices.virtio.queue.DescriptorChain;
import io.iolab.devices.virtio.queue.PackedQueue;
import io.iolab.devices.virtio.queue.QueueLayout;
import io.iolab.devices.virtio.queue.RingFeatures;
import io.iolab.devices.virtio.queue.SplitQueue;
import io.iolab.devices.virtio.queue.Virtqueue;

/**
 * A driver that offers buffers in batches, with its interrupts asked for only while it sleeps, and a device that uses them, with
 * kicks asked for only while it sleeps.
 *
 * @param batches how many buffers each publishing covers
 * @param between whether the driver takes everything back after each batch, or after the last only
 * @param delay how many buffers more than one must be back for an interrupt, at most
 * @param singly whether the device shows each completion on its own
 */
record RingPrograms(int size, long features, int[] batches, boolean between, int delay, boolean singly, Flaw flaw) {
    static final int MEMORY = 256;
    private static final long BUFFERS = 0x10_0000;
    private static final int BUFFER_LENGTH = 0x1000;

    /** Landmarks. */
    private static final int OFFERING = 0;

    private static final int TAKING_BACK = 1;
    private static final int AWAKE = 0;
    private static final int SERVING = 1;

    /** What is left out of the protocol. */
    enum Flaw {
        NONE,
        /** After the available index, or the first descriptor's flags. */
        NO_FENCE_BEFORE_KICK,
        NO_FENCE_AFTER_ASKING_FOR_KICKS,
        NO_FENCE_BEFORE_INTERRUPT,
        NO_FENCE_AFTER_ASKING_FOR_INTERRUPTS,
        NO_SECOND_LOOK_BY_DEVICE,
        NO_SECOND_LOOK_BY_DRIVER
    }

    private record Places(QueueLayout layout, long end) {}

    private static final class Platform implements DriverPlatform, CpuPort {
        private final Memory ram;
        private final Runnable kick;
        private long allocated;

        Platform(Memory ram, Runnable kick) {
            this.ram = ram;
            this.kick = kick;
        }

        @Override
        public CpuPort cpu() {
            return this;
        }

        @Override
        public Memory ram() {
            return ram;
        }

        @Override
        public Clock clock() {
            return () -> 0;
        }

        /** Rings need 16 bytes of alignment; whole pages would make states large. */
        @Override
        public long allocate(long bytes, long alignment) {
            long pa = AddressRange.alignUp(allocated, 16);
            allocated = pa + bytes;
            return pa;
        }

        @Override
        public long busAddress(long pa) {
            return pa;
        }

        @Override
        public MessageTarget allocateMessage(InterruptHandler handler) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void attachLine(int line, InterruptHandler handler) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void delayNanos(long nanos) {}

        @Override
        public void store(long pa, int width, long value) {
            kick.run();
        }

        @Override
        public long load(long pa, int width) {
            return -1;
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }

    Explorer explorer(Model model) {
        return explorer(model, true);
    }

    /** @param merging whether {@link Replay#landmark} is believed */
    Explorer explorer(Model model, boolean merging) {
        Places places = places();
        return new Explorer(
                new SideStates(driver(places), merging), new SideStates(device(places), merging), MEMORY, model);
    }

    private RingDriver driverOver(Platform platform) {
        return new RingDriver(platform, size, features, BUFFERS, BUFFER_LENGTH, writable());
    }

    private Places places() {
        try (PhysicalMemory scratch = PhysicalMemory.allocate(AddressRange.PAGE_SIZE)) {
            Platform platform = new Platform(scratch, () -> {});
            RingDriver driver = driverOver(platform);
            QueueLayout layout = new QueueLayout(driver.descriptorsBus(), driver.driverBus(), driver.deviceBus());
            if (platform.allocated > MEMORY) {
                throw new IllegalArgumentException("ring too large: " + platform.allocated);
            }
            return new Places(layout, platform.allocated);
        }
    }

    private boolean split() {
        return !RingFeatures.has(features, RingFeatures.RING_PACKED);
    }

    /** In-order use skips only what the device has nothing to write into. */
    private boolean writable() {
        return !RingFeatures.has(features, RingFeatures.IN_ORDER);
    }

    private Fences driverFences(Places places) {
        QueueLayout at = places.layout();
        return switch (flaw) {
            case NO_FENCE_BEFORE_KICK ->
                split()
                        ? new Fences(at.driverIova() + 2, at.driverIova() + 4)
                        : new Fences(at.descriptorIova(), at.descriptorIova() + 16L * size);
            case NO_FENCE_AFTER_ASKING_FOR_INTERRUPTS ->
                split() ? outside(at.driverIova() + 2) : new Fences(at.driverIova(), at.driverIova() + 4);
            default -> Fences.ALL;
        };
    }

    private Fences deviceFences(Places places) {
        QueueLayout at = places.layout();
        return switch (flaw) {
            case NO_FENCE_BEFORE_INTERRUPT ->
                split()
                        ? new Fences(at.deviceIova() + 2, at.deviceIova() + 4)
                        : new Fences(at.descriptorIova(), at.descriptorIova() + 16L * size);
            case NO_FENCE_AFTER_ASKING_FOR_KICKS ->
                split() ? outside(at.deviceIova() + 2) : new Fences(at.deviceIova(), at.deviceIova() + 4);
            default -> Fences.ALL;
        };
    }

    /** Of a split ring's flags or of its event index, whichever is in use. */
    private Fences outside(long indexPlace) {
        boolean eventIndex = RingFeatures.has(features, RingFeatures.EVENT_IDX);
        return eventIndex
                ? new Fences(indexPlace + 2, indexPlace + 2 + 8L * size + 2)
                : new Fences(indexPlace - 2, indexPlace);
    }

    private Program driver(Places places) {
        Fences fences = driverFences(places);
        return replay -> {
            SteppedMemory memory = new SteppedMemory(replay, MEMORY, fences);
            RingDriver driver = driverOver(new Platform(memory, () -> replay.step(Kind.NOTIFY)));
            driver.silenceInterrupts();
            int total = 0;
            for (int batch : batches) {
                while (driver.free() < batch) {
                    takeBack(replay, driver, driver.reaped() + batch - driver.free());
                }
                replay.landmark(driver, OFFERING, total);
                driver.offer(batch);
                total += batch;
                if (between) {
                    takeBack(replay, driver, total);
                }
            }
            takeBack(replay, driver, total);
        };
    }

    private void takeBack(Replay replay, RingDriver driver, long target) {
        while (driver.reaped() < target) {
            replay.landmark(driver, TAKING_BACK, target);
            if (driver.reap(size) == 0) {
                if (driver.sawForeignBuffer()) {
                    replay.fail("a buffer came back that the device did not have");
                }
                int more = (int) Math.min(delay, target - driver.reaped() - 1);
                if (driver.armInterrupt(more) || flaw == Flaw.NO_SECOND_LOOK_BY_DRIVER) {
                    replay.step(Kind.SLEEP);
                }
                driver.silenceInterrupts();
            }
        }
    }

    private Program device(Places places) {
        Fences fences = deviceFences(places);
        return replay -> {
            SteppedMemory memory = new SteppedMemory(replay, MEMORY, fences);
            Virtqueue queue = queue(new SteppedDma(memory), places.layout());
            while (true) {
                replay.landmark(queue, AWAKE);
                serve(replay, queue);
                if (!queue.enableKicks() || flaw == Flaw.NO_SECOND_LOOK_BY_DEVICE) {
                    replay.step(Kind.SLEEP);
                }
                queue.disableKicks();
            }
        };
    }

    private Virtqueue queue(SteppedDma dma, QueueLayout layout) {
        return split() ? new SplitQueue(dma, size, layout, features) : new PackedQueue(dma, size, layout, features);
    }

    private void serve(Replay replay, Virtqueue queue) {
        while (queue.take() == Virtqueue.Take.CHAIN) {
            replay.landmark(queue, SERVING);
            DescriptorChain chain = queue.chain();
            long written = 0;
            while (chain.next() == DescriptorChain.Step.DESCRIPTOR) {
                written += chain.length();
                long offset = chain.iova() - BUFFERS;
                if (offset < 0 || offset >= (long) size * BUFFER_LENGTH || chain.writable() != writable()) {
                    replay.fail("the device read a descriptor that the driver did not write");
                }
            }
            if (written != BUFFER_LENGTH) {
                replay.fail("the device read a length that the driver did not write: " + written);
            }
            queue.complete(queue.token(), written);
            if (singly) {
                show(replay, queue);
            }
        }
        if (queue.fault() != null) {
            replay.fail("the device sees a broken ring: " + queue.fault());
        }
        show(replay, queue);
    }

    private static void show(Replay replay, Virtqueue queue) {
        queue.publish();
        if (queue.interruptWanted()) {
            replay.step(Kind.NOTIFY);
        }
    }
}
