package io.iolab.devices.virtio.net;

/** Why the device cannot do what the header of a transmitted packet asks for (virtio 1.2 section 5.1.6.2). */
public enum HeaderFault {
    /** A kind of segmentation that does not exist or was not negotiated, or ECN without having negotiated it. */
    GSO_TYPE,
    /** Segments of no bytes, or longer than the wire takes. */
    GSO_SIZE,
    /** A packet to be cut whose checksum is not left to the device. */
    CHECKSUM_MISSING,
    /** A checksum that lies outside of the packet. */
    CHECKSUM_RANGE,
    /** A packet to be cut whose headers are of another kind, or not where the checksum fields say. */
    HEADERS
}
