package io.iolab.devices.hostile;

import static io.iolab.devices.hostile.VirtioAttack.BUFFER;
import static io.iolab.devices.hostile.VirtioAttack.INDIRECT;
import static io.iolab.devices.hostile.VirtioAttack.INDIRECT_TABLE;
import static io.iolab.devices.hostile.VirtioAttack.NEXT;
import static io.iolab.devices.hostile.VirtioAttack.RX;
import static io.iolab.devices.hostile.VirtioAttack.TX;
import static io.iolab.devices.hostile.VirtioAttack.WRITE;

/** Split rings gone wrong (virtio 1.2 2.7), both queues of a network device. */
final class VirtioForge extends Forge {
    private static final int INDIRECT_ENTRIES = 16;

    private final VirtioAttack attack;
    private final int[] chains = new int[2];

    VirtioForge(HostileMachine machine, VirtioAttack attack) {
        super(machine);
        this.attack = attack;
    }

    @Override
    void forge() {
        attack.size = 1 << random.nextInt(oneIn(4) ? 9 : 5);
        attack.features = (oneIn(4) ? 0 : VirtioAttack.INDIRECT_DESC)
                | (oneIn(2) ? VirtioAttack.EVENT_IDX : 0)
                | (oneIn(2) ? VirtioAttack.MRG_RXBUF : 0);
        attack.soundAreas();
        sound(RX);
        sound(TX);
        if (oneIn(4)) {
            moveAreas();
        }
        attack.negotiate();
        attack.queue(RX);
        attack.queue(TX);
        int wrongs = 1 + random.nextInt(3);
        if (oneIn(2)) {
            spoil(wrongs);
        }
        attack.status(0xF);
        int rounds = 1 + random.nextInt(4);
        for (int round = 0; round < rounds; round++) {
            attack.kick(random.nextInt(2));
            for (int i = random.nextInt(3); i > 0; i--) {
                machine.arrive(frame(oneIn(8) ? 9000 : 600));
            }
            spoil(round == 0 ? wrongs : 1);
            if (oneIn(16)) {
                meddle();
            }
        }
        attack.kick(TX);
        attack.kick(RX);
        machine.arrive(frame(200));
    }

    /** A table of sound chains of up to four descriptors, some in an indirect table, all of them available. */
    private void sound(int queue) {
        int slot = 0;
        int count = 0;
        int write = queue == RX ? WRITE : 0;
        while (slot < Math.min(attack.size, 24)) {
            int links = Math.min(1 + random.nextInt(4), attack.size - slot);
            attack.available(queue, count++, slot);
            if (oneIn(4) && (attack.features & VirtioAttack.INDIRECT_DESC) != 0) {
                links = 1;
                int entries = 1 + random.nextInt(4);
                long table = INDIRECT_TABLE + 0x100L * (slot + 24 * queue);
                attack.descriptor(queue, slot, table, 16 * entries, INDIRECT, 0);
                for (int i = 0; i < entries; i++) {
                    boolean more = i < entries - 1;
                    machine.descriptor(
                            table + 16L * i, buffer(queue), length(queue), write | (more ? NEXT | i + 1 << 16 : 0));
                }
            } else {
                for (int i = 0; i < links; i++) {
                    boolean more = i < links - 1;
                    attack.descriptor(
                            queue, slot + i, buffer(queue), length(queue), write | (more ? NEXT : 0), slot + i + 1);
                }
            }
            slot += links;
        }
        chains[queue] = count;
        attack.index(queue, oneIn(4) ? random.nextInt(count + 1) : count);
    }

    private long buffer(int queue) {
        return BUFFER[queue] + 16L * random.nextInt(0x2000);
    }

    private int length(int queue) {
        return queue == RX ? 64 + random.nextInt(1600) : 12 + random.nextInt(500);
    }

    /** Areas outside of memory, wrapping, misaligned, over each other, over buffers. */
    private void moveAreas() {
        int queue = random.nextInt(2);
        int area = random.nextInt(3);
        attack.areas[area][queue] = switch (random.nextInt(6)) {
            case 0 -> badAddress();
            case 1 -> badAddress() & -16L;
            case 2 -> attack.areas[random.nextInt(3)][queue];
            case 3 -> attack.areas[random.nextInt(3)][1 - queue] + 4L * random.nextInt(8);
            case 4 -> BUFFER[random.nextInt(2)];
            default -> attack.areas[random.nextInt(3)][queue] + pick(2, 4, 8, 16, 64);
        };
    }

    private void spoil(int times) {
        for (int i = 0; i < times; i++) {
            int queue = random.nextInt(2);
            switch (random.nextInt(8)) {
                case 0 -> index(queue);
                case 1 ->
                    attack.available(
                            queue,
                            random.nextInt(attack.size),
                            oneIn(2) ? random.nextInt() : random.nextInt(attack.size));
                case 2 -> events(queue);
                case 3 -> indirectEntry();
                case 4 -> indirectReference(queue);
                default -> descriptor(queue);
            }
        }
    }

    private void index(int queue) {
        int at = attack.index(queue);
        attack.index(queue, at + pick(1, 2, -1, attack.size, attack.size + 1, 0x8000, random.nextInt()));
    }

    /** avail.flags, used_event, and the used ring, which belongs to the device. */
    private void events(int queue) {
        switch (random.nextInt(4)) {
            case 0 -> machine.storeShort(attack.areas[1][queue], random.nextInt());
            case 1 -> machine.storeShort(attack.areas[1][queue] + 4 + 2L * attack.size, random.nextInt());
            case 2 -> machine.storeShort(attack.areas[2][queue] + 2, random.nextInt());
            default -> machine.storeShort(attack.areas[2][queue] + 4 + 8L * attack.size, random.nextInt());
        }
    }

    private int oddLength() {
        return pick(0, 1, 11, 12, 13, -1, 0x7FFF_FFFF, 0x1_0000, 16 * random.nextInt(64), random.nextInt());
    }

    private int oddFlags() {
        return pick(
                0, NEXT, WRITE, INDIRECT, NEXT | WRITE, NEXT | INDIRECT, WRITE | INDIRECT, 7, random.nextInt(0x1_0000));
    }

    private void descriptor(int queue) {
        int slot = random.nextInt(Math.min(attack.size, 24));
        long iova = oneIn(3) ? badAddress() : oneIn(3) ? attack.areas[random.nextInt(3)][queue] : buffer(queue);
        int next = oneIn(4) ? random.nextInt(0x1_0000) : random.nextInt(attack.size);
        attack.descriptor(queue, slot, iova, oneIn(2) ? oddLength() : length(queue), oddFlags(), next);
    }

    private void indirectEntry() {
        long at = INDIRECT_TABLE + 0x100L * random.nextInt(48) + 16L * random.nextInt(4);
        long iova = oneIn(2) ? badAddress() : INDIRECT_TABLE + 0x100L * random.nextInt(48);
        machine.descriptor(at, iova, oneIn(2) ? oddLength() : 64, oddFlags() | random.nextInt(INDIRECT_ENTRIES) << 16);
    }

    private void indirectReference(int queue) {
        long table = oneIn(3) ? badAddress() : oneIn(2) ? attack.areas[0][queue] : INDIRECT_TABLE;
        int length = pick(0, 8, 16, 24, 32, 16 * 256, 16 * 257, 0xFFFF_FFF0, random.nextInt());
        attack.descriptor(
                queue,
                random.nextInt(Math.min(attack.size, 24)),
                table,
                length,
                INDIRECT | pick(0, 0, NEXT, WRITE),
                random.nextInt(attack.size));
    }

    /** Configuration of a device that runs, status in any order, resets in the middle. */
    private void meddle() {
        switch (random.nextInt(6)) {
            case 0 -> attack.status(random.nextInt(256));
            case 1 -> attack.status(0);
            case 2 -> {
                attack.areas[random.nextInt(3)][random.nextInt(2)] = badAddress();
                attack.queue(random.nextInt(2));
            }
            case 3 -> {
                attack.set(VirtioAttack.QUEUE_SELECT, 2, random.nextInt(4));
                attack.set(VirtioAttack.QUEUE_SIZE, 2, random.nextInt(0x1_0000));
                attack.set(VirtioAttack.QUEUE_ENABLE, 2, random.nextInt(2));
            }
            case 4 -> {
                attack.negotiate();
                attack.queue(random.nextInt(2));
                attack.status(pick(4, 0xF, 0xC, 7, 0x4F, 0x8F));
            }
            default -> {
                attack.set(VirtioAttack.DRIVER_FEATURE_SELECT, 4, random.nextInt(3));
                attack.set(VirtioAttack.DRIVER_FEATURE, 4, random.nextInt());
            }
        }
    }
}
