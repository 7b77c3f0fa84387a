package io.iolab.devices.net;

/** One direction of an Ethernet connection. */
@FunctionalInterface
public interface FramePort {
    /** A cable that is not plugged in. */
    FramePort UNPLUGGED = (frame, offset, length) -> Delivery.FILTERED;

    /**
     * Offers a frame; bytes that are kept are copied before the call returns.
     *
     * @param length bytes from the destination address on, without FCS: 14 to 16 384 from our devices, anything from a
     *     hostile one
     */
    Delivery send(byte[] frame, int offset, int length);
}
