package io.iolab.vmm.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.net.PacketCheck;
import io.iolab.devices.net.Udp;
import io.iolab.vmm.memory.Allocations;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stream of stamped datagrams: what leaves, when, and what the other end makes of it. */
class StreamProgramTest {
    private static final long SECOND = 1_000_000_000_000L;
    private static final StationPair GUEST = StationPair.ofGuest(0);
    private static final Workload.Flow MAX = new Workload.Flow(true, 0, 1, 0);

    private final FakeEndpoint endpoint = new FakeEndpoint();
    private final FakeEndpoint far = new FakeEndpoint();
    private final StreamProgram receiver =
            new StreamProgram(GUEST.reversed(), List.of(60, 1514), Workload.Flow.OFF, MAX, false, 9);

    private StreamProgram sender(Workload.Flow flow, Integer... sizes) {
        StreamProgram program = new StreamProgram(GUEST, List.of(sizes), flow, Workload.Flow.OFF, true, 7);
        program.start(endpoint);
        endpoint.sent.clear();
        endpoint.flushes = 0;
        return program;
    }

    private byte[] next(StreamProgram sender) {
        assertThat(sender.step()).isTrue();
        return endpoint.sent.getLast();
    }

    @Test
    void shouldSendValidDatagramsOfEachSizeInTurn() {
        StreamProgram sender = sender(MAX, 60, 1514, 576);

        for (int size : new int[] {60, 1514, 576, 60}) {
            byte[] frame = next(sender);
            assertThat(frame).hasSize(size);
            assertThat(Udp.check(frame, 0, size)).isEqualTo(PacketCheck.VALID);
            assertThat(EthernetFrame.destination(frame, 0))
                    .isEqualTo(GUEST.other().mac());
            assertThat(EthernetFrame.source(frame, 0)).isEqualTo(GUEST.own().mac());
        }
        assertThat(sender.sent()).isEqualTo(4);
        assertThat(endpoint.flushes).as("a doorbell each").isEqualTo(4);
    }

    @Test
    void shouldAnnounceItselfAtTheStart() {
        new StreamProgram(GUEST, List.of(60), MAX, MAX, true, 7).start(endpoint);

        assertThat(endpoint.sent).hasSize(1);
        assertThat(EthernetFrame.destination(endpoint.sent.get(0), 0)).isEqualTo(MacAddress.BROADCAST.bits());
        assertThat(EthernetFrame.outerType(endpoint.sent.get(0), 0)).isEqualTo(EthernetFrame.TYPE_ARP);
        assertThat(endpoint.flushes).isOne();
    }

    @Test
    void shouldHandOverABurstPerDoorbell() {
        StreamProgram sender = sender(new Workload.Flow(true, 0, 8, 20), 60);

        assertThat(sender.step()).isTrue();
        assertThat(endpoint.sent).hasSize(8);
        assertThat(endpoint.flushes).isOne();
        sender.step();
        sender.step();

        assertThat(endpoint.sent).as("the count ends the last burst").hasSize(20);
        assertThat(sender.step()).isFalse();
        assertThat(sender.done()).isTrue();
        assertThat(sender.nextWakePicos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @DisplayName("a rate is kept on average, whatever the burst; a late start of a step is caught up")
    void shouldPaceFramesByTheRate() {
        StreamProgram sender = sender(new Workload.Flow(true, 1_000, 4, 0), 60);
        long interval = SECOND / 1_000;

        assertThat(sender.step()).isTrue();
        assertThat(sender.step()).as("not yet").isFalse();
        assertThat(sender.nextWakePicos()).isEqualTo(4 * interval);
        endpoint.now = 4 * interval - 1;
        assertThat(sender.step()).isFalse();
        endpoint.now = 4 * interval;
        assertThat(sender.step()).isTrue();
        assertThat(sender.nextWakePicos()).isEqualTo(8 * interval);

        endpoint.now = 20 * interval;
        int steps = 0;
        while (sender.step()) {
            steps++;
        }
        assertThat(steps).isEqualTo(4);
        assertThat(endpoint.sent).hasSize(24);
    }

    @Test
    void shouldWaitWithoutATimerForRoom() {
        StreamProgram sender = sender(new Workload.Flow(true, 0, 8, 0), 60);
        endpoint.room = 3;

        assertThat(sender.step()).isTrue();
        assertThat(endpoint.flushes).as("what fitted goes out").isOne();
        assertThat(sender.step()).isFalse();
        assertThat(sender.nextWakePicos()).isEqualTo(Long.MAX_VALUE);

        endpoint.room = 100;
        assertThat(sender.step()).isTrue();
        assertThat(sender.sent()).isEqualTo(11);
        assertThat(sender.nextWakePicos()).isLessThanOrEqualTo(endpoint.now);
    }

    @Test
    @DisplayName("the end that does not begin waits for a frame of its own partner, not of anybody else")
    void shouldWaitForItsPartner() {
        StreamProgram second = new StreamProgram(GUEST.reversed(), List.of(60), MAX, Workload.Flow.OFF, false, 7);
        second.start(far);
        far.sent.clear();
        StationPair stranger = StationPair.ofGuest(1);
        StreamProgram other = new StreamProgram(stranger, List.of(60), MAX, MAX, true, 7);
        other.start(endpoint);
        endpoint.deliverLastTo(second);

        assertThat(second.step()).isFalse();
        assertThat(second.nextWakePicos()).isEqualTo(Long.MAX_VALUE);

        StreamProgram partner = sender(MAX, 60);
        far.now = 5_000;
        FakeEndpoint.deliver(second, next(partner));

        assertThat(second.nextWakePicos()).isEqualTo(5_000);
        assertThat(second.step()).isTrue();
        assertThat(far.sent).hasSize(1);
    }

    @Test
    void shouldMeasureLatencyFromTheStamp() {
        receiver.start(far);
        StreamProgram sender = sender(MAX, 60);
        endpoint.now = 1_000;
        byte[] frame = next(sender);
        far.now = 251_000;

        FakeEndpoint.deliver(receiver, frame);

        assertThat(far.latencies).containsExactly(250_000L);
        assertThat(receiver.received()).isOne();
    }

    @Test
    void shouldFindLossByTheGap() {
        receiver.start(far);
        StreamProgram sender = sender(MAX, 60);

        FakeEndpoint.deliver(receiver, next(sender));
        next(sender);
        next(sender);
        FakeEndpoint.deliver(receiver, next(sender));
        FakeEndpoint.deliver(receiver, next(sender));

        assertThat(receiver.received()).isEqualTo(3);
        assertThat(receiver.lost()).isEqualTo(2);
        assertThat(receiver.late()).isZero();
    }

    @Test
    @DisplayName("a duplicate is not a new frame: it neither hides a loss nor ends the count early")
    void shouldTellDuplicatesAndLateFramesApart() {
        StreamProgram counting = new StreamProgram(
                GUEST.reversed(), List.of(60), Workload.Flow.OFF, new Workload.Flow(true, 0, 1, 4), false, 9);
        counting.start(far);
        StreamProgram sender = sender(MAX, 60);
        byte[] first = next(sender);
        byte[] second = next(sender);
        byte[] third = next(sender);

        FakeEndpoint.deliver(counting, first);
        FakeEndpoint.deliver(counting, first);
        FakeEndpoint.deliver(counting, third);
        FakeEndpoint.deliver(counting, second);

        assertThat(counting.late()).isEqualTo(2);
        assertThat(counting.lost()).isOne();
        assertThat(counting.done()).as("the fourth has not come").isFalse();
        FakeEndpoint.deliver(counting, next(sender));
        assertThat(counting.done()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {60, 61, 576, 1514})
    @DisplayName("one flipped bit anywhere in sequence, time, filling or sum is found")
    void shouldFindEveryFlippedBit(int size) {
        receiver.start(far);
        byte[] frame = next(sender(MAX, size));
        int sequenceAt = Udp.PAYLOAD_IN_FRAME + 2;
        int flips = 0;

        for (int bit = 8 * sequenceAt; bit < 8 * size; bit += size > 100 ? 13 : 1) {
            frame[bit / 8] ^= (byte) (1 << bit % 8);
            FakeEndpoint.deliver(receiver, frame);
            frame[bit / 8] ^= (byte) (1 << bit % 8);
            flips++;
        }

        assertThat(far.corrupt).isEqualTo(flips);
        assertThat(receiver.received()).isZero();
        FakeEndpoint.deliver(receiver, frame);
        assertThat(receiver.received()).isOne();
    }

    @Test
    void shouldIgnoreFramesWithoutAStamp() {
        receiver.start(far);
        byte[] frame = next(sender(MAX, 60));
        frame[Udp.PAYLOAD_IN_FRAME] ^= 1;
        FakeEndpoint.deliver(receiver, frame);
        byte[] shorter = java.util.Arrays.copyOf(frame, 59);
        FakeEndpoint.deliver(receiver, shorter);

        assertThat(receiver.received() + far.corrupt).isZero();
    }

    @Test
    void shouldFillFramesBySeed() {
        byte[] one = next(sender(MAX, 200));
        byte[] same = next(sender(MAX, 200));
        StreamProgram other = new StreamProgram(GUEST, List.of(200), MAX, MAX, true, 8);
        other.start(endpoint);
        other.step();

        assertThat(same).isEqualTo(one);
        assertThat(endpoint.sent.getLast()).isNotEqualTo(one);
    }

    @ParameterizedTest
    @ValueSource(ints = {59, 1515})
    void shouldRefuseSizesThatEthernetDoesNotHave(int size) {
        assertThatThrownBy(() -> sender(MAX, size)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldAllocateNothingForAFrame() {
        StampedFrame template = new StampedFrame(GUEST, 1514, 1);
        int[] sequence = new int[1];

        long bytes = Allocations.bytesOf(10_000, () -> {
            byte[] frame = template.stamp(sequence[0]++, 1);
            if (!template.intact(frame, 0, frame.length)) {
                throw new AssertionError("stamp");
            }
        });

        assertThat(bytes).isLessThan(1_000);
    }
}
