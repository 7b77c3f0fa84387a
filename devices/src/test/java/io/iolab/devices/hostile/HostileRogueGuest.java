package io.iolab.devices.hostile;

import java.util.List;

/** Drives a virtio network device with all features: queues of either kind, traffic and commands, then lies about them. */
final class HostileRogueGuest extends HostileGuest {
    private static final int NOTIFY_SPAN = 4 * (RogueDriver.QUEUES + 1);

    private final RogueDriver driver;
    private final List<Place> fields;

    HostileRogueGuest(long seed, Target target) {
        super(seed, target);
        driver = new RogueDriver(window(), random);
        fields = registers().stream()
                .filter(place -> place.bar() == VirtioAttack.BAR && place.offset() < 0x40)
                .toList();
        revive();
    }

    @Override
    Place pick() {
        return switch (random.nextInt(10)) {
            case 0 -> fields.get(random.nextInt(fields.size()));
            case 1, 2, 3, 4, 5, 6, 7 ->
                new Place(VirtioAttack.BAR, VirtioAttack.NOTIFY + (random.nextInt(NOTIFY_SPAN) & -4), "notify");
            default -> super.pick();
        };
    }

    @Override
    long valueFor(Place place) {
        if (odd(4)) {
            return super.valueFor(place);
        }
        if (place.bar() != VirtioAttack.BAR || place.offset() >= 0x40) {
            return random.nextInt();
        }
        return switch ((int) place.offset()) {
            case VirtioAttack.STATUS -> odd(4) ? random.nextInt(256) : 0xF;
            case VirtioAttack.QUEUE_SIZE -> 1 + random.nextInt(64);
            case VirtioAttack.QUEUE_ENABLE, 0x3A -> 1;
            default -> place.offset() >= 0x20 && place.offset() < 0x38 ? address() : random.nextInt(18);
        };
    }

    @Override
    void scribble() {
        for (int i = 0; i < 4; i++) {
            int number = random.nextInt(4) == 0 ? driver.controlQueue() : random.nextInt(driver.packetQueues());
            supply(number);
            field(VirtioAttack.NOTIFY + 4 * number, 4, driver.queues[number].notification());
        }
        if (odd(4)) {
            super.scribble();
        }
    }

    private void supply(int number) {
        for (int i = random.nextInt(4); i > 0; i--) {
            driver.traffic(number);
        }
        if (odd(2)) {
            driver.queues[number].spoil();
        }
    }

    private void field(int offset, int width, long value) {
        write(VirtioAttack.BAR, offset, width, value & -1L >>> 64 - 8 * width);
    }

    private long offered() {
        field(VirtioAttack.DEVICE_FEATURE_SELECT, 4, 0);
        long low = function().readBar(VirtioAttack.BAR, VirtioAttack.DEVICE_FEATURE, 4);
        field(VirtioAttack.DEVICE_FEATURE_SELECT, 4, 1);
        return low | function().readBar(VirtioAttack.BAR, VirtioAttack.DEVICE_FEATURE, 4) << 32;
    }

    @Override
    void revive() {
        super.revive();
        field(VirtioAttack.STATUS, 1, 0);
        long features = RogueFeatures.choose(random, offered());
        driver.place(features);
        field(VirtioAttack.STATUS, 1, 3);
        field(VirtioAttack.DRIVER_FEATURE_SELECT, 4, 0);
        field(VirtioAttack.DRIVER_FEATURE, 4, features);
        field(VirtioAttack.DRIVER_FEATURE_SELECT, 4, 1);
        field(VirtioAttack.DRIVER_FEATURE, 4, features >>> 32);
        field(VirtioAttack.STATUS, 1, 0xB);
        field(0x10, 2, random.nextInt(18));
        for (int number = 0; number <= driver.packetQueues(); number++) {
            if (odd(16)) {
                driver.queues[number].moveArea();
            }
            place(number);
            supply(number);
        }
        field(VirtioAttack.STATUS, 1, 0xF);
        poll(64);
    }

    private void place(int number) {
        RogueQueue queue = driver.queues[number];
        field(VirtioAttack.QUEUE_SELECT, 2, number);
        field(0x1A, 2, random.nextInt(18));
        field(VirtioAttack.QUEUE_SIZE, 2, queue.size);
        for (int i = 0; i < 3; i++) {
            field(VirtioAttack.QUEUE_DESC + 8 * i, 4, queue.areas[i]);
            field(VirtioAttack.QUEUE_DESC + 8 * i + 4, 4, queue.areas[i] >>> 32);
        }
        field(VirtioAttack.QUEUE_ENABLE, 2, 1);
    }
}
