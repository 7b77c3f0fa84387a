package io.iolab.vmm.backend;

/** Sees every frame that enters a link, with its time on the wire; for captures. */
@FunctionalInterface
public interface FrameTap {
    void frame(long nanos, byte[] frame, int offset, int length);
}
