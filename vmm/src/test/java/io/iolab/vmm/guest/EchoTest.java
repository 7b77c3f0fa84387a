package io.iolab.vmm.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Arp;
import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.Icmp;
import io.iolab.devices.net.PacketCheck;
import io.iolab.devices.net.Udp;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The echo service (RFC 826, 792, 862) and the client that uses it. */
class EchoTest {
    private static final long SECOND = 1_000_000_000_000L;
    private static final StationPair GUEST = StationPair.ofGuest(0);
    private static final StationPair PEER = GUEST.reversed();

    private final FakeEndpoint here = new FakeEndpoint();
    private final FakeEndpoint there = new FakeEndpoint();
    private final EchoProgram echo = new EchoProgram(GUEST);
    private final EchoClient client = new EchoClient(PEER, new Workload.EchoResponder(128, 1_000), 3);

    private void start() {
        echo.start(here);
        here.sent.clear();
        client.start(there);
        there.sent.clear();
    }

    private static byte[] arpRequest() {
        byte[] frame = new byte[60];
        Arp.buildRequest(
                frame, 0, PEER.own().mac(), PEER.own().address(), GUEST.own().address());
        return frame;
    }

    private static byte[] ping(int data) {
        byte[] frame = new byte[Icmp.PAYLOAD_IN_FRAME + data];
        frame[frame.length - 1] = 77;
        Icmp.buildEchoRequest(frame, 0, PEER.own(), GUEST.own(), 1, 2, data);
        return frame;
    }

    @Test
    void shouldAnswerArpIcmpAndUdp() {
        start();
        byte[] datagram = new byte[100];
        Udp.build(datagram, 0, PEER.own(), GUEST.own(), 100 - Udp.PAYLOAD_IN_FRAME, 0);

        FakeEndpoint.deliver(echo, arpRequest());
        FakeEndpoint.deliver(echo, ping(500));
        FakeEndpoint.deliver(echo, datagram);
        assertThat(echo.nextWakePicos()).isEqualTo(here.now);
        assertThat(echo.step()).isTrue();

        assertThat(here.sent).hasSize(3);
        assertThat(here.sent)
                .allMatch(frame ->
                        EthernetFrame.destination(frame, 0) == PEER.own().mac()
                                && EthernetFrame.source(frame, 0) == GUEST.own().mac());
        assertThat(Arp.check(here.sent.get(0), 0, 60)).isEqualTo(PacketCheck.VALID);
        byte[] pong = here.sent.get(1);
        assertThat(Icmp.check(pong, 0, pong.length)).isEqualTo(PacketCheck.VALID);
        assertThat(pong[Icmp.headerOffset(pong, 0, pong.length)]).isEqualTo((byte) Icmp.ECHO_REPLY);
        assertThat(pong).endsWith(77);
        assertThat(Udp.check(here.sent.get(2), 0, 100)).isEqualTo(PacketCheck.VALID);
        assertThat(echo.answered()).isEqualTo(3);
        assertThat(echo.nextWakePicos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void shouldLeaveRequestsForOthersAndNonsenseAlone() {
        start();
        byte[] other = arpRequest();
        other[41] ^= 1;
        byte[] broken = ping(100);
        broken[broken.length - 1] ^= 1;

        FakeEndpoint.deliver(echo, other);
        FakeEndpoint.deliver(echo, broken);
        FakeEndpoint.deliver(echo, new byte[60]);
        FakeEndpoint.deliver(echo, new byte[3]);
        FakeEndpoint.deliver(echo, new byte[5_000]);

        assertThat(echo.step()).isFalse();
        assertThat(here.sent).isEmpty();
    }

    @Test
    @DisplayName("answers wait for room in a queue of 64; beyond it requests go unanswered, and nothing hangs")
    void shouldQueueAnswersUntilThereIsRoom() {
        start();
        here.room = 10;
        for (int i = 0; i < 100; i++) {
            FakeEndpoint.deliver(echo, arpRequest());
        }

        assertThat(echo.step()).isTrue();
        assertThat(echo.unanswered()).isEqualTo(36);
        assertThat(echo.answered()).isEqualTo(10);
        assertThat(echo.step()).isFalse();
        assertThat(echo.nextWakePicos()).isEqualTo(Long.MAX_VALUE);
        here.room = 1_000;
        assertThat(echo.step()).isTrue();

        assertThat(echo.answered()).isEqualTo(64);
        assertThat(here.sent).hasSize(64);
    }

    @Test
    void shouldStartAskingWhenTheOtherEndIsHeard() {
        start();
        there.now = SECOND;
        assertThat(client.step()).isFalse();
        assertThat(client.nextWakePicos()).isEqualTo(Long.MAX_VALUE);

        byte[] foreign = arpRequest();
        FakeEndpoint.deliver(client, foreign);
        assertThat(client.step()).as("its own address is not the other end").isFalse();
        FakeEndpoint.deliver(echo, arpRequest());
        echo.step();
        here.deliverLastTo(client);

        assertThat(client.nextWakePicos()).isEqualTo(SECOND);
        assertThat(client.step()).isTrue();
        assertThat(client.step()).isFalse();
        assertThat(client.nextWakePicos()).isEqualTo(SECOND + SECOND / 1_000);
    }

    @Test
    void shouldMeasureTheRoundTripOfItsDatagrams() {
        start();
        FakeEndpoint.deliver(echo, arpRequest());
        echo.step();
        here.deliverLastTo(client);

        for (int i = 0; i < 16; i++) {
            there.now = i * SECOND / 1_000;
            assertThat(client.step()).isTrue();
            there.deliverLastTo(echo);
            echo.step();
            there.now += 20_000;
            here.deliverLastTo(client);
        }

        assertThat(client.asked()).isEqualTo(16);
        assertThat(client.answered()).as("every eighth is a ping").isEqualTo(14);
        assertThat(there.latencies).hasSize(14).allMatch(picos -> picos == 20_000);
        byte[] foreign = here.sent.getLast().clone();
        foreign[11] ^= 1;
        FakeEndpoint.deliver(client, foreign);
        assertThat(client.answered()).isEqualTo(14);
    }
}
