package io.iolab.devices.igb;

/** What the controller did and what it refused. Plain counters with one writer; any thread may read them, without order. */
public final class Igb82576Counters {
    long rxFrames;
    long rxBytes;
    long rxCopies;
    long rxFiltered;
    long rxBadLength;
    long rxLinkDown;
    long rxDisabled;
    long rxOverruns;
    long rxWaited;
    long rxUnreachable;
    long txFrames;
    long txBytes;
    long txLooped;
    long txSpoofed;
    long txMalformed;
    long txUnreachable;
    long ringFaults;
    long dmaFaults;
    long resets;
    long vfResets;
    final long[] overrunsOfPool = new long[IgbRegisters.POOLS];
    final long[] rxUnreachableOfPool = new long[IgbRegisters.POOLS];
    final long[] txUnreachableOfPool = new long[IgbRegisters.POOLS];
    final long[] txMalformedOfPool = new long[IgbRegisters.POOLS];
    final long[] txSpoofedOfPool = new long[IgbRegisters.POOLS];

    Igb82576Counters() {}

    /**
     * A pool's part of {@link #rxOverruns}.
     *
     * @param pool 0 to 7; that of virtual function n is n
     */
    public long rxOverruns(int pool) {
        return overrunsOfPool[pool];
    }

    /** A pool's part of {@link #rxUnreachable}. */
    public long rxUnreachable(int pool) {
        return rxUnreachableOfPool[pool];
    }

    /** A pool's part of {@link #txUnreachable}. */
    public long txUnreachable(int pool) {
        return txUnreachableOfPool[pool];
    }

    /** A pool's part of {@link #txMalformed}. */
    public long txMalformed(int pool) {
        return txMalformedOfPool[pool];
    }

    /** A pool's part of {@link #txSpoofed}. */
    public long txSpoofed(int pool) {
        return txSpoofedOfPool[pool];
    }

    /** Frames that at least one pool got, from the wire or looped. */
    public long rxFrames() {
        return rxFrames;
    }

    /** Bytes of them, without FCS, each frame once. */
    public long rxBytes() {
        return rxBytes;
    }

    /** Copies put into rings: one for each pool of a frame. */
    public long rxCopies() {
        return rxCopies;
    }

    /** Frames from the wire that no filter let pass. */
    public long rxFiltered() {
        return rxFiltered;
    }

    /** Frames too short or too long for every pool they were for. */
    public long rxBadLength() {
        return rxBadLength;
    }

    /** Frames that came while there was no link. */
    public long rxLinkDown() {
        return rxLinkDown;
    }

    /** Frames that came while the receiver was off. */
    public long rxDisabled() {
        return rxDisabled;
    }

    /** Copies lost for want of descriptors or of packet memory. */
    public long rxOverruns() {
        return rxOverruns;
    }

    /** Frames kept in packet memory until a descriptor came. */
    public long rxWaited() {
        return rxWaited;
    }

    /** Receive buffers that DMA did not reach. */
    public long rxUnreachable() {
        return rxUnreachable;
    }

    /** Frames that left a queue, segments each, to the wire or to another pool. */
    public long txFrames() {
        return txFrames;
    }

    /** Bytes of them, without FCS. */
    public long txBytes() {
        return txBytes;
    }

    /** Frames of one pool that another one got. */
    public long txLooped() {
        return txLooped;
    }

    /** Frames dropped by MAC or VLAN anti-spoofing. */
    public long txSpoofed() {
        return txSpoofed;
    }

    /** Packets dropped: descriptors of no known kind, oversized, segmentation without sense. */
    public long txMalformed() {
        return txMalformed;
    }

    /** Packets dropped because DMA did not reach all of them. */
    public long txUnreachable() {
        return txUnreachable;
    }

    /** Doorbells of a ring whose head or tail lies beyond it. */
    public long ringFaults() {
        return ringFaults;
    }

    /** DMA requests refused. */
    public long dmaFaults() {
        return dmaFaults;
    }

    /** Resets of the whole controller, power-on included. */
    public long resets() {
        return resets;
    }

    /** Resets of a virtual function, by VTCTRL.RST or function level reset. */
    public long vfResets() {
        return vfResets;
    }
}
