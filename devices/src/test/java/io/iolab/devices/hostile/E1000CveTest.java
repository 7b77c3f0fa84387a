package io.iolab.devices.hostile;

import static io.iolab.devices.hostile.E1000Attack.DATA;
import static io.iolab.devices.hostile.E1000Attack.DEXT;
import static io.iolab.devices.hostile.E1000Attack.EOP;
import static io.iolab.devices.hostile.E1000Attack.HEAD;
import static io.iolab.devices.hostile.E1000Attack.LARGEST_RING;
import static io.iolab.devices.hostile.E1000Attack.LENGTH;
import static io.iolab.devices.hostile.E1000Attack.MDIC;
import static io.iolab.devices.hostile.E1000Attack.RCTL;
import static io.iolab.devices.hostile.E1000Attack.RECEIVE;
import static io.iolab.devices.hostile.E1000Attack.RING;
import static io.iolab.devices.hostile.E1000Attack.RS;
import static io.iolab.devices.hostile.E1000Attack.RX_RING;
import static io.iolab.devices.hostile.E1000Attack.TAIL;
import static io.iolab.devices.hostile.E1000Attack.TSE;
import static io.iolab.devices.hostile.E1000Attack.TX_BUFFER;
import static io.iolab.devices.hostile.E1000Attack.TX_RING;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The inputs of published bugs of e1000 models elsewhere, as the titles have them, each with the outcome that is right here.
 * What went wrong elsewhere is said only where the advisory says it.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class E1000CveTest {
    private HostileMachine machine;
    private E1000Attack attack;

    @AfterEach
    void close() {
        machine.close();
    }

    private void begin(Target target) {
        machine = new HostileMachine(target);
        attack = new E1000Attack(machine);
        attack.start();
    }

    private void expect(Verdict verdict) {
        assertThat(attack.verdict()).as(attack.reason()).isEqualTo(verdict);
        assertThat(machine.window().neighboursUntouched())
                .as("memory of other guests")
                .isTrue();
    }

    /**
     * A TSO context with a header and a segment size of 0 describes no segment: the packet is dropped, and the ring goes on.
     */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    @DisplayName("CVE-2015-6815: segments of no bytes")
    void cve2015n6815(Target target) {
        begin(target);
        attack.context(0, 0, 0, 0);
        attack.transmit(1, TX_BUFFER, 3000 | DATA, EOP | RS | DEXT | TSE);
        attack.context(2, 54, 0, 3000);
        attack.transmit(3, TX_BUFFER, 3000 | DATA, EOP | RS | DEXT | TSE);
        attack.tx(TAIL, 4);
        assertThat(attack.get(E1000Attack.TDBAL + HEAD)).as("TDH").isEqualTo(4);
        assertThat(attack.counters().txMalformed()).isEqualTo(2);
        assertThat(machine.frames()).isZero();
        expect(Verdict.PASS);
    }

    /**
     * With TDH or RDH beyond the ring, head never meets tail by going round. Such a ring is not walked at all.
     */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    @DisplayName("CVE-2016-1981: head beyond the ring")
    void cve2016n1981(Target target) {
        begin(target);
        attack.transmit(0, TX_BUFFER, 60, EOP | RS);
        attack.tx(HEAD, RING + 3);
        attack.tx(TAIL, 1);
        attack.rx(HEAD, 0xFFF0);
        attack.rx(TAIL, 5);
        machine.arrive(E1000Attack.frame());
        assertThat(machine.frames()).isZero();
        assertThat(attack.counters().ringFaults()).isPositive();
        expect(Verdict.PASS);
    }

    /**
     * Descriptor fields with invalid values made the transmit loop endless. A context descriptor in the middle of a TSO packet,
     * with header and segment shorter than what was gathered already, has no effect on that packet here.
     */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    @DisplayName("CVE-2021-20257: the segment size shrinks in the middle of a packet")
    void cve2021n20257(Target target) {
        begin(target);
        attack.context(0, 54, 1000, 3000);
        attack.transmit(1, TX_BUFFER, 900 | DATA, DEXT | TSE);
        attack.context(2, 14, 1, 20);
        attack.transmit(3, TX_BUFFER, 2154 | DATA, EOP | RS | DEXT | TSE);
        attack.tx(TAIL, 4);
        assertThat(attack.get(E1000Attack.TDBAL + HEAD)).as("TDH").isEqualTo(4);
        assertThat(machine.frames()).as("3000 bytes in segments of 1000").isEqualTo(3);
        expect(Verdict.PASS);
    }

    /**
     * Receive descriptors without a buffer take nothing of the frame: they are completed empty, each at most once, and what
     * does not fit is lost and counted.
     */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    @DisplayName("CVE-2020-28916: receive descriptors without a buffer")
    void cve2020n28916(Target target) {
        begin(target);
        machine.zero(RX_RING, 16 * RING);
        machine.arrive(E1000Attack.frame());
        assertThat(attack.counters().rxFrames()).isZero();
        assertThat(attack.counters().rxOverruns()).isEqualTo(1);
        expect(Verdict.PASS);
    }

    /** The same on the largest ring: bounded for each call, and done in the end. */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    @DisplayName("CVE-2020-28916: 65 528 receive descriptors without a buffer")
    void cve2020n28916largest(Target target) {
        begin(target);
        machine.zero(HostileMachine.HEAP, LARGEST_RING);
        attack.rx(0, HostileMachine.HEAP);
        attack.rx(LENGTH, 0xF_FF80);
        attack.rx(TAIL, 0xFFF0);
        machine.arrive(E1000Attack.frame());
        assertThat(machine.mostRequests())
                .as("DMA requests of one call")
                .isLessThanOrEqualTo(target.bound().of(64));
        expect(Verdict.PASS);
    }

    /** All of the descriptors of a packet split ring without a buffer, and without a size. */
    @ParameterizedTest
    @EnumSource(names = "I82574L")
    @DisplayName("CVE-2020-28916: packet split descriptors without buffers")
    void cve2020n28916split(Target target) {
        begin(target);
        attack.set(E1000Attack.RFCTL, E1000Attack.RFCTL_EXTENDED);
        attack.set(RCTL, RECEIVE | E1000Attack.RCTL_SPLIT);
        machine.zero(RX_RING, 16 * RING);
        machine.arrive(E1000Attack.frame());
        attack.set(E1000Attack.PSRCTL, 0);
        machine.arrive(E1000Attack.frame());
        assertThat(attack.counters().rxFrames()).isZero();
        expect(Verdict.PASS);
    }

    /**
     * In loopback a sent frame is received inside of the transmit call; reentered without end, that overflowed the stack. Here
     * reception never sends, in MAC and in PHY loopback.
     */
    @ParameterizedTest
    @EnumSource(names = {"I82540EM", "I82574L"})
    @DisplayName("CVE-2021-3416: loopback recursion")
    void cve2021n3416(Target target) {
        begin(target);
        attack.set(RCTL, RECEIVE | E1000Attack.RCTL_LBM_MAC);
        loop();
        attack.set(RCTL, RECEIVE);
        attack.set(MDIC, E1000Attack.PHY_CONTROL_USUAL | E1000Attack.PHY_LOOPBACK);
        machine.advance(1_000_000);
        loop();
        assertThat(machine.frames()).as("frames on the wire").isZero();
        expect(Verdict.PASS);
    }

    /** Seven frames whose receive buffers are the transmit ring: what is received is what would be sent next. */
    private void loop() {
        long before = attack.counters().rxFrames();
        for (int i = 0; i < RING; i++) {
            attack.receiveBuffer(i, TX_RING + 16 * 8);
            attack.transmit(i, TX_RING, 128, EOP | RS);
        }
        attack.ring(E1000Attack.RDBAL, RX_RING, RING, RING - 1);
        attack.ring(E1000Attack.TDBAL, TX_RING, RING, 7);
        machine.store(TX_RING, java.util.Arrays.copyOf(new byte[] {-1, -1, -1, -1, -1, -1}, 6));
        attack.transmit(0, TX_BUFFER, 60, EOP | RS);
        machine.store(TX_BUFFER, E1000Attack.frame());
        machine.run();
        assertThat(attack.counters().rxFrames() - before)
                .as("frames looped back")
                .isPositive();
    }

    /**
     * The same with the loop outside: a switch or a peer in loopback that answers inside of the call. Not for the target whose probe
     * sends a ring full of frames: how many go round is not known then.
     */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "VIRTIO_NET_FULL")
    @DisplayName("CVE-2021-3416: the wire comes straight back")
    void cve2021n3416outside(Target target) {
        machine = new HostileMachine(target);
        Attack any = Attack.on(machine);
        any.start();
        machine.loopedWire(true);
        assertThat(any.serves()).as("a frame that stays on the wire").isFalse();
        assertThat(machine.loops()).as("each frame goes round once").isEqualTo(1);
        machine.loopedWire(false);
        assertThat(any.verdict()).as(any.reason()).isEqualTo(Verdict.PASS);
    }

    /** An address beyond the region reached past MSI-X table and pending bits. Accesses of every width cross both ends here. */
    @ParameterizedTest
    @EnumSource
    @DisplayName("CVE-2020-13754: MSI-X accesses that cross the end")
    void cve2020n13754(Target target) {
        machine = new HostileMachine(target);
        Attack any = Attack.on(machine);
        any.start();
        for (int bar = 0; bar < 6; bar++) {
            io.iolab.devices.pci.Bar window = machine.function().config().bar(bar);
            if (window == null || bar == 0 || window.size() > 0x1_0000) {
                continue;
            }
            for (int width = 1; width <= 8; width *= 2) {
                for (long offset = 0; offset <= window.size() - width; offset++) {
                    if (bar != VirtioAttack.BAR) {
                        machine.put(bar, offset, width, -1L >>> 64 - 8 * width);
                    }
                    machine.read(bar, offset, width);
                }
            }
        }
        assertThat(any.verdict()).as(any.reason()).isEqualTo(Verdict.PASS);
    }
}
