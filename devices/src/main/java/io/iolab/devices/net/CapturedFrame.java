package io.iolab.devices.net;

import java.io.IOException;

/** The record a reader stands on; reused from one to the next. */
final class CapturedFrame {
    /** libpcap's own limit; nothing that it writes is longer. */
    static final int MAXIMUM_BYTES = 262_144;

    byte[] bytes = new byte[2048];
    int length;
    int originalLength;
    long nanos;

    /** Checks the two lengths of a record, which were read from {@code at} on. */
    void lengths(CaptureInput in, long at, long captured, long original) throws CaptureFormatException {
        if (captured > MAXIMUM_BYTES) {
            throw in.error(at, "a captured length of at most " + MAXIMUM_BYTES, Long.toString(captured));
        }
        if (original > Integer.MAX_VALUE) {
            throw in.error(at, "an original length below 2^31", Long.toString(original));
        }
        length = (int) captured;
        originalLength = (int) Math.max(original, captured);
    }

    void read(CaptureInput in) throws IOException {
        if (bytes.length < length) {
            bytes = new byte[Math.max(length, Math.min(2 * bytes.length, MAXIMUM_BYTES))];
        }
        in.bytes(bytes, length, "frame data");
    }
}
