package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.spec.Spec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Notification coalescing, virtio 1.3 section 5.1.6.5.9. */
class CoalescingTest {
    private static final int CTRL = 4;
    private static final long CTRL_VQ = 1L << 17;
    private static final long MQ = 1L << 22;
    private static final long VQ_NOTF_COAL = 1L << 52;
    private static final long NOTF_COAL = 1L << 53;
    private static final int OK = ControlPort.OK;
    private static final int ERR = ControlPort.ERR;
    private static final int TX_SET = 0;
    private static final int RX_SET = 1;

    private final Lab lab = new Lab(
            VirtioNetOptions.defaults(Lab.MAC)
                    .withQueuePairs(2)
                    .withFeatures(NetFeatures.NOTF_COAL | NetFeatures.VQ_NOTF_COAL),
            (l, dma) -> dma);
    private final ControlPort control = new ControlPort(lab, CTRL);

    @AfterEach
    void close() {
        lab.close();
    }

    private void start(long features) {
        lab.negotiate(features | CTRL_VQ | MQ);
        for (int i = 0; i <= CTRL; i++) {
            lab.enableQueue(i, 64);
        }
        lab.status(0xF);
        lab.device.poll(1);
        for (int i = 0; i < 60; i++) {
            lab.receiveBuffer(100);
        }
    }

    private static byte[] command(int code, int... words) {
        ByteBuffer command = ByteBuffer.allocate(2 + 4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
        command.put((byte) 6).put((byte) code);
        for (int word : words) {
            command.putInt(word);
        }
        return command.array();
    }

    /** A frame arrives. @return whether it was told of at once */
    private boolean interrupted() {
        lab.isr();
        lab.arrive(Lab.frame(60, 1));
        lab.poll();
        return lab.isr() == 1;
    }

    private boolean due() {
        lab.poll();
        return lab.isr() == 1;
    }

    @Test
    @Spec(id = "V32.3", section = "virtio 1.3 5.1.6.5.9.1")
    @DisplayName("5.1.6.5.9: a notification comes with the packet that completes the number, or when time is up")
    void shouldNotifyWhenEitherLimitIsReached() {
        start(NOTF_COAL);
        assertThat(control.send(command(RX_SET, 3, 50))).isEqualTo(OK);
        lab.isr();
        interrupted();
        interrupted();
        interrupted();
        lab.nanos += 1_000_000;
        lab.poll();
        lab.isr();
        assertThat(lab.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);

        assertThat(interrupted()).isFalse();
        assertThat(interrupted()).isFalse();
        assertThat(lab.device.workPending()).isFalse();
        assertThat(interrupted()).as("the third").isTrue();
        assertThat(interrupted()).as("one of a new burst").isFalse();
        assertThat(lab.device.nextDeadlineNanos()).isEqualTo(lab.nanos + 50_000);
        lab.nanos += 49_999;
        assertThat(due()).isFalse();
        lab.nanos += 1;
        assertThat(lab.device.workPending()).isTrue();
        assertThat(due()).isTrue();
        assertThat(lab.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @Spec(id = "V32.1", section = "virtio 1.3 5.1.6.5.9.6")
    @DisplayName(
            "5.1.6.5.9: if either limit is 0 every packet is told of; both are after a reset; directions are apart")
    void shouldNotifyEveryPacketWhenLimitIsZero() {
        start(NOTF_COAL);
        assertThat(interrupted()).isTrue();
        control.send(command(RX_SET, 100, 0));
        assertThat(interrupted()).isTrue();
        control.send(command(RX_SET, 0, 100));
        assertThat(interrupted()).isTrue();
        control.send(command(TX_SET, 100, 100));
        assertThat(interrupted()).isTrue();
        control.send(command(RX_SET, 100, 100));
        assertThat(interrupted()).isFalse();
        start(NOTF_COAL);
        assertThat(interrupted()).isTrue();
        assertThat(lab.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @Spec(id = "V32.2", section = "virtio 1.3 5.1.6.5.9.6")
    @DisplayName(
            "5.1.6.5.9: VQ_SET and VQ_GET name one queue; the control queue and those that are not there are errors")
    void shouldSetLimitsOfOneQueueWhenNamed() {
        start(VQ_NOTF_COAL | NOTF_COAL);
        assertThat(control.send(command(TX_SET, 7, 9))).isEqualTo(OK);
        assertThat(control.send(command(2, 0, 20, 30))).isEqualTo(OK);
        byte[] answer = control.exchange(command(3, 0), 1, 9);
        assertThat(answer).containsExactly(0, 20, 0, 0, 0, 30, 0, 0, 0);
        assertThat(control.exchange(command(3, 3), 1, 9)).containsExactly(0, 7, 0, 0, 0, 9, 0, 0, 0);
        assertThat(control.exchange(command(3, 2), 1, 9)).containsExactly(0, 0, 0, 0, 0, 0, 0, 0, 0);
        assertThat(control.exchange(command(3, 0), 1, 5))
                .as("no room for the answer")
                .startsWith(ERR);
        assertThat(interrupted()).isFalse();
        for (int queue : new int[] {4, 5, 0xFFFF}) {
            assertThat(control.send(command(2, queue, 1, 1))).isEqualTo(ERR);
            assertThat(control.send(command(3, queue))).isEqualTo(ERR);
        }
        assertThat(control.send(command(2, 0, 1))).isEqualTo(ERR);
        assertThat(control.send(command(TX_SET, 1))).isEqualTo(ERR);
        start(NOTF_COAL);
        assertThat(control.send(command(2, 0, 20, 30))).as("not negotiated").isEqualTo(ERR);
        start(VQ_NOTF_COAL);
        assertThat(control.send(command(TX_SET, 20, 30))).as("not negotiated").isEqualTo(ERR);
    }

    @Test
    @DisplayName("5.1.6.5.9: transmitted packets are told of late, too")
    void shouldHoldBackTransmitNotifications() {
        start(NOTF_COAL);
        control.send(command(TX_SET, 2, 100));
        for (int i = 0; i < 4; i++) {
            lab.isr();
            lab.transmit(Lab.frame(60, i));
            lab.kick(Lab.TX);
            lab.poll();
            assertThat(lab.isr()).as("frame %d", i).isEqualTo(i % 2);
        }
    }
}
