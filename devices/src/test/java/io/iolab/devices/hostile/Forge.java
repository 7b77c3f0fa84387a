package io.iolab.devices.hostile;

import java.util.SplittableRandom;

/**
 * Makes malformed rings: sound ones, brought up as a driver would, of which a few things are then wrong, before, while and
 * after the device runs.
 */
abstract class Forge {
    final HostileMachine machine;
    SplittableRandom random = new SplittableRandom(0);

    Forge(HostileMachine machine) {
        this.machine = machine;
    }

    static Forge on(HostileMachine machine, Attack attack) {
        return switch (attack) {
            case VirtioAttack virtio -> new VirtioForge(machine, virtio);
            case RogueAttack rogue -> new RogueForge(machine, rogue);
            default -> new E1000Forge(machine, (E1000Attack) attack);
        };
    }

    /** One malformed ring, from bringing the device up to the last kick. */
    final void forge(long seed) {
        random = new SplittableRandom(seed);
        forge();
    }

    abstract void forge();

    /** True once in {@code n} times. */
    boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    int pick(int... choices) {
        return choices[random.nextInt(choices.length)];
    }

    /** Addresses that lie wrong: at edges, beyond memory, wrapping, in the interrupt range, or anywhere. */
    long badAddress() {
        return switch (random.nextInt(8)) {
            case 0 -> -1L - random.nextInt(64);
            case 1 -> GuestWindow.SIZE - random.nextInt(64);
            case 2 -> 1L << 22 + random.nextInt(42);
            case 3 -> 0xFEE0_0000L + random.nextInt(0x1000);
            case 4 -> random.nextLong();
            case 5 -> 0;
            default -> random.nextLong(HostileMachine.HEAP);
        };
    }

    byte[] frame(int most) {
        byte[] frame = new byte[oneIn(8) ? random.nextInt(most) : 14 + random.nextInt(most - 14)];
        if (frame.length >= 40) {
            java.util.Arrays.fill(frame, 0, 6, (byte) -1);
            frame[12] = 8;
            frame[14] = 0x45;
            frame[23] = (byte) pick(6, 17, 1);
        }
        return frame;
    }
}
