package io.iolab.vmm.guest;

import io.iolab.devices.net.Arp;
import io.iolab.devices.net.Icmp;
import io.iolab.devices.net.Udp;

/**
 * Answers ARP requests for its address, ICMP echo requests (RFC 792) and UDP datagrams (echo, RFC 862). Answers leave with the
 * next step; when the endpoint has no room they wait in a bounded queue, and beyond it a request goes unanswered.
 */
public final class EchoProgram implements Program {
    private static final long NEVER = Long.MAX_VALUE;
    private static final int QUEUE = 64;
    private static final int FRAME = 2048;

    private final StationPair stations;
    private final byte[][] answers = new byte[QUEUE][FRAME];
    private final int[] lengths = new int[QUEUE];
    private Endpoint endpoint = Unbound.INSTANCE;
    private int first;
    private int waiting;
    private boolean blocked;
    private long answered;
    private long unanswered;

    public EchoProgram(StationPair stations) {
        this.stations = stations;
    }

    @Override
    public void start(Endpoint at) {
        endpoint = at;
        Announcement.send(at, stations);
    }

    @Override
    public void frame(byte[] frame, int offset, int length) {
        if (length > FRAME) {
            return;
        }
        if (waiting == QUEUE) {
            unanswered++;
            return;
        }
        byte[] answer = answers[(first + waiting) % QUEUE];
        System.arraycopy(frame, offset, answer, 0, length);
        if (turnAround(answer, length)) {
            lengths[(first + waiting) % QUEUE] = length;
            waiting++;
        }
    }

    private boolean turnAround(byte[] frame, int length) {
        long mac = stations.own().mac();
        int address = stations.own().address();
        return Udp.replyInPlace(frame, 0, length, mac, address)
                || Icmp.replyInPlace(frame, 0, length, mac, address)
                || Arp.replyInPlace(frame, 0, length, mac, address);
    }

    @Override
    public boolean step() {
        blocked = false;
        int sent = 0;
        while (waiting > 0) {
            if (!endpoint.send(answers[first], 0, lengths[first])) {
                blocked = true;
                break;
            }
            first = (first + 1) % QUEUE;
            waiting--;
            sent++;
        }
        endpoint.flush();
        answered += sent;
        return sent > 0;
    }

    @Override
    public long nextWakePicos() {
        return waiting == 0 || blocked ? NEVER : endpoint.nowPicos();
    }

    @Override
    public boolean done() {
        return true;
    }

    /** Requests answered. */
    public long answered() {
        return answered;
    }

    /** Requests that found the queue of answers full. */
    public long unanswered() {
        return unanswered;
    }
}
