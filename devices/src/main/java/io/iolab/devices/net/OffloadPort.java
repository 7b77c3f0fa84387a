package io.iolab.devices.net;

/**
 * A port that may take frames before their checksum is finished or the packet is cut, as a tap device with virtio-net headers
 * does. What a port takes can change from frame to frame, as its driver switches offloads; so it is asked each time.
 */
public interface OffloadPort extends FramePort {
    /** Ethernet header, two tags, IPv6 header, and what its length field can say: the longest packet to be cut. */
    int LONGEST_PACKET = 65_597;

    /** Whether a frame with this left to do is passed on as it is. */
    boolean takes(PacketOffload offload);

    /**
     * Offers a frame with something left to do. A port that does not {@linkplain #takes take} it finishes it itself; then
     * {@link Delivery#BUSY} means that nothing of it was taken, and ACCEPTED that its first segment was.
     *
     * @param length 14 to {@link #LONGEST_PACKET} from our devices, anything from a hostile one
     * @param offload valid during the call only
     */
    Delivery send(byte[] frame, int offset, int length, PacketOffload offload);
}
