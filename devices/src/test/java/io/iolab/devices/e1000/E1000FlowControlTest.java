package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** 82540 SDM 8.7: PAUSE frames, obeyed and sent. */
class E1000FlowControlTest {
    private static final byte[] PAUSE_GROUP = bytes("0180C2000001");
    private static final int RFCE = 1 << 27;
    private static final int TFCE = 1 << 28;
    private static final int TXOFF = 1 << 4;
    private static final int XONRXC = 0x4048;
    private static final int XONTXC = 0x404C;
    private static final int XOFFRXC = 0x4050;
    private static final int XOFFTXC = 0x4054;
    private static final int FCRUC = 0x4058;
    private static final int FCTTV = 0x170;
    private static final int FCRTL = 0x2160;
    private static final int FCRTH = 0x2168;
    private static final int TPR = 0x40D0;
    private static final int GPRC = 0x4074;

    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82540em();
        bench.write(0x28, 0x00C2_8001);
        bench.write(0x2C, 0x0100);
        bench.write(FCT, 0x8808);
        bench.set(CTRL, RFCE | TFCE);
        bench.openReceive(8);
        bench.openTransmit(8);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private static byte[] control(byte[] destination, int opcode, int quanta) {
        byte[] frame = new byte[60];
        System.arraycopy(destination, 0, frame, 0, 6);
        System.arraycopy(PEER, 0, frame, 6, 6);
        frame[12] = (byte) 0x88;
        frame[13] = 0x08;
        frame[14] = (byte) (opcode >> 8);
        frame[15] = (byte) opcode;
        frame[16] = (byte) (quanta >> 8);
        frame[17] = (byte) quanta;
        return frame;
    }

    @Test
    @DisplayName("8.7.3: an XOFF holds the transmitter for its quanta of 512 ns, and STATUS.TXOFF says so")
    void shouldPauseForItsQuanta() {
        assertThat(bench.arrive(control(PAUSE_GROUP, 1, 100))).isEqualTo(Delivery.FILTERED);
        assertThat(bench.read(STATUS) & TXOFF).isEqualTo(TXOFF);
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.sent).isEmpty();
        assertThat(bench.device.workPending()).as("nothing a poll could do").isFalse();
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 51_200);
        bench.now += 51_199;
        bench.poll();
        assertThat(bench.sent).isEmpty();
        bench.now++;
        bench.poll();
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.read(STATUS) & TXOFF).isZero();
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
        assertThat(bench.read(XOFFRXC)).isEqualTo(1);
        assertThat(bench.read(XONRXC)).isZero();
    }

    @Test
    @DisplayName("8.7.3: an XON ends the pause; a second XOFF sets the timer anew; the station address will do too")
    void shouldResumeOnXon() {
        bench.arrive(control(PAUSE_GROUP, 1, 0xFFFF));
        bench.arrive(control(MAC, 1, 2));
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 1024);
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.sent).isEmpty();
        bench.arrive(control(PAUSE_GROUP, 1, 0));
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.read(XONRXC)).isEqualTo(1);
        assertThat(bench.read(XOFFRXC)).isEqualTo(2);
        assertThat(bench.read(XOFFRXC)).as("cleared by the read").isZero();
    }

    @ParameterizedTest
    @CsvSource({"rfce", "type", "address", "duplex", "disabled"})
    @DisplayName("8.7.3: without RFCE, full duplex, the type of FCT, one of the two addresses, or a receiver: no PAUSE")
    void shouldIgnoreWhatIsNoPause(String why) {
        byte[] frame = control(PAUSE_GROUP, 1, 100);
        switch (why) {
            case "rfce" -> bench.write(CTRL, bench.read(CTRL) & ~RFCE);
            case "type" -> bench.write(FCT, 0x8809);
            case "address" -> frame[5] = 2;
            case "duplex" -> bench.write(CTRL, bench.read(CTRL) & ~1 | 1 << 12);
            default -> bench.write(RCTL, 0);
        }
        assertThat(bench.arrive(frame)).isEqualTo(Delivery.FILTERED);
        assertThat(bench.read(STATUS) & TXOFF).isZero();
        assertThat(bench.read(XOFFRXC)).isZero();
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.sent).hasSize(1);
    }

    @Test
    @DisplayName(
            "8.7.4: DPF drops PAUSE frames for the station address only; either way they are obeyed, never good packets")
    void shouldDiscardPauseFrames() {
        assertThat(bench.arrive(control(MAC, 1, 5))).isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.read(RDH)).isEqualTo(1);
        bench.set(RCTL, 1 << 22 | RX_MPE);
        assertThat(bench.arrive(control(MAC, 1, 0))).isEqualTo(Delivery.FILTERED);
        assertThat(bench.arrive(control(PAUSE_GROUP, 1, 0))).as("by MPE").isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.read(RDH)).isEqualTo(2);
        assertThat(bench.read(GPRC)).isZero();
        assertThat(bench.read(TPR)).isEqualTo(3);
        assertThat(bench.read(0x4088)).as("GORCL").isZero();
        assertThat(bench.read(0x40C0)).as("TORL").isEqualTo(3 * 64);
        assertThat(bench.read(0x405C)).as("PRC64").isZero();
        assertThat(bench.read(XONRXC)).isEqualTo(2);
    }

    @Test
    @DisplayName(
            "8.7.4: PMCF lets other MAC control frames through, filters or not; without it they end here, in FCRUC")
    void shouldPassMacControlFrames() {
        assertThat(bench.arrive(control(PAUSE_GROUP, 2, 5))).isEqualTo(Delivery.FILTERED);
        assertThat(bench.arrive(control(MAC, 0x101, 5))).isEqualTo(Delivery.FILTERED);
        bench.set(RCTL, 1 << 23);
        assertThat(bench.arrive(control(PAUSE_GROUP, 2, 5))).isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.read(RDH)).isEqualTo(1);
        assertThat(bench.read(FCRUC)).isEqualTo(3);
        assertThat(bench.read(GPRC)).isEqualTo(1);
        assertThat(bench.read(STATUS) & TXOFF).isZero();
        bench.write(CTRL, bench.read(CTRL) & ~RFCE);
        bench.write(RCTL, bench.read(RCTL) & ~(1 << 23));
        assertThat(bench.arrive(control(MAC, 2, 5)))
                .as("RFCE clear: a frame like any")
                .isEqualTo(Delivery.ACCEPTED);
    }

    /** No descriptors: frames of 1000 bytes stay in the packet buffer, at 1008 bytes each. */
    private void closeRing() {
        bench.write(RDT, bench.read(RDH));
        bench.write(FCTTV, 0x40);
        bench.write(FCRTH, 3000);
        bench.write(FCRTL, 1008);
    }

    private void fill(int frames) {
        for (int i = 0; i < frames; i++) {
            byte[] frame = frame(MAC, 1000);
            bench.device.send(frame, 0, frame.length);
        }
    }

    @Test
    @DisplayName(
            "8.7.5: at FCRTH an XOFF with FCTTV leaves, from FCAH:FCAL, RA0 and FCT, in the next poll and not before")
    void shouldSendXoffAtHighWater() {
        closeRing();
        fill(2);
        bench.poll();
        assertThat(bench.sent).isEmpty();
        fill(1);
        assertThat(bench.sent).as("not inside the delivery").isEmpty();
        assertThat(bench.device.workPending()).isTrue();
        bench.poll();
        byte[] expected = control(PAUSE_GROUP, 1, 0x40);
        System.arraycopy(MAC, 0, expected, 6, 6);
        assertThat(bench.sent).containsExactly(expected);
        fill(1);
        bench.poll();
        assertThat(bench.sent).as("once").hasSize(1);
        assertThat(bench.read(XOFFTXC)).isEqualTo(1);
        assertThat(bench.read(0x40D4)).as("TPT").isEqualTo(1);
        assertThat(bench.read(0x40C8)).as("TOTL").isEqualTo(64);
        assertThat(bench.read(0x4080)).as("GPTC").isZero();
        assertThat(bench.read(0x40D8)).as("PTC64").isZero();
        assertThat(bench.read(0x40F0)).as("MPTC").isZero();
    }

    @Test
    @DisplayName("8.7.5: it is repeated while the buffer stays full, when the partner's timer ends")
    void shouldRepeatXoff() {
        closeRing();
        fill(3);
        bench.poll();
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 0x40 * 512);
        bench.now += 0x40 * 512 - 1;
        bench.poll();
        assertThat(bench.sent).hasSize(1);
        bench.now++;
        bench.poll();
        assertThat(bench.sent).hasSize(2);
        bench.write(RDT, 7);
        bench.poll();
        assertThat(bench.device.nextDeadlineNanos()).as("empty again").isEqualTo(Long.MAX_VALUE);
    }

    @ParameterizedTest
    @CsvSource({"true,2", "false,1"})
    @DisplayName("8.7.5: at FCRTL an XON leaves if FCRTL.XONE says so")
    void shouldSendXonAtLowWater(boolean enabled, int frames) {
        closeRing();
        bench.write(FCRTL, 1008 | (enabled ? 1 << 31 : 0));
        fill(3);
        bench.poll();
        bench.write(RDT, (bench.read(RDH) + 1) % 8);
        bench.poll();
        assertThat(bench.sent).as("one frame out, still above the low mark").hasSize(1);
        bench.write(RDT, (bench.read(RDH) + 1) % 8);
        bench.poll();
        bench.poll();
        assertThat(bench.sent).hasSize(frames);
        assertThat(bench.read(XONTXC)).isEqualTo(frames - 1);
        if (enabled) {
            byte[] expected = control(PAUSE_GROUP, 1, 0);
            System.arraycopy(MAC, 0, expected, 6, 6);
            assertThat(bench.sent.get(1)).isEqualTo(expected);
        }
        bench.write(RDT, bench.read(RDH));
        fill(2);
        bench.poll();
        assertThat(bench.read(XOFFTXC)).as("and starts over").isEqualTo(2);
    }

    @Test
    @DisplayName("An XOFF that never left needs no XON")
    void shouldNotSendXonWithoutXoff() {
        closeRing();
        bench.write(FCRTL, 1008 | 1 << 31);
        bench.wireAnswer = Delivery.BUSY;
        fill(3);
        bench.poll();
        bench.write(RDT, 7);
        bench.device.poll(3);
        bench.wireAnswer = Delivery.ACCEPTED;
        bench.poll();
        assertThat(bench.sent).isEmpty();
        assertThat(bench.read(XOFFTXC) + bench.read(XONTXC)).isZero();
    }

    @Test
    @DisplayName("A wire without room gets the XOFF at the next poll")
    void shouldKeepXoffWhileWireIsBusy() {
        closeRing();
        bench.wireAnswer = Delivery.BUSY;
        fill(3);
        bench.poll();
        assertThat(bench.device.workPending()).isTrue();
        assertThat(bench.read(XOFFTXC)).isZero();
        bench.wireAnswer = Delivery.ACCEPTED;
        bench.poll();
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.device.workPending()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"tfce", "zero", "duplex"})
    @DisplayName("8.7.5: no XOFF without TFCE, without a threshold, or at half duplex")
    void shouldNotSendXoffUnlessEnabled(String why) {
        closeRing();
        switch (why) {
            case "tfce" -> bench.write(CTRL, bench.read(CTRL) & ~TFCE);
            case "zero" -> bench.write(FCRTH, 0);
            default -> bench.write(CTRL, bench.read(CTRL) & ~1 | 1 << 12);
        }
        fill(5);
        bench.poll();
        assertThat(bench.sent).isEmpty();
    }

    @Test
    @DisplayName("13.4 TCTL.SWXOFF: one XOFF, even while paused, with TFCE only; the bit clears itself")
    void shouldSendXoffOnRequest() {
        bench.write(FCTTV, 0x1234);
        bench.arrive(control(PAUSE_GROUP, 1, 100));
        bench.set(TCTL, 1 << 22);
        assertThat(bench.read(TCTL) & 1 << 22).isZero();
        bench.poll();
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.sent.getFirst()[16]).isEqualTo((byte) 0x12);
        assertThat(bench.sent.getFirst()[17]).isEqualTo((byte) 0x34);
        bench.poll();
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.read(STATUS) & TXOFF).isNotZero();
        bench.write(CTRL, bench.read(CTRL) & ~TFCE);
        bench.set(TCTL, 1 << 22);
        bench.poll();
        assertThat(bench.sent).hasSize(1);
        bench.set(CTRL, TFCE);
        bench.device.setLink(false);
        bench.set(TCTL, 1 << 22);
        bench.poll();
        bench.device.setLink(true);
        bench.poll();
        assertThat(bench.sent).as("without link it is dropped").hasSize(1);
    }

    @Test
    @DisplayName("13.4 CTRL.RST ends a pause and forgets what is owed")
    void shouldForgetByReset() {
        closeRing();
        fill(3);
        bench.arrive(control(PAUSE_GROUP, 1, 100));
        assertThat(bench.sent).hasSize(1);
        bench.write(CTRL, 1 << 26);
        assertThat(bench.read(STATUS) & TXOFF).isZero();
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
        bench.openTransmit(8);
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.sent).hasSize(2);
    }
}
