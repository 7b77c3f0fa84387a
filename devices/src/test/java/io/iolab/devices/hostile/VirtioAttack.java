package io.iolab.devices.hostile;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetCounters;
import java.util.Arrays;

/** A virtio network device by its structures (virtio 1.2 2.7, 4.1.4, 5.1), where this device has them. */
final class VirtioAttack extends Attack {
    static final int BAR = 4;
    static final int DEVICE_FEATURE_SELECT = 0;
    static final int DEVICE_FEATURE = 4;
    static final int DRIVER_FEATURE_SELECT = 8;
    static final int DRIVER_FEATURE = 0xC;
    static final int STATUS = 0x14;
    static final int QUEUE_SELECT = 0x16;
    static final int QUEUE_SIZE = 0x18;
    static final int QUEUE_ENABLE = 0x1C;
    static final int QUEUE_DESC = 0x20;
    static final int QUEUE_DRIVER = 0x28;
    static final int QUEUE_DEVICE = 0x30;
    static final int ISR = 0x1000;
    static final int NOTIFY = 0x3000;

    static final int NEXT = 1;
    static final int WRITE = 2;
    static final int INDIRECT = 4;
    static final int NEEDS_RESET = 0x40;
    static final int DRIVER_OK = 4;
    static final int FAILED = 0x80;
    static final int RX = 0;
    static final int TX = 1;
    static final int HEADER = 12;
    static final int INDIRECT_DESC = 1 << 28;
    static final int MRG_RXBUF = 1 << 15;
    static final int EVENT_IDX = 1 << 29;

    static final long[] TABLE = {0x1_0000, 0x2_0000};
    static final long[] AVAIL = {0x1_8000, 0x2_8000};
    static final long[] USED = {0x1_C000, 0x2_C000};
    static final long INDIRECT_TABLE = 0x3_0000;
    static final long[] BUFFER = {0x4_0000, 0x8_0000};

    private final VirtioNetCounters counters;
    int size = 8;
    int features = INDIRECT_DESC;

    /** Where the areas of the two queues are, as enabled last. */
    final long[][] areas = {TABLE.clone(), AVAIL.clone(), USED.clone()};

    VirtioAttack(HostileMachine machine) {
        super(machine);
        counters = ((VirtioNet) machine.function()).counters();
    }

    void set(int offset, int width, long value) {
        machine.put(BAR, offset, width, value & -1L >>> 64 - 8 * width);
    }

    void status(int value) {
        machine.write(BAR, STATUS, 1, value);
    }

    int status() {
        return (int) machine.read(BAR, STATUS, 1);
    }

    void kick(int queue) {
        machine.write(BAR, NOTIFY + 4L * queue, 2, queue);
    }

    void descriptor(int queue, int index, long iova, int length, int flags, int next) {
        machine.descriptor(areas[0][queue] + 16L * index, iova, length, flags & 0xFFFF | next << 16);
    }

    void available(int queue, int slot, int head) {
        machine.storeShort(areas[1][queue] + 4 + 2L * slot, head);
    }

    void index(int queue, int index) {
        machine.storeShort(areas[1][queue] + 2, index);
    }

    int index(int queue) {
        return machine.loadShort(areas[1][queue] + 2);
    }

    int used(int queue) {
        return machine.loadShort(areas[2][queue] + 2);
    }

    /** Up to FEATURES_OK. */
    void negotiate() {
        machine.function().setLink(true);
        status(0);
        status(3);
        set(DRIVER_FEATURE_SELECT, 4, 0);
        set(DRIVER_FEATURE, 4, features);
        set(DRIVER_FEATURE_SELECT, 4, 1);
        set(DRIVER_FEATURE, 4, 1);
        status(0xB);
    }

    void queue(int queue) {
        set(QUEUE_SELECT, 2, queue);
        set(QUEUE_SIZE, 2, size);
        for (int i = 0; i < 3; i++) {
            set(QUEUE_DESC + 8 * i, 4, areas[i][queue]);
            set(QUEUE_DESC + 8 * i + 4, 4, areas[i][queue] >>> 32);
        }
        set(QUEUE_ENABLE, 2, 1);
    }

    /** Puts the areas back where they are by default, empty. */
    void soundAreas() {
        for (int queue = 0; queue < 2; queue++) {
            areas[0][queue] = TABLE[queue];
            areas[1][queue] = AVAIL[queue];
            areas[2][queue] = USED[queue];
            machine.zero(TABLE[queue], 16L * size);
            machine.zero(AVAIL[queue], 6 + 2L * size);
            machine.zero(USED[queue], 6 + 8L * size);
        }
    }

    @Override
    void start() {
        soundAreas();
        negotiate();
        queue(RX);
        queue(TX);
        status(0xF);
    }

    @Override
    boolean serves() {
        relearn();
        return (status() & (DRIVER_OK | NEEDS_RESET)) == DRIVER_OK && sends() && receives();
    }

    /** Where the device has the areas: it ignores what is written once a queue is enabled. */
    private void relearn() {
        for (int queue = 0; queue < 2; queue++) {
            set(QUEUE_SELECT, 2, queue);
            for (int i = 0; i < 3; i++) {
                long low = machine.read(BAR, QUEUE_DESC + 8 * i, 4);
                areas[i][queue] = low | machine.read(BAR, QUEUE_DESC + 8 * i + 4, 4) << 32;
            }
        }
    }

    private boolean sends() {
        byte[] frame = E1000Attack.frame();
        machine.sent().clear();
        machine.store(BUFFER[TX] + HEADER, frame);
        machine.zero(BUFFER[TX], HEADER);
        offer(TX, HEADER + frame.length, 0);
        return Arrays.equals(machine.sent().peekLast(), frame);
    }

    private boolean receives() {
        // What the attack left in the ring is used up first; with its leftovers a frame may be dropped and counted.
        for (int i = 0; i <= size; i++) {
            offer(RX, 2048, WRITE);
            if (machine.arrive(E1000Attack.frame()) == Delivery.ACCEPTED) {
                return true;
            }
        }
        return false;
    }

    private void offer(int queue, int length, int flags) {
        int index = index(queue);
        descriptor(queue, 0, BUFFER[queue], length, flags, 0);
        available(queue, index & size - 1, 0);
        index(queue, index + 1 & 0xFFFF);
        kick(queue);
    }

    /**
     * Not started, without one of the queues, or in need of a reset. A device that lives answers an index that jumps by
     * DEVICE_NEEDS_RESET, so one that took the attack's rings for empty shows itself.
     */
    @Override
    boolean refuses() {
        if (stopped()) {
            return true;
        }
        for (int queue = 0; queue < 2; queue++) {
            for (int jump = 0x2000; jump < 0x10000; jump += 0x2000) {
                index(queue, index(queue) + jump & 0xFFFF);
                kick(queue);
                machine.arrive(E1000Attack.frame());
            }
        }
        return stopped();
    }

    private boolean stopped() {
        return (status() & (DRIVER_OK | NEEDS_RESET | FAILED)) != DRIVER_OK || !enabled(RX) || !enabled(TX);
    }

    private boolean enabled(int queue) {
        set(QUEUE_SELECT, 2, queue);
        return machine.read(BAR, QUEUE_ENABLE, 2) == 1;
    }

    VirtioNetCounters counters() {
        return counters;
    }
}
