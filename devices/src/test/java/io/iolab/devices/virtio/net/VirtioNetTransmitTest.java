package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.queue.SplitRing;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class VirtioNetTransmitTest {
    private final Lab lab = new Lab();

    @AfterEach
    void close() {
        lab.close();
    }

    @Test
    @DisplayName("5.1.6.2: a frame behind a 12-byte header reaches the wire, its chain the used ring with length 0")
    void shouldTransmitFrameWhenKicked() {
        lab.start(0, 16);
        byte[] frame = Lab.frame(60, 1);
        int head = lab.transmit(frame);
        lab.kick(Lab.TX);

        assertThat(lab.sent).as("a kick only marks the queue").isEmpty();
        assertThat(lab.device.workPending()).isTrue();
        assertThat(lab.device.poll(8)).isEqualTo(1);

        assertThat(lab.sent).containsExactly(frame);
        SplitRing tx = lab.rings[Lab.TX];
        assertThat(tx.usedIdx()).isEqualTo(1);
        assertThat(tx.usedId(0)).isEqualTo(head);
        assertThat(tx.usedLength(0)).isZero();
        assertThat(lab.pin).isTrue();
        assertThat(lab.isr()).isEqualTo(1);
        assertThat(lab.pin).isFalse();
        assertThat(lab.device.workPending()).isFalse();
    }

    @Test
    @DisplayName("FramePort: a busy wire keeps the chain unused until a later poll")
    void shouldKeepChainWhenWireIsBusy() {
        lab.start(0, 16);
        lab.wireAnswer = Delivery.BUSY;
        lab.transmit(Lab.frame(60, 1));
        lab.transmit(Lab.frame(61, 2));
        lab.kick(Lab.TX);

        assertThat(lab.device.poll(8)).isZero();
        assertThat(lab.device.poll(8)).isZero();
        assertThat(lab.rings[Lab.TX].usedIdx()).isZero();
        assertThat(lab.device.workPending()).isTrue();
        assertThat(lab.device.counters().txBusy()).isEqualTo(2);

        lab.wireAnswer = Delivery.ACCEPTED;
        assertThat(lab.device.poll(8)).isEqualTo(2);
        assertThat(lab.sent).containsExactly(Lab.frame(60, 1), Lab.frame(61, 2));
        assertThat(lab.rings[Lab.TX].usedIdx()).isEqualTo(2);
    }
}
