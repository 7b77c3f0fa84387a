package io.iolab.vmm.guest;

import io.iolab.devices.net.CaptureReader;
import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.MacAddress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The frames of a capture, each sent by the guest or by its peer, with station addresses rewritten to theirs, as replay tools
 * do: the switch would otherwise flood them to every guest. Frames shorter than the Ethernet minimum are padded; a frame that the
 * capture holds only in part, or that is longer than 1514 bytes, is left out.
 */
final class ReplayTrace {

    /** One frame: who sends it, and when, counted from the first. */
    record Entry(boolean fromGuest, long picos, byte[] bytes) {}

    private final List<Entry> entries = new ArrayList<>();
    private final StationPair stations;
    private final boolean bothSides;
    private long firstNanos = -1;
    private long guestSource = -1;
    private long lastPicos;
    private long leftOut;

    private ReplayTrace(StationPair stations, boolean bothSides) {
        this.stations = stations;
        this.bothSides = bothSides;
    }

    /**
     * @param stations as the guest sees them
     * @throws IOException if the file cannot be read or is no capture
     */
    static ReplayTrace read(Workload.Replay workload, StationPair stations) throws IOException {
        ReplayTrace trace = new ReplayTrace(stations, workload.bothSides());
        try (CaptureReader reader = CaptureReader.open(workload.file())) {
            while (reader.next()) {
                trace.add(reader);
            }
        }
        if (trace.entries.isEmpty()) {
            throw new IOException(workload.file() + ": holds no whole Ethernet frame of at most 1514 bytes");
        }
        return trace;
    }

    private void add(CaptureReader reader) {
        int length = reader.length();
        if (length < EthernetFrame.HEADER_BYTES
                || length > EthernetFrame.MAXIMUM_BYTES
                || length < reader.originalLength()) {
            leftOut++;
            return;
        }
        byte[] frame = java.util.Arrays.copyOf(reader.copyBytes(), Math.max(length, EthernetFrame.MINIMUM_BYTES));
        long source = EthernetFrame.source(frame, 0);
        if (firstNanos < 0) {
            firstNanos = reader.nanos();
            guestSource = source;
        }
        boolean fromGuest = !bothSides || source == guestSource;
        StationPair sender = fromGuest ? stations : stations.reversed();
        MacAddress.put(frame, EthernetFrame.DESTINATION, sender.other().mac());
        MacAddress.put(frame, EthernetFrame.SOURCE, sender.own().mac());
        lastPicos = Math.max(lastPicos, (reader.nanos() - firstNanos) * 1000);
        entries.add(new Entry(fromGuest, lastPicos, frame));
    }

    /** What one side sends, in order. */
    List<Entry> side(boolean guest) {
        return entries.stream().filter(entry -> entry.fromGuest == guest).toList();
    }

    /** From the first frame to the last, of both sides. */
    long lengthPicos() {
        return lastPicos;
    }

    /** Frames of the file that cannot be sent. */
    long leftOut() {
        return leftOut;
    }
}
