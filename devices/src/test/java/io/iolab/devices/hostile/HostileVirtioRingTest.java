package io.iolab.devices.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.golden.Bench;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Malformed split rings, each by name: the queue stops, DEVICE_NEEDS_RESET is set with one configuration change interrupt
 * (virtio 1.2 2.1.2), nothing is sent, and after a reset the device works again.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileVirtioRingTest {
    private static final int BAR = 4;
    private static final long ISR = 0x1000;
    private static final long NOTIFY_RX = 0x3000;
    private static final long NOTIFY_TX = 0x3004;
    private static final int RECEIVE = 0;
    private static final int TRANSMIT = 1;
    private static final int SIZE = 8;
    private static final long TABLE = 0x1_0000;
    private static final long AVAIL = 0x1_1000;
    private static final long USED = 0x1_2000;
    private static final long INDIRECT_TABLE = 0x1_3000;
    private static final long BUFFER = 0x2_0000;
    private static final int FRAME = 60;
    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final int INDIRECT = 4;
    private static final int NEEDS_RESET = 0x40;
    /** Header and frame. */
    private static final int LENGTH = 12 + FRAME;

    private final Bench bench = new Bench((dma, pin, wire, clock) -> new VirtioNet(
            VirtioNetOptions.defaults(new byte[] {0x52, 0x54, 0, 0x12, 0x34, 0x56}), dma, pin, wire, clock));

    private int queue = TRANSMIT;

    /** What the guest puts into memory before it kicks the queue; on the receive queue WRITE is turned around. */
    enum Malformed {
        HEAD_NOT_IN_TABLE(t -> t.available(SIZE)),
        HEAD_65535(t -> t.available(0xFFFF)),
        INDEX_JUMPS_PAST_SIZE(t -> t.index(SIZE + 1)),
        INDEX_JUMPS_BACKWARDS(t -> t.index(0xFFFF)),
        DESCRIPTOR_LINKS_TO_ITSELF(t -> t.descriptor(TABLE, BUFFER, LENGTH, NEXT, 0)),
        DESCRIPTORS_LINK_IN_CIRCLE(t -> {
            t.descriptor(TABLE, BUFFER, LENGTH, NEXT, 1);
            t.descriptor(TABLE + 16, BUFFER, LENGTH, NEXT, 0);
        }),
        EMPTY_DESCRIPTORS_LINK_IN_CIRCLE(t -> {
            t.descriptor(TABLE, BUFFER, 0, NEXT, 1);
            t.descriptor(TABLE + 16, BUFFER, 0, NEXT, 0);
        }),
        LINK_LEAVES_TABLE(t -> t.descriptor(TABLE, BUFFER, LENGTH, NEXT, SIZE)),
        READABLE_AFTER_WRITABLE(t -> {
            t.descriptor(TABLE, BUFFER, LENGTH, NEXT | WRITE, 1);
            t.descriptor(TABLE + 16, BUFFER, LENGTH, 0, 0);
        }),
        BUFFER_WRAPS_ADDRESS_SPACE(t -> t.descriptor(TABLE, -16, LENGTH, 0, 0)),
        INDIRECT_TABLE_OF_NOTHING(t -> t.descriptor(TABLE, INDIRECT_TABLE, 0, INDIRECT, 0)),
        INDIRECT_TABLE_NOT_OF_WHOLE_DESCRIPTORS(t -> t.descriptor(TABLE, INDIRECT_TABLE, 24, INDIRECT, 0)),
        INDIRECT_WITH_NEXT(t -> {
            t.descriptor(TABLE, INDIRECT_TABLE, 16, INDIRECT | NEXT, 1);
            t.descriptor(INDIRECT_TABLE, BUFFER, LENGTH, 0, 0);
        }),
        INDIRECT_INSIDE_INDIRECT(t -> {
            t.descriptor(TABLE, INDIRECT_TABLE, 16, INDIRECT, 0);
            t.descriptor(INDIRECT_TABLE, INDIRECT_TABLE, 16, INDIRECT, 0);
        }),
        INDIRECT_LOOP(t -> {
            t.descriptor(TABLE, INDIRECT_TABLE, 32, INDIRECT, 0);
            t.descriptor(INDIRECT_TABLE, BUFFER, LENGTH, NEXT, 0);
        }),
        INDIRECT_LINK_LEAVES_TABLE(t -> {
            t.descriptor(TABLE, INDIRECT_TABLE, 32, INDIRECT, 0);
            t.descriptor(INDIRECT_TABLE, BUFFER, LENGTH, NEXT, 2);
        }),
        INDIRECT_TABLE_OUTSIDE_MEMORY(t -> t.descriptor(TABLE, 1L << 40, 32, INDIRECT, 0)),
        TABLE_OUTSIDE_MEMORY(t -> t.areas(1L << 40, AVAIL, USED)),
        AVAILABLE_RING_OUTSIDE_MEMORY(t -> t.areas(TABLE, 1L << 40, USED)),
        USED_RING_OUTSIDE_MEMORY(t -> t.areas(TABLE, AVAIL, 1L << 40));

        private final Consumer<HostileVirtioRingTest> shape;

        Malformed(Consumer<HostileVirtioRingTest> shape) {
            this.shape = shape;
        }
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @ParameterizedTest
    @EnumSource
    void shouldAskForResetAndRecover(Malformed malformed) {
        bench.enable();
        start();
        send();
        assertThat(bench.receive(1)).as("a good frame first").hasSize(FRAME);
        start();
        bench.read(BAR, ISR, 1);
        bench.pinLog().clear();
        index(1);
        long before = bench.dma().requests();
        malformed.shape.accept(this);
        bench.write(BAR, NOTIFY_TX, 2, 1);
        assertThat(bench.dma().requests() - before).as("DMA requests").isLessThan(4L * SIZE);
        assertThat(status() & NEEDS_RESET).as("DEVICE_NEEDS_RESET").isEqualTo(NEEDS_RESET);
        assertThat(bench.pinLog()).as("one interrupt").containsExactly("raise");
        assertThat(bench.read(BAR, ISR, 1) & 2).as("configuration change").isEqualTo(2);
        bench.write(BAR, NOTIFY_TX, 2, 1);
        assertThat(bench.pin()).as("no further interrupt").isFalse();
        start();
        send();
        assertThat(bench.receive(1)).as("after a reset").hasSize(FRAME);
    }

    /** A device may stop reading a chain that holds the frame already, so not every shape is noticed here. */
    @ParameterizedTest
    @EnumSource
    void shouldBoundWorkOnReceiveQueueAndRecover(Malformed malformed) {
        queue = RECEIVE;
        bench.function().setLink(true);
        bench.enable();
        start();
        index(1);
        long before = bench.dma().requests();
        malformed.shape.accept(this);
        bench.write(BAR, NOTIFY_RX, 2, 0);
        bench.function().send(new byte[FRAME], 0, FRAME);
        bench.settle();
        assertThat(bench.dma().requests() - before).as("DMA requests").isLessThan(8L * SIZE);
        start();
        index(1);
        bench.write(BAR, NOTIFY_RX, 2, 0);
        assertThat(bench.function().send(new byte[FRAME], 0, FRAME))
                .as("after a reset")
                .isEqualTo(Delivery.ACCEPTED);
    }

    @ParameterizedTest
    @CsvSource({"-16, 0x11000, 0x12000", "0x10000, -2, 0x12000", "0x10000, 0x11000, -4", "0x10008, 0x11000, 0x12000"})
    void shouldNotEnableQueueThatWrapsOrIsMisaligned(long table, long avail, long used) {
        bench.enable();
        start();
        areas(table, avail, used);
        assertThat(bench.read(BAR, 0x1C, 2)).as("queue_enable").isZero();
        bench.write(BAR, NOTIFY_TX, 2, 1);
        assertThat(bench.receive(1)).isEmpty();
    }

    private long status() {
        return bench.read(BAR, 0x14, 1);
    }

    /** Reset, features VERSION_1 and INDIRECT_DESC, the queue in place and one good frame in memory. */
    private void start() {
        bench.write(BAR, 0x14, 1, 0);
        bench.write(BAR, 0x14, 1, 3);
        bench.write(BAR, 0x08, 4, 0);
        bench.write(BAR, 0x0C, 4, 1 << 28);
        bench.write(BAR, 0x08, 4, 1);
        bench.write(BAR, 0x0C, 4, 1);
        bench.write(BAR, 0x14, 1, 0xB);
        bench.fill(TABLE, 0x4000, 0);
        descriptor(TABLE, BUFFER, LENGTH, 0, 0);
        areas(TABLE, AVAIL, USED);
    }

    private void send() {
        index(1);
        bench.write(BAR, NOTIFY_TX, 2, 1);
    }

    /** Places the queue and sets DRIVER_OK; a second time only after another reset of the device. */
    private void areas(long table, long avail, long used) {
        if ((status() & 4) != 0) {
            bench.write(BAR, 0x14, 1, 0);
            bench.write(BAR, 0x14, 1, 3);
            bench.write(BAR, 0x08, 4, 1);
            bench.write(BAR, 0x0C, 4, 1);
            bench.write(BAR, 0x14, 1, 0xB);
        }
        bench.write(BAR, 0x16, 2, queue);
        bench.write(BAR, 0x18, 2, SIZE);
        long[] parts = {table, avail, used};
        for (int i = 0; i < parts.length; i++) {
            bench.write(BAR, 0x20 + 8 * i, 4, parts[i] & 0xFFFF_FFFFL);
            bench.write(BAR, 0x24 + 8 * i, 4, parts[i] >>> 32);
        }
        bench.write(BAR, 0x1C, 2, 1);
        bench.write(BAR, 0x14, 1, 0xF);
    }

    private void descriptor(long at, long iova, int length, int flags, int next) {
        byte[] bytes = new byte[16];
        LittleEndian.putLong(bytes, 0, iova);
        LittleEndian.putInt(bytes, 8, length);
        LittleEndian.putShort(bytes, 12, queue == RECEIVE ? flags ^ WRITE : flags);
        LittleEndian.putShort(bytes, 14, next);
        bench.write(at, bytes);
    }

    private void index(int index) {
        bench.write(AVAIL + 2, new byte[] {(byte) index, (byte) (index >>> 8)});
    }

    private void available(int head) {
        bench.write(AVAIL + 4, new byte[] {(byte) head, (byte) (head >>> 8)});
    }
}
