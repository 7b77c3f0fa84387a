package io.iolab.vmm.guest;

import io.iolab.devices.net.CaptureReader;
import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.MacAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The frames of a capture, with station addresses rewritten to those of a guest and its peer, as replay tools do: the
 * switch would otherwise flood them to every guest. Frames shorter than the Ethernet minimum are padded; a frame that the
 * capture holds only in part, or that is longer than 1514 bytes, is left out.
 */
final class ReplayTrace {
    private final List<byte[]> frames = new ArrayList<>();
    private final List<Long> picos = new ArrayList<>();
    private long leftOut;

    private ReplayTrace() {}

    /** @throws IOException if the file cannot be read or is no capture */
    static ReplayTrace read(Path file, StationPair stations) throws IOException {
        ReplayTrace trace = new ReplayTrace();
        try (CaptureReader reader = CaptureReader.open(file)) {
            long first = -1;
            while (reader.next()) {
                if (first < 0) {
                    first = reader.nanos();
                }
                trace.add(reader, first, stations);
            }
        }
        if (trace.frames.isEmpty()) {
            throw new IOException(file + ": holds no whole Ethernet frame of at most 1514 bytes");
        }
        return trace;
    }

    private void add(CaptureReader reader, long firstNanos, StationPair stations) {
        int length = reader.length();
        if (length < EthernetFrame.HEADER_BYTES
                || length > EthernetFrame.MAXIMUM_BYTES
                || length < reader.originalLength()) {
            leftOut++;
            return;
        }
        byte[] frame = java.util.Arrays.copyOf(reader.copyBytes(), Math.max(length, EthernetFrame.MINIMUM_BYTES));
        MacAddress.put(frame, EthernetFrame.DESTINATION, stations.other().mac());
        MacAddress.put(frame, EthernetFrame.SOURCE, stations.own().mac());
        frames.add(frame);
        picos.add(Math.max(0, reader.nanos() - firstNanos) * 1000);
    }

    int size() {
        return frames.size();
    }

    byte[] frame(int index) {
        return frames.get(index);
    }

    /** When the frame was captured, after the first one. */
    long picos(int index) {
        return picos.get(index);
    }

    /** Frames of the file that cannot be sent. */
    long leftOut() {
        return leftOut;
    }
}
