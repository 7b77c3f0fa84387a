package io.iolab.devices.hostile;

import io.iolab.devices.dma.LittleEndian;
import java.util.List;

/** Knows split rings well enough to break them (virtio 1.2 2.7, 4.1.4). */
final class HostileVirtioGuest extends HostileGuest {
    private static final int QUEUES = 3;
    private static final int SIZE = 16;
    private static final long AREA = 0x1_0000;
    private static final int AVAIL = 0x1000;
    private static final int USED = 0x2000;
    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final int INDIRECT = 4;

    private final int commonBar;
    private final long common;
    private final int notifyBar;
    private final long notify;
    private final long notifyMultiplier;
    private final List<Place> fields;
    private final int[] index = new int[QUEUES];

    HostileVirtioGuest(long seed, Target target) {
        super(seed, target);
        int commonAt = structure(1);
        int notifyAt = structure(2);
        commonBar = config(commonAt + 4, 1);
        common = config(commonAt + 8, 4);
        notifyBar = config(notifyAt + 4, 1);
        notify = config(notifyAt + 8, 4);
        notifyMultiplier = config(notifyAt + 16, 4);
        fields = registers().stream()
                .filter(place -> place.bar() == commonBar && place.offset() >= common && place.offset() < common + 64)
                .toList();
        revive();
    }

    private int config(int offset, int width) {
        return function().config().read(offset, width);
    }

    private int structure(int type) {
        int at = config(0x34, 1);
        for (int i = 0; i < 48 && at != 0; i++) {
            if (config(at, 1) == 9 && config(at + 3, 1) == type) {
                return at;
            }
            at = config(at + 1, 1);
        }
        throw new AssertionError("no virtio capability of type " + type);
    }

    @Override
    Place pick() {
        return switch (random.nextInt(10)) {
            case 0, 1, 2 -> fields.get(random.nextInt(fields.size()));
            case 3, 4, 5, 6 -> new Place(notifyBar, notify + notifyMultiplier * random.nextInt(QUEUES + 1), "notify");
            default -> super.pick();
        };
    }

    @Override
    long valueFor(Place place) {
        if (random.nextInt(8) == 0) {
            return super.valueFor(place);
        }
        long offset = place.bar() == commonBar ? place.offset() - common : -1;
        if (offset == 0x14) {
            return odd(4) ? random.nextInt(256) : 0xF;
        }
        if (offset == 0x18 || offset == 0x1C) {
            return 1L << random.nextInt(10);
        }
        return offset >= 0x20 && offset < 0x38 ? address() : random.nextInt(QUEUES + 1);
    }

    /** Descriptors that loop, leave the table, nest indirect tables, are empty, huge, or in the wrong order. */
    @Override
    void descriptor(byte[] bytes, int at) {
        descriptor(bytes, at, random.nextInt(QUEUES));
    }

    private void descriptor(byte[] bytes, int at, int queue) {
        int slot = at / 16 % SIZE;
        boolean indirect = odd(6);
        LittleEndian.putLong(bytes, at, odd(4) ? address() : GuestWindow.SIZE / 2 + random.nextInt(1 << 20));
        int length = queue == 0 ? 2048 : 12 + random.nextInt(1500);
        LittleEndian.putInt(bytes, at + 8, odd(4) ? oddLength() : indirect ? 16 * (1 + random.nextInt(20)) : length);
        int flags = queue == 0 ? WRITE : 0;
        flags |= random.nextInt(4) == 0 ? NEXT : 0;
        flags |= indirect ? INDIRECT : 0;
        LittleEndian.putShort(bytes, at + 12, odd(8) ? random.nextInt() : flags);
        LittleEndian.putShort(
                bytes, at + 14, odd(8) ? random.nextInt(0x10000) : odd(2) ? random.nextInt(SIZE) : slot + 1);
    }

    private int oddLength() {
        return switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> random.nextInt();
            case 2 -> 16 * random.nextInt(20);
            default -> random.nextInt(16);
        };
    }

    @Override
    void scribble() {
        for (int queue = 0; queue < QUEUES; queue++) {
            byte[] table = new byte[16 * SIZE];
            for (int i = 0; i < table.length; i += 16) {
                descriptor(table, i, queue);
            }
            long area = AREA * (queue + 1);
            store(area, table);
            index[queue] += odd(8) ? random.nextInt(0x10000) : random.nextInt(4);
            byte[] ring = new byte[6 + 2 * SIZE];
            LittleEndian.putShort(ring, 0, odd(4) ? 1 : 0);
            LittleEndian.putShort(ring, 2, index[queue]);
            for (int i = 4; i < ring.length; i += 2) {
                LittleEndian.putShort(ring, i, odd(32) ? random.nextInt() : random.nextInt(SIZE));
            }
            store(area + AVAIL, ring);
        }
        super.scribble();
    }

    private void field(int offset, int width, long value) {
        write(commonBar, common + offset, width, value);
    }

    @Override
    void revive() {
        super.revive();
        field(0x14, 1, 0);
        java.util.Arrays.fill(index, 0);
        scribble();
        field(0x14, 1, 1);
        field(0x14, 1, 3);
        field(0x00, 4, 0);
        int offered = (int) function().readBar(commonBar, common + 4, 4);
        field(0x08, 4, 0);
        field(0x0C, 4, offered & random.nextInt());
        field(0x08, 4, 1);
        field(0x0C, 4, 1);
        field(0x14, 1, 0xB);
        field(0x10, 2, 0);
        for (int queue = 0; queue < QUEUES; queue++) {
            long area = AREA * (queue + 1);
            field(0x16, 2, queue);
            field(0x1A, 2, random.nextInt(QUEUES));
            field(0x18, 2, SIZE);
            field(0x20, 4, area);
            field(0x24, 4, 0);
            field(0x28, 4, area + AVAIL);
            field(0x2C, 4, 0);
            field(0x30, 4, area + USED);
            field(0x34, 4, 0);
            field(0x1C, 2, 1);
        }
        field(0x14, 1, 0xF);
        poll(64);
    }
}
