package io.iolab.devices.net;

import java.io.IOException;

/** One of the two file formats, past the point where they were told apart. */
sealed interface CaptureFormat permits PcapFormat, PcapngFormat {
    /** Linktype of Ethernet frames, in both formats. */
    int ETHERNET = 1;

    /** @return false at the end of the file */
    boolean next(CaptureInput in, CapturedFrame frame) throws IOException;

    static String linktype(int number) {
        return switch (number) {
            case 0 -> "linktype 0 (BSD loopback)";
            case 101 -> "linktype 101 (raw IP)";
            case 105 -> "linktype 105 (IEEE 802.11)";
            case 113 -> "linktype 113 (Linux cooked: a capture on \"any\")";
            case 127 -> "linktype 127 (IEEE 802.11 with radiotap)";
            case 276 -> "linktype 276 (Linux cooked v2: a capture on \"any\")";
            default -> "linktype " + number;
        };
    }
}
