package io.iolab.vmm.guest;

/**
 * The asking side of request and response: sends one frame, waits for its answer, notes the round trip, pauses, goes on. A
 * request without an answer is given up after a time and the next one sent.
 */
public final class PingPongProgram implements Program {
    private static final long NEVER = Long.MAX_VALUE;
    private static final long GIVE_UP_PICOS = 100_000_000_000L;
    /** The give-up timer lives in a coarse timer wheel, as socket timeouts do: a request does not reprogram the APIC timer. */
    private static final long WHEEL_PICOS = 50_000_000_000L;

    private final StationPair stations;
    private final Workload.PingPong workload;
    private final StampedFrame request;
    private Endpoint endpoint = Unbound.INSTANCE;
    private boolean waiting;
    private boolean blocked;
    private long sentPicos;
    private long nextPicos;
    private int sequence;
    private long answered;
    private long givenUp;

    public PingPongProgram(StationPair stations, Workload.PingPong workload, long seed) {
        this.stations = stations;
        this.workload = workload;
        request = new StampedFrame(stations, workload.size(), seed);
    }

    @Override
    public void start(Endpoint at) {
        endpoint = at;
        Announcement.send(at, stations);
        nextPicos = at.nowPicos();
    }

    @Override
    public boolean step() {
        if (done() || endpoint.nowPicos() < nextPicos) {
            return false;
        }
        if (waiting) {
            waiting = false;
            givenUp++;
        }
        sentPicos = endpoint.nowPicos();
        if (!endpoint.send(request.stamp(sequence, sentPicos), 0, request.length())) {
            blocked = true;
            return false;
        }
        blocked = false;
        waiting = true;
        sequence++;
        nextPicos = (sentPicos + GIVE_UP_PICOS + WHEEL_PICOS) / WHEEL_PICOS * WHEEL_PICOS;
        endpoint.flush();
        return true;
    }

    @Override
    public void frame(byte[] frame, int offset, int length) {
        if (!stations.fromOther(frame, offset) || !StampedFrame.stamped(frame, offset, length)) {
            return;
        }
        if (!request.intact(frame, offset, length)) {
            endpoint.corrupt();
        } else if (waiting && StampedFrame.sequence(frame, offset) == sequence - 1) {
            endpoint.latency(sentPicos);
            waiting = false;
            answered++;
            nextPicos = endpoint.nowPicos() + workload.thinkPicos();
        }
    }

    @Override
    public long nextWakePicos() {
        return done() || blocked ? NEVER : nextPicos;
    }

    @Override
    public boolean done() {
        return workload.count() > 0 && answered >= workload.count();
    }

    /** Requests that were answered. */
    public long answered() {
        return answered;
    }

    /** Requests whose answer did not come in 100 ms. */
    public long givenUp() {
        return givenUp;
    }
}
