package io.iolab.vmm.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.net.Delivery;
import io.iolab.vmm.memory.Allocations;
import io.iolab.vmm.time.ScriptedActor;
import io.iolab.vmm.time.Timeline;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A link's timing: IEEE 802.3 3.1.1 (preamble, FCS, minimum size) and 4.4.2 (inter-frame gap). */
class LinkTest {
    private static final long GIGABIT = 1_000_000_000L;
    private static final byte[] FRAME = new byte[1514];

    @ParameterizedTest
    @CsvSource({
        // The smallest frame takes 84 byte times, which makes 1,488,095 frames a second at 1 Gbit/s.
        "1000000000, 60, 672000",
        "1000000000, 14, 672000",
        "1000000000, 61, 680000",
        "1000000000, 1514, 12304000",
        "10000000000, 1514, 1230400",
        "40000000000, 60, 16800",
        "10000000, 60, 67200000",
        "1000000000000, 1514, 12304",
        // 672 bits at 300 Gbit/s are 2240 ps: the rate is no whole number of picoseconds a byte.
        "300000000000, 60, 2240",
        "7, 60, 96000000000000"
    })
    void shouldTakeTheTimeOfAllItsBytesAndTheGap(long bitsPerSecond, int length, long picos) {
        Link link = new Link("l", bitsPerSecond, 0, 8);

        link.send(FRAME, 0, length, 1_000);

        assertThat(link.nextArrivalPicos()).isEqualTo(1_000 + picos);
        assertThat(link.wireFreePicos()).isEqualTo(1_000 + picos);
        assertThat(link.arrived(1_000 + picos - 1)).isFalse();
        assertThat(link.arrived(1_000 + picos)).isTrue();
    }

    @Test
    void shouldSendOneFrameAfterTheOther() {
        Link link = new Link("l", GIGABIT, 500_000, 8);

        link.send(FRAME, 0, 60, 0);
        link.send(FRAME, 0, 60, 100_000);
        link.send(FRAME, 0, 60, 5_000_000);

        assertThat(link.nextArrivalPicos()).isEqualTo(672_000 + 500_000);
        link.release(2_000_000);
        assertThat(link.nextArrivalPicos()).as("waits for the wire").isEqualTo(2 * 672_000 + 500_000);
        link.release(2_000_000);
        assertThat(link.nextArrivalPicos()).as("finds it free").isEqualTo(5_000_000 + 672_000 + 500_000);
        link.release(7_000_000);
        assertThat(link.nextArrivalPicos()).isEqualTo(Long.MAX_VALUE);
        assertThat(link.frames()).isEqualTo(3);
        assertThat(link.bytes()).isEqualTo(180);
    }

    @Test
    void shouldCarryTheBytesOfAPartOfAnArray() {
        Link link = new Link("l", GIGABIT, 0, 8);
        byte[] bytes = {9, 9, 1, 2, 3, 9};

        link.send(bytes, 2, 3, 0);
        bytes[2] = 77;

        assertThat(link.frameLength()).isEqualTo(3);
        assertThat(link.frame()).startsWith(1, 2, 3);
    }

    @Test
    void shouldBeBusyWhenItsQueueIsFull() {
        Link link = new Link("l", GIGABIT, 0, 4);
        for (int i = 0; i < 4; i++) {
            assertThat(link.send(FRAME, 0, 60, 0)).isEqualTo(Delivery.ACCEPTED);
        }

        assertThat(link.send(FRAME, 0, 60, 0)).isEqualTo(Delivery.BUSY);
        assertThat(link.frames()).isEqualTo(4);

        link.release(672_000);
        assertThat(link.send(FRAME, 0, 60, 672_000)).isEqualTo(Delivery.ACCEPTED);
    }

    @Test
    @DisplayName("frames on their way along the cable are not in the queue: a long cable delays but does not slow down")
    void shouldKeepTheWireFullOverALongCable() {
        long delay = 1_000_000_000L;
        Link link = new Link("l", GIGABIT, delay, 4);
        Timeline timeline = new Timeline();
        ScriptedActor receiver = new ScriptedActor("receiver", self -> {
            while (link.arrived(self.nowPicos())) {
                link.release(self.nowPicos());
            }
            long next = link.nextArrivalPicos();
            self.sleep(next);
        });
        ScriptedActor sender = new ScriptedActor("sender", self -> {
            while (link.send(FRAME, 0, 60, self.nowPicos()) == Delivery.ACCEPTED) {
                // as many as it takes
            }
            self.rest();
        });
        link.receiver(receiver);
        link.sender(sender);
        timeline.add("receiver", receiver);
        timeline.add("sender", sender);

        timeline.until(10 * delay);

        assertThat(link.frames()).isGreaterThanOrEqualTo(10 * delay / 672_000);
    }

    @Test
    void shouldWakeTheReceiverAtTheArrival() {
        Link link = new Link("l", GIGABIT, 500_000, 8);
        Timeline timeline = new Timeline();
        ScriptedActor receiver = ScriptedActor.sleeper("receiver");
        link.receiver(receiver);
        timeline.add("receiver", receiver);
        timeline.until(1);

        link.send(FRAME, 0, 60, 1_000_000);
        timeline.until(10_000_000);

        assertThat(receiver.steppedAt).containsExactly(0L, 1_000_000L + 672_000 + 500_000);
    }

    @Test
    void shouldWakeASenderThatMetBusyAndNoOther() {
        Link link = new Link("l", GIGABIT, 0, 1);
        Timeline timeline = new Timeline();
        ScriptedActor sender = ScriptedActor.sleeper("sender");
        link.sender(sender);
        timeline.add("sender", sender);
        timeline.until(1);

        link.send(FRAME, 0, 60, 0);
        link.release(700_000);
        timeline.until(800_000);
        assertThat(sender.steppedAt).as("was never refused").containsExactly(0L);

        link.send(FRAME, 0, 60, 800_000);
        link.send(FRAME, 0, 60, 800_000);
        link.release(1_500_000);
        timeline.until(2_000_000);

        assertThat(sender.steppedAt).hasSize(2);
        assertThat(sender.steppedAt.get(1)).isBetween(800_000L + 672_000, 1_500_000L);
    }

    @Test
    void shouldShowFramesToATapAtTheTimeTheyEnterTheWire() {
        Link link = new Link("l", GIGABIT, 500_000, 2);
        List<Long> nanos = new ArrayList<>();
        link.tap((at, frame, offset, length) -> nanos.add(at));

        link.send(FRAME, 0, 60, 1_000_000);
        link.send(FRAME, 0, 60, 1_000_000);
        link.send(FRAME, 0, 60, 1_000_000);

        assertThat(nanos).as("the refused one is not there").containsExactly(1_000L, 1_672L);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, 1_000_000_000_001L})
    void shouldRefuseASpeedThatItCannotCount(long bitsPerSecond) {
        assertThatThrownBy(() -> new Link("l", bitsPerSecond, 0, 8)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldSayWhenNothingHasArrived() {
        Link link = new Link("cable", GIGABIT, 0, 8);

        assertThatThrownBy(link::frame)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("cable");
    }

    @Test
    void shouldAllocateNothingForAFrame() {
        Link link = new Link("l", GIGABIT, 0, 8);
        long[] now = new long[1];

        long bytes = Allocations.bytesOf(10_000, () -> {
            link.send(FRAME, 0, 1514, now[0] += 20_000_000);
            link.release(now[0]);
        });

        assertThat(bytes).isLessThan(1_000);
    }
}
