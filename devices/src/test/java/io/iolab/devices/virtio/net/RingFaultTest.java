package io.iolab.devices.virtio.net;

import static io.iolab.devices.virtio.queue.SplitRing.INDIRECT;
import static io.iolab.devices.virtio.queue.SplitRing.NEXT;
import static io.iolab.devices.virtio.queue.SplitRing.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.fault.RingFault;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.queue.SplitRing;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** V9, virtio 1.2 section 2.1.2: whatever is malformed in a ring stops the device, once, and nothing worse happens. */
class RingFaultTest {
    private static final long BEYOND = 1L << 40;
    private static final long BUFFER = 0x40_0000;

    /** Something a driver must not do; {@code spoil} prepares the ring, index update included. */
    private record Case(String name, int queue, long features, RingFault cause, Consumer<Lab> spoil) {
        @Override
        public String toString() {
            return cause + ": " + name;
        }
    }

    private static Case tx(String name, long features, RingFault cause, Consumer<Lab> spoil) {
        return new Case(name, Lab.TX, features, cause, spoil);
    }

    private static Case rx(String name, RingFault cause, Consumer<Lab> spoil) {
        return new Case(name, Lab.RX, 0, cause, spoil);
    }

    /** Writes descriptor 0 of the transmit ring and offers it. */
    private static void head(Lab lab, long gpa, long length, int flags, int next) {
        SplitRing ring = lab.rings[Lab.TX];
        ring.descriptor(0, gpa, length, flags, next);
        ring.offer(0);
        ring.publish();
    }

    /** Offers an indirect table of the given entries, each {address, length, flags, next}. */
    private static void indirect(Lab lab, long tableBytes, long[]... entries) {
        long table = lab.allocate(16L * entries.length + 16, 16);
        for (int i = 0; i < entries.length; i++) {
            long[] e = entries[i];
            SplitRing.writeDescriptor(lab.ram, table + 16L * i, e[0], e[1], (int) e[2], (int) e[3]);
        }
        head(lab, table, tableBytes, INDIRECT, 0);
    }

    static Stream<Case> cases() {
        return Stream.of(indexCases(), chainCases(), indirectCases(), lengthCases(), reachCases())
                .flatMap(s -> s);
    }

    private static Stream<Case> indexCases() {
        return Stream.of(
                tx(
                        "avail.idx ahead by more than the size",
                        0,
                        RingFault.INDEX_JUMP,
                        lab -> lab.rings[Lab.TX].publishIndex(9)),
                tx("avail.idx goes back", 0, RingFault.INDEX_JUMP, lab -> lab.rings[Lab.TX].publishIndex(0xFFFF)),
                tx("head is the size", 0, RingFault.INDEX_OUT_OF_RANGE, lab -> {
                    lab.rings[Lab.TX].offer(8);
                    lab.rings[Lab.TX].publish();
                }),
                tx("head 65535", 0, RingFault.INDEX_OUT_OF_RANGE, lab -> {
                    lab.rings[Lab.TX].offer(65535);
                    lab.rings[Lab.TX].publish();
                }),
                tx("next is the size", 0, RingFault.INDEX_OUT_OF_RANGE, lab -> head(lab, BUFFER, 72, NEXT, 8)));
    }

    private static Stream<Case> chainCases() {
        return Stream.of(
                tx("descriptor that follows itself", 0, RingFault.CHAIN_LOOP, lab -> head(lab, BUFFER, 72, NEXT, 0)),
                tx("loop of zero-length descriptors", 0, RingFault.CHAIN_LOOP, lab -> {
                    lab.rings[Lab.TX].descriptor(1, BUFFER, 0, NEXT, 0);
                    head(lab, BUFFER, 0, NEXT, 1);
                }),
                tx(
                        "loop in an indirect table",
                        Lab.INDIRECT,
                        RingFault.CHAIN_LOOP,
                        lab -> indirect(lab, 32, new long[] {BUFFER, 1, NEXT, 1}, new long[] {BUFFER, 1, NEXT, 0})),
                tx("readable after writable", 0, RingFault.READABLE_AFTER_WRITABLE, lab -> {
                    lab.rings[Lab.TX].descriptor(1, BUFFER, 60, 0, 0);
                    head(lab, BUFFER, 12, NEXT | WRITE, 1);
                }),
                rx("readable after writable", RingFault.READABLE_AFTER_WRITABLE, lab -> {
                    SplitRing ring = lab.rings[Lab.RX];
                    ring.descriptor(0, BUFFER, 2000, NEXT | WRITE, 1);
                    ring.descriptor(1, BUFFER, 60, 0, 0);
                    ring.offer(0);
                    ring.publish();
                }));
    }

    private static Stream<Case> indirectCases() {
        long[] frame = {BUFFER, 72, 0, 0};
        return Stream.of(
                tx("indirect without the feature", 0, RingFault.INDIRECT_MISUSED, lab -> indirect(lab, 16, frame)),
                tx(
                        "indirect with NEXT",
                        Lab.INDIRECT,
                        RingFault.INDIRECT_MISUSED,
                        lab -> head(lab, BUFFER, 16, INDIRECT | NEXT, 1)),
                tx(
                        "indirect in indirect",
                        Lab.INDIRECT,
                        RingFault.INDIRECT_MISUSED,
                        lab -> indirect(lab, 16, new long[] {BUFFER, 16, INDIRECT, 0})),
                tx("empty table", Lab.INDIRECT, RingFault.INDIRECT_LENGTH, lab -> indirect(lab, 0, frame)),
                tx("table of 17 bytes", Lab.INDIRECT, RingFault.INDIRECT_LENGTH, lab -> indirect(lab, 17, frame)),
                tx("table of 8 bytes", Lab.INDIRECT, RingFault.INDIRECT_LENGTH, lab -> indirect(lab, 8, frame)),
                tx(
                        "next outside of the table",
                        Lab.INDIRECT,
                        RingFault.INDEX_OUT_OF_RANGE,
                        lab -> indirect(lab, 16, new long[] {BUFFER, 72, NEXT, 1})),
                tx("table wraps around", Lab.INDIRECT, RingFault.TOO_LONG, lab -> head(lab, -16L, 32, INDIRECT, 0)),
                tx(
                        "table out of reach",
                        Lab.INDIRECT,
                        RingFault.UNREACHABLE,
                        lab -> head(lab, BEYOND, 32, INDIRECT, 0)));
    }

    private static Stream<Case> lengthCases() {
        return Stream.of(
                tx("less than a header", 0, RingFault.TOO_SHORT, lab -> head(lab, BUFFER, 11, 0, 0)),
                tx("nothing readable", 0, RingFault.TOO_SHORT, lab -> head(lab, BUFFER, 100, WRITE, 0)),
                rx("nothing writable", RingFault.TOO_SHORT, lab -> lab.rings[Lab.RX].add(BUFFER, 2000, 0)),
                rx("no room for the header", RingFault.TOO_SHORT, lab -> lab.rings[Lab.RX].add(BUFFER, 11, WRITE)),
                rx("empty buffer", RingFault.TOO_SHORT, lab -> lab.rings[Lab.RX].add(BUFFER, 0, WRITE)),
                tx("more than 2^32 bytes", 0, RingFault.TOO_LONG, lab -> {
                    lab.rings[Lab.TX].descriptor(1, BUFFER, 0xFFFF_FFFFL, 0, 0);
                    head(lab, BUFFER, 2, NEXT, 1);
                }),
                tx("buffer wraps around", 0, RingFault.TOO_LONG, lab -> head(lab, -10L, 72, 0, 0)));
    }

    private static Stream<Case> reachCases() {
        return Stream.of(
                tx("descriptor table", 0, RingFault.UNREACHABLE, lab -> restart(lab, BEYOND, 0x10_0000, 0x20_0000)),
                tx("available ring", 0, RingFault.UNREACHABLE, lab -> restart(lab, 0x10_0000, BEYOND, 0x20_0000)),
                tx("used ring", 0, RingFault.UNREACHABLE, lab -> restart(lab, 0x10_0000, 0x20_0000, BEYOND)));
    }

    /** Starts over with a transmit ring placed so, holding one good frame where it can. */
    private static void restart(Lab lab, long desc, long avail, long used) {
        lab.negotiate(0);
        lab.enableQueue(Lab.RX, 8);
        lab.placeQueue(Lab.TX, 8, desc, avail, used);
        lab.common(Lab.QUEUE_ENABLE, 2, 1);
        if (desc != BEYOND) {
            SplitRing.writeDescriptor(lab.ram, desc, BUFFER, 72, 0, 0);
        }
        if (avail != BEYOND) {
            lab.ram.writeShort(avail + 4, (short) 0);
            lab.ram.writeShort(avail + 2, (short) 1);
        }
        lab.status(0xF);
    }

    @ParameterizedTest
    @MethodSource("cases")
    @Spec(id = "V9.1", section = "virtio 1.2 2.1.2")
    @DisplayName("V9, 2.1.2: a malformed ring sets NEEDS_RESET, interrupts once, and stops the device until reset")
    void shouldNeedResetOnceWhenRingIsMalformed(Case c) {
        try (Lab lab = new Lab()) {
            lab.start(c.features, 8);
            c.spoil.accept(lab);
            byte[] frame = Lab.frame(60, 1);
            if (c.queue == Lab.RX) {
                assertThat(lab.arrive(frame)).isEqualTo(Delivery.DROPPED);
            } else {
                lab.kick(Lab.TX);
                lab.poll();
            }
            VirtioNetCounters counters = lab.device.counters();
            assertThat(lab.status()).isEqualTo(0x4F);
            assertThat(counters.ringFaults(c.cause)).isEqualTo(1);
            assertThat(lab.pin).isTrue();
            assertThat(lab.isr()).as("configuration change alone").isEqualTo(2);

            lab.kick(Lab.TX);
            lab.kick(Lab.RX);
            lab.poll();
            assertThat(lab.arrive(frame)).isEqualTo(Delivery.FILTERED);
            assertThat(counters.needsReset()).isEqualTo(1);
            assertThat(lab.pin).isFalse();
            assertThat(lab.pinRises).isEqualTo(1);
            assertThat(lab.device.workPending()).isFalse();
            assertThat(lab.sent).isEmpty();

            lab.start(c.features, 8);
            lab.transmit(frame);
            lab.kick(Lab.TX);
            lab.poll();
            assertThat(lab.sent).as("works again after reset").containsExactly(frame);
        }
    }

    @Test
    @Spec(id = "V9.1", section = "virtio 1.2 2.1.2")
    @DisplayName("2.1.2: frames sent before the fault are in the used ring; the configuration vector fires once")
    void shouldPublishEarlierCompletionsWhenLaterChainIsMalformed() {
        try (Lab lab = new Lab()) {
            lab.negotiate(0);
            lab.enableQueue(Lab.RX, 8);
            lab.enableQueue(Lab.TX, 8);
            lab.enableMsix();
            lab.mapVectors(0, 1, 2);
            lab.status(0xF);
            lab.transmit(Lab.frame(60, 1));
            lab.transmit(Lab.frame(60, 2));
            lab.rings[Lab.TX].offer(99);
            lab.rings[Lab.TX].publish();
            lab.kick(Lab.TX);

            assertThat(lab.device.poll(64)).isEqualTo(2);

            assertThat(lab.sent).hasSize(2);
            assertThat(lab.rings[Lab.TX].usedIdx()).isEqualTo(2);
            assertThat(lab.status()).isEqualTo(0x4F);
            assertThat(lab.messages).containsExactly(new Lab.Message(0xFEE0_0000L, 0x40));
        }
    }

    @Test
    @DisplayName(
            "2.1.2: a receiver that fails inside a transmission, on a wire that leads back, stops the transmitter too")
    void shouldStopTransmittingWhenLoopedBackFrameBreaksDevice() {
        try (Lab lab = new Lab()) {
            lab.onWire = lab::arrive;
            lab.start(0, 8);
            lab.rings[Lab.RX].add(BUFFER, 4, WRITE);
            lab.transmit(Lab.frame(60, 1));
            lab.transmit(Lab.frame(60, 2));
            lab.kick(Lab.TX);
            lab.poll();
            assertThat(lab.status()).isEqualTo(0x4F);
            assertThat(lab.device.counters().txFrames()).isEqualTo(1);
        }
    }

    @Test
    @DisplayName(
            "2.7.6: chains that are taken still occupy the ring, so the index cannot run ahead by the whole size again")
    void shouldNeedResetWhenIndexRunsOnDuringPacket() {
        AtomicReference<DmaTap> tap = new AtomicReference<>();
        try (Lab lab = new Lab((l, dma) -> {
            tap.set(new DmaTap(dma));
            return tap.get();
        })) {
            lab.start(Lab.MRG, 4);
            SplitRing rx = lab.rings[Lab.RX];
            lab.receiveBuffer(100);
            lab.receiveBuffer(100);
            AtomicInteger loads = new AtomicInteger();
            tap.get().before = (op, iova, length) -> {
                if (op == DmaTap.Op.LOAD && iova == rx.avail + 2 && loads.incrementAndGet() == 2) {
                    rx.publishIndex(6);
                }
            };
            assertThat(lab.arrive(Lab.frame(1000, 1))).isEqualTo(Delivery.DROPPED);
            assertThat(lab.status()).isEqualTo(0x4F);
            assertThat(lab.device.counters().ringFaults(RingFault.INDEX_JUMP)).isEqualTo(1);
            assertThat(lab.device.counters().rxRingFaultDrops()).isEqualTo(1);
        }
    }

    @Test
    @DisplayName("2.1.2: two faults at once, one while the other is being handled, still make one NEEDS_RESET")
    void shouldNeedResetOnceWhenBothRingsFail() {
        AtomicReference<DmaTap> tap = new AtomicReference<>();
        try (Lab lab = new Lab((l, dma) -> {
            tap.set(new DmaTap(dma));
            return tap.get();
        })) {
            lab.onWire = lab::arrive;
            lab.start(0, 8);
            lab.rings[Lab.RX].add(BUFFER, 4, WRITE);
            lab.transmit(Lab.frame(60, 1));
            tap.get().refusedFrom = lab.rings[Lab.TX].used + 4;
            tap.get().refusedTo = lab.rings[Lab.TX].used + 12;
            lab.kick(Lab.TX);
            lab.poll();
            assertThat(lab.device.counters().needsReset()).isEqualTo(1);
            assertThat(lab.isr()).isEqualTo(2);
            assertThat(lab.pin).isFalse();
        }
    }
}
