package io.iolab.vmm.remote;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream of bytes into JSON documents by counting brackets, since clients may or may not put a line feed between them. Text outside of
 * any bracket is one document a line.
 */
final class DocumentReader {
    /** A client that sends more without closing what it opened has lost its way; what it sent is dropped. */
    private static final int LONGEST = 1 << 20;

    private final byte[] chunk = new byte[4096];
    private final ByteArrayOutputStream document = new ByteArrayOutputStream();
    private int at;
    private int end;
    private int depth;
    private boolean quoted;
    private boolean escaped;

    /** @return false when the peer is gone */
    boolean fill(PosixSocket socket) {
        int got = socket.receive(chunk, 0, chunk.length);
        at = 0;
        end = Math.max(0, got);
        return got >= 0;
    }

    /** The next whole document of what was filled in, or null: then it is time to fill again. */
    @Nullable
    String next() {
        while (at < end) {
            byte b = chunk[at++];
            boolean closes = take(b);
            if (document.size() > LONGEST) {
                document.reset();
                depth = 0;
                quoted = false;
            } else if (closes) {
                String text = document.toString(StandardCharsets.UTF_8);
                document.reset();
                if (!text.isBlank()) {
                    return text;
                }
            }
        }
        return null;
    }

    private boolean take(byte b) {
        document.write(b);
        if (quoted) {
            quoted = escaped || b != '"';
            escaped = !escaped && b == '\\';
            return false;
        }
        switch (b) {
            case '"' -> quoted = depth > 0;
            case '{', '[' -> depth++;
            case '}', ']' -> {
                depth = Math.max(0, depth - 1);
                return depth == 0;
            }
            case '\n' -> {
                return depth == 0;
            }
            default -> {}
        }
        return false;
    }
}
