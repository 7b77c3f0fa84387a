package io.iolab.devices.hostile;

import static io.iolab.devices.hostile.VirtioAttack.BAR;

/**
 * Rings gone wrong on a device with all features (virtio 1.2 2.7, 2.8, 5.1.6): packed ones three times out of four, up to
 * eight pairs and the control queue, with packets and commands that are wrong themselves.
 */
final class RogueForge extends Forge {
    private final RogueAttack attack;
    private final RogueDriver driver;
    private long offered;

    RogueForge(HostileMachine machine, RogueAttack attack) {
        super(machine);
        this.attack = attack;
        driver = attack.driver;
    }

    @Override
    void forge() {
        driver.random(random);
        offered = offered == 0 ? attack.offered() : offered;
        long features = RogueFeatures.choose(random, offered);
        driver.place(features);
        int used = oneIn(4) ? driver.packetQueues() : Math.min(4, driver.packetQueues());
        for (int number = 0; number < used; number++) {
            traffic(number, 1 + random.nextInt(8));
        }
        traffic(driver.controlQueue(), driver.hasControlQueue() ? random.nextInt(4) : 0);
        if (oneIn(4)) {
            driver.queues[target(used)].moveArea();
        }
        attack.negotiate(features);
        for (int number = 0; number < used; number++) {
            if (!oneIn(32)) {
                attack.enable(number);
            }
        }
        if (driver.hasControlQueue()) {
            attack.enable(driver.controlQueue());
        }
        if (oneIn(2)) {
            driver.queues[target(used)].spoil();
        }
        attack.status(0xF);
        int rounds = 1 + random.nextInt(6);
        for (int round = 0; round < rounds; round++) {
            round(used);
        }
        attack.kick(VirtioAttack.TX);
        attack.kick(VirtioAttack.RX);
        machine.arrive(frame(200));
    }

    private void traffic(int number, int chains) {
        for (int i = 0; i < chains; i++) {
            driver.traffic(number);
        }
    }

    private int target(int used) {
        return driver.hasControlQueue() && oneIn(4) ? driver.controlQueue() : random.nextInt(used);
    }

    private void round(int used) {
        int number = target(used);
        traffic(number, random.nextInt(3));
        switch (random.nextInt(6)) {
            case 0 -> nonsenseKick();
            case 1 -> attack.kick(random.nextInt(RogueDriver.QUEUES));
            default -> attack.kick(number);
        }
        for (int i = random.nextInt(3); i > 0; i--) {
            machine.arrive(frame(oneIn(8) ? 9000 : 600));
        }
        if (oneIn(2)) {
            driver.queues[target(used)].spoil();
        }
        if (oneIn(8)) {
            meddle(number);
        }
    }

    private void nonsenseKick() {
        int width = pick(2, 4);
        long value = random.nextLong() & -1L >>> 64 - 8 * width;
        machine.write(BAR, VirtioAttack.NOTIFY + 4L * random.nextInt(RogueDriver.QUEUES + 2), width, value);
    }

    /** Resets of a queue in the middle, status in any order, configuration of a device that runs. */
    private void meddle(int number) {
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> {
                RogueQueue queue = driver.queues[number];
                attack.resetQueue(number);
                if (!oneIn(8)) {
                    queue.place(queue.packed, oneIn(2) ? queue.size : RogueFeatures.size(random, queue.packed));
                    traffic(number, random.nextInt(4));
                    attack.enable(number);
                }
            }
            case 3 -> attack.resetQueue(random.nextInt(RogueDriver.QUEUES + 1));
            case 4 -> attack.status(oneIn(2) ? 0 : random.nextInt(256));
            case 5 -> {
                driver.queues[number].areas[random.nextInt(3)] = badAddress();
                attack.enable(number);
            }
            case 6 -> {
                attack.set(VirtioAttack.QUEUE_SIZE, 2, random.nextInt(0x1_0000));
                attack.set(VirtioAttack.QUEUE_ENABLE, 2, random.nextInt(2));
            }
            default -> {
                attack.set(VirtioAttack.DRIVER_FEATURE_SELECT, 4, random.nextInt(3));
                attack.set(VirtioAttack.DRIVER_FEATURE, 4, random.nextInt());
            }
        }
    }
}
