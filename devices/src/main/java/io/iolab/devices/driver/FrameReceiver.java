package io.iolab.devices.driver;

/** The network stack, as a driver sees it. */
@FunctionalInterface
public interface FrameReceiver {
    /** A received frame without FCS; the bytes are valid during the call only. */
    void frame(byte[] frame, int offset, int length);
}
