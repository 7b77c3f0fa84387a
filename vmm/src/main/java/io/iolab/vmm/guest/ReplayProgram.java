package io.iolab.vmm.guest;

import java.io.IOException;

/** Transmits the frames of a capture, with its timing or flat out, once or again and again. */
public final class ReplayProgram implements Program {
    private static final long NEVER = Long.MAX_VALUE;
    private static final int BURST = 8;
    /** Between the last frame and the first of the next round. */
    private static final long PAUSE_PICOS = 1_000_000L;

    private final StationPair stations;
    private final ReplayTrace trace;
    private final Workload.Replay workload;
    private Endpoint endpoint = Unbound.INSTANCE;
    private long roundPicos;
    private int next;
    private long rounds;
    private boolean blocked;

    private ReplayProgram(StationPair stations, ReplayTrace trace, Workload.Replay workload) {
        this.stations = stations;
        this.trace = trace;
        this.workload = workload;
    }

    static Programs pair(StationPair stations, Workload.Replay workload) throws IOException {
        ReplayTrace trace = ReplayTrace.read(workload.file(), stations);
        ReplayProgram sender = new ReplayProgram(stations, trace, workload);
        return new Programs(sender, new ReplaySink(stations.reversed(), trace, sender));
    }

    @Override
    public void start(Endpoint at) {
        endpoint = at;
        Announcement.send(at, stations);
        roundPicos = at.nowPicos();
    }

    @Override
    public boolean step() {
        blocked = false;
        int sent = 0;
        while (sent < BURST && !done() && endpoint.nowPicos() >= dueNext()) {
            byte[] frame = trace.frame(next);
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

    private long dueNext() {
        return workload.flatOut() ? roundPicos : roundPicos + trace.picos(next);
    }

    private void advance() {
        next++;
        if (next == trace.size()) {
            roundPicos = workload.flatOut() ? endpoint.nowPicos() : roundPicos + trace.picos(next - 1) + PAUSE_PICOS;
            next = 0;
            rounds++;
        }
    }

    @Override
    public void frame(byte[] frame, int offset, int length) {
        // The other end only listens.
    }

    @Override
    public long nextWakePicos() {
        return blocked || done() ? NEVER : dueNext();
    }

    @Override
    public boolean done() {
        return workload.loops() > 0 && rounds >= workload.loops();
    }

    /** Frames sent so far. */
    long sent() {
        return rounds * trace.size() + next;
    }
}
