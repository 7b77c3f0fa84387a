package io.iolab.vmm.guest;

import io.iolab.vmm.config.ConfigException;
import java.io.IOException;

/** The two ends of a workload. */
public record Programs(Program guest, Program peer) {

    /**
     * @param stations as the guest sees them
     * @throws ConfigException if a capture file is not what it should be
     * @throws IOException if it cannot be read
     */
    public static Programs of(Workload workload, StationPair stations, long seed) throws ConfigException, IOException {
        StationPair peer = stations.reversed();
        return switch (workload) {
            case Workload.UdpStream s ->
                new Programs(
                        new StreamProgram(stations, s.sizes(), s.transmit(), s.receive(), true, seed),
                        new StreamProgram(peer, s.sizes(), s.receive(), s.transmit(), false, ~seed));
            case Workload.PingPong p -> new Programs(new PingPongProgram(stations, p, seed), new EchoProgram(peer));
            case Workload.EchoResponder e -> new Programs(new EchoProgram(stations), new EchoClient(peer, e, seed));
            case Workload.Replay r -> ReplayProgram.pair(stations, r);
        };
    }
}
