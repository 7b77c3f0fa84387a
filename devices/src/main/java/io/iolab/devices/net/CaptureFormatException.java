package io.iolab.devices.net;

import java.io.IOException;

/** A capture file holds something other than it should. The message names file, byte offset, what was expected and found. */
public final class CaptureFormatException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long offset;
    private final String expected;

    CaptureFormatException(String file, long offset, String expected, String found) {
        super(file + ": byte " + offset + ": expected " + expected + ", found " + found);
        this.file = file;
        this.offset = offset;
        this.expected = expected;
    }

    /** The file's name as the reader was given it. */
    public String file() {
        return file;
    }

    /** Where in the file the unexpected field starts, in bytes. */
    public long offset() {
        return offset;
    }

    /** What should have been there, as a noun phrase. */
    public String expected() {
        return expected;
    }
}
