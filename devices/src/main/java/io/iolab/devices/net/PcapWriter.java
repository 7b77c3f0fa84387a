package io.iolab.devices.net;

import io.iolab.devices.dma.LittleEndian;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Writes a classic capture file with nanosecond timestamps (magic 0xA1B23C4D, version 2.4, linktype Ethernet;
 * draft-ietf-opsawg-pcap). Frames are collected in a buffer and nothing is allocated per frame.
 *
 * <p>{@link #append} does not throw, so that a full disk does not stop what is being captured: the file is cut back to its last
 * whole record, later frames are only counted, and {@link #close} reports the failure.
 *
 * <p>Threading: one thread.
 */
public final class PcapWriter implements Closeable {
    /** The most bytes of a frame that are kept; longer ones are cut and keep their original length. */
    public static final int SNAP_LENGTH = 65_535;

    static final int MAGIC_NANOSECONDS = 0xA1B2_3C4D;
    static final int FILE_HEADER_BYTES = 24;
    static final int RECORD_HEADER_BYTES = 16;
    static final int LINKTYPE_ETHERNET = 1;

    private static final int BUFFER_BYTES = 2 * (SNAP_LENGTH + RECORD_HEADER_BYTES);
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final Path file;
    private final SeekableByteChannel channel;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final ByteBuffer view = ByteBuffer.wrap(buffer);
    private int used;
    private long written;
    private long frames;
    private long lost;
    private @Nullable IOException failure;

    PcapWriter(Path file, SeekableByteChannel channel) {
        this.file = file;
        this.channel = channel;
        putFileHeader();
    }

    /**
     * Creates or replaces a capture file. Its header is on disk when this returns.
     *
     * @throws IOException naming the file, if it cannot be created or written
     */
    public static PcapWriter create(Path file) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
        } catch (IOException e) {
            throw new IOException("cannot create capture " + file + ": " + reason(e), e);
        }
        PcapWriter writer = new PcapWriter(file, channel);
        if (!writer.flush()) {
            writer.close();
        }
        return writer;
    }

    private void putFileHeader() {
        LittleEndian.putInt(buffer, 0, MAGIC_NANOSECONDS);
        LittleEndian.putShort(buffer, 4, 2);
        LittleEndian.putShort(buffer, 6, 4);
        LittleEndian.putInt(buffer, 16, SNAP_LENGTH);
        LittleEndian.putInt(buffer, 20, LINKTYPE_ETHERNET);
        used = FILE_HEADER_BYTES;
    }

    /**
     * Appends a frame.
     *
     * @param nanos since the start of the run, or of 1970; 0 to 2^32 seconds
     * @param length of the frame without FCS
     * @return false if it is lost because the file could not be written, now or before
     */
    public boolean append(long nanos, byte[] frame, int offset, int length) {
        int kept = Math.min(length, SNAP_LENGTH);
        if (used + RECORD_HEADER_BYTES + kept > BUFFER_BYTES && !flush() || failure != null) {
            lost++;
            return false;
        }
        LittleEndian.putInt(buffer, used, (int) (nanos / NANOS_PER_SECOND));
        LittleEndian.putInt(buffer, used + 4, (int) (nanos % NANOS_PER_SECOND));
        LittleEndian.putInt(buffer, used + 8, kept);
        LittleEndian.putInt(buffer, used + 12, length);
        System.arraycopy(frame, offset, buffer, used + RECORD_HEADER_BYTES, kept);
        used += RECORD_HEADER_BYTES + kept;
        frames++;
        return true;
    }

    /**
     * Hands everything appended so far to the operating system.
     *
     * @return false if that failed, now or before
     */
    public boolean flush() {
        if (failure != null) {
            return false;
        }
        try {
            view.limit(used).position(0);
            while (view.hasRemaining()) {
                channel.write(view);
            }
            written += used;
            used = 0;
            return true;
        } catch (IOException e) {
            failure = new IOException("cannot write capture " + file + ": " + reason(e), e);
            used = 0;
            cutToWholeRecords(e);
            return false;
        }
    }

    /** A file that ends inside of a record would be refused by the tools that read it. */
    private void cutToWholeRecords(IOException cause) {
        try {
            channel.truncate(written);
        } catch (IOException e) {
            // A pipe, say.
            cause.addSuppressed(e);
        }
    }

    private static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException _ -> "no such directory";
            case AccessDeniedException _ -> "permission denied";
            case FileSystemException f when f.getReason() != null -> f.getReason();
            default -> String.valueOf(e.getMessage());
        };
    }

    public Path file() {
        return file;
    }

    /** Frames appended, including those that a later failure cost. */
    public long frames() {
        return frames;
    }

    /** Frames that {@link #append} refused. */
    public long lost() {
        return lost;
    }

    /**
     * Flushes and closes the file. Closing again does nothing.
     *
     * @throws IOException naming the file, if any write has failed
     */
    @Override
    public void close() throws IOException {
        if (!channel.isOpen()) {
            return;
        }
        try (channel) {
            flush();
        }
        if (failure != null) {
            throw failure;
        }
    }
}
