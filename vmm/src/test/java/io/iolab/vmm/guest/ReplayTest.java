package io.iolab.vmm.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.PcapWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A capture replayed: frames byte for byte but for the station addresses, at the capture's times or flat out. */
class ReplayTest {
    private static final long MICROSECOND = 1_000_000L;
    private static final StationPair GUEST = StationPair.ofGuest(0);

    @TempDir
    Path directory;

    private Path file;
    private final FakeEndpoint endpoint = new FakeEndpoint();
    private final FakeEndpoint far = new FakeEndpoint();

    @BeforeEach
    void writeCapture() throws IOException {
        file = directory.resolve("trace.pcap");
        try (PcapWriter writer = PcapWriter.create(file)) {
            writer.append(5_000_000, frame(1, 100), 0, 100);
            writer.append(5_001_000, frame(2, 20), 0, 20);
            writer.append(5_002_000, frame(3, 1515), 0, 1515);
            writer.append(5_003_000, frame(4, 13), 0, 13);
            writer.append(5_004_000, frame(5, 1514), 0, 1514);
        }
    }

    private static byte[] frame(int mark, int length) {
        byte[] frame = new byte[length];
        for (int i = 0; i < length; i++) {
            frame[i] = (byte) (mark * 31 + i);
        }
        return frame;
    }

    private static Workload.Replay replay(Path file, boolean flatOut, long loops) {
        return new Workload.Replay(file, flatOut, false, loops);
    }

    private Programs programs(boolean flatOut, long loops) throws IOException {
        Programs programs = ReplayProgram.pair(GUEST, replay(file, flatOut, loops));
        programs.guest().start(endpoint);
        programs.peer().start(far);
        endpoint.sent.clear();
        return programs;
    }

    @Test
    @DisplayName("every byte behind the addresses is the capture's; short frames are padded, others left out")
    void shouldSendTheCapturesBytes() throws IOException {
        Programs programs = programs(true, 1);
        while (programs.guest().step()) {
            // one burst after the other
        }

        assertThat(endpoint.sent).hasSize(3);
        assertThat(Arrays.copyOfRange(endpoint.sent.get(0), 12, 100))
                .isEqualTo(Arrays.copyOfRange(frame(1, 100), 12, 100));
        assertThat(endpoint.sent.get(1)).hasSize(60);
        assertThat(Arrays.copyOfRange(endpoint.sent.get(1), 12, 20))
                .isEqualTo(Arrays.copyOfRange(frame(2, 20), 12, 20));
        assertThat(Arrays.copyOfRange(endpoint.sent.get(2), 12, 1514))
                .isEqualTo(Arrays.copyOfRange(frame(5, 1514), 12, 1514));
        assertThat(endpoint.sent)
                .allMatch(sent -> EthernetFrame.source(sent, 0) == GUEST.own().mac()
                        && EthernetFrame.destination(sent, 0) == GUEST.other().mac());
        assertThat(ReplayTrace.read(replay(file, true, 1), GUEST).leftOut()).isEqualTo(2);
    }

    @Test
    void shouldLeaveOutFramesThatTheCaptureCutShort() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        // The original length of the first record: file header 24, fourth field of the record header.
        bytes[24 + 12] = (byte) 200;
        Files.write(file, bytes);

        ReplayTrace trace = ReplayTrace.read(replay(file, true, 1), GUEST);

        assertThat(trace.side(true)).hasSize(2);
        assertThat(trace.leftOut()).isEqualTo(3);
    }

    @Test
    void shouldKeepTheCapturesTiming() throws IOException {
        Program sender = programs(false, 0).guest();
        endpoint.now = 0;

        assertThat(sender.step()).isTrue();
        assertThat(endpoint.sent).hasSize(1);
        assertThat(sender.nextWakePicos()).isEqualTo(MICROSECOND);
        endpoint.now = MICROSECOND - 1;
        assertThat(sender.step()).isFalse();
        endpoint.now = MICROSECOND;
        assertThat(sender.step()).isTrue();
        assertThat(sender.nextWakePicos()).isEqualTo(4 * MICROSECOND);
        endpoint.now = 4 * MICROSECOND;
        assertThat(sender.step()).isTrue();

        assertThat(sender.nextWakePicos())
                .as("the next round, a microsecond later")
                .isEqualTo(5 * MICROSECOND);
    }

    @Test
    void shouldLoopAsOftenAsAsked() throws IOException {
        Programs programs = programs(true, 4);
        while (programs.guest().step()) {
            endpoint.now += 1;
        }

        assertThat(endpoint.sent).hasSize(12);
        assertThat(programs.guest().done()).isTrue();
        assertThat(programs.peer().done()).as("nothing has arrived").isFalse();
        endpoint.sent.forEach(sent -> FakeEndpoint.deliver(programs.peer(), sent));
        assertThat(programs.peer().done()).isTrue();
        assertThat(((ReplayProgram) programs.peer()).received()).isEqualTo(12);
        assertThat(far.corrupt).isZero();
    }

    @Test
    void shouldWaitForRoomAndLoseNothing() throws IOException {
        Program sender = programs(true, 1).guest();
        endpoint.room = 1;

        assertThat(sender.step()).isTrue();
        assertThat(sender.nextWakePicos()).isEqualTo(Long.MAX_VALUE);
        endpoint.room = 10;
        assertThat(sender.step()).isTrue();

        assertThat(endpoint.sent).hasSize(3);
    }

    @Test
    void shouldFindLossAndDamage() throws IOException {
        Programs programs = programs(true, 2);
        while (programs.guest().step()) {
            endpoint.now += 1;
        }
        ReplayProgram sink = (ReplayProgram) programs.peer();
        byte[] damaged = endpoint.sent.get(3).clone();
        damaged[50] ^= 1;

        FakeEndpoint.deliver(sink, endpoint.sent.get(0));
        FakeEndpoint.deliver(sink, endpoint.sent.get(2));
        FakeEndpoint.deliver(sink, damaged);
        FakeEndpoint.deliver(sink, endpoint.sent.get(4));

        assertThat(sink.received()).isEqualTo(3);
        assertThat(sink.lost()).isEqualTo(2);
        assertThat(far.corrupt).isOne();
    }

    @Test
    void shouldRefuseACaptureWithoutAWholeFrame() throws IOException {
        Path empty = directory.resolve("empty.pcap");
        PcapWriter.create(empty).close();

        assertThatThrownBy(() -> ReplayTrace.read(replay(empty, true, 1), GUEST))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("empty.pcap")
                .hasMessageContaining("no whole Ethernet frame");
    }

    @Test
    @DisplayName(
            "both sides: each end sends what its station sent, at its time; the answering one waits for the first frame")
    void shouldReplayBothSidesOfAConversation() throws IOException {
        Path conversation = directory.resolve("conversation.pcap");
        byte[] request = frame(1, 100);
        byte[] answer = frame(2, 200);
        try (PcapWriter writer = PcapWriter.create(conversation)) {
            writer.append(0, request, 0, 100);
            writer.append(3_000, answer, 0, 200);
            writer.append(10_000, request, 0, 100);
        }
        Programs programs = ReplayProgram.pair(GUEST, new Workload.Replay(conversation, false, true, 1));
        Program guest = programs.guest();
        Program peer = programs.peer();
        guest.start(endpoint);
        peer.start(far);
        far.sent.clear();
        far.now = 50 * MICROSECOND;
        assertThat(peer.step()).isFalse();
        assertThat(peer.nextWakePicos()).isEqualTo(Long.MAX_VALUE);
        endpoint.sent.clear();

        guest.step();
        far.now = 100 * MICROSECOND;
        FakeEndpoint.deliver(peer, endpoint.sent.getLast());
        assertThat(peer.nextWakePicos()).isEqualTo(103 * MICROSECOND);
        far.now = 103 * MICROSECOND;
        assertThat(peer.step()).isTrue();
        FakeEndpoint.deliver(guest, far.sent.getLast());
        assertThat(guest.nextWakePicos()).isEqualTo(10 * MICROSECOND);
        endpoint.now = 10 * MICROSECOND;
        guest.step();
        FakeEndpoint.deliver(peer, endpoint.sent.getLast());

        assertThat(EthernetFrame.source(far.sent.getLast(), 0))
                .isEqualTo(GUEST.other().mac());
        assertThat(guest.done()).isTrue();
        assertThat(peer.done()).isTrue();
        assertThat(endpoint.corrupt + far.corrupt).isZero();
    }
}
