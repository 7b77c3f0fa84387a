package io.iolab.vmm.remote;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Bytes from a peer, cut at line feeds. A line longer than {@link #LONGEST} is dropped and taken for an empty one. */
final class LineReader {
    /** Room for a write of 64 MiB in hexadecimal. */
    static final int LONGEST = 130 << 20;

    private static final int CHUNK = 64 << 10;

    private byte[] bytes = new byte[2 * CHUNK];
    private int start;
    private int end;
    private int scanned;
    private boolean overlong;

    /**
     * Takes what a socket has now.
     *
     * @return false when the peer is gone
     */
    boolean fill(PosixSocket socket) {
        if (bytes.length - end < CHUNK) {
            makeRoom();
        }
        int got = socket.receive(bytes, end, bytes.length - end);
        end += Math.max(0, got);
        return got >= 0;
    }

    private void makeRoom() {
        if (end - start > LONGEST) {
            overlong = true;
            start = end;
        }
        int kept = end - start;
        byte[] next = kept + CHUNK > bytes.length / 2 ? new byte[Math.max(bytes.length, 2 * (kept + CHUNK))] : bytes;
        System.arraycopy(bytes, start, next, 0, kept);
        bytes = next;
        scanned -= start;
        scanned = Math.max(0, scanned);
        start = 0;
        end = kept;
    }

    /** The next whole line without its end, or null when there is none yet. */
    @Nullable
    String next() {
        for (int at = Math.max(start, scanned); at < end; at++) {
            if (bytes[at] == '\n') {
                int length = at - start - (at > start && bytes[at - 1] == '\r' ? 1 : 0);
                String line = overlong ? "" : new String(bytes, start, length, StandardCharsets.ISO_8859_1);
                overlong = false;
                start = at + 1;
                scanned = start;
                return line;
            }
        }
        scanned = end;
        return null;
    }
}
