package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.queue.SplitRing;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class VirtioNetReceiveTest {
    private final Lab lab = new Lab();

    @AfterEach
    void close() {
        lab.close();
    }

    @Test
    @DisplayName("V27, 5.1.6.3: without MRG_RXBUF one buffer takes header and frame, num_buffers is 1")
    void shouldFillOneBufferWhenNotMergeable() {
        lab.start(0, 16);
        byte[] frame = Lab.frame(60, 3);
        long gpa = lab.receiveBuffer(1526);

        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);

        SplitRing rx = lab.rings[Lab.RX];
        assertThat(rx.usedIdx()).as("published at once").isEqualTo(1);
        assertThat(rx.usedLength(0)).isEqualTo(72);
        assertThat(lab.bytes(gpa, 12)).containsExactly(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0);
        assertThat(lab.bytes(gpa + 12, 60)).isEqualTo(frame);
        assertThat(lab.bytes(gpa + 72, 8)).containsOnly(0xAA);
        assertThat(lab.pin).as("the interrupt waits for poll").isFalse();
        lab.poll();
        assertThat(lab.pin).isTrue();
        assertThat(lab.isr()).isEqualTo(1);
    }
}
