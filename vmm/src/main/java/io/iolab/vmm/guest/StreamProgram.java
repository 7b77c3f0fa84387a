package io.iolab.vmm.guest;

import java.util.List;

/**
 * One end of a UDP stream: sends stamped frames at a rate or as fast as the endpoint takes them, and checks what comes back
 * for sequence and content. The end that does not begin waits for a first frame, so that a guest is not flooded while it boots.
 */
public final class StreamProgram implements Program {
    private static final long NEVER = Long.MAX_VALUE;
    private static final long PICOS_PER_SECOND = 1_000_000_000_000L;

    private final StationPair stations;
    private final Workload.Flow sending;
    private final Workload.Flow receiving;
    private final StampedFrame[] templates;
    private final boolean begins;
    private final long picosPerFrame;
    private Endpoint endpoint = Unbound.INSTANCE;
    private boolean ready;
    private boolean blocked;
    private long nextSendPicos;
    private int turn;
    private long sent;
    private long received;
    private long lost;
    private long late;
    private int expected;

    /**
     * @param begins whether this end speaks first
     * @param seed of the filling
     */
    public StreamProgram(
            StationPair stations,
            List<Integer> sizes,
            Workload.Flow sending,
            Workload.Flow receiving,
            boolean begins,
            long seed) {
        this.stations = stations;
        this.sending = sending;
        this.receiving = receiving;
        this.begins = begins;
        templates = sizes.stream()
                .map(size -> new StampedFrame(stations, size, seed))
                .toArray(StampedFrame[]::new);
        picosPerFrame = sending.rate() == 0 ? 0 : PICOS_PER_SECOND / sending.rate();
    }

    @Override
    public void start(Endpoint at) {
        endpoint = at;
        ready = begins;
        nextSendPicos = at.nowPicos();
        Announcement.send(at, stations);
    }

    @Override
    public boolean step() {
        if (!mayQueue() || endpoint.nowPicos() < nextSendPicos) {
            return false;
        }
        blocked = false;
        int queued = 0;
        while (queued < sending.burst() && mayQueue() && sendOne()) {
            queued++;
        }
        endpoint.flush();
        nextSendPicos += queued * picosPerFrame;
        return queued > 0;
    }

    private boolean mayQueue() {
        return sending.enabled() && ready && (sending.count() == 0 || sent < sending.count());
    }

    private boolean sendOne() {
        StampedFrame frame = templates[turn];
        if (!endpoint.send(frame.stamp((int) sent, endpoint.nowPicos()), 0, frame.length())) {
            blocked = true;
            return false;
        }
        sent++;
        turn = turn + 1 == templates.length ? 0 : turn + 1;
        return true;
    }

    @Override
    public void frame(byte[] frame, int offset, int length) {
        if (!stations.fromOther(frame, offset)) {
            return;
        }
        if (!ready) {
            ready = true;
            nextSendPicos = endpoint.nowPicos();
        }
        if (!StampedFrame.stamped(frame, offset, length)) {
            return;
        }
        if (!templates[0].intact(frame, offset, length)) {
            endpoint.corrupt();
            return;
        }
        int gap = StampedFrame.sequence(frame, offset) - expected;
        if (gap < 0) {
            late++;
        } else {
            lost += gap;
            expected += gap + 1;
        }
        received++;
        endpoint.latency(StampedFrame.picos(frame, offset));
    }

    @Override
    public long nextWakePicos() {
        if (blocked || !mayQueue()) {
            return NEVER;
        }
        return nextSendPicos;
    }

    @Override
    public boolean done() {
        boolean sentAll = !sending.enabled() || sending.count() > 0 && sent >= sending.count();
        boolean receivedAll =
                !receiving.enabled() || receiving.count() > 0 && received - late + lost >= receiving.count();
        return sentAll && receivedAll;
    }

    /** Frames handed to the endpoint. */
    public long sent() {
        return sent;
    }

    /** Frames that arrived intact. */
    public long received() {
        return received;
    }

    /** Sequence numbers that were skipped. */
    public long lost() {
        return lost;
    }

    /** Frames that arrived after a later one, or twice. */
    public long late() {
        return late;
    }
}
