package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.PacketOffload;
import io.iolab.devices.virtio.queue.SplitRing;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** DESIGN rule 7: nothing is allocated per frame. */
class HotPathTest {
    private static final int FRAMES = 10_000;
    private static final int MEASURED_RUNS = 3;
    private static final int SIZE = 256;
    private static final long ALL = Lab.EVENT_IDX | Lab.INDIRECT | Lab.MRG;

    private final Lab lab = new Lab();
    private final byte[] frame = Lab.frame(60, 1);

    @AfterEach
    void close() {
        lab.close();
    }

    /** Of the thriftiest of several runs: code that is compiled anew in the middle of one allocates for a while, a leak does in each. */
    private static long allocated(Runnable work) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long id = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < MEASURED_RUNS; i++) {
            long before = threads.getThreadAllocatedBytes(id);
            work.run();
            least = Math.min(least, threads.getThreadAllocatedBytes(id) - before);
        }
        return least;
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
        assertThat(device.counters().txFrames()).isEqualTo((1 + MEASURED_RUNS) * FRAMES);
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
        assertThat(device.counters().rxFrames()).isEqualTo((1 + MEASURED_RUNS) * FRAMES);
    }

    private static final long OFFLOADS = NetFeatures.OFFLOADS;

    private static Lab offloading() {
        return new Lab(
                VirtioNetOptions.defaults(Lab.MAC).withQueuePairs(2).withFeatures(OFFLOADS | NetFeatures.USUAL),
                (l, dma) -> dma);
    }

    @Test
    @DisplayName("cutting packets and finishing checksums allocates nothing")
    void shouldAllocateNothingWhenCutting() {
        try (Lab host = offloading()) {
            host.start(ALL | OFFLOADS, SIZE);
            host.keepSent = false;
            PacketOracle oracle = new PacketOracle(new java.util.SplittableRandom(1));
            byte[] packet = Header.segments(oracle, 1460).inFrontOf(oracle.build(14_600, false));
            long gpa = host.allocate(packet.length, 1);
            host.ram.write(gpa, packet, 0, packet.length);
            Runnable work = () -> {
                for (int i = 0; i < FRAMES / 10; i++) {
                    host.rings[Lab.TX].add(gpa, packet.length, 0);
                    host.device.kick(Lab.TX);
                    host.device.poll(64);
                }
            };
            work.run();
            assertThat(allocated(work)).isLessThan(FRAMES / 10);
            assertThat(host.device.counters().txSegments()).isEqualTo((1 + MEASURED_RUNS) * FRAMES);
        }
    }

    @Test
    @DisplayName("verifying, passing on and cutting received packets allocates nothing")
    void shouldAllocateNothingWhenReceivingWithOffloads() {
        try (Lab host = offloading()) {
            host.start(ALL | NetFeatures.GUEST_CSUM | NetFeatures.GUEST_TSO6, SIZE);
            PacketOracle oracle = new PacketOracle(new java.util.SplittableRandom(1));
            byte[] plain = oracle.build(1000, true);
            byte[] large = oracle.build(4000, false);
            PacketOffload offload =
                    new PacketOffload().checksum(34, 16).segments(PacketOffload.Segmentation.TCP_IPV4, 1000, 54, false);
            long gpa = host.allocate(2048, 16);
            Runnable work = () -> {
                for (int i = 0; i < FRAMES / 50; i++) {
                    for (int j = 0; j < 50; j++) {
                        host.rings[Lab.RX].add(gpa, 2048, SplitRing.WRITE);
                    }
                    for (int j = 0; j < 10; j++) {
                        host.device.send(plain, 0, plain.length);
                        host.device.send(large, 0, large.length, offload);
                    }
                    host.device.poll(64);
                }
            };
            work.run();
            assertThat(allocated(work)).isLessThan(FRAMES / 10);
            assertThat(host.device.counters().rxFrames()).isEqualTo((1 + MEASURED_RUNS) * FRAMES);
        }
    }
}
