package io.iolab.devices.net;

import java.io.IOException;

/** Classic capture files, draft-ietf-opsawg-pcap: a header of 24 bytes, then records. */
final class PcapFormat implements CaptureFormat {
    static final int MAGIC_MICROSECONDS = 0xA1B2_C3D4;
    static final int MAGIC_NANOSECONDS = PcapWriter.MAGIC_NANOSECONDS;
    /** A patched libpcap of the 1990s with longer records. */
    static final int MAGIC_MODIFIED = 0xA1B2_CD34;

    private final long nanosPerUnit;

    /** Reads the header behind the magic. */
    PcapFormat(CaptureInput in, boolean nanoseconds) throws IOException {
        nanosPerUnit = nanoseconds ? 1 : 1000;
        long at = in.offset();
        int major = in.u16("a version");
        int minor = in.u16("a version");
        if (major != 2 || minor != 4) {
            throw in.error(at, "version 2.4", major + "." + minor);
        }
        in.skip(8, "a file header");
        at = in.offset();
        int snapLength = in.i32("a snap length");
        if (snapLength < 0) {
            throw in.error(at, "a snap length below 2^31", Integer.toUnsignedString(snapLength));
        }
        at = in.offset();
        // The upper half tells whether frames carry their FCS.
        int linktype = in.i32("a linktype") & 0xFFFF;
        if (linktype != ETHERNET) {
            throw in.error(at, "linktype 1 (Ethernet)", CaptureFormat.linktype(linktype));
        }
    }

    @Override
    public boolean next(CaptureInput in, CapturedFrame frame) throws IOException {
        if (in.atEnd()) {
            return false;
        }
        long seconds = in.u32("record seconds");
        long fraction = in.u32("a record's fraction of a second");
        frame.nanos = seconds * 1_000_000_000L + fraction * nanosPerUnit;
        long at = in.offset();
        long captured = in.u32("a captured length");
        frame.lengths(in, at, captured, in.u32("an original length"));
        frame.read(in);
        return true;
    }
}
