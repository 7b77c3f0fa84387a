package io.iolab.devices.net;

/**
 * One end of a UDP conversation on an Ethernet.
 *
 * @param mac 48 bits
 * @param address IPv4, as a number
 * @param port 0 to 65535
 */
public record UdpEndpoint(long mac, int address, int port) {
    public UdpEndpoint {
        if (mac >>> 48 != 0 || port < 0 || port > 0xFFFF) {
            throw new IllegalArgumentException("address 0x" + Long.toHexString(mac) + ", port " + port);
        }
    }

    @Override
    public String toString() {
        return Ipv4.format(address) + ":" + port + " at " + new MacAddress(mac);
    }
}
