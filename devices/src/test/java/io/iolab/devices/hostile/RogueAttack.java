package io.iolab.devices.hostile;

import static io.iolab.devices.hostile.VirtioAttack.BAR;
import static io.iolab.devices.hostile.VirtioAttack.DRIVER_OK;
import static io.iolab.devices.hostile.VirtioAttack.FAILED;
import static io.iolab.devices.hostile.VirtioAttack.NEEDS_RESET;
import static io.iolab.devices.hostile.VirtioAttack.RX;
import static io.iolab.devices.hostile.VirtioAttack.TX;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.queue.RingFeatures;
import java.util.Arrays;
import java.util.SplittableRandom;

/** A virtio network device with all features, its rings packed or split (virtio 1.2 2.7, 2.8, 5.1). */
final class RogueAttack extends Attack {
    private static final int QUEUE_RESET = 0x3A;

    final RogueDriver driver;
    private long features;

    RogueAttack(HostileMachine machine) {
        super(machine);
        driver = new RogueDriver(machine.window(), new SplittableRandom(0));
    }

    void set(int offset, int width, long value) {
        machine.put(BAR, offset, width, value & -1L >>> 64 - 8 * width);
    }

    void status(int value) {
        machine.write(BAR, VirtioAttack.STATUS, 1, value);
    }

    int status() {
        return (int) machine.read(BAR, VirtioAttack.STATUS, 1);
    }

    void kick(int queue) {
        machine.write(BAR, VirtioAttack.NOTIFY + 4L * queue, 4, driver.queues[queue].notification() & 0xFFFF_FFFFL);
    }

    long offered() {
        set(VirtioAttack.DEVICE_FEATURE_SELECT, 4, 0);
        long low = machine.read(BAR, VirtioAttack.DEVICE_FEATURE, 4);
        set(VirtioAttack.DEVICE_FEATURE_SELECT, 4, 1);
        return low | machine.read(BAR, VirtioAttack.DEVICE_FEATURE, 4) << 32;
    }

    /** Up to FEATURES_OK. */
    void negotiate(long wanted) {
        machine.function().setLink(true);
        features = wanted;
        status(0);
        status(3);
        set(VirtioAttack.DRIVER_FEATURE_SELECT, 4, 0);
        set(VirtioAttack.DRIVER_FEATURE, 4, wanted);
        set(VirtioAttack.DRIVER_FEATURE_SELECT, 4, 1);
        set(VirtioAttack.DRIVER_FEATURE, 4, wanted >>> 32);
        status(0xB);
    }

    void enable(int number) {
        RogueQueue queue = driver.queues[number];
        set(VirtioAttack.QUEUE_SELECT, 2, number);
        set(VirtioAttack.QUEUE_SIZE, 2, queue.size);
        for (int i = 0; i < 3; i++) {
            set(VirtioAttack.QUEUE_DESC + 8 * i, 4, queue.areas[i]);
            set(VirtioAttack.QUEUE_DESC + 8 * i + 4, 4, queue.areas[i] >>> 32);
        }
        set(VirtioAttack.QUEUE_ENABLE, 2, 1);
    }

    /** Without RING_RESET the register is not there. */
    void resetQueue(int number) {
        set(VirtioAttack.QUEUE_SELECT, 2, number);
        machine.write(BAR, QUEUE_RESET, 2, 1);
    }

    @Override
    void start() {
        long plain = RogueFeatures.PLAIN | RingFeatures.RING_PACKED;
        driver.place(plain);
        negotiate(plain);
        enable(RX);
        enable(TX);
        status(0xF);
    }

    @Override
    boolean serves() {
        for (int number = 0; number < driver.packetQueues(); number++) {
            relearn(number);
        }
        return (status() & (DRIVER_OK | NEEDS_RESET)) == DRIVER_OK && sends() && receives();
    }

    /** Where the device has the areas: it ignores what is written once a queue is enabled. */
    private void relearn(int number) {
        RogueQueue queue = driver.queues[number];
        set(VirtioAttack.QUEUE_SELECT, 2, number);
        queue.size = (int) Math.max(1, machine.read(BAR, VirtioAttack.QUEUE_SIZE, 2));
        for (int i = 0; i < 3; i++) {
            long low = machine.read(BAR, VirtioAttack.QUEUE_DESC + 8 * i, 4);
            queue.areas[i] = low | machine.read(BAR, VirtioAttack.QUEUE_DESC + 8 * i + 4, 4) << 32;
        }
    }

    private boolean sends() {
        int header = RogueFeatures.headerBytes(features);
        byte[] frame = E1000Attack.frame();
        byte[] bytes = new byte[header + frame.length];
        System.arraycopy(frame, 0, bytes, header, frame.length);
        machine.sent().clear();
        RogueQueue queue = driver.queues[TX];
        long at = queue.data(bytes);
        for (int wrap = 0; wrap < 2; wrap++) {
            fill(TX, wrap != 0, at, bytes.length, false);
            kick(TX);
        }
        return Arrays.equals(machine.sent().peekLast(), frame);
    }

    /** For a device that stands anywhere in a packed ring, all of it; a split ring says where it stands. */
    private void fill(int number, boolean wrap, long iova, int length, boolean deviceWrites) {
        RogueQueue queue = driver.queues[number];
        if (queue.packed) {
            queue.flood(wrap, iova, length, deviceWrites);
        } else {
            queue.append(iova, length, deviceWrites);
        }
    }

    /** Steering may lead to any pair. What the attack left in a ring is used up first. */
    private boolean receives() {
        for (int i = 0; i <= 2 * driver.queues[RX].size; i++) {
            for (int number = RX; number < driver.packetQueues(); number += 2) {
                fill(number, i % 2 == 0, driver.queues[number].buffer(), 2048, true);
                kick(number);
            }
            if (machine.arrive(E1000Attack.frame()) == Delivery.ACCEPTED) {
                return true;
            }
            if (stopped()) {
                return false;
            }
        }
        return false;
    }

    /**
     * Not started, without one of the queues, or in need of a reset. A device that lives answers an id that no queue has, or
     * an index that jumps, by DEVICE_NEEDS_RESET.
     */
    @Override
    boolean refuses() {
        for (int round = 0; round < 8 && !stopped(); round++) {
            for (int number = 0; number < 2; number++) {
                RogueQueue queue = driver.queues[number];
                if (queue.packed) {
                    queue.poison(round % 2 == 0);
                } else {
                    queue.jump(0x2000);
                }
                kick(number);
            }
            machine.arrive(E1000Attack.frame());
        }
        return stopped();
    }

    private boolean stopped() {
        return (status() & (DRIVER_OK | NEEDS_RESET | FAILED)) != DRIVER_OK || !enabled(RX) || !enabled(TX);
    }

    private boolean enabled(int queue) {
        set(VirtioAttack.QUEUE_SELECT, 2, queue);
        return machine.read(BAR, VirtioAttack.QUEUE_ENABLE, 2) == 1;
    }
}
