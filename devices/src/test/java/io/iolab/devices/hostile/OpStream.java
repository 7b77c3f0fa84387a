package io.iolab.devices.hostile;

import io.iolab.devices.pci.Bar;
import java.util.ArrayList;
import java.util.List;

/**
 * Bytes as the deeds of a guest: one byte says what, the next ones how. Bytes that run out read as 0, so every input means
 * something.
 *
 * <pre>
 *   0 bring up   1 config write   2 named register   3 any place in a BAR   4 read   5 descriptor   6 ring index or word
 *   7 frame      8 time           9 poll            10 cable, wire, bus    11 doorbell   12 memory   13 power cycle
 * </pre>
 */
final class OpStream {
    private static final int OPS = 14;
    private static final int MOST_OPS = 400;
    private static final long LOW_MEMORY = 0x10_0000;

    private record Place(int bar, long offset) {}

    private final HostileMachine machine;
    private final Attack attack;
    private final List<Place> registers = new ArrayList<>();
    private byte[] data = {};
    private int at;

    OpStream(Target target) {
        machine = new HostileMachine(target);
        attack = Attack.on(machine);
        for (int bar = 0; bar < 6; bar++) {
            Bar window = machine.function().config().bar(bar);
            for (long offset = 0; window != null && offset < Math.min(window.size(), 0x1_0000); offset += 2) {
                if (!machine.function().registerName(bar, offset).equals("unimplemented")) {
                    registers.add(new Place(bar, offset));
                }
            }
        }
    }

    /** Does what the bytes say, then sees to it that a power cycle makes the device work for an ordinary guest. */
    void run(byte[] bytes) {
        data = bytes;
        at = 0;
        machine.zero(0, LOW_MEMORY);
        machine.powerOn();
        machine.keepFrames(false);
        for (int i = 0; i < MOST_OPS && at < data.length; i++) {
            op(u8() % OPS);
        }
        machine.advance(1_000_000);
        machine.bus().peerToPeer(false);
        machine.powerOn();
        machine.function().setLink(true);
        machine.takeQuiet();
        String complaint = machine.ordinary().complaint();
        if (!complaint.isEmpty()) {
            throw new AssertionError("WEDGED: " + complaint);
        }
    }

    private int u8() {
        return at < data.length ? data[at++] & 0xFF : 0;
    }

    private int u16() {
        return u8() | u8() << 8;
    }

    private int u32() {
        return u16() | u16() << 16;
    }

    private void op(int op) {
        switch (op) {
            case 0 -> attack.start();
            case 1 -> machine.configWrite(u8(), 1 << u8() % 3, u32());
            case 2 -> {
                Place place = registers.get(u16() % registers.size());
                machine.write(place.bar, place.offset, place.bar == 0 || u8() % 2 == 0 ? 4 : 2, u32() & 0xFFFF_FFFFL);
            }
            case 3 -> anywhere(true);
            case 4 -> anywhere(false);
            case 5 -> descriptor();
            case 6 -> word();
            case 7 -> machine.arrive(frame());
            case 8 -> machine.advance(u16() * 1000L);
            case 9 -> machine.poll(1 + u8());
            case 10 -> environment(u8());
            case 11 -> doorbell();
            case 12 -> machine.descriptor(u16() * 16L, u32() | (long) u8() << 32, u32(), u32());
            default -> machine.powerOn();
        }
    }

    private void anywhere(boolean write) {
        int number = u8() % 6;
        Bar bar = machine.function().config().bar(number);
        int width = 1 << u8() % 4;
        long offset = u16() | (u8() & 1L) << 16;
        if (bar == null || offset > bar.size() - width) {
            return;
        }
        if (write) {
            machine.write(number, offset, width, u32() & -1L >>> 64 - 8 * width);
        } else {
            machine.read(number, offset, width);
        }
    }

    /** In one of the rings where {@link Attack#start} places them, or in the indirect tables. */
    private void descriptor() {
        int which = u8();
        long base = switch (which % 3) {
            case 0 -> machine.target().isVirtio() ? VirtioAttack.TABLE[VirtioAttack.RX] : E1000Attack.RX_RING;
            case 1 -> machine.target().isVirtio() ? VirtioAttack.TABLE[VirtioAttack.TX] : E1000Attack.TX_RING;
            default -> VirtioAttack.INDIRECT_TABLE;
        };
        machine.descriptor(
                base + 16L * (which / 3 % 16), u16() * 16L | (long) u8() << 20 | (long) u8() << 60, u32(), u32());
    }

    private void word() {
        int queue = u8() % 2;
        if (machine.target().isVirtio()) {
            machine.storeShort(
                    (u8() % 2 == 0 ? VirtioAttack.AVAIL : VirtioAttack.USED)[queue] + 2 * (u8() % 48), u16());
        } else {
            machine.storeShort(E1000Attack.TX_RING + 0x1_0000L * queue + 2 * u8(), u16());
        }
    }

    private byte[] frame() {
        byte[] frame = new byte[u16() % 17_000];
        int prefix = Math.min(frame.length, u8() % 64);
        java.util.Arrays.fill(frame, 0, Math.min(6, frame.length), (byte) -1);
        for (int i = Math.min(6, frame.length); i < prefix; i++) {
            frame[i] = (byte) u8();
        }
        return frame;
    }

    private void environment(int what) {
        switch (what % 5) {
            case 0 -> machine.function().setLink(what < 128);
            case 1 -> machine.busyWire(what < 128);
            case 2 -> machine.bus().peerToPeer(what < 128);
            case 3 -> machine.loopedWire(what < 128);
            default -> machine.dma().refuseEvery(what < 128 ? 0 : 2 + what % 40);
        }
    }

    private void doorbell() {
        int queue = u8() % 2;
        if (machine.target().isVirtio()) {
            machine.write(VirtioAttack.BAR, VirtioAttack.NOTIFY + 4L * queue, 2, queue);
        } else {
            int ring = queue == 0 ? E1000Attack.RDBAL : E1000Attack.TDBAL;
            machine.write(0, ring + E1000Attack.TAIL, 4, u8() % 128);
        }
    }
}
