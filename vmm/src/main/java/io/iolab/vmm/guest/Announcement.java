package io.iolab.vmm.guest;

import io.iolab.devices.net.Arp;
import io.iolab.devices.net.EthernetFrame;

/** A gratuitous ARP request (RFC 5227, section 3): tells switches and peers who is where. */
final class Announcement {
    private Announcement() {}

    static void send(Endpoint endpoint, StationPair stations) {
        byte[] frame = new byte[EthernetFrame.MINIMUM_BYTES];
        Arp.buildRequest(
                frame,
                0,
                stations.own().mac(),
                stations.own().address(),
                stations.own().address());
        endpoint.send(frame, 0, frame.length);
        endpoint.flush();
    }
}
