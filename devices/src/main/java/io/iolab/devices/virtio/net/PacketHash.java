package io.iolab.devices.virtio.net;

import io.iolab.devices.net.PacketHeaders;
import io.iolab.devices.net.Toeplitz;

/**
 * The hash of a received packet (virtio 1.2 section 5.1.6.4.3). Home addresses and the routing header of IPv6 are not looked
 * at, so the three _EX types are not supported; extension headers are passed over.
 */
final class PacketHash {
    private static final int IPV4 = 0;
    private static final int TCPV4 = 1;
    private static final int UDPV4 = 2;
    private static final int IPV6 = 3;
    private static final int TCPV6 = 4;
    private static final int UDPV6 = 5;

    /** One bit a type. */
    static final int SUPPORTED_TYPES = 0x3F;

    private static final int NONE = -1;
    private static final int PORTS = 4;

    private final Toeplitz toeplitz = new Toeplitz();
    private int types;
    private int type = NONE;
    private int value;

    void reset() {
        types = 0;
        type = NONE;
    }

    /** @param enabled types, a subset of those supported */
    void configure(int enabled, byte[] key, int keyAt, int keyLength) {
        types = enabled;
        type = NONE;
        toeplitz.key(key, keyAt, keyLength);
    }

    boolean enabled() {
        return types != 0;
    }

    void classify(PacketHeaders headers, byte[] frame, int at) {
        type = typeOf(headers);
        value = 0;
        if (type == NONE) {
            return;
        }
        int addresses = headers.addressesLength();
        value = toeplitz.share(frame, at + headers.addresses(), addresses, 0);
        if (type != IPV4 && type != IPV6) {
            value ^= toeplitz.share(frame, at + headers.transport(), PORTS, addresses);
        }
    }

    private int typeOf(PacketHeaders headers) {
        return switch (headers.ipVersion()) {
            case 4 -> choose(headers, TCPV4, UDPV4, IPV4);
            case 6 -> choose(headers, TCPV6, UDPV6, IPV6);
            default -> NONE;
        };
    }

    private int choose(PacketHeaders headers, int tcp, int udp, int ip) {
        if (headers.isTcp() && has(tcp)) {
            return tcp;
        }
        if (headers.isUdp() && has(udp)) {
            return udp;
        }
        return has(ip) ? ip : NONE;
    }

    private boolean has(int wanted) {
        return (types & 1 << wanted) != 0;
    }

    boolean found() {
        return type != NONE;
    }

    int value() {
        return value;
    }

    /** As reported in the header: 0 if the packet was not hashed. */
    int report() {
        return type + 1;
    }
}
