package io.iolab.vmm.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.MacAddress;
import io.iolab.vmm.memory.Allocations;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.time.Profiles;
import io.iolab.vmm.time.Timeline;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Learning, forwarding and flooding after IEEE 802.1D, clause 7. */
class LearningSwitchTest {
    private static final long A = 0x02_00_00_00_00_0AL;
    private static final long B = 0x02_00_00_00_00_0BL;
    private static final long C = 0x02_00_00_00_00_0CL;
    private static final long BROADCAST = 0xFFFF_FFFF_FFFFL;
    private static final long MULTICAST = 0x0100_5E00_0001L;
    private static final long STEP = 100_000_000L;

    private final LearningSwitch fabric = new LearningSwitch("switch", Profiles.free());
    private final Timeline timeline = new Timeline();
    private final List<Link> in = new ArrayList<>();
    private final List<Link> out = new ArrayList<>();

    LearningSwitchTest() {
        timeline.add("switch", fabric);
        for (int i = 0; i < 3; i++) {
            plug(64);
        }
    }

    private void plug(int queue) {
        Link toSwitch = new Link("in" + in.size(), 1_000_000_000_000L, 0, 2048);
        Link fromSwitch = new Link("out" + out.size(), 1_000_000_000L, 0, queue);
        fabric.plug("port" + in.size(), toSwitch, fromSwitch);
        in.add(toSwitch);
        out.add(fromSwitch);
    }

    private static byte[] frame(long destination, long source) {
        byte[] frame = new byte[60];
        MacAddress.put(frame, 0, destination);
        MacAddress.put(frame, 6, source);
        return frame;
    }

    /** Sends a frame and gives the ports it left by. */
    private List<Integer> send(int port, long destination, long source) {
        long[] before = out.stream().mapToLong(Link::frames).toArray();
        in.get(port).send(frame(destination, source), 0, 60, timeline.nowPicos());
        timeline.until(timeline.nowPicos() + STEP);
        List<Integer> left = new ArrayList<>();
        for (int i = 0; i < before.length; i++) {
            for (long n = before[i]; n < out.get(i).frames(); n++) {
                left.add(i);
            }
            while (out.get(i).arrived(timeline.nowPicos())) {
                out.get(i).release(timeline.nowPicos());
            }
        }
        return left;
    }

    @Test
    void shouldFloodUntilItKnowsAndForwardThen() {
        assertThat(send(0, B, A)).containsExactly(1, 2);
        assertThat(send(1, A, B)).containsExactly(0);
        assertThat(send(0, B, A)).containsExactly(1);
        assertThat(fabric.flooded()).isOne();
        assertThat(fabric.forwarded()).isEqualTo(2);
    }

    @Test
    void shouldFloodBroadcastAndMulticastHoweverMuchItKnows() {
        send(1, A, BROADCAST & ~1L << 40);
        send(1, A, MULTICAST);

        assertThat(send(0, BROADCAST, A)).containsExactly(1, 2);
        assertThat(send(0, MULTICAST, A)).containsExactly(1, 2);
    }

    @Test
    @DisplayName("a group address as source is not learned")
    void shouldNotLearnAGroupAddress() {
        send(1, A, MULTICAST);

        assertThat(send(0, MULTICAST, C)).containsExactly(1, 2);
    }

    @Test
    void shouldNeverSendAFrameBackWhereItCameFrom() {
        send(0, BROADCAST, A);
        send(0, BROADCAST, B);

        assertThat(send(0, B, A)).isEmpty();
        assertThat(fabric.forwarded()).isOne();
    }

    @Test
    void shouldFollowAStationThatMoves() {
        send(0, BROADCAST, A);
        assertThat(send(1, A, B)).containsExactly(0);

        send(2, BROADCAST, A);

        assertThat(send(1, A, B)).containsExactly(2);
    }

    @Test
    void shouldDropAndCountAtAPortThatIsFull() {
        plug(4);
        send(3, BROADCAST, C);
        for (int i = 0; i < 10; i++) {
            in.get(0).send(frame(C, A), 0, 60, timeline.nowPicos());
        }

        timeline.until(timeline.nowPicos() + 1_000_000L);

        assertThat(fabric.ports().get(3).dropped() + out.get(3).frames()).isEqualTo(10);
        assertThat(fabric.ports().get(3).dropped()).isPositive();
        assertThat(fabric.ports().get(1).dropped()).isZero();
        assertThat(fabric.ports().get(3).name()).isEqualTo("port3");
    }

    @Test
    void shouldSayForWhichStationBehindAPortItDropped() {
        plug(4);
        LongSupplier forC = fabric.ports().get(3).droppedFor(C);
        LongSupplier forD = fabric.ports().get(3).droppedFor(C + 1);
        send(3, BROADCAST, C);
        send(3, BROADCAST, C + 1);
        for (int i = 0; i < 15; i++) {
            in.get(0).send(frame(i % 3 == 0 ? C + 1 : C, A), 0, 60, timeline.nowPicos());
        }

        timeline.until(timeline.nowPicos() + 1_000_000L);

        assertThat(forC.getAsLong()).isPositive();
        assertThat(forD.getAsLong()).isPositive();
        assertThat(forC.getAsLong() + forD.getAsLong())
                .isEqualTo(fabric.ports().get(3).dropped());
    }

    @Test
    void shouldThrowRuntsAway() {
        in.get(0).send(frame(BROADCAST, A), 0, 13, 0);
        timeline.until(STEP);

        assertThat(fabric.runts()).isOne();
        assertThat(out).allMatch(link -> link.frames() == 0);
        in.get(0).send(frame(BROADCAST, A), 0, 14, STEP);
        timeline.until(2 * STEP);
        assertThat(out.get(1).frames()).isOne();
    }

    @Test
    @DisplayName("when the table cannot take an address, frames to it are flooded and nothing else suffers")
    void shouldFallBackToFloodingWhenTheTableIsFull() {
        int stations = 20_000;
        send(1, BROADCAST, B);
        for (int i = 0; i < stations; i++) {
            in.get(0).send(frame(B, 0x0200_0000_1000L + i), 0, 60, timeline.nowPicos());
            timeline.until(timeline.nowPicos() + 1_000_000L);
            out.get(1).release(timeline.nowPicos());
        }
        long flooded = fabric.flooded();
        long forwarded = fabric.forwarded();
        assertThat(forwarded).as("the station known first is still known").isEqualTo(stations);

        for (int i = 0; i < 2_000; i++) {
            in.get(1).send(frame(0x0200_0000_1000L + i * 10, B), 0, 60, timeline.nowPicos());
            timeline.until(timeline.nowPicos() + 1_000_000L);
            out.forEach(link -> {
                while (link.arrived(timeline.nowPicos())) {
                    link.release(timeline.nowPicos());
                }
            });
        }

        assertThat(fabric.flooded() - flooded).isPositive();
        assertThat(fabric.forwarded() - forwarded + fabric.flooded() - flooded).isEqualTo(2_000);
        assertThat(fabric.ports()).allMatch(port -> port.dropped() == 0);
    }

    @Test
    void shouldTakeTheTimeOfAHopAndItsBytes() {
        CostProfile profile = Profiles.of(Map.of(Cost.SWITCH_HOP, 100L, Cost.SWITCH_BYTE, 50L));
        LearningSwitch slow = new LearningSwitch("slow", profile);
        Timeline time = new Timeline();
        time.add("slow", slow);
        Link from = new Link("from", 1_000_000_000L, 0, 8);
        Link to = new Link("to", 1_000_000_000L, 0, 8);
        slow.plug("a", from, new Link("unused", 1_000_000_000L, 0, 8));
        slow.plug("b", new Link("quiet", 1_000_000_000L, 0, 8), to);

        from.send(frame(B, A), 0, 60, 0);
        time.until(STEP);

        assertThat(to.nextArrivalPicos()).isEqualTo(672_000 + 100_000 + 60 * 50 + 672_000);
    }

    @Test
    void shouldAllocateNothingForAFrame() {
        byte[] frame = frame(BROADCAST, A);

        long bytes = Allocations.bytesOf(10_000, () -> {
            in.get(0).send(frame, 0, 60, timeline.nowPicos());
            timeline.until(timeline.nowPicos() + 1_000_000L);
            out.get(1).release(timeline.nowPicos());
            out.get(2).release(timeline.nowPicos());
        });

        assertThat(bytes).isLessThan(1_000);
    }
}
