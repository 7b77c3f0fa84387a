package io.iolab.devices.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** How much one call may do, on the rings that ask for the most; and no frame is lost uncounted. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BoundedWorkTest {
    private static final long SEED = 0x0C0_FFEEL;

    /**
     * 65 528 descriptors that carry nothing, one byte, or a runt each: {@link HostileMachine} fails a call of more requests
     * than {@link Target.Bound}, and the walk must end.
     */
    @ParameterizedTest
    @CsvSource({"0, 9", "1, 9", "13, 9", "1, 0", "0, 0", "16, 41"})
    void shouldWalkTheLargestTransmitRingInBoundedCalls(int length, int command) {
        for (Target target : new Target[] {Target.I82540EM, Target.I82574L}) {
            try (HostileMachine machine = new HostileMachine(target)) {
                E1000Attack attack = new E1000Attack(machine);
                attack.start();
                for (int i = 0; i < 65_528; i++) {
                    machine.descriptor(0x10_0000 + 16L * i, 0x8_0000, length | command << 24, 0);
                }
                attack.put(E1000Attack.TDBAL, 0x10_0000);
                attack.put(E1000Attack.TDBAL + E1000Attack.LENGTH, 0xF_FF80);
                attack.tx(E1000Attack.TAIL, 65_527);
                assertThat(attack.get(E1000Attack.TDBAL + E1000Attack.HEAD)).isEqualTo(65_527);
                assertThat(attack.verdict()).as(attack.reason()).isEqualTo(Verdict.PASS);
            }
        }
    }

    /** The longest chain there may be, in an indirect table as well: 256 descriptors and not one more. */
    @Test
    void shouldWalkTheLongestChainsInBoundedCalls() {
        try (HostileMachine machine = new HostileMachine(Target.VIRTIO_NET)) {
            VirtioAttack attack = new VirtioAttack(machine);
            attack.size = 256;
            attack.start();
            for (int i = 0; i < 256; i++) {
                attack.descriptor(VirtioAttack.TX, i, 0x3_0000, 16 * 256, VirtioAttack.INDIRECT, 0);
                attack.available(VirtioAttack.TX, i, i);
                // Backwards, so that no table entry comes with the one before it.
                machine.descriptor(
                        0x3_0000 + 16L * (i * 37 % 256), 0x8_0000, 1, VirtioAttack.NEXT | (i * 37 + 37) % 256 << 16);
            }
            attack.index(VirtioAttack.TX, 256);
            attack.kick(VirtioAttack.TX);
            assertThat(attack.verdict()).as(attack.reason()).isEqualTo(Verdict.REJECT);
        }
    }

    /**
     * Sound frames between malformed ones: each that the device says it took is in guest memory or in a counter, each that the
     * guest sends is on the wire or in a counter.
     */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    void shouldAccountForEveryFrameOfAnE1000(Target target) {
        try (HostileMachine machine = new HostileMachine(target)) {
            E1000Attack attack = new E1000Attack(machine);
            E1000Forge forge = new E1000Forge(machine, attack);
            machine.keepFrames(false);
            for (int round = 0; round < 200; round++) {
                forge.forge(SEED + round);
                attack.start();
                machine.advance(10_000_000);
                long sentBefore = machine.frames();
                long countedBefore =
                        attack.counters().txFrames() + attack.counters().txMalformed();
                int sound = 0;
                for (int i = 0; i < E1000Attack.RING - 1; i++) {
                    boolean good = i % 3 != 0;
                    attack.transmit(i, E1000Attack.TX_BUFFER, good ? 60 : 5, E1000Attack.EOP | E1000Attack.RS);
                    sound += good ? 1 : 0;
                }
                attack.put(E1000Attack.TCTL, E1000Attack.TRANSMIT & ~8);
                attack.tx(E1000Attack.TAIL, E1000Attack.RING - 1);
                assertThat(machine.frames() - sentBefore)
                        .as("round %d: on the wire", round)
                        .isEqualTo(sound);
                assertThat(attack.counters().txFrames() + attack.counters().txMalformed() - countedBefore)
                        .as("round %d: sent or counted", round)
                        .isEqualTo(E1000Attack.RING - 1);
                receive(machine, attack, round);
            }
        }
    }

    private static void receive(HostileMachine machine, E1000Attack attack, int round) {
        attack.start();
        long before = received(attack);
        long stored = attack.counters().rxFrames();
        int offered = 3 * E1000Attack.RING;
        for (int i = 0; i < offered; i++) {
            byte[] frame = E1000Attack.frame();
            machine.arrive(i % 5 == 0 ? new byte[3] : i % 5 == 1 ? new byte[60] : frame);
        }
        // What waits in the packet buffer is let out by new descriptors.
        for (int i = 0; i < 4; i++) {
            attack.rx(E1000Attack.TAIL, (attack.get(E1000Attack.RDBAL + E1000Attack.HEAD) + 15) % E1000Attack.RING);
        }
        assertThat(attack.counters().rxFrames() - stored)
                .as("round %d: stored", round)
                .isEqualTo(offered * 3 / 5);
        assertThat(received(attack) - before)
                .as("round %d: stored or counted", round)
                .isEqualTo(offered);
    }

    private static long received(E1000Attack attack) {
        return attack.counters().rxFrames()
                + attack.counters().rxFiltered()
                + attack.counters().rxBadLength()
                + attack.counters().rxDisabled()
                + attack.counters().rxLinkDown()
                + attack.counters().rxOverruns();
    }

    @Test
    void shouldAccountForEveryFrameOfVirtio() {
        try (HostileMachine machine = new HostileMachine(Target.VIRTIO_NET)) {
            VirtioAttack attack = new VirtioAttack(machine);
            VirtioForge forge = new VirtioForge(machine, attack);
            machine.keepFrames(false);
            for (int round = 0; round < 200; round++) {
                forge.forge(SEED + round);
                attack.size = 16;
                attack.features = 0;
                attack.start();
                long wire = machine.frames();
                long drops = attack.counters().txRuntDrops() + attack.counters().txDmaFaultDrops();
                for (int i = 0; i < 16; i++) {
                    long iova = i % 4 == 1 ? 1L << 40 : VirtioAttack.BUFFER[VirtioAttack.TX];
                    attack.descriptor(VirtioAttack.TX, i, iova, i % 4 == 0 ? 20 : 72, 0, 0);
                    attack.available(VirtioAttack.TX, i, i);
                    attack.descriptor(
                            VirtioAttack.RX, i, VirtioAttack.BUFFER[VirtioAttack.RX], 2048, VirtioAttack.WRITE, 0);
                    attack.available(VirtioAttack.RX, i, i);
                }
                attack.index(VirtioAttack.TX, 16);
                attack.index(VirtioAttack.RX, 16);
                attack.kick(VirtioAttack.TX);
                assertThat(machine.frames() - wire)
                        .as("round %d: on the wire", round)
                        .isEqualTo(8);
                assertThat(attack.counters().txRuntDrops() + attack.counters().txDmaFaultDrops() - drops)
                        .as("round %d: counted", round)
                        .isEqualTo(8);
                assertThat(attack.used(VirtioAttack.TX)).isEqualTo(16);
                int accepted = 0;
                for (int i = 0; i < 20; i++) {
                    accepted += machine.arrive(E1000Attack.frame()) == Delivery.ACCEPTED ? 1 : 0;
                }
                assertThat(accepted).isEqualTo(attack.used(VirtioAttack.RX)).isEqualTo(16);
            }
        }
    }
}
