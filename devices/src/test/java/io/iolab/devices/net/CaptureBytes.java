package io.iolab.devices.net;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Writes capture files by hand, field by field as the drafts list them, and reads files into lists. */
final class CaptureBytes {
    record Frame(long nanos, int originalLength, List<Byte> bytes) {
        static Frame of(long nanos, int originalLength, byte[] bytes) {
            List<Byte> list = new ArrayList<>();
            for (byte b : bytes) {
                list.add(b);
            }
            return new Frame(nanos, originalLength, list);
        }
    }

    private final ByteOrder order;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    CaptureBytes(ByteOrder order) {
        this.order = order;
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    int size() {
        return out.size();
    }

    CaptureBytes u8(int value) {
        out.write(value);
        return this;
    }

    CaptureBytes u16(int value) {
        out.writeBytes(
                ByteBuffer.allocate(2).order(order).putShort((short) value).array());
        return this;
    }

    CaptureBytes u32(long value) {
        out.writeBytes(ByteBuffer.allocate(4).order(order).putInt((int) value).array());
        return this;
    }

    CaptureBytes u64(long value) {
        out.writeBytes(ByteBuffer.allocate(8).order(order).putLong(value).array());
        return this;
    }

    CaptureBytes raw(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    private CaptureBytes pad() {
        while (out.size() % 4 != 0) {
            out.write(0);
        }
        return this;
    }

    CaptureBytes pcapHeader(int magic) {
        return u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65_535).u32(1);
    }

    CaptureBytes pcapRecord(long seconds, long fraction, int original, byte[] data) {
        return u32(seconds).u32(fraction).u32(data.length).u32(original).raw(data);
    }

    /** Any block: type, length, body padded to 32 bits, length. */
    CaptureBytes block(long type, CaptureBytes body) {
        body.pad();
        return u32(type).u32(12 + body.size()).raw(body.bytes()).u32(12 + body.size());
    }

    CaptureBytes body() {
        return new CaptureBytes(order);
    }

    CaptureBytes section() {
        return block(0x0A0D_0D0AL, body().u32(0x1A2B_3C4DL).u16(1).u16(0).u64(-1));
    }

    CaptureBytes option(int code, byte[] value) {
        return u16(code).u16(value.length).raw(value).pad();
    }

    CaptureBytes describe(int linktype, long snapLength, CaptureBytes options) {
        return block(1, body().u16(linktype).u16(0).u32(snapLength).raw(options.bytes()));
    }

    /** An Ethernet interface whose if_tsresol is {@code resolution}. */
    CaptureBytes ethernet(int resolution) {
        return describe(1, 0, body().option(9, new byte[] {(byte) resolution}).u32(0));
    }

    CaptureBytes enhanced(int number, long units, int original, byte[] data) {
        return block(
                6,
                body().u32(number)
                        .u32(units >>> 32)
                        .u32(units)
                        .u32(data.length)
                        .u32(original)
                        .raw(data));
    }

    static List<Frame> read(byte[] file) throws IOException {
        List<Frame> frames = new ArrayList<>();
        try (CaptureReader reader = CaptureReader.open(new ByteArrayInputStream(file), "test.pcap")) {
            while (reader.next()) {
                frames.add(Frame.of(reader.nanos(), reader.originalLength(), reader.copyBytes()));
            }
        }
        return frames;
    }
}
