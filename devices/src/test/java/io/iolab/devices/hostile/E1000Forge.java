package io.iolab.devices.hostile;

import static io.iolab.devices.hostile.E1000Attack.DATA;
import static io.iolab.devices.hostile.E1000Attack.DEXT;
import static io.iolab.devices.hostile.E1000Attack.EOP;
import static io.iolab.devices.hostile.E1000Attack.HEAD;
import static io.iolab.devices.hostile.E1000Attack.HIGH;
import static io.iolab.devices.hostile.E1000Attack.LENGTH;
import static io.iolab.devices.hostile.E1000Attack.RCTL;
import static io.iolab.devices.hostile.E1000Attack.RDBAL;
import static io.iolab.devices.hostile.E1000Attack.RECEIVE;
import static io.iolab.devices.hostile.E1000Attack.RS;
import static io.iolab.devices.hostile.E1000Attack.RX_BUFFER;
import static io.iolab.devices.hostile.E1000Attack.RX_RING;
import static io.iolab.devices.hostile.E1000Attack.TAIL;
import static io.iolab.devices.hostile.E1000Attack.TCTL;
import static io.iolab.devices.hostile.E1000Attack.TDBAL;
import static io.iolab.devices.hostile.E1000Attack.TRANSMIT;
import static io.iolab.devices.hostile.E1000Attack.TSE;
import static io.iolab.devices.hostile.E1000Attack.TX_BUFFER;
import static io.iolab.devices.hostile.E1000Attack.TX_RING;

/**
 * Descriptor rings gone wrong: legacy, context and data descriptors on the transmit side; legacy, and on the 82574L extended and
 * packet split descriptors on the receive side (82540 SDM 3.2, 3.3; 82574 datasheet 7.1, 7.2).
 */
final class E1000Forge extends Forge {
    private static final int IDE = 0x80;
    private static final int VLE = 0x40;
    private static final int IC = 0x04;

    private final E1000Attack attack;
    private int txRing;
    private int rxRing;
    private int rctl;

    E1000Forge(HostileMachine machine, E1000Attack attack) {
        super(machine);
        this.attack = attack;
    }

    @Override
    void forge() {
        txRing = 8 * (1 + random.nextInt(4));
        rxRing = 8 * (1 + random.nextInt(4));
        attack.start();
        attack.put(RCTL, 0);
        transmitRing();
        receiveRing();
        if (oneIn(2)) {
            spoil(1 + random.nextInt(3));
        }
        attack.set(RCTL, rctl);
        int rounds = 1 + random.nextInt(4);
        for (int round = 0; round < rounds; round++) {
            attack.tx(TAIL, oneIn(16) ? random.nextInt(0x1_0000) : random.nextInt(txRing));
            for (int i = random.nextInt(3); i > 0; i--) {
                machine.arrive(frame(oneIn(8) ? 9000 : 600));
            }
            spoil(1 + random.nextInt(2));
            if (oneIn(16)) {
                meddle();
            }
        }
        attack.tx(TAIL, random.nextInt(txRing));
        attack.rx(TAIL, random.nextInt(rxRing));
        machine.arrive(frame(200));
    }

    private void transmitRing() {
        for (int i = 0; i < txRing; i++) {
            packetPart(i);
        }
        attack.ring(TDBAL, TX_RING, txRing, 0);
    }

    private void packetPart(int index) {
        int command = (oneIn(3) ? 0 : EOP) | RS | (oneIn(6) ? VLE : 0) | (oneIn(6) ? IDE : 0);
        long buffer = TX_BUFFER + 8L * random.nextInt(0x1000);
        switch (random.nextInt(6)) {
            case 0 -> attack.context(index, 54, 200 + random.nextInt(1300), 1000 + random.nextInt(3000));
            case 1, 2 -> attack.transmit(index, buffer, 60 + random.nextInt(3000) | DATA, command | DEXT | TSE);
            case 3 -> attack.transmit(index, buffer, 60 + random.nextInt(1400) | DATA, command | DEXT);
            default -> attack.transmit(index, buffer, 60 + random.nextInt(1400), command | (oneIn(4) ? IC : 0));
        }
    }

    private void receiveRing() {
        rctl = RECEIVE | 0x18 | random.nextInt(4) << 16 | (oneIn(4) ? 1 << 25 : 0) | (oneIn(2) ? 0x20 : 0);
        if (machine.target() == Target.I82574L) {
            if (oneIn(2)) {
                attack.put(E1000Attack.RFCTL, E1000Attack.RFCTL_EXTENDED);
                rctl |= oneIn(2) ? E1000Attack.RCTL_SPLIT : 0;
                attack.put(E1000Attack.PSRCTL, oneIn(2) ? 0x0004_0402 : random.nextInt());
            }
            if (oneIn(4)) {
                attack.put(E1000Attack.MRQC, 1 | 0x3F << 16);
                attack.ring(RDBAL + 0x100, RX_RING + 0x1000, rxRing, rxRing - 1);
            }
        }
        for (int i = 0; i < 2 * rxRing; i++) {
            long buffer = RX_BUFFER + 0x800L * random.nextInt(64);
            machine.descriptor(RX_RING + 16L * i, buffer, (int) buffer, 0);
        }
        attack.ring(RDBAL, RX_RING, rxRing, rxRing - 1);
    }

    private void spoil(int times) {
        for (int i = 0; i < times; i++) {
            switch (random.nextInt(6)) {
                case 0, 1 -> transmitDescriptor(random.nextInt(txRing));
                case 2 -> receiveDescriptor(random.nextInt(rxRing));
                case 3 -> register(oneIn(2) ? TDBAL : RDBAL);
                case 4 -> evilContext(random.nextInt(txRing));
                default -> attack.tx(TAIL, random.nextInt(txRing));
            }
        }
    }

    private void transmitDescriptor(int index) {
        long iova = oneIn(3) ? badAddress() : oneIn(3) ? TX_RING : TX_BUFFER;
        int length = pick(0, 1, 13, 14, 0xFFFF, 0xF_FFFF, 16288, 16289, random.nextInt(0x10_0000));
        int type = pick(0, 1, 1, 2, 15, random.nextInt(16));
        machine.descriptor(
                TX_RING + 16L * index, iova, length | type << 20 | random.nextInt(256) << 24, random.nextInt());
    }

    /** Segments of at least 16 bytes, or few of them: a bounded number of frames for each ring, whatever the lengths. */
    private void evilContext(int index) {
        int mss = pick(0, 1, 16, 0xFFFF, 16000, random.nextInt(0x1_0000));
        int payload = mss < 16 ? random.nextInt(256) : pick(0, 0xF_FFFF, random.nextInt(4000));
        machine.descriptor(
                TX_RING + 16L * index,
                random.nextLong(),
                payload | (DEXT | TSE | random.nextInt(4)) << 24,
                pick(0, 13, 14, 54, 255) << 8 | mss << 16);
    }

    private void receiveDescriptor(int index) {
        long iova = oneIn(2) ? badAddress() : oneIn(2) ? RX_RING + 16L * random.nextInt(rxRing) : 0;
        machine.descriptor(RX_RING + 16L * index, iova, random.nextInt(), random.nextInt());
    }

    private void register(int ring) {
        int queue = ring + (machine.target() == Target.I82574L && oneIn(4) ? 0x100 : 0);
        switch (random.nextInt(6)) {
            case 0 -> attack.set(queue + HEAD, odd(queue));
            case 1 -> attack.set(queue + TAIL, odd(queue));
            case 2 -> attack.set(queue + LENGTH, pick(0, 128, 256, 0x7F, random.nextInt(0x1000)));
            case 3 -> attack.set(queue, badAddress());
            case 4 -> attack.set(queue + HIGH, pick(0, 0, 1, -1));
            // One ring over the other.
            default -> attack.set(queue, pick((int) TX_RING, (int) RX_RING, (int) TX_BUFFER, (int) RX_BUFFER));
        }
    }

    private int odd(int queue) {
        int ring = queue < TDBAL ? rxRing : txRing;
        return pick(0, ring - 1, ring, ring + 1, 0xFFFF, random.nextInt(0x1_0000));
    }

    /** Units switched and resized while they run, the largest ring, resets in the middle. */
    private void meddle() {
        switch (random.nextInt(8)) {
            case 0 -> attack.set(E1000Attack.CTRL, E1000Attack.CTRL_RST);
            case 1 -> attack.set(RCTL, random.nextInt());
            case 2 -> attack.set(TCTL, oneIn(2) ? 0 : TRANSMIT);
            case 3 -> attack.set(RCTL, rctl ^ 2);
            case 4 -> attack.set(RCTL, rctl | E1000Attack.RCTL_LBM_MAC);
            case 5 -> attack.set(E1000Attack.RFCTL, random.nextInt());
            case 6 -> attack.set(E1000Attack.PSRCTL, random.nextInt());
            default -> {
                if (oneIn(8)) {
                    attack.set(TDBAL + LENGTH, 0xF_FF80);
                }
                attack.set(TDBAL + TAIL, random.nextInt(0x1_0000));
            }
        }
    }
}
