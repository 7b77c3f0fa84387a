package io.iolab.vmm.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Udp;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Request and response: one outstanding, the round trip noted, a lost answer given up after 100 ms. */
class PingPongProgramTest {
    private static final long MILLISECOND = 1_000_000_000L;
    private static final StationPair GUEST = StationPair.ofGuest(0);

    private final FakeEndpoint endpoint = new FakeEndpoint();

    private PingPongProgram program(long count, long thinkPicos) {
        PingPongProgram program = new PingPongProgram(GUEST, new Workload.PingPong(64, count, thinkPicos), 7);
        program.start(endpoint);
        endpoint.sent.clear();
        return program;
    }

    private byte[] answer() {
        byte[] frame = endpoint.sent.getLast().clone();
        assertThat(Udp.replyInPlace(
                        frame,
                        0,
                        frame.length,
                        GUEST.other().mac(),
                        GUEST.other().address()))
                .isTrue();
        return frame;
    }

    @Test
    void shouldAskAgainOnceItWasAnswered() {
        PingPongProgram program = program(2, 0);
        assertThat(program.step()).isTrue();
        assertThat(program.step()).as("one outstanding").isFalse();

        endpoint.now = 30_000;
        FakeEndpoint.deliver(program, answer());
        assertThat(program.step()).isTrue();
        endpoint.now = 70_000;
        FakeEndpoint.deliver(program, answer());

        assertThat(endpoint.latencies).containsExactly(30_000L, 40_000L);
        assertThat(program.answered()).isEqualTo(2);
        assertThat(program.done()).isTrue();
        assertThat(program.step()).isFalse();
        assertThat(program.nextWakePicos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void shouldPauseBetweenAnswerAndRequest() {
        PingPongProgram program = program(0, 5_000);
        program.step();
        endpoint.now = 1_000;
        FakeEndpoint.deliver(program, answer());

        assertThat(program.nextWakePicos()).isEqualTo(6_000);
        endpoint.now = 5_999;
        assertThat(program.step()).isFalse();
        endpoint.now = 6_000;
        assertThat(program.step()).isTrue();
    }

    @Test
    @DisplayName("no answer: given up after 100 ms, by the next tick of a 50 ms timer wheel, and asked anew")
    void shouldGiveUpAndGoOn() {
        PingPongProgram program = program(0, 0);
        endpoint.now = 10 * MILLISECOND;
        program.step();
        byte[] lateAnswer = answer();

        long wake = program.nextWakePicos();
        assertThat(wake).isBetween(110 * MILLISECOND, 160 * MILLISECOND);
        endpoint.now = wake - 1;
        assertThat(program.step()).isFalse();
        assertThat(program.givenUp()).isZero();
        endpoint.now = wake;
        assertThat(program.step()).isTrue();

        assertThat(program.givenUp()).isOne();
        assertThat(endpoint.sent).hasSize(2);
        FakeEndpoint.deliver(program, lateAnswer);
        assertThat(program.answered()).as("too late").isZero();
        FakeEndpoint.deliver(program, answer());
        assertThat(program.answered()).isOne();
    }

    @Test
    void shouldGiveUpARequestOnceHoweverLongThereIsNoRoom() {
        PingPongProgram program = program(0, 0);
        program.step();
        endpoint.now = 200 * MILLISECOND;
        endpoint.room = 0;

        for (int i = 0; i < 5; i++) {
            assertThat(program.step()).isFalse();
        }

        assertThat(program.givenUp()).isOne();
        assertThat(program.nextWakePicos()).isEqualTo(Long.MAX_VALUE);
        endpoint.room = 1;
        assertThat(program.step()).isTrue();
        assertThat(program.givenUp()).isOne();
    }

    @Test
    void shouldCountADamagedAnswerAndGoOnWaiting() {
        PingPongProgram program = program(0, 0);
        program.step();
        byte[] damaged = answer();
        damaged[damaged.length - 10] ^= 4;

        FakeEndpoint.deliver(program, damaged);
        assertThat(endpoint.corrupt).isOne();
        assertThat(program.answered()).isZero();

        FakeEndpoint.deliver(program, answer());
        assertThat(program.answered()).isOne();
    }

    @Test
    void shouldTakeAnswersFromItsPartnerOnlyAndOnce() {
        PingPongProgram program = program(0, 0);
        program.step();
        byte[] foreign = answer();
        foreign[11] ^= 1;

        FakeEndpoint.deliver(program, foreign);
        assertThat(program.answered()).isZero();
        FakeEndpoint.deliver(program, answer());
        FakeEndpoint.deliver(program, answer());
        assertThat(program.answered()).isOne();
    }
}
