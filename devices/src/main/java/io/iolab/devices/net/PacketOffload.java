package io.iolab.devices.net;

/**
 * What is left to do to a frame before it may go onto a real wire: a checksum to finish, or a packet to cut (the fields of
 * virtio_net_hdr, virtio 1.2 section 5.1.6). One object is reused for every frame.
 */
public final class PacketOffload {

    /** Into what a packet is to be cut. */
    public enum Segmentation {
        NONE,
        TCP_IPV4,
        TCP_IPV6,
        /** Datagrams, over either version of IP. */
        UDP
    }

    private boolean checksumNeeded;
    private int checksumStart;
    private int checksumOffset;
    private Segmentation segmentation = Segmentation.NONE;
    private boolean congestionExperienced;
    private int segmentSize;
    private int headerLength;

    /** Nothing is left to do. */
    public PacketOffload clear() {
        checksumNeeded = false;
        checksumStart = 0;
        checksumOffset = 0;
        segmentation = Segmentation.NONE;
        congestionExperienced = false;
        segmentSize = 0;
        headerLength = 0;
        return this;
    }

    /**
     * The sum from {@code start} to the end of the frame is to be finished; the pseudo-header's sum is in the field already.
     *
     * @param start bytes from the destination address on
     * @param offset of the checksum field, in bytes from {@code start}
     */
    public PacketOffload checksum(int start, int offset) {
        checksumNeeded = true;
        checksumStart = start;
        checksumOffset = offset;
        return this;
    }

    /**
     * @param size payload bytes a segment
     * @param header bytes of all headers, as a hint that nobody need believe
     * @param congestion whether the packet carries TCP's CWR flag (RFC 3168 section 6.1.2)
     */
    public PacketOffload segments(Segmentation kind, int size, int header, boolean congestion) {
        segmentation = kind;
        segmentSize = size;
        headerLength = header;
        congestionExperienced = congestion;
        return this;
    }

    public boolean checksumNeeded() {
        return checksumNeeded;
    }

    /** In bytes from the destination address on. */
    public int checksumStart() {
        return checksumStart;
    }

    /** In bytes from {@link #checksumStart}. */
    public int checksumOffset() {
        return checksumOffset;
    }

    public Segmentation segmentation() {
        return segmentation;
    }

    /** Whether the packet to cut carries TCP's CWR flag. */
    public boolean congestionExperienced() {
        return congestionExperienced;
    }

    /** Payload bytes a segment, 1 to 65 535 in a sound request. */
    public int segmentSize() {
        return segmentSize;
    }

    public int headerLength() {
        return headerLength;
    }

    /** Whether there is nothing left to do. */
    public boolean isNothing() {
        return !checksumNeeded && segmentation == Segmentation.NONE;
    }

    /** Whether the checksum to finish lies in a frame of this length, behind its Ethernet header. */
    public boolean checksumFits(int length) {
        return checksumStart >= EthernetFrame.HEADER_BYTES && checksumStart + checksumOffset + 2 <= length;
    }

    /** Finishes the checksum; it must {@linkplain #checksumFits fit}. */
    public void finishChecksum(byte[] frame, int at, int length) {
        int from = at + checksumStart;
        int checksum = InternetChecksum.finish(InternetChecksum.add(0, frame, from, length - checksumStart));
        // A field of zero would say that there is none; in ones' complement all ones is the same number.
        BigEndian.putShort(frame, from + checksumOffset, checksum == 0 ? 0xFFFF : checksum);
    }
}
