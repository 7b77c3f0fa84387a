package io.iolab.devices.net;

import io.iolab.devices.dma.LittleEndian;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;

/** A capture file as a stream of fields in the byte order of its writer, with the offset for error messages. */
final class CaptureInput implements Closeable {
    private final InputStream stream;
    private final String file;
    private final byte[] buffer = new byte[1 << 16];
    private int position;
    private int limit;
    /** File offset of buffer[0]. */
    private long bufferOffset;

    private boolean bigEndian;

    CaptureInput(InputStream stream, String file) {
        this.stream = stream;
        this.file = file;
    }

    /** In bytes from the start of the file. */
    long offset() {
        return bufferOffset + position;
    }

    void bigEndian(boolean is) {
        bigEndian = is;
    }

    boolean atEnd() throws IOException {
        return available(1) == 0;
    }

    /** Makes up to {@code wanted} bytes contiguous at {@link #position}; gives how many there are before the end. */
    private int available(int wanted) throws IOException {
        while (limit - position < wanted) {
            if (position > 0) {
                System.arraycopy(buffer, position, buffer, 0, limit - position);
                bufferOffset += position;
                limit -= position;
                position = 0;
            }
            int count = stream.read(buffer, limit, buffer.length - limit);
            if (count < 0) {
                return limit - position;
            }
            limit += count;
        }
        return wanted;
    }

    /** Makes a small field contiguous. */
    private int take(int bytes, String field) throws IOException {
        if (available(bytes) < bytes) {
            throw ends(bytes, limit - position, field);
        }
        int at = position;
        position += bytes;
        return at;
    }

    private CaptureFormatException ends(long bytes, long present, String field) {
        return error(offset(), field + " of " + bytes + " bytes", "the end of the file after " + present);
    }

    int u8(String field) throws IOException {
        return buffer[take(1, field)] & 0xFF;
    }

    int u16(String field) throws IOException {
        int at = take(2, field);
        return bigEndian ? BigEndian.getShort(buffer, at) : LittleEndian.getShort(buffer, at);
    }

    int i32(String field) throws IOException {
        int at = take(4, field);
        return bigEndian ? BigEndian.getInt(buffer, at) : LittleEndian.getInt(buffer, at);
    }

    long u32(String field) throws IOException {
        return i32(field) & 0xFFFF_FFFFL;
    }

    long i64(String field) throws IOException {
        int at = take(8, field);
        return bigEndian ? BigEndian.getLong(buffer, at) : LittleEndian.getLong(buffer, at);
    }

    void bytes(byte[] target, int length, String field) throws IOException {
        int done = 0;
        while (done < length) {
            int chunk = available(1) == 0 ? 0 : Math.min(limit - position, length - done);
            if (chunk == 0) {
                throw error(offset(), field + " of " + length + " bytes", "the end of the file after " + done);
            }
            System.arraycopy(buffer, position, target, done, chunk);
            position += chunk;
            done += chunk;
        }
    }

    void skip(long length, String field) throws IOException {
        long done = 0;
        while (done < length) {
            int chunk = available(1) == 0 ? 0 : (int) Math.min(limit - position, length - done);
            if (chunk == 0) {
                throw error(offset(), field + " of " + length + " bytes", "the end of the file after " + done);
            }
            position += chunk;
            done += chunk;
        }
    }

    CaptureFormatException error(long at, String expected, String found) {
        return new CaptureFormatException(file, at, expected, found);
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }
}
