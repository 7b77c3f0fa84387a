package io.iolab.devices.hostile;

import io.iolab.devices.dma.LittleEndian;
import java.util.List;

/** Knows the rings of an e1000 well enough to break them (82540 SDM 3.2, 3.3, 13.4). */
final class HostileE1000Guest extends HostileGuest {
    private static final int TX_RING = 0x1_0000;
    private static final int RX_RING = 0x2_0000;
    private static final int CTRL_RST = 1 << 26;
    private static final int RCTL = 0x100;
    private static final int TCTL = 0x400;
    /** EN, UPE, MPE, LPE, BAM. */
    private static final int RECEIVE_ALL = 0x2 | 0x8 | 0x10 | 0x20 | 0x8000;

    private final List<Place> rings;

    HostileE1000Guest(long seed, Target target) {
        super(seed, target);
        rings = registers().stream()
                .filter(place -> place.offset() % 4 == 0
                        && place.name().matches("[RT]D(BAL|BAH|LEN|H|T)1?|[RT]CTL|CTRL|IMS|ICR|ICS|IVAR"))
                .toList();
        revive();
    }

    @Override
    Place pick() {
        return random.nextInt(10) < 6 ? rings.get(random.nextInt(rings.size())) : super.pick();
    }

    @Override
    long valueFor(Place place) {
        if (random.nextInt(8) == 0) {
            return super.valueFor(place);
        }
        return switch (place.name()) {
            case "TDBAL", "TDBAL1" -> random.nextInt(4) == 0 ? address() : TX_RING;
            case "RDBAL", "RDBAL1" -> random.nextInt(4) == 0 ? address() : RX_RING;
            case "TDBAH", "TDBAH1", "RDBAH", "RDBAH1" -> 0;
            case "TDLEN", "TDLEN1", "RDLEN", "RDLEN1" -> random.nextInt(32) == 0 ? 0xF_FF80 : 128L * random.nextInt(9);
            case "TDH", "TDT", "TDH1", "TDT1", "RDH", "RDT", "RDH1", "RDT1" -> random.nextInt(72);
            case "IVAR" -> 0x8008_8888L | random.nextInt();
            case "IMS", "ICS" -> -1;
            case "RCTL" -> RECEIVE_ALL | random.nextInt() & ~0xC0;
            case "TCTL" -> 0x2 | random.nextInt();
            case "CTRL" -> random.nextInt() & ~(random.nextInt(16) == 0 ? 0 : CTRL_RST) | 0x40;
            default -> super.valueFor(place);
        };
    }

    /** Transmit and receive descriptors of every kind: zero and huge lengths, null and wrapping addresses, odd types. */
    @Override
    void descriptor(byte[] bytes, int at) {
        LittleEndian.putLong(bytes, at, random.nextInt(8) == 0 ? 0 : address());
        int length = random.nextInt(6) == 0 ? random.nextInt() : random.nextInt(1600);
        int command = random.nextInt(3) == 0 ? random.nextInt(256) : 0x09 | random.nextInt(2) << 5;
        int type = random.nextInt(4) == 0 ? random.nextInt(16) : random.nextInt(2);
        boolean extended = (command & 0x20) != 0;
        LittleEndian.putInt(
                bytes, at + 8, (extended ? length & 0xFFFFF | type << 20 : length & 0xFFFF) | command << 24);
        LittleEndian.putInt(bytes, at + 12, random.nextInt());
    }

    @Override
    void scribble() {
        byte[] bytes = new byte[16 * 64];
        for (int i = 0; i < bytes.length; i += 16) {
            descriptor(bytes, i);
        }
        store(TX_RING, bytes);
        for (int i = 0; i < bytes.length; i += 16) {
            LittleEndian.putLong(bytes, i, random.nextInt(8) == 0 ? 0 : address());
            LittleEndian.putLong(bytes, i + 8, random.nextInt(4) == 0 ? random.nextLong() : 0);
        }
        store(RX_RING, bytes);
        super.scribble();
    }

    @Override
    void revive() {
        super.revive();
        scribble();
        for (int queue = 0; queue < 2; queue++) {
            ring(0x3800 + 0x100 * queue, TX_RING, random.nextInt(64));
            ring(0x2800 + 0x100 * queue, RX_RING, 63);
        }
        write(0, 0, 4, 0x41);
        write(0, 0xD0, 4, -1);
        write(0, 0xE4, 4, 0x8008_8888L | random.nextInt(5) << 4);
        write(0, TCTL, 4, 0x0103F0FA);
        write(0, RCTL, 4, RECEIVE_ALL);
        poll(64);
    }

    private void ring(int registers, long base, int tail) {
        write(0, registers, 4, base);
        write(0, registers + 4, 4, 0);
        write(0, registers + 8, 4, 1024);
        write(0, registers + 0x10, 4, 0);
        write(0, registers + 0x18, 4, tail);
    }
}
