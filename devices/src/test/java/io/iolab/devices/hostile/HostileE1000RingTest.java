package io.iolab.devices.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.golden.Bench;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Malformed e1000 rings, each by name: the device does a bounded amount of work, and once the rings are programmed again
 * after CTRL.RST (82540 SDM 14.3, 14.4, 14.5) frames pass in both directions.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileE1000RingTest {
    private static final byte[] MAC = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    private static final long TX_RING = 0x1_0000;
    private static final long RX_RING = 0x2_0000;
    private static final long BUFFER = 0x3_0000;
    private static final int RING = 64;
    private static final int TDBAL = 0x3800;
    private static final int RDBAL = 0x2800;
    private static final int LENGTH = 8;
    private static final int HEAD = 0x10;
    private static final int TAIL = 0x18;
    private static final int RCTL = 0x100;
    private static final int TCTL = 0x400;
    private static final int TRANSMIT = 0x0103F0FA;
    /** EN, BAM. */
    private static final int RECEIVE = 0x8002;

    private static final int EOP_RS = 0x09;
    private static final int TSE_EOP_RS = 0x2D;
    private static final int DATA = 1;
    /** Fetch, buffer, write-back for each descriptor of the largest ring, twice over. */
    private static final long MOST_REQUESTS = 6 * 65536L;

    private Bench bench = machine(E1000Model.I82540EM);

    private static Bench machine(E1000Model model) {
        return new Bench((dma, pin, wire, clock) -> E1000.create(model, MAC, dma, pin, wire, clock));
    }

    /** What the guest does with a device that runs. */
    enum Malformed {
        TAIL_BEYOND_RING(t -> t.tx(TAIL, RING)),
        TAIL_65535(t -> t.tx(TAIL, 0xFFFF)),
        HEAD_BEYOND_RING(t -> {
            t.tx(HEAD, RING + 5);
            t.tx(TAIL, 2);
        }),
        HEAD_AND_TAIL_BEYOND_RING(t -> {
            t.tx(HEAD, 0xFFFE);
            t.tx(TAIL, 0xFFFF);
        }),
        TX_RING_OF_NOTHING(t -> {
            t.tx(LENGTH, 0);
            t.tx(TAIL, 3);
        }),
        TX_RING_OUTSIDE_MEMORY(t -> {
            t.tx(4, 0x100);
            t.tx(TAIL, 3);
        }),
        TX_RING_AT_TOP_OF_ADDRESS_SPACE(t -> {
            t.tx(0, 0xFFFF_FFF0L);
            t.tx(4, 0xFFFF_FFFFL);
            t.tx(TAIL, 3);
        }),
        LARGEST_TX_RING_OF_ZEROS(t -> {
            t.tx(0, 0x10_0000);
            t.tx(LENGTH, 0xF_FF80);
            t.tx(TAIL, 0xFFF0);
        }),
        LARGEST_TX_RING_WITHOUT_END(t -> {
            for (int i = 0; i < 65528; i++) {
                t.descriptor(0x10_0000 + 16L * i, BUFFER, 4, 0);
            }
            t.tx(0, 0x10_0000);
            t.tx(LENGTH, 0xF_FF80);
            t.tx(TAIL, 0xFFF0);
        }),
        PACKET_WITHOUT_END(t -> {
            t.fillTx(BUFFER, 4096, 0);
            t.tx(TAIL, RING - 1);
        }),
        PACKET_WITHOUT_END_OF_LARGEST_DESCRIPTORS(t -> {
            t.fillTx(BUFFER, 0xFFFFF | 1 << 20, 0x20);
            t.tx(TAIL, RING - 1);
        }),
        EMPTY_DESCRIPTORS(t -> {
            t.fillTx(BUFFER, 0, EOP_RS);
            t.tx(TAIL, RING - 1);
        }),
        NULL_ADDRESSES(t -> {
            t.fillTx(0, 60, EOP_RS);
            t.tx(TAIL, RING - 1);
        }),
        BUFFER_WRAPS_ADDRESS_SPACE(t -> {
            t.fillTx(-16, 60, EOP_RS);
            t.tx(TAIL, RING - 1);
        }),
        SEGMENTS_OF_NOTHING(t -> t.segmented(3000, 54, 0, 3000)),
        SEGMENTS_OF_ONE_BYTE(t -> t.segmented(0xFFFFF, 54, 1, 0xFFFF)),
        HEADER_LONGER_THAN_PACKET(t -> t.segmented(100, 255, 100, 100)),
        HEADER_OF_NOTHING(t -> t.segmented(3000, 0, 1000, 3000)),
        SEGMENTATION_WITHOUT_CONTEXT(t -> {
            t.fillTx(BUFFER, 3000 | DATA << 20, TSE_EOP_RS);
            t.tx(TAIL, RING - 1);
        }),
        UNKNOWN_DESCRIPTOR_TYPE(t -> {
            t.fillTx(BUFFER, 60 | 0xF << 20, TSE_EOP_RS);
            t.tx(TAIL, RING - 1);
        }),
        RX_RING_OF_NOTHING(t -> {
            t.rx(LENGTH, 0);
            t.rx(TAIL, 5);
            t.arrive();
        }),
        RX_HEAD_BEYOND_RING(t -> {
            t.rx(HEAD, RING + 7);
            t.arrive();
        }),
        RX_TAIL_BEYOND_RING(t -> {
            t.rx(TAIL, 0xFFFF);
            t.arrive();
        }),
        RX_HEAD_AND_TAIL_BEYOND_RING(t -> {
            t.rx(HEAD, 0x8000);
            t.rx(TAIL, 0x8001);
            t.arrive();
        }),
        RX_RING_OUTSIDE_MEMORY(t -> {
            t.rx(4, 0x100);
            t.arrive();
        }),
        RX_NULL_ADDRESSES(t -> {
            t.bench.fill(RX_RING, 16 * RING, 0);
            t.arrive();
        }),
        RX_NULL_ADDRESSES_IN_LARGEST_RING(t -> {
            t.rx(0, 0x10_0000);
            t.rx(LENGTH, 0xF_FF80);
            t.rx(TAIL, 0xFFF0);
            t.arrive();
        }),
        RX_BUFFERS_OUTSIDE_MEMORY(t -> {
            t.fillRx(1L << 40);
            t.arrive();
        }),
        RX_BUFFERS_WRAP_ADDRESS_SPACE(t -> {
            t.fillRx(-16);
            t.arrive();
        }),
        RX_BUFFERS_ARE_THE_RING(t -> {
            t.fillRx(RX_RING);
            t.arrive();
        });

        private final Consumer<HostileE1000RingTest> shape;

        Malformed(Consumer<HostileE1000RingTest> shape) {
            this.shape = shape;
        }
    }

    static Stream<Arguments> cases() {
        return Stream.of(E1000Model.values())
                .flatMap(model -> Stream.of(Malformed.values()).map(shape -> Arguments.of(model, shape)));
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldBoundWorkAndRecover(E1000Model model, Malformed malformed) {
        bench.close();
        bench = machine(model);
        bench.function().setLink(true);
        bench.enable();
        start();
        assertBothDirections();
        start();
        long before = bench.dma().requests();
        malformed.shape.accept(this);
        bench.advanceMillis(10);
        assertThat(bench.dma().requests() - before).as("DMA requests").isLessThanOrEqualTo(MOST_REQUESTS);
        assertThat(bench.function().workPending()).as("work left").isFalse();
        bench.drain();
        start();
        assertBothDirections();
    }

    /** 82574 datasheet 7.1: a frame waits for the ring it is meant for; buffers in the other ring are no work. */
    @Test
    void shouldHaveNoWorkWhileOnlyTheOtherRingHasRoom() {
        bench.close();
        bench = machine(E1000Model.I82574L);
        bench.function().setLink(true);
        bench.enable();
        start();
        ring(RDBAL + 0x100, RX_RING, RING - 1);
        rx(TAIL, 0);
        arrive();
        assertThat(bench.function().poll(64)).as("frames moved").isZero();
        assertThat(bench.function().workPending()).as("work left").isFalse();
    }

    private void assertBothDirections() {
        fillTx(BUFFER, 60, EOP_RS);
        tx(TAIL, 1);
        assertThat(bench.receive(10)).as("a frame goes out").hasSize(60);
        arrive();
        assertThat(bench.read(0, RDBAL + HEAD, 4)).as("a frame comes in").isEqualTo(1);
    }

    private void start() {
        bench.write(0, 0, 4, 1 << 26);
        bench.advanceMillis(10);
        bench.write(0, 0, 4, 0x41);
        bench.advanceMillis(5000);
        fillRx(BUFFER + 0x1000);
        ring(TDBAL, TX_RING, 0);
        ring(RDBAL, RX_RING, RING - 1);
        bench.write(0, TCTL, 4, TRANSMIT);
        bench.write(0, RCTL, 4, RECEIVE);
    }

    private void ring(int registers, long iova, int tail) {
        bench.write(0, registers, 4, iova);
        bench.write(0, registers + 4, 4, 0);
        bench.write(0, registers + LENGTH, 4, 16 * RING);
        bench.write(0, registers + HEAD, 4, 0);
        bench.write(0, registers + TAIL, 4, tail);
    }

    private void tx(int register, long value) {
        bench.write(0, TDBAL + register, 4, value);
    }

    private void rx(int register, long value) {
        bench.write(0, RDBAL + register, 4, value);
    }

    private void arrive() {
        byte[] frame = new byte[60];
        java.util.Arrays.fill(frame, 0, 6, (byte) -1);
        bench.deliver(frame);
    }

    /** @param lengthAndType as in bits 23:0 of the third dword of a descriptor */
    private void fillTx(long iova, int lengthAndType, int command) {
        for (int i = 0; i < RING; i++) {
            descriptor(TX_RING + 16L * i, iova, lengthAndType | command << 24, 0);
        }
    }

    private void fillRx(long iova) {
        for (int i = 0; i < RING; i++) {
            descriptor(RX_RING + 16L * i, iova, 0, 0);
        }
    }

    private void descriptor(long at, long iova, int third, int fourth) {
        byte[] bytes = new byte[16];
        LittleEndian.putLong(bytes, 0, iova);
        LittleEndian.putInt(bytes, 8, third);
        LittleEndian.putInt(bytes, 12, fourth);
        bench.write(at, bytes);
    }

    /** A context descriptor for TCP/IPv4 segmentation, then one data descriptor. */
    private void segmented(int dataLength, int header, int mss, int payload) {
        byte[] context = new byte[16];
        LittleEndian.putLong(context, 0, 0x0000_3222_0021_180EL);
        LittleEndian.putInt(context, 8, payload | 0x2700_0000);
        LittleEndian.putInt(context, 12, header << 8 | mss << 16);
        bench.write(TX_RING, context);
        descriptor(TX_RING + 16, BUFFER, dataLength | DATA << 20 | TSE_EOP_RS << 24, 0x300);
        tx(TAIL, 2);
    }
}
