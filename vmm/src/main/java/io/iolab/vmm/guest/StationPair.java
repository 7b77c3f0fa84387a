package io.iolab.vmm.guest;

import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.net.UdpEndpoint;

/** The two ends of a conversation, seen from one of them. */
public record StationPair(UdpEndpoint own, UdpEndpoint other) {
    /** Locally administered: 02:10:1a:side:00:number. */
    private static final long MAC_PREFIX = 0x0210_1A00_0000L;

    private static final int GUESTS = 10 << 24;
    private static final int PEERS = 10 << 24 | 1 << 16;
    /** Discard, RFC 863. */
    private static final int PORT = 9;

    /** Ends of the conversation of the guest with this number, as the guest sees them: 10.0.0.x and 10.1.0.x. */
    public static StationPair ofGuest(int number) {
        return new StationPair(
                new UdpEndpoint(MAC_PREFIX | number + 1, GUESTS | number + 1, PORT),
                new UdpEndpoint(MAC_PREFIX | 1 << 16 | number + 1, PEERS | number + 1, PORT));
    }

    /** The same conversation from the other end. */
    public StationPair reversed() {
        return new StationPair(other, own);
    }

    /** Whether a frame comes from the other end; switches flood, so a station hears others' conversations too. */
    boolean fromOther(byte[] frame, int offset) {
        return MacAddress.get(frame, offset + EthernetFrame.SOURCE) == other.mac();
    }

    /** The own station address, 6 bytes. */
    public byte[] mac() {
        return new MacAddress(own.mac()).toBytes();
    }
}
