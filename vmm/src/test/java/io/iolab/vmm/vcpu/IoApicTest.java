package io.iolab.vmm.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.vmm.memory.Allocations;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * 82093AA I/O APIC data sheet, sections 3.1 (IOREGSEL, IOWIN) and 3.2 (registers); the level protocol as in SDM volume 3, section
 * "Signaling Interrupt Servicing Completion". Programmed through the window only.
 */
@DisplayName("I/O APIC")
class IoApicTest {
    private static final int LEVEL = 1 << 15;
    private static final int MASKED = 1 << 16;
    private static final int REMOTE_IRR = 1 << 14;

    private final List<String> messages = new ArrayList<>();
    private boolean accepting = true;
    private final IoApic ioApic = new IoApic((destination, logical, mode, vector, level) -> {
        messages.add("%x %s %s %x %s".formatted(destination, logical, mode, vector, level));
        return accepting;
    });

    private int read(int index) {
        ioApic.write(0x00, 4, index);
        return (int) ioApic.read(0x10, 4);
    }

    private void write(int index, int value) {
        ioApic.write(0x00, 4, index);
        ioApic.write(0x10, 4, value & 0xFFFF_FFFFL);
    }

    private void program(int pin, int low, int destination) {
        write(0x11 + 2 * pin, destination << 24);
        write(0x10 + 2 * pin, low);
    }

    @Test
    @DisplayName("3.2: version 0x11 with 24 entries, all masked after reset")
    void shouldShowTheResetState() {
        assertThat(read(1)).isEqualTo(0x0017_0011);
        assertThat(read(0)).isZero();
        for (int pin = 0; pin < 24; pin++) {
            assertThat(read(0x10 + 2 * pin)).isEqualTo(MASKED);
            assertThat(read(0x11 + 2 * pin)).isZero();
        }
        program(3, LEVEL | 0x33, 1);
        ioApic.reset();
        assertThat(read(0x16)).isEqualTo(MASKED);
        assertThat(read(0x17)).isZero();
    }

    @Test
    @DisplayName("3.2: only the bits that software may write change")
    void shouldKeepReadOnlyBits() {
        write(0, -1);
        assertThat(read(0)).isEqualTo(0x0F00_0000);
        assertThat(read(2)).as("arbitration id follows").isEqualTo(0x0F00_0000);
        write(1, -1);
        assertThat(read(1)).isEqualTo(0x0017_0011);
        write(0x20, -1);
        assertThat(read(0x20))
                .as("delivery status and remote IRR are read-only")
                .isEqualTo(0x0001_AFFF);
        write(0x21, -1);
        assertThat(read(0x21)).isEqualTo(0xFF00_0000);
        assertThat(ioApic.ignored(RegisterFault.READ_ONLY)).isOne();
    }

    @Test
    @DisplayName("3.1: IOWIN takes 32-bit accesses; the rest of the window holds nothing")
    void shouldIgnoreAndCountWhatIsNoRegister() {
        ioApic.write(0x00, 1, 0x01);
        assertThat(ioApic.read(0x00, 1)).isEqualTo(1);
        assertThat(ioApic.read(0x10, 1)).isZero();
        assertThat(ioApic.read(0x10, 8)).isZero();
        assertThat(ioApic.ignored(RegisterFault.WRONG_WIDTH)).isEqualTo(2);
        ioApic.write(0x40, 4, 0x33);
        assertThat(ioApic.read(0x20, 4)).isZero();
        assertThat(ioApic.read(0x02, 2)).isZero();
        assertThat(ioApic.ignored(RegisterFault.UNKNOWN_OFFSET))
                .as("no EOI register in version 0x11")
                .isEqualTo(3);
        assertThat(read(0x40)).isZero();
        assertThat(read(0x03)).isZero();
        write(0xFF, -1);
        assertThat(ioApic.ignored(RegisterFault.UNKNOWN_OFFSET)).isEqualTo(6);
    }

    @Test
    void shouldCarryTheEntryInTheMessage() {
        InterruptPin pin = ioApic.pin(5);
        program(5, 0x45, 0x07);
        pulse(pin);
        program(5, 1 << 11 | 1 << 8 | 0x46, 0x0F);
        pulse(pin);
        program(5, 4 << 8, 0xFF);
        pulse(pin);
        program(5, 3 << 8 | 0x47, 0);
        pulse(pin);
        program(5, 6 << 8 | 0x47, 0);
        pulse(pin);
        assertThat(messages)
                .as("fixed, logical lowest priority, NMI to all; reserved modes send nothing")
                .containsExactly(
                        "7 false FIXED 45 false", "f true LOWEST_PRIORITY 46 false", "ffffffff false NMI 0 false");
    }

    private static void pulse(InterruptPin pin) {
        pin.set(true);
        pin.set(false);
    }

    @Test
    @DisplayName("Edge: only a rise sends, remote IRR stays 0, and an edge while masked is lost")
    void shouldSendOncePerEdge() {
        InterruptPin pin = ioApic.pin(4);
        program(4, 0x44, 0);
        pin.set(true);
        pin.set(true);
        assertThat(messages).hasSize(1);
        assertThat(read(0x18) & REMOTE_IRR).isZero();
        ioApic.endOfInterrupt(0x44);
        assertThat(messages).as("EOI is nothing to an edge").hasSize(1);
        pin.set(false);
        pin.set(true);
        assertThat(messages).hasSize(2);
        pin.set(false);
        program(4, MASKED | 0x44, 0);
        pin.set(true);
        assertThat(ioApic.lostEdges()).isOne();
        program(4, 0x44, 0);
        assertThat(messages).as("not made up for on unmasking").hasSize(2);
    }

    @Test
    @DisplayName("Level high at EOI: exactly one new message; low at EOI: none")
    void shouldResendWhileTheLevelOutlivesItsEoi() {
        InterruptPin pin = ioApic.pin(22);
        program(22, LEVEL | 0x51, 0);
        pin.set(true);
        assertThat(messages).containsExactly("0 false FIXED 51 true");
        assertThat(read(0x10 + 44) & REMOTE_IRR).isEqualTo(REMOTE_IRR);
        pin.set(false);
        pin.set(true);
        assertThat(messages).as("no further message while remote IRR is 1").hasSize(1);
        ioApic.endOfInterrupt(0x52);
        assertThat(messages).as("another vector").hasSize(1);
        ioApic.endOfInterrupt(0x51);
        assertThat(messages).hasSize(2);
        assertThat(ioApic.resent()).isOne();
        pin.set(false);
        ioApic.endOfInterrupt(0x51);
        assertThat(messages).hasSize(2);
        assertThat(read(0x10 + 44) & REMOTE_IRR).isZero();
        ioApic.endOfInterrupt(0x51);
        pin.set(true);
        assertThat(messages).hasSize(3);
    }

    @Test
    @DisplayName("Level while masked: sent on unmasking; masked at EOI: held until unmasked")
    void shouldSendALevelThatIsHighWhenUnmasked() {
        InterruptPin pin = ioApic.pin(16);
        program(16, LEVEL | MASKED | 0x51, 0);
        pin.set(true);
        assertThat(messages).isEmpty();
        write(0x30, LEVEL | 0x51);
        assertThat(messages).hasSize(1);
        write(0x30, LEVEL | MASKED | 0x51);
        ioApic.endOfInterrupt(0x51);
        assertThat(messages).hasSize(1);
        write(0x30, LEVEL | 0x51);
        assertThat(messages).hasSize(2);
        write(0x30, LEVEL | 0x51);
        assertThat(messages).as("remote IRR is 1 again").hasSize(2);
    }

    @Test
    @DisplayName("Remote IRR: set only if accepted; cleared by making the entry edge-triggered")
    void shouldSetRemoteIrrOnlyIfAcceptedAndClearItByTheEdgeTrick() {
        InterruptPin pin = ioApic.pin(16);
        accepting = false;
        program(16, LEVEL | 0x51, 9);
        pin.set(true);
        assertThat(messages).hasSize(1);
        assertThat(read(0x30) & REMOTE_IRR).isZero();
        accepting = true;
        write(0x31, 1 << 24);
        assertThat(messages)
                .as("a better destination")
                .hasSize(2)
                .last()
                .asString()
                .startsWith("1 ");
        assertThat(read(0x30) & REMOTE_IRR).isEqualTo(REMOTE_IRR);
        write(0x30, LEVEL | MASKED | 0x51);
        assertThat(read(0x30) & REMOTE_IRR).isEqualTo(REMOTE_IRR);
        write(0x30, MASKED | 0x51);
        assertThat(read(0x30) & REMOTE_IRR).isZero();
        write(0x30, LEVEL | 0x51);
        assertThat(messages).hasSize(3);
    }

    @Test
    @DisplayName("One EOI serves every level entry with its vector")
    void shouldBroadcastToAllEntriesOfAVector() {
        for (int n : new int[] {16, 17, 18}) {
            program(n, LEVEL | 0x51, n);
            ioApic.pin(n).set(true);
        }
        program(18, LEVEL | 0x61, 18);
        messages.clear();
        ioApic.endOfInterrupt(0x51);
        assertThat(messages).containsExactly("10 false FIXED 51 true", "11 false FIXED 51 true");
        assertThat(ioApic.levelVector(0x51)).isTrue();
        assertThat(ioApic.levelVector(0x61)).isTrue();
        assertThat(ioApic.levelVector(0x62)).isFalse();
    }

    @Test
    @DisplayName("A shared pin is the OR of its sources")
    void shouldStayHighUntilTheLastSourceLetsGo() {
        InterruptPin first = ioApic.pin(20);
        InterruptPin second = ioApic.pin(20);
        program(20, LEVEL | 0x51, 0);
        first.set(true);
        second.set(true);
        first.set(false);
        first.set(false);
        ioApic.endOfInterrupt(0x51);
        assertThat(messages).hasSize(2);
        second.set(false);
        ioApic.endOfInterrupt(0x51);
        assertThat(messages).hasSize(2);
    }

    @Test
    @DisplayName("A level that no handler clears is held after 10,000 re-sends and goes on when released")
    void shouldBrakeAStorm() {
        InterruptPin pin = ioApic.pin(20);
        program(20, LEVEL | 0x51, 0);
        pin.set(true);
        for (int i = 0; i < 10_000; i++) {
            ioApic.endOfInterrupt(0x51);
        }
        assertThat(ioApic.messages()).isEqualTo(10_001);
        assertThat(ioApic.holding()).isFalse();
        for (int i = 0; i < 5; i++) {
            ioApic.endOfInterrupt(0x51);
        }
        assertThat(ioApic.messages()).isEqualTo(10_001);
        assertThat(ioApic.holding()).isTrue();
        assertThat(ioApic.storms()).isOne();
        ioApic.releaseHeld();
        assertThat(ioApic.messages()).isEqualTo(10_002);
        assertThat(ioApic.holding()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("A held pin recovers by itself when its level ends, and an EOI that finds it low forgives")
    void shouldForgetAStormThatEnded(boolean whileHeld) {
        InterruptPin pin = ioApic.pin(20);
        program(20, LEVEL | 0x51, 0);
        pin.set(true);
        for (int i = 0; i < (whileHeld ? 10_001 : 9_999); i++) {
            ioApic.endOfInterrupt(0x51);
        }
        pin.set(false);
        assertThat(ioApic.holding()).isFalse();
        ioApic.endOfInterrupt(0x51);
        long before = ioApic.messages();
        pin.set(true);
        ioApic.endOfInterrupt(0x51);
        ioApic.endOfInterrupt(0x51);
        assertThat(ioApic.messages()).isEqualTo(before + 3);
    }

    /** Wired to a local APIC, with a device that holds its line until a handler has run: as many services as requests. */
    @Test
    @DisplayName("No interrupt lost across EOI with the line still high")
    void shouldServeEveryRequestThroughALocalApic() {
        IoApic[] chip = new IoApic[1];
        LocalApic apic = new LocalApic(0, vector -> chip[0].endOfInterrupt(vector), (sender, icr) -> {});
        chip[0] = new IoApic((destination, logical, mode, vector, level) ->
                apic.matches(destination, logical) && apic.accept(vector, level).accepted());
        apic.writeMsr(0x80F, 0x1FF);
        chip[0].write(0, 4, 0x3C);
        chip[0].write(0x10, 4, LEVEL | 0x51);
        InterruptPin pin = chip[0].pin(22);
        long seed = 22;
        SplittableRandom random = new SplittableRandom(seed);
        int requests = 0;
        int open = 0;
        for (int i = 0; i < 10_000; i++) {
            if (random.nextBoolean()) {
                requests++;
                open++;
                pin.set(true);
            }
            if (random.nextInt(3) == 0 && apic.pendingVector() >= 0) {
                assertThat(apic.acknowledge()).isEqualTo(0x51);
                open -= Math.min(open, 1 + random.nextInt(3));
                pin.set(open > 0);
                apic.writeMsr(0x80B, 0);
            }
            assertThat(open > 0 && apic.pendingVector() < 0 && apic.inService() < 0)
                    .as("seed %d, round %d: a request that nothing will serve", seed, i)
                    .isFalse();
        }
        assertThat(requests).isPositive();
        assertThat(apic.ignoredEois()).isZero();
        assertThat(apic.coalesced())
                .as("remote IRR lets one message out at a time")
                .isZero();
    }

    @Test
    void shouldTakeAnyAccessWithoutException() {
        long seed = 24;
        SplittableRandom random = new SplittableRandom(seed);
        InterruptPin[] pins = new InterruptPin[24];
        for (int n = 0; n < 24; n++) {
            pins[n] = ioApic.pin(n);
        }
        for (int i = 0; i < 100_000; i++) {
            switch (random.nextInt(4)) {
                case 0 -> ioApic.write(random.nextInt(256), 1 << random.nextInt(4), random.nextLong());
                case 1 -> write(random.nextInt(256), random.nextInt());
                case 2 -> pins[random.nextInt(24)].set(random.nextBoolean());
                default -> ioApic.endOfInterrupt(random.nextInt(256));
            }
            assertThat(ioApic.read(random.nextInt(256), 4) >>> 32)
                    .as("seed %d", seed)
                    .isZero();
            messages.clear();
        }
    }

    @Test
    void shouldAllocateNothingPerInterrupt() {
        IoApic quiet = new IoApic((destination, logical, mode, vector, level) -> true);
        quiet.write(0, 4, 0x3C);
        quiet.write(0x10, 4, LEVEL | 0x51);
        InterruptPin pin = quiet.pin(22);
        long bytes = Allocations.bytesOf(10_000, () -> {
            pin.set(true);
            quiet.endOfInterrupt(0x51);
            pin.set(false);
            quiet.endOfInterrupt(0x51);
            quiet.write(0, 4, quiet.read(0, 4));
        });
        assertThat(bytes).as("bytes in 10,000 rounds").isLessThan(1_000);
    }

    // ---- before a remapping unit

    @Test
    @DisplayName("VT-d 5.1.5.1: bits 63:48 and bit 11 of an entry are bits 19:4 and 2 of the message's address")
    void shouldSendMessagesOfBothFormatsToARemappingUnit() {
        List<String> sent = new ArrayList<>();
        IoApic before = IoApic.before((address, data) -> sent.add("%x %x".formatted(address, data)));
        InterruptPin pin = before.pin(2);
        write(before, 0x15, 0x1234 << 17 | 1 << 16);
        write(before, 0x14, LEVEL | 1 << 11 | 0x51);
        before.write(0x00, 4, 0x15);
        assertThat((int) before.read(0x10, 4)).isEqualTo(0x1234 << 17 | 1 << 16);
        pin.set(true);
        assertThat(sent).as("index 0x9234, level asserted").containsExactly("fee24694 c051");
        pin.set(false);
        pin.set(true);
        assertThat(sent).as("no EOI is awaited").hasSize(2);
        write(before, 0x15, 0x07 << 24);
        write(before, 0x14, 0x52);
        pin.set(false);
        pin.set(true);
        assertThat(sent.getLast()).as("compatibility format, edge").isEqualTo("fee07000 52");
    }

    private static void write(IoApic ioApic, int index, int value) {
        ioApic.write(0x00, 4, index);
        ioApic.write(0x10, 4, value & 0xFFFF_FFFFL);
    }
}
