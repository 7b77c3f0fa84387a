package io.iolab.devices.hostile;

import io.iolab.devices.dma.LittleEndian;
import java.util.Arrays;
import java.util.SplittableRandom;

/** What a driver may put into its buffers: packets with offload headers, and commands, right or wrong (virtio 1.2 5.1.6). */
final class RogueTraffic {
    private static final int NEEDS_CSUM = 1;
    private static final int TCPV4 = 1;
    private static final int UDP = 3;
    private static final int TCPV6 = 4;
    private static final int UDP_L4 = 5;
    private static final int ECN = 0x80;
    private static final int RSS_KEY = 40;
    private static final int PAIRS = 8;

    private RogueTraffic() {}

    private static int pick(SplittableRandom random, int... choices) {
        return choices[random.nextInt(choices.length)];
    }

    /** A header of 12 or 20 bytes and a frame. */
    static byte[] packet(SplittableRandom random, int headerBytes) {
        int length = random.nextInt(32) == 0 ? random.nextInt(16_000) : random.nextInt(1600);
        byte[] bytes = new byte[headerBytes + length];
        if (length > 94) {
            dress(random, bytes, headerBytes);
        }
        if (random.nextInt(4) == 0) {
            return bytes;
        }
        bytes[0] = (byte) pick(random, 0, NEEDS_CSUM, NEEDS_CSUM, 2, 3, random.nextInt());
        bytes[1] = (byte) pick(random, 0, 0, TCPV4, TCPV6, UDP_L4, UDP, TCPV4 | ECN, ECN, random.nextInt());
        boolean sixth = length > 12 && bytes[headerBytes + 12] != 8;
        int start = sixth ? 54 : 34;
        int header = pick(random, start + 20, start + 8, 0, 0xFFFF, random.nextInt(0x1_0000));
        LittleEndian.putShort(bytes, 2, header);
        int tiny = random.nextInt(16) == 0 ? 1 : 100;
        LittleEndian.putShort(bytes, 4, pick(random, tiny, 0, 536, 1448, 0xFFFF, 100 + random.nextInt(2000)));
        LittleEndian.putShort(
                bytes, 6, pick(random, start, start, start, 0, length, length - 1, 0xFFFF, random.nextInt(1600)));
        LittleEndian.putShort(bytes, 8, pick(random, 16, 16, 6, 6, 0, 0xFFFF, length, random.nextInt(64)));
        return bytes;
    }

    /** Ethernet, mostly IP, mostly TCP or UDP, often with lengths that are not so. */
    private static void dress(SplittableRandom random, byte[] bytes, int at) {
        Arrays.fill(bytes, at, at + 6, (byte) -1);
        boolean sixth = random.nextInt(3) == 0;
        int protocol = pick(random, 6, 6, 17, 17, 0, 44, random.nextInt(256));
        bytes[at + 12] = (byte) (sixth ? 0x86 : 8);
        bytes[at + 13] = (byte) (sixth ? 0xDD : 0);
        int odd = random.nextInt(8);
        if (sixth) {
            bytes[at + 14] = 0x60;
            bytes[at + 20] = (byte) protocol;
        } else {
            bytes[at + 14] = (byte) (odd == 0 ? random.nextInt() : 0x45);
            bytes[at + 16] = (byte) (odd == 1 ? random.nextInt() : bytes.length - at - 14 >>> 8);
            bytes[at + 17] = (byte) (odd == 1 ? random.nextInt() : bytes.length - at - 14);
            bytes[at + 23] = (byte) protocol;
        }
        int transport = at + (sixth ? 54 : 34);
        bytes[transport + 12] = (byte) (odd == 2 ? random.nextInt() : 0x50);
        bytes[transport + 13] = (byte) random.nextInt();
    }

    /** Class, command and data; sometimes cut short, too long, or with a byte that is wrong. */
    static byte[] command(SplittableRandom random) {
        int group = random.nextInt(16) == 0 ? random.nextInt(256) : random.nextInt(7);
        byte[] data = data(random, group);
        int code = random.nextInt(16) == 0 ? random.nextInt(256) : data[0];
        byte[] bytes = Arrays.copyOf(data, data.length + 1);
        System.arraycopy(data, 1, bytes, 2, data.length - 1);
        bytes[0] = (byte) group;
        bytes[1] = (byte) code;
        return switch (random.nextInt(8)) {
            case 0 -> Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            case 1 -> Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(64));
            case 2 -> {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                yield bytes;
            }
            default -> bytes;
        };
    }

    /** The command's code, then its data. */
    private static byte[] data(SplittableRandom random, int group) {
        return switch (group) {
            case 0 -> new byte[] {(byte) random.nextInt(6), (byte) random.nextInt(2)};
            case 1 -> random.nextBoolean() ? macTable(random) : random(random, 1, 7);
            case 2 -> random(random, random.nextInt(2), 3);
            case 3 -> new byte[1];
            case 4 -> pairs(random);
            case 5 -> {
                byte[] offloads = new byte[9];
                long some = random.nextLong();
                LittleEndian.putLong(offloads, 1, some & random.nextLong() & 0x00C0_0000_0000_0782L | 2);
                yield offloads;
            }
            case 6 -> coalescing(random);
            default -> random(random, random.nextInt(4), 1 + random.nextInt(64));
        };
    }

    private static byte[] random(SplittableRandom random, int code, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        bytes[0] = (byte) code;
        return bytes;
    }

    private static byte[] macTable(SplittableRandom random) {
        int first = random.nextInt(40);
        int second = random.nextInt(40);
        byte[] bytes = random(random, 0, 9 + 6 * (first + second));
        int huge = pick(random, -1, 0x7FFF_FFFF, 0x2AAA_AAAB, 0x8000_0000, 2731);
        LittleEndian.putInt(bytes, 1, random.nextInt(8) == 0 ? huge : first);
        LittleEndian.putInt(bytes, 5 + 6 * first, random.nextInt(8) == 0 ? huge : second);
        return bytes;
    }

    private static byte[] pairs(SplittableRandom random) {
        int number = random.nextInt(4) == 0 ? pick(random, 0, PAIRS + 1, 0x8000, 0xFFFF) : 1 + random.nextInt(PAIRS);
        if (random.nextBoolean()) {
            return new byte[] {0, (byte) number, (byte) (number >>> 8)};
        }
        boolean scaling = random.nextInt(4) != 0;
        int entries = random.nextInt(8) == 0 ? random.nextInt(200) : 1 << random.nextInt(8);
        int behind = scaling ? 9 + 2 * entries : 11;
        byte[] bytes = random(random, scaling ? 1 : 2, behind + 3 + RSS_KEY);
        LittleEndian.putInt(bytes, 1, random.nextInt(8) == 0 ? random.nextInt() : random.nextInt(0x40));
        if (scaling) {
            LittleEndian.putShort(bytes, 5, random.nextInt(8) == 0 ? random.nextInt() : entries - 1);
            LittleEndian.putShort(bytes, 7, random.nextInt(PAIRS));
            for (int i = 0; i < entries; i++) {
                LittleEndian.putShort(bytes, 9 + 2 * i, random.nextInt(512) == 0 ? number : random.nextInt(PAIRS));
            }
            LittleEndian.putShort(bytes, behind, number);
        }
        bytes[behind + 2] = (byte) (random.nextInt(8) == 0 ? random.nextInt() : RSS_KEY);
        return bytes;
    }

    private static byte[] coalescing(SplittableRandom random) {
        int code = random.nextInt(4);
        byte[] bytes = new byte[code < 2 ? 9 : code == 2 ? 13 : 3];
        bytes[0] = (byte) code;
        if (code >= 2) {
            LittleEndian.putShort(bytes, 1, random.nextInt(2 * PAIRS + 3));
        }
        if (code < 3) {
            int at = bytes.length - 8;
            LittleEndian.putInt(bytes, at, pick(random, 0, 1, 8, -1, random.nextInt()));
            LittleEndian.putInt(bytes, at + 4, pick(random, 0, 1, 100, -1, random.nextInt()));
        }
        return bytes;
    }
}
