package io.iolab.devices.net;

/** What is wrong with a received packet; the first thing found, from the outside in. */
public enum PacketCheck {
    VALID,
    /** The frame ends before its headers do. */
    TOO_SHORT,
    /** Another EtherType, or another protocol inside of IPv4. */
    OTHER_PROTOCOL,
    /** A header field holds what its RFC forbids: version, header length, hardware type. */
    BAD_HEADER,
    /** A length field disagrees with the bytes that are there. */
    BAD_LENGTH,
    /** The IPv4 header checksum is wrong. */
    BAD_HEADER_CHECKSUM,
    /** A fragment; nothing here reassembles. */
    FRAGMENT,
    /** The UDP or ICMP checksum is wrong. */
    BAD_CHECKSUM
}
