package io.iolab.vmm.guest;

import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.Icmp;
import io.iolab.devices.net.UdpEndpoint;

/**
 * Asks an {@link EchoProgram} on the other side: an ARP request first, whose answer also says that the other end is up; then
 * stamped UDP datagrams and ICMP echo requests in turn, at a rate.
 */
public final class EchoClient implements Program {
    private static final long NEVER = Long.MAX_VALUE;
    private static final long PICOS_PER_SECOND = 1_000_000_000_000L;
    private static final int ICMP_EVERY = 8;
    private static final int IDENTIFIER = 0x1AB0;

    private final StationPair stations;
    private final StampedFrame datagram;
    private final byte[] ping = new byte[EthernetFrame.MINIMUM_BYTES + Icmp.PAYLOAD_IN_FRAME];
    private final long picosPerRequest;
    private Endpoint endpoint = Unbound.INSTANCE;
    private boolean up;
    private boolean blocked;
    private long nextPicos;
    private int asked;
    private long answered;

    public EchoClient(StationPair stations, Workload.EchoResponder workload, long seed) {
        this.stations = stations;
        datagram = new StampedFrame(stations, workload.size(), seed);
        picosPerRequest = PICOS_PER_SECOND / Math.max(1, workload.rate());
    }

    @Override
    public void start(Endpoint at) {
        endpoint = at;
        Announcement.send(at, stations);
    }

    @Override
    public boolean step() {
        if (!up || endpoint.nowPicos() < nextPicos) {
            return false;
        }
        blocked = !ask();
        if (blocked) {
            return false;
        }
        endpoint.flush();
        asked++;
        nextPicos += picosPerRequest;
        return true;
    }

    private boolean ask() {
        if (asked % ICMP_EVERY != 0) {
            return endpoint.send(datagram.stamp(asked, endpoint.nowPicos()), 0, datagram.length());
        }
        UdpEndpoint to = stations.other();
        int length = Icmp.buildEchoRequest(
                ping, 0, stations.own(), to, IDENTIFIER, asked & 0xFFFF, ping.length - Icmp.PAYLOAD_IN_FRAME);
        return endpoint.send(ping, 0, length);
    }

    @Override
    public void frame(byte[] frame, int offset, int length) {
        if (!stations.fromOther(frame, offset)) {
            return;
        }
        if (!up) {
            up = true;
            nextPicos = endpoint.nowPicos();
            return;
        }
        if (!StampedFrame.stamped(frame, offset, length)) {
            return;
        }
        if (!datagram.intact(frame, offset, length)) {
            endpoint.corrupt();
            return;
        }
        endpoint.latency(StampedFrame.picos(frame, offset));
        answered++;
    }

    @Override
    public long nextWakePicos() {
        return up && !blocked ? nextPicos : NEVER;
    }

    @Override
    public boolean done() {
        return false;
    }

    /** Requests sent, of both kinds. */
    public long asked() {
        return asked;
    }

    /** Datagrams that came back intact. */
    public long answered() {
        return answered;
    }
}
