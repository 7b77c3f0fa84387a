package io.iolab.vmm.guest;

import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.MacAddress;
import java.util.Arrays;

/**
 * Receives a replay and compares each frame with the capture, byte for byte. After a loss it looks ahead for the next frame
 * that fits, at most one round.
 */
final class ReplaySink implements Program {
    private final StationPair stations;
    private final ReplayTrace trace;
    private final ReplayProgram sender;
    private Endpoint endpoint = Unbound.INSTANCE;
    private int expected;
    private long received;
    private long lost;

    ReplaySink(StationPair stations, ReplayTrace trace, ReplayProgram sender) {
        this.stations = stations;
        this.trace = trace;
        this.sender = sender;
    }

    @Override
    public void start(Endpoint at) {
        endpoint = at;
        Announcement.send(at, stations);
    }

    @Override
    public void frame(byte[] frame, int offset, int length) {
        if (MacAddress.get(frame, offset + EthernetFrame.DESTINATION)
                != stations.own().mac()) {
            return;
        }
        for (int ahead = 0; ahead < trace.size(); ahead++) {
            int candidate = (expected + ahead) % trace.size();
            byte[] sent = trace.frame(candidate);
            if (Arrays.equals(sent, 0, sent.length, frame, offset, offset + length)) {
                received++;
                lost += ahead;
                expected = (candidate + 1) % trace.size();
                return;
            }
        }
        endpoint.corrupt();
    }

    @Override
    public boolean step() {
        return false;
    }

    @Override
    public long nextWakePicos() {
        return Long.MAX_VALUE;
    }

    @Override
    public boolean done() {
        return received + lost >= sender.sent();
    }

    /** Frames that arrived byte for byte. */
    long received() {
        return received;
    }

    /** Frames of the capture that were skipped. */
    long lost() {
        return lost;
    }
}
