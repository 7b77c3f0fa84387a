package io.iolab.vmm.guest;

import java.nio.file.Path;
import java.util.List;

/**
 * The traffic between a guest and its peer. Sizes are frame bytes without FCS, 60 to 1514; rates are packets per second, 0
 * meaning as fast as possible; counts of 0 mean no limit.
 */
public sealed interface Workload {

    /**
     * UDP datagrams from the guest to the peer, from the peer to the guest, or both at once.
     *
     * @param sizes sent in turn
     * @param transmit what the guest sends
     * @param receive what the peer sends to the guest
     */
    record UdpStream(List<Integer> sizes, Flow transmit, Flow receive) implements Workload {}

    /**
     * One direction of a stream.
     *
     * @param enabled whether there is any traffic in this direction
     * @param rate packets per second; 0 as fast as possible
     * @param burst frames handed to the driver per doorbell, 1 to 64
     * @param count frames in all; 0 for no limit
     */
    record Flow(boolean enabled, long rate, int burst, long count) {
        public static final Flow OFF = new Flow(false, 0, 1, 0);
    }

    /**
     * Request and response: the guest sends, the peer answers, the guest measures the round trip.
     *
     * @param size bytes of request and response
     * @param thinkPicos pause between a response and the next request
     */
    record PingPong(int size, long count, long thinkPicos) implements Workload {}

    /**
     * The frames of a capture file are sent again.
     *
     * @param file pcap or pcapng, linktype Ethernet
     * @param flatOut ignore the capture's timing
     * @param bothSides the guest sends what the sender of the first frame sent, and the peer everything else; otherwise the guest
     *     sends it all
     * @param loops how often the file is replayed; 0 for as long as the run lasts
     */
    record Replay(Path file, boolean flatOut, boolean bothSides, long loops) implements Workload {}

    /** The guest answers ARP, ICMP echo and UDP echo; the peer sends the requests. */
    record EchoResponder(int size, long rate) implements Workload {}
}
