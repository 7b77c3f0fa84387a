package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.net.FramePort;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** 82540 SDM 13.4, ICR to IMC and ITR: the 82540EM's level-triggered interrupt. */
class E1000InterruptTest {
    private static final int LSC = 4;
    private static final int RXT0 = 0x80;
    private static final int ALL = 0x1F6DF;
    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82540em();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private int pciStatus() {
        return bench.device.config().read(0x06, 2) & 8;
    }

    @Test
    @DisplayName("Rule 1: an event is recorded whatever the mask; rule 2: INTA# while (ICR & IMS) is not 0")
    void shouldAssertWhileUnmaskedCauseIsPending() {
        bench.write(ICS, LSC);
        assertThat(bench.pin).isFalse();
        assertThat(pciStatus()).isZero();
        bench.write(IMS, LSC);
        assertThat(bench.pin)
                .as("rule 6: unmasking a pending cause asserts at once")
                .isTrue();
        assertThat(pciStatus()).isEqualTo(8);
        assertThat(bench.read(IMS)).isEqualTo(LSC);
    }

    @Test
    @DisplayName("Rule 3: a read of ICR returns all, clears all and deasserts, without INT_ASSERTED on this part")
    void shouldClearOnRead() {
        bench.write(IMS, LSC);
        bench.write(ICS, LSC | RXT0);
        assertThat(bench.read(ICR)).isEqualTo(LSC | RXT0);
        assertThat(bench.pin).isFalse();
        assertThat(bench.read(ICR)).isZero();
        bench.write(IMC, -1);
        bench.write(ICS, 0x10);
        assertThat(bench.read(ICR)).as("even with everything masked").isEqualTo(0x10);
        assertThat(bench.read(ICR)).isZero();
    }

    @Test
    @DisplayName("Rule 4: writing ones to ICR clears those bits")
    void shouldClearWrittenBits() {
        bench.write(IMS, LSC);
        bench.write(ICS, LSC | RXT0);
        bench.write(ICR, LSC);
        assertThat(bench.pin).isFalse();
        assertThat(bench.read(ICR)).isEqualTo(RXT0);
    }

    @Test
    @DisplayName("Rule 5: ICS sets causes; reading it shows ICR and clears nothing")
    void shouldSetCauses() {
        bench.write(IMS, RXT0);
        bench.write(ICS, RXT0);
        assertThat(bench.pin).isTrue();
        assertThat(bench.read(ICS)).isEqualTo(RXT0);
        assertThat(bench.read(ICS)).isEqualTo(RXT0);
        assertThat(bench.pin).isTrue();
    }

    @Test
    @DisplayName("Rule 7: IMC clears mask bits and reads 0; IMS sets them")
    void shouldMask() {
        bench.write(IMS, LSC | RXT0);
        bench.write(ICS, LSC | RXT0);
        bench.write(IMC, LSC);
        assertThat(bench.pin).isTrue();
        bench.write(IMC, RXT0);
        assertThat(bench.pin).isFalse();
        assertThat(bench.read(IMS)).isZero();
        assertThat(bench.read(IMC)).isZero();
    }

    @Test
    @DisplayName("Bits without a cause do not stick")
    void shouldKeepToExistingCauses() {
        bench.write(IMS, -1);
        assertThat(bench.read(IMS)).isEqualTo(ALL);
        bench.write(ICS, -1);
        assertThat(bench.read(ICR)).isEqualTo(ALL);
    }

    @Test
    @DisplayName("PCI 6.2.2: INTx disable holds the pin, not the status bit")
    void shouldRespectInterruptDisable() {
        bench.device.config().write(0x04, 2, 0x407);
        bench.write(IMS, LSC);
        bench.write(ICS, LSC);
        assertThat(bench.pin).isFalse();
        assertThat(pciStatus()).isEqualTo(8);
        bench.device.config().write(0x04, 2, 0x007);
        assertThat(bench.pin).isTrue();
    }

    @Test
    @DisplayName("LSC on every change of link, masked or not; none by a reset")
    void shouldReportLinkChanges() {
        assertThat(bench.read(ICR)).isZero();
        bench.device.setLink(false);
        assertThat(bench.read(STATUS) & 2).isZero();
        assertThat(bench.read(ICR)).isEqualTo(LSC);
        bench.device.setLink(false);
        assertThat(bench.read(ICR)).isZero();
        bench.device.setLink(true);
        assertThat(bench.read(ICR)).isEqualTo(LSC);
        bench.write(CTRL, bench.read(CTRL) | 1 << 26);
        assertThat(bench.read(ICR)).isZero();
    }

    @Test
    @DisplayName("ITR: a minimum gap of 256 ns units between assertions; what waits is not lost")
    void shouldModerateAssertions() {
        bench.write(ITR, 500);
        bench.write(IMS, RXT0);
        bench.write(ICS, RXT0);
        assertThat(bench.pin).as("the first one at once").isTrue();
        long first = bench.now;
        bench.read(ICR);
        bench.now += 1000;
        bench.write(ICS, RXT0);
        assertThat(bench.pin).isFalse();
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(first + 128_000);
        bench.now = first + 127_999;
        bench.poll();
        assertThat(bench.pin).isFalse();
        bench.now++;
        bench.poll();
        assertThat(bench.pin).isTrue();
        assertThat(bench.device.counters().moderated()).isEqualTo(1);
        assertThat(bench.device.counters().pinAssertions()).isEqualTo(2);

        bench.read(ICR);
        bench.now += 10;
        bench.write(ICS, RXT0);
        bench.read(ICR);
        assertThat(bench.device.nextDeadlineNanos())
                .as("cleared while it waited")
                .isEqualTo(Long.MAX_VALUE);
        bench.now += 1_000_000;
        bench.poll();
        assertThat(bench.pin).isFalse();
        bench.write(ICS, RXT0);
        assertThat(bench.pin).as("gap long over").isTrue();
    }

    @Test
    @DisplayName("A handler that runs inside the pin's edge may use registers and poll")
    void shouldSurviveReentrantHandler() {
        E1000[] self = new E1000[1];
        int[] edges = new int[1];
        E1000 device = E1000.create(
                E1000Model.I82540EM,
                MAC,
                new DirectDma(bench.ram, (address, data) -> {}),
                asserted -> {
                    if (asserted) {
                        edges[0]++;
                        self[0].readBar(0, ICR, 4);
                        self[0].poll(16);
                    }
                },
                FramePort.UNPLUGGED,
                () -> 0);
        self[0] = device;
        device.writeBar(0, IMS, 4, LSC);
        device.setLink(false);
        device.setLink(true);
        assertThat(edges[0]).isEqualTo(2);
        assertThat(device.readBar(0, ICR, 4)).isZero();
    }
}
