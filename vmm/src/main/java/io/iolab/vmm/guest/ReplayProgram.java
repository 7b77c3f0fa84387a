package io.iolab.vmm.guest;

import io.iolab.devices.net.EthernetFrame;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/**
 * One end of a replay: sends its side of a capture, with the capture's timing or flat out, once or again and again, and compares
 * what arrives with the other side, byte for byte. After a loss it looks ahead for the next frame that fits, at most one round.
 */
public final class ReplayProgram implements Program {
    private static final long NEVER = Long.MAX_VALUE;
    private static final int BURST = 8;
    /** Between the last frame and the first of the next round. */
    private static final long PAUSE_PICOS = 1_000_000L;

    private final StationPair stations;
    private final Workload.Replay workload;
    private final List<ReplayTrace.Entry> sending;
    private final List<ReplayTrace.Entry> expecting;
    private final long roundLengthPicos;
    private final boolean begins;
    private Endpoint endpoint = Unbound.INSTANCE;
    private long roundPicos = NEVER;
    private int next;
    private long rounds;
    private boolean blocked;
    private int expected;
    private long received;
    private long lost;

    private ReplayProgram(StationPair stations, Workload.Replay workload, ReplayTrace trace, boolean guest) {
        this.stations = stations;
        this.workload = workload;
        sending = trace.side(guest);
        expecting = trace.side(!guest);
        roundLengthPicos = trace.lengthPicos() + PAUSE_PICOS;
        begins = guest;
    }

    static Programs pair(StationPair stations, Workload.Replay workload) throws IOException {
        ReplayTrace trace = ReplayTrace.read(workload, stations);
        return new Programs(
                new ReplayProgram(stations, workload, trace, true),
                new ReplayProgram(stations.reversed(), workload, trace, false));
    }

    @Override
    public void start(Endpoint at) {
        endpoint = at;
        Announcement.send(at, stations);
        if (begins) {
            roundPicos = at.nowPicos();
        }
    }

    @Override
    public boolean step() {
        blocked = false;
        int sent = 0;
        while (sent < BURST && !sentAll() && endpoint.nowPicos() >= dueNext()) {
            byte[] frame = sending.get(next).bytes();
            if (!endpoint.send(frame, 0, frame.length)) {
                blocked = true;
                break;
            }
            sent++;
            advance();
        }
        endpoint.flush();
        return sent > 0;
    }

    /** Never before the round has begun: the side that answers waits for a first frame. */
    private long dueNext() {
        return workload.flatOut() || roundPicos == NEVER
                ? roundPicos
                : roundPicos + sending.get(next).picos();
    }

    private void advance() {
        next++;
        if (next == sending.size()) {
            roundPicos = workload.flatOut() ? endpoint.nowPicos() : roundPicos + roundLengthPicos;
            next = 0;
            rounds++;
        }
    }

    private boolean sentAll() {
        return sending.isEmpty() || workload.loops() > 0 && rounds >= workload.loops();
    }

    @Override
    public void frame(byte[] frame, int offset, int length) {
        if (EthernetFrame.source(frame, offset) != stations.other().mac()) {
            return;
        }
        if (roundPicos == NEVER) {
            roundPicos = endpoint.nowPicos();
        }
        if (EthernetFrame.destination(frame, offset) == stations.own().mac()) {
            compare(frame, offset, length);
        }
    }

    private void compare(byte[] frame, int offset, int length) {
        for (int ahead = 0; ahead < expecting.size(); ahead++) {
            int candidate = (expected + ahead) % expecting.size();
            byte[] sent = expecting.get(candidate).bytes();
            if (Arrays.equals(sent, 0, sent.length, frame, offset, offset + length)) {
                received++;
                lost += ahead;
                expected = (candidate + 1) % expecting.size();
                return;
            }
        }
        endpoint.corrupt();
    }

    @Override
    public long nextWakePicos() {
        return blocked || sentAll() ? NEVER : dueNext();
    }

    @Override
    public boolean done() {
        return workload.loops() > 0 && sentAll() && received + lost >= workload.loops() * expecting.size();
    }

    /** Frames sent so far. */
    public long sent() {
        return rounds * sending.size() + next;
    }

    /** Frames that arrived byte for byte. */
    public long received() {
        return received;
    }

    /** Frames of the other side that were skipped. */
    public long lost() {
        return lost;
    }
}
