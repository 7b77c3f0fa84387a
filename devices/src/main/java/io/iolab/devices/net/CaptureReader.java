package io.iolab.devices.net;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads Ethernet frames from a capture file, one at a time: pcap with microseconds or nanoseconds, and pcapng, each in
 * either byte order. Memory does not grow with the file.
 *
 * <p>{@link #next} moves to the next frame; the accessors describe it until the next call. Frames captured with their FCS keep
 * it; frames cut short by the capture have {@code length() < originalLength()}. Times are nanoseconds of the capture's own
 * clock, 1970 as a rule; nothing promises that they ascend.
 *
 * <p>Whatever a file holds, the outcome is frames, an end, or a {@link CaptureFormatException}; an {@link IOException} of another
 * class means that the file could not be read.
 *
 * <p>Threading: one thread.
 */
public final class CaptureReader implements Closeable {
    private final CaptureInput in;
    private final CaptureFormat format;
    private final CapturedFrame frame = new CapturedFrame();

    private CaptureReader(CaptureInput in, CaptureFormat format) {
        this.in = in;
        this.format = format;
    }

    /** Opens a file and reads its header. */
    public static CaptureReader open(Path file) throws IOException {
        return open(Files.newInputStream(file), file.toString());
    }

    /**
     * Reads from a stream, which is closed with the reader, or now if the header is wrong.
     *
     * @param name what messages call it
     */
    public static CaptureReader open(InputStream stream, String name) throws IOException {
        CaptureInput in = new CaptureInput(stream, name);
        try {
            return new CaptureReader(in, detect(in));
        } catch (IOException | RuntimeException e) {
            try (in) {
                throw e;
            }
        }
    }

    private static CaptureFormat detect(CaptureInput in) throws IOException {
        int magic = in.i32("a pcap or pcapng magic");
        boolean swapped = false;
        for (int i = 0; i < 2; i++) {
            in.bigEndian(swapped);
            switch (swapped ? Integer.reverseBytes(magic) : magic) {
                case PcapFormat.MAGIC_MICROSECONDS:
                    return new PcapFormat(in, false);
                case PcapFormat.MAGIC_NANOSECONDS:
                    return new PcapFormat(in, true);
                case PcapngFormat.SECTION_HEADER:
                    return new PcapngFormat(in);
                case PcapFormat.MAGIC_MODIFIED:
                    throw in.error(0, "a pcap or pcapng magic", "the modified pcap format of Linux 2.2");
                default:
                    swapped = true;
            }
        }
        throw in.error(0, "a pcap or pcapng magic", foreign(magic));
    }

    private static String foreign(int magic) {
        if ((magic & 0xFFFF) == 0x8B1F) {
            return "a gzip file: decompress it first";
        }
        return switch (magic) {
            case 0xFD2F_B528 -> "a zstd file: decompress it first";
            case 0x6F6F_6E73 -> "a snoop file";
            default -> String.format("0x%08x", Integer.reverseBytes(magic));
        };
    }

    /**
     * Moves to the next frame.
     *
     * @return false at the end of the file
     */
    public boolean next() throws IOException {
        return format.next(in, frame);
    }

    /** In nanoseconds. */
    public long nanos() {
        return frame.nanos;
    }

    /** The frame, from index 0 on; reused by the next call of {@link #next}. */
    public byte[] bytes() {
        return frame.bytes;
    }

    /** Bytes of the frame that were captured: 0 to 262 144. */
    public int length() {
        return frame.length;
    }

    /** Bytes the frame had, at least {@link #length}. */
    public int originalLength() {
        return frame.originalLength;
    }

    /** A copy of what was captured. */
    public byte[] copyBytes() {
        return java.util.Arrays.copyOf(frame.bytes, frame.length);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
