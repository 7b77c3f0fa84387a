package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.virtio.queue.SplitRing;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** DESIGN rule 7: nothing is allocated per frame. */
class HotPathTest {
    private static final int FRAMES = 10_000;
    private static final int SIZE = 256;
    private static final long ALL = Lab.EVENT_IDX | Lab.INDIRECT | Lab.MRG;

    private final Lab lab = new Lab();
    private final byte[] frame = Lab.frame(60, 1);

    @AfterEach
    void close() {
        lab.close();
    }

    private static long allocated(Runnable work) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long id = Thread.currentThread().threadId();
        long before = threads.getThreadAllocatedBytes(id);
        work.run();
        return threads.getThreadAllocatedBytes(id) - before;
    }

    private VirtioNet start(long features) {
        lab.start(features, SIZE);
        return lab.device;
    }

    @ParameterizedTest
    @ValueSource(longs = {0, ALL})
    @DisplayName("transmitting allocates nothing")
    void shouldAllocateNothingWhenTransmitting(long features) {
        VirtioNet device = start(features);
        lab.keepSent = false;
        long gpa = lab.packet(frame);
        SplitRing tx = lab.rings[Lab.TX];
        Runnable work = () -> {
            for (int i = 0; i < FRAMES / 50; i++) {
                for (int j = 0; j < 50; j++) {
                    tx.add(gpa, 72, 0);
                }
                device.kick(Lab.TX);
                device.poll(64);
            }
        };
        work.run();
        assertThat(allocated(work)).isLessThan(FRAMES / 10);
        assertThat(device.counters().txFrames()).isEqualTo(2 * FRAMES);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, ALL})
    @DisplayName("receiving allocates nothing")
    void shouldAllocateNothingWhenReceiving(long features) {
        VirtioNet device = start(features);
        long gpa = lab.allocate(2048, 16);
        SplitRing rx = lab.rings[Lab.RX];
        Runnable work = () -> {
            for (int i = 0; i < FRAMES / 50; i++) {
                for (int j = 0; j < 50; j++) {
                    rx.add(gpa, 2048, SplitRing.WRITE);
                    device.send(frame, 0, 60);
                }
                device.poll(64);
            }
        };
        work.run();
        assertThat(allocated(work)).isLessThan(FRAMES / 10);
        assertThat(device.counters().rxFrames()).isEqualTo(2 * FRAMES);
    }
}
