package io.iolab.devices.net;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Capture files of blocks, draft-ietf-opsawg-pcapng: sections (4.1), interfaces (4.2), packets (4.3, 4.4 and the obsolete
 * block of appendix A); any other block is skipped. Each section may have another byte order and numbers its interfaces
 * afresh.
 */
final class PcapngFormat implements CaptureFormat {
    /** Reads the same in both byte orders. */
    static final int SECTION_HEADER = 0x0A0D_0D0A;

    private static final int INTERFACE = 1;
    private static final int OBSOLETE_PACKET = 2;
    private static final int SIMPLE_PACKET = 3;
    private static final int ENHANCED_PACKET = 6;
    private static final int BYTE_ORDER_MAGIC = 0x1A2B_3C4D;

    private static final int OPTION_END = 0;
    private static final int OPTION_TIME_RESOLUTION = 9;
    private static final int OPTION_TIME_OFFSET = 14;
    /** More than any machine has; a bound on what a hostile file makes us keep. */
    private static final int MAXIMUM_INTERFACES = 65_536;

    private final List<PcapngInterface> interfaces = new ArrayList<>();
    private long blockOffset;
    private long blockLength;

    /** Reads the first section header, behind its type. */
    PcapngFormat(CaptureInput in) throws IOException {
        blockOffset = in.offset() - 4;
        section(in);
    }

    @Override
    public boolean next(CaptureInput in, CapturedFrame frame) throws IOException {
        while (!in.atEnd()) {
            blockOffset = in.offset();
            int type = in.i32("a block type");
            if (type == SECTION_HEADER) {
                section(in);
                continue;
            }
            length(in);
            boolean packet = true;
            switch (type) {
                case ENHANCED_PACKET -> enhanced(in, frame);
                case OBSOLETE_PACKET -> obsolete(in, frame);
                case SIMPLE_PACKET -> simple(in, frame);
                case INTERFACE -> {
                    packet = false;
                    describe(in);
                }
                default -> packet = false;
            }
            finish(in);
            if (packet) {
                return true;
            }
        }
        return false;
    }

    /** Section 4.1. The byte order is known only behind the length. */
    private void section(CaptureInput in) throws IOException {
        in.bigEndian(false);
        int rawLength = in.i32("a block length");
        long at = in.offset();
        int magic = in.i32("a byte order magic");
        boolean swapped = magic == Integer.reverseBytes(BYTE_ORDER_MAGIC);
        if (magic != BYTE_ORDER_MAGIC && !swapped) {
            throw in.error(at, "the byte order magic 0x1a2b3c4d", "0x" + Integer.toHexString(magic));
        }
        in.bigEndian(swapped);
        blockLength = checkLength(in, swapped ? Integer.reverseBytes(rawLength) : rawLength);
        need(in, 28);
        at = in.offset();
        int major = in.u16("a version");
        int minor = in.u16("a version");
        // "1.2" was written by mistake by some tools and reads the same (4.1).
        if (major != 1 || minor != 0 && minor != 2) {
            throw in.error(at, "version 1.0", major + "." + minor);
        }
        interfaces.clear();
        finish(in);
    }

    private void length(CaptureInput in) throws IOException {
        blockLength = checkLength(in, in.i32("a block length"));
    }

    private long checkLength(CaptureInput in, int raw) throws CaptureFormatException {
        long length = raw & 0xFFFF_FFFFL;
        if (length < 12 || length % 4 != 0) {
            throw in.error(
                    blockOffset + 4, "a block length that is a multiple of 4, at least 12", Long.toString(length));
        }
        return length;
    }

    /** The block must be at least {@code bytes} long, all lengths and its type included. */
    private void need(CaptureInput in, long bytes) throws CaptureFormatException {
        if (blockLength < bytes) {
            throw in.error(
                    blockOffset + 4,
                    "a block length of at least " + bytes + " for what it holds",
                    Long.toString(blockLength));
        }
    }

    /** Bytes of this block's body not yet read. */
    private long rest(CaptureInput in) {
        return blockOffset + blockLength - 4 - in.offset();
    }

    private void finish(CaptureInput in) throws IOException {
        in.skip(rest(in), "the rest of a block");
        long at = in.offset();
        long again = in.u32("the block length repeated");
        if (again != blockLength) {
            throw in.error(at, "the block length " + blockLength + " repeated", Long.toString(again));
        }
    }

    /** Section 4.2 and its options (3.5). */
    private void describe(CaptureInput in) throws IOException {
        need(in, 20);
        if (interfaces.size() == MAXIMUM_INTERFACES) {
            throw in.error(blockOffset, "at most " + MAXIMUM_INTERFACES + " interfaces", "another");
        }
        int linktype = in.u16("a linktype");
        in.skip(2, "an interface description");
        PcapngInterface described = new PcapngInterface(linktype, in.u32("a snap length"));
        interfaces.add(described);
        while (rest(in) >= 4) {
            int code = in.u16("an option code");
            long at = in.offset();
            int length = in.u16("an option length");
            int padded = length + 3 & ~3;
            if (padded > rest(in)) {
                throw in.error(at, "an option that ends within its block", length + " bytes");
            }
            if (code == OPTION_END) {
                return;
            }
            if (code == OPTION_TIME_RESOLUTION && length == 1) {
                described.resolution(in.u8("if_tsresol"));
                padded -= 1;
            } else if (code == OPTION_TIME_OFFSET && length == 8) {
                described.offsetSeconds(in.i64("if_tsoffset"));
                padded -= 8;
            }
            in.skip(padded, "an option");
        }
    }

    /** Section 4.3. */
    private void enhanced(CaptureInput in, CapturedFrame frame) throws IOException {
        need(in, 32);
        packet(in, frame, in.u32("an interface number"));
    }

    /** Appendix A: the interface number is 16 bits, followed by a drop count. */
    private void obsolete(CaptureInput in, CapturedFrame frame) throws IOException {
        need(in, 32);
        int number = in.u16("an interface number");
        in.skip(2, "a drop count");
        packet(in, frame, number);
    }

    private void packet(CaptureInput in, CapturedFrame frame, long number) throws IOException {
        PcapngInterface from = ethernet(in, number);
        long at = in.offset();
        long units = in.u32("a timestamp") << 32 | in.u32("a timestamp");
        frame.nanos = from.nanos(in, at, units);
        at = in.offset();
        long captured = in.u32("a captured length");
        frame.lengths(in, at, captured, in.u32("an original length"));
        need(in, 32 + (captured + 3 & ~3L));
        frame.read(in);
    }

    /** Section 4.4: no timestamp, so the one before holds; the data are cut at the first interface's snap length. */
    private void simple(CaptureInput in, CapturedFrame frame) throws IOException {
        need(in, 16);
        PcapngInterface from = ethernet(in, 0);
        long at = in.offset();
        long original = in.u32("an original length");
        long captured = from.snapLength == 0 ? original : Math.min(original, from.snapLength);
        frame.lengths(in, at, captured, original);
        need(in, 16 + (captured + 3 & ~3L));
        frame.read(in);
    }

    private PcapngInterface ethernet(CaptureInput in, long number) throws CaptureFormatException {
        if (number >= interfaces.size()) {
            throw in.error(
                    blockOffset,
                    "a packet of a described interface",
                    "interface " + number + " of " + interfaces.size());
        }
        PcapngInterface from = interfaces.get((int) number);
        if (from.linktype != ETHERNET) {
            throw in.error(blockOffset, "a packet of linktype 1 (Ethernet)", CaptureFormat.linktype(from.linktype));
        }
        return from;
    }
}
