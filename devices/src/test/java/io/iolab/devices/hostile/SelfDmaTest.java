package io.iolab.devices.hostile;

import static io.iolab.devices.hostile.E1000Attack.EOP;
import static io.iolab.devices.hostile.E1000Attack.RCTL;
import static io.iolab.devices.hostile.E1000Attack.RECEIVE;
import static io.iolab.devices.hostile.E1000Attack.RING;
import static io.iolab.devices.hostile.E1000Attack.RS;
import static io.iolab.devices.hostile.E1000Attack.TAIL;
import static io.iolab.devices.hostile.E1000Attack.TX_BUFFER;
import static io.iolab.devices.hostile.VirtioAttack.BUFFER;
import static io.iolab.devices.hostile.VirtioAttack.RX;
import static io.iolab.devices.hostile.VirtioAttack.TX;
import static io.iolab.devices.hostile.VirtioAttack.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.queue.RingFeatures;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * DMA aimed at the device's own registers, on a bus that routes it there, which is what CVE-2023-3019 (e1000e) and
 * CVE-2024-3446 (virtio) are about. The outcome is open, since the guest asked for nonsense, but each call ends, none recurses,
 * and a reset by the ordinary driver cures.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SelfDmaTest {
    private static final int CTRL_RST = 1 << 26;
    private static final int MSIX_BAR_82574 = 3;

    private HostileMachine machine;

    @AfterEach
    void close() {
        machine.close();
    }

    private E1000Attack e1000(Target target) {
        machine = new HostileMachine(target);
        E1000Attack attack = new E1000Attack(machine);
        attack.start();
        machine.bus().peerToPeer(true);
        return attack;
    }

    private void survived(Attack attack, String what) {
        Verdict verdict = attack.verdictOnSelfDma();
        assertThat(verdict).as("%s: %s", what, attack.reason()).isNotEqualTo(Verdict.WEDGED);
        assertThat(machine.bus().deepest())
                .as("%s: accesses inside of accesses", what)
                .isLessThanOrEqualTo(6);
    }

    /** A frame whose every dword is {@code value}; to all, so that the first two dwords are ones. */
    private static byte[] frameOf(int value, int length) {
        byte[] frame = new byte[length];
        for (int i = 0; i + 4 <= length; i += 4) {
            LittleEndian.putInt(frame, i, value);
        }
        Arrays.fill(frame, 0, 6, (byte) -1);
        return frame;
    }

    /** Every register of BAR0 in turn is where the middle of the frame goes. */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    @DisplayName("CVE-2023-3019: received frames overwrite registers")
    void framesOverwriteRegisters(Target target) {
        E1000Attack attack = e1000(target);
        String previous = "unimplemented";
        for (int register = 0; register < 0x1_0000; register += 4) {
            String name = machine.function().registerName(0, register);
            if (name.equals("unimplemented") || name.equals(previous)) {
                continue;
            }
            previous = name;
            for (int value : new int[] {CTRL_RST, -1}) {
                String what = name + " = " + Integer.toHexString(value);
                machine.note(what);
                attack.start();
                machine.bus().peerToPeer(true);
                attack.set(RCTL, RECEIVE | E1000Attack.RCTL_LPE | E1000Attack.RCTL_256);
                long at = machine.barAddress(0, Math.max(0, register - 8));
                for (int i = 2; i < 64; i++) {
                    attack.receiveBuffer(i, E1000Attack.RX_BUFFER);
                }
                attack.receiveBuffer(0, at);
                attack.receiveBuffer(1, at);
                attack.ring(E1000Attack.RDBAL, E1000Attack.RX_RING, 64, 63);
                machine.arrive(frameOf(value, 9000));
                machine.arrive(frameOf(value, 60));
                survived(attack, what);
            }
        }
        assertThat(machine.bus().peerAccesses()).isPositive();
    }

    /**
     * A frame waits in the packet buffer; then its buffer is CTRL. The reset empties the packet buffer while the frame is
     * stored, so there is nothing left to take out of it: what it holds must not come out negative.
     */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    void aWaitingFrameResetsTheReceiverThatStoresIt(Target target) {
        E1000Attack attack = e1000(target);
        attack.start();
        machine.bus().peerToPeer(true);
        attack.ring(E1000Attack.RDBAL, E1000Attack.RX_RING, RING, 0);
        for (int i = 0; i < 5; i++) {
            machine.arrive(frameOf(CTRL_RST, 60 + 100 * i));
        }
        for (int i = 0; i < RING; i++) {
            attack.receiveBuffer(i, machine.barAddress(0, 0));
        }
        attack.set(E1000Attack.RDBAL + E1000Attack.TAIL, RING - 1);
        assertThat(machine.bus().peerAccesses()).isPositive();
        survived(attack, "reset by a waiting frame");
        attack.start();
        machine.arrive(frameOf(0, 60));
        assertThat(attack.verdict()).as(attack.reason()).isEqualTo(Verdict.PASS);
    }

    /** Transmit, loopback, receive, and the receive buffer is CTRL or a transmit register. */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    @DisplayName("CVE-2023-3019: a looped frame resets the transmitter that sends it")
    void loopedFrameResets(Target target) {
        E1000Attack attack = e1000(target);
        int[] registers = {0, 0x18, 0x100, 0x400, 0x2800, 0x2808, 0x2810, 0x2818, 0x3800, 0x3808, 0x3810, 0x3818, 0x5008
        };
        for (int register : registers) {
            for (int value : new int[] {CTRL_RST, 0, 1, 0x80, 0x8000, -1}) {
                for (boolean segmented : new boolean[] {false, true}) {
                    String what = machine.function().registerName(0, register) + " = " + Integer.toHexString(value);
                    machine.note(what);
                    attack.start();
                    machine.bus().peerToPeer(true);
                    attack.set(RCTL, RECEIVE | E1000Attack.RCTL_LBM_MAC | E1000Attack.RCTL_256);
                    for (int i = 0; i < RING; i++) {
                        attack.receiveBuffer(i, machine.barAddress(0, Math.max(0, register - 8)));
                    }
                    machine.store(TX_BUFFER, frameOf(value, 3000));
                    if (segmented) {
                        attack.context(0, 54, 100, 2946);
                        attack.transmit(
                                1, TX_BUFFER, 3000 | E1000Attack.DATA, EOP | RS | E1000Attack.DEXT | E1000Attack.TSE);
                    } else {
                        for (int i = 0; i < 8; i++) {
                            attack.transmit(i, TX_BUFFER, 60 + 100 * i, EOP | RS);
                        }
                    }
                    attack.tx(TAIL, segmented ? 2 : 8);
                    survived(attack, what);
                }
            }
        }
    }

    /** Registers that hold what is written to them serve as rings: MTA, VFTA, and the ring registers themselves. */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    @DisplayName("CVE-2023-3019: rings in the device's own registers")
    void ringsInRegisters(Target target) {
        E1000Attack attack = e1000(target);
        for (int place : new int[] {0, 0xC0, 0x100, 0x400, 0x2800, 0x3800, 0x4000, 0x5200, 0x5400, 0x5600}) {
            String what = "rings at " + Integer.toHexString(place);
            attack.start();
            machine.bus().peerToPeer(true);
            for (int i = 0; i < 32; i++) {
                attack.put(0x5200 + 16 * i, TX_BUFFER);
                attack.put(0x5204 + 16 * i, 0);
                attack.put(0x5208 + 16 * i, 60 | (EOP | RS) << 24);
            }
            attack.ring(E1000Attack.RDBAL, machine.barAddress(0, place), RING, RING - 1);
            attack.ring(E1000Attack.TDBAL, machine.barAddress(0, place), RING, 0);
            attack.tx(TAIL, RING - 1);
            machine.arrive(frameOf(CTRL_RST, 60));
            attack.set(RCTL, RECEIVE | E1000Attack.RCTL_LBM_MAC);
            attack.tx(TAIL, 3);
            survived(attack, what);
        }
    }

    /** An interrupt message that raises the next interrupt, on all five vectors, with causes that clear themselves. */
    @ParameterizedTest
    @ValueSource(ints = {0xC0, 0xC8, 0xD0, 0xD8, 0xDC, 0xE4, 0x00, 0x3818, 0x2818, 0x102C, 0x5B50})
    @DisplayName("CVE-2023-3019: interrupt messages written to registers")
    void messagesToRegisters(int register) {
        E1000Attack attack = e1000(Target.I82574L);
        for (int data : new int[] {-1, 1 << 20, 0x01F0_0000, CTRL_RST, 0}) {
            for (int autoClear : new int[] {0, 0x01F0_0000, -1}) {
                attack.start();
                machine.bus().peerToPeer(true);
                for (int vector = 0; vector < 5; vector++) {
                    long entry = 16L * vector;
                    machine.put(MSIX_BAR_82574, entry, 4, machine.barAddress(0, register));
                    machine.put(MSIX_BAR_82574, entry + 4, 4, 0);
                    machine.put(MSIX_BAR_82574, entry + 8, 4, data & 0xFFFF_FFFFL);
                    machine.put(MSIX_BAR_82574, entry + 12, 4, 0);
                }
                machine.configWrite(msix() + 2, 2, 0x8000);
                attack.set(E1000Attack.IVAR, 0x000C_BA98L);
                attack.set(E1000Attack.EIAC, autoClear);
                attack.set(E1000Attack.IMS, 0xFFFF_FFFFL);
                attack.set(E1000Attack.ICS, 0x01F0_0000);
                machine.arrive(E1000Attack.frame());
                String what = Integer.toHexString(register) + " = " + Integer.toHexString(data);
                machine.configWrite(msix() + 2, 2, 0);
                survived(attack, what);
            }
        }
    }

    private int msix() {
        int at = machine.function().config().read(0x34, 1);
        while (at != 0 && machine.function().config().read(at, 1) != 0x11) {
            at = machine.function().config().read(at + 1, 1);
        }
        return at;
    }

    private VirtioAttack virtio() {
        machine = new HostileMachine(Target.VIRTIO_NET);
        return new VirtioAttack(machine);
    }

    /** Receive buffers over the device's structures: a frame resets, stops, or kicks the device that delivers it. */
    @Test
    @DisplayName("CVE-2024-3446: received frames overwrite the common configuration")
    void framesOverwriteCommonConfiguration() {
        VirtioAttack attack = virtio();
        for (int field = 0; field < 0x3010; field = field == 0x40 ? 0x1000 : field == 0x1004 ? 0x2FF0 : field + 1) {
            for (int value : new int[] {0, -1, 0x0F0F_0F0F, 0x0101_0101}) {
                for (int features : new int[] {0, VirtioAttack.MRG_RXBUF}) {
                    String what = Integer.toHexString(field) + " = " + Integer.toHexString(value);
                    machine.note(what);
                    attack.features = features;
                    attack.start();
                    machine.bus().peerToPeer(true);
                    for (int i = 0; i < 8; i++) {
                        attack.descriptor(RX, i, machine.barAddress(VirtioAttack.BAR, field), 16 + i, WRITE, 0);
                        attack.descriptor(TX, i, BUFFER[TX], 12 + 60, 0, 0);
                        attack.available(RX, i, i);
                        attack.available(TX, i, i);
                    }
                    attack.descriptor(RX, 3, machine.barAddress(VirtioAttack.BAR, field), 2048, WRITE, 0);
                    attack.index(RX, 8);
                    attack.index(TX, 8);
                    attack.kick(RX);
                    machine.arrive(frameOf(value, 60));
                    machine.arrive(frameOf(value, 60));
                    attack.kick(TX);
                    machine.arrive(frameOf(value, 60));
                    survived(attack, what);
                }
            }
        }
    }

    /** Used rings over the structures: an index update or an element resets the device inside of its own publication. */
    @Test
    @DisplayName("CVE-2024-3446: rings in the device's own structures")
    void ringsInStructures() {
        VirtioAttack attack = virtio();
        for (int place = 0; place < 0x40; place += 4) {
            for (int area = 0; area < 3; area++) {
                for (int features : new int[] {0, VirtioAttack.EVENT_IDX}) {
                    attack.features = features;
                    attack.soundAreas();
                    attack.areas[area][TX] = machine.barAddress(VirtioAttack.BAR, place);
                    attack.areas[area][RX] = machine.barAddress(VirtioAttack.BAR, 0x2FF0 + place);
                    attack.negotiate();
                    attack.queue(RX);
                    attack.queue(TX);
                    machine.bus().peerToPeer(true);
                    attack.status(0xF);
                    for (int i = 0; i < 4; i++) {
                        attack.kick(TX);
                        attack.kick(RX);
                        machine.arrive(frameOf(0, 60));
                    }
                    attack.soundAreas();
                    survived(attack, "area " + area + " at " + Integer.toHexString(place));
                }
            }
        }
    }

    /** num_buffers, which is 1, goes to queue_reset: the queue is gone before its buffer is used (virtio 1.2 2.6.1, 5.1.6.4). */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aReceivedFrameResetsItsOwnQueue(boolean packed) {
        machine = new HostileMachine(Target.VIRTIO_NET_FULL);
        RogueAttack attack = new RogueAttack(machine);
        long features = RogueFeatures.PLAIN
                | NetFeatures.MRG_RXBUF
                | RingFeatures.RING_RESET
                | (packed ? RingFeatures.RING_PACKED : 0);
        attack.driver.place(features);
        RogueQueue queue = attack.driver.queues[RX];
        queue.place(packed, 8);
        attack.negotiate(features);
        attack.enable(RX);
        attack.enable(TX);
        attack.status(0xF);
        queue.part(queue.buffer(), 10, true);
        queue.part(machine.barAddress(VirtioAttack.BAR, 0x3A), 2, true);
        queue.part(queue.buffer(), 2048, true);
        queue.offer(false);
        attack.set(VirtioAttack.QUEUE_SELECT, 2, RX);
        machine.bus().peerToPeer(true);
        attack.kick(RX);
        assertThat(machine.arrive(E1000Attack.frame())).isEqualTo(Delivery.DROPPED);
        assertThat(machine.bus().peerAccesses()).isPositive();
        assertThat(machine.read(VirtioAttack.BAR, VirtioAttack.QUEUE_ENABLE, 2))
                .as("queue_enable")
                .isZero();
        survived(attack, "queue_reset by num_buffers");
    }
}
