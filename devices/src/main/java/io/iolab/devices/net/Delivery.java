package io.iolab.devices.net;

/** What became of a frame that was offered to a {@link FramePort}. */
public enum Delivery {
    /** Taken, and on its way to whoever it is for. */
    ACCEPTED,
    /** Taken and thrown away on purpose: an address or VLAN filter, link down, receiver disabled. */
    FILTERED,
    /** Taken and lost for want of room; the callee has counted it with its cause. */
    DROPPED,
    /** Not taken: the callee has no room now. The caller keeps the frame and may offer it again later. */
    BUSY
}
