package io.iolab.scenarios.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Where the result goes. Once a write fails the rest is discarded, and the failure is kept: writers on top of this stream
 * swallow it, but a result that did not arrive must not look like success.
 */
final class StandardOutput extends OutputStream {
    private final OutputStream target;
    private @Nullable IOException failure;

    StandardOutput(OutputStream target) {
        this.target = target;
    }

    @Override
    public void write(int value) {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        if (failure == null) {
            try {
                target.write(bytes, offset, length);
            } catch (IOException e) {
                failure = e;
            }
        }
    }

    @Override
    public void flush() {
        if (failure == null) {
            try {
                target.flush();
            } catch (IOException e) {
                failure = e;
            }
        }
    }

    /**
     * Why the result is incomplete; null if it is complete, or if the reader closed the pipe because it had seen enough ({@code |
     * head}).
     */
    @Nullable
    IOException failure() {
        IOException e = failure;
        return e == null
                        || String.valueOf(e.getMessage())
                                .toLowerCase(Locale.ROOT)
                                .contains("broken pipe")
                ? null
                : e;
    }
}
