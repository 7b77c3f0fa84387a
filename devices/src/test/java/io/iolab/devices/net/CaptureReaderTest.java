package io.iolab.devices.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hand-made files after draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. */
class CaptureReaderTest {
    private static final byte[] DATA = HexFormat.of().parseHex("ffffffffffff02000000000a0806aabbcc");
    private static final long SECOND = 1_000_000_000L;

    private static List<ByteOrder> orders() {
        return List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN);
    }

    private static CaptureBytes.Frame frame(long nanos) {
        return CaptureBytes.Frame.of(nanos, DATA.length, DATA);
    }

    private static CaptureFormatException refusal(byte[] file) {
        CaptureFormatException e = catchThrowableOfType(CaptureFormatException.class, () -> CaptureBytes.read(file));
        assertThat(e).isNotNull();
        assertThat(e.file()).isEqualTo("test.pcap");
        assertThat(e).hasMessageStartingWith("test.pcap: byte " + e.offset() + ": expected " + e.expected());
        return e;
    }

    /** The bytes of the draft's figure 1 and 2, without any code of ours in between. */
    @Test
    void shouldReadAFileWrittenAsHex() throws IOException {
        byte[] file = HexFormat.of()
                .parseHex("4d3cb2a1" + "0200" + "0400" + "00000000" + "00000000" + "ffff0000" + "01000000" + "01000000"
                        + "02000000" + "03000000" + "3c000000" + "aabbcc");
        assertThat(CaptureBytes.read(file))
                .containsExactly(
                        CaptureBytes.Frame.of(SECOND + 2, 60, new byte[] {(byte) 0xAA, (byte) 0xBB, (byte) 0xCC}));
    }

    @ParameterizedTest
    @MethodSource("orders")
    void shouldReadMicrosecondsAndNanosecondsInBothByteOrders(ByteOrder order) throws IOException {
        byte[] micros = new CaptureBytes(order)
                .pcapHeader(0xA1B2_C3D4)
                .pcapRecord(1_700_000_000L, 123_456, DATA.length, DATA)
                .pcapRecord(0xFFFF_FFFFL, 999_999, 9000, DATA)
                .bytes();
        assertThat(CaptureBytes.read(micros))
                .containsExactly(
                        frame(1_700_000_000L * SECOND + 123_456_000),
                        CaptureBytes.Frame.of(0xFFFF_FFFFL * SECOND + 999_999_000, 9000, DATA));
        byte[] nanos = new CaptureBytes(order)
                .pcapHeader(0xA1B2_3C4D)
                .pcapRecord(7, 123_456_789, DATA.length, DATA)
                .pcapRecord(8, 0, 0, new byte[0])
                .bytes();
        assertThat(CaptureBytes.read(nanos))
                .containsExactly(frame(7 * SECOND + 123_456_789), CaptureBytes.Frame.of(8 * SECOND, 0, new byte[0]));
    }

    @ParameterizedTest
    @MethodSource("orders")
    void shouldReadPcapngInBothByteOrdersAndSkipWhatItDoesNotKnow(ByteOrder order) throws IOException {
        CaptureBytes file = new CaptureBytes(order).section();
        file.block(0x0BAD, file.body().u32(1).u32(2)).ethernet(9);
        file.block(4, file.body().u32(0)).block(0x8000_0001L, file.body());
        file.enhanced(0, 5 * SECOND + 42, DATA.length, DATA)
                .block(5, file.body().raw(new byte[100_000]));
        file.enhanced(0, 6 * SECOND, 1500, DATA);
        assertThat(CaptureBytes.read(file.bytes()))
                .containsExactly(frame(5 * SECOND + 42), CaptureBytes.Frame.of(6 * SECOND, 1500, DATA));
    }

    @Test
    void shouldReadOptionsBehindAPacket() throws IOException {
        CaptureBytes file = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section().ethernet(9);
        CaptureBytes body = file.body()
                .u32(0)
                .u32(0)
                .u32(77)
                .u32(DATA.length)
                .u32(DATA.length)
                .raw(DATA)
                .u8(0)
                .u8(0)
                .u8(0);
        file.block(
                6, body.option(1, "a comment".getBytes(StandardCharsets.UTF_8)).u32(0));
        assertThat(CaptureBytes.read(file.bytes())).containsExactly(frame(77));
    }

    @ParameterizedTest
    @CsvSource({
        "6, 1234567, 1234567000",
        "0, 3, 3000000000",
        "3, 1500, 1500000000",
        "9, 17, 17",
        "12, 1999, 1",
        "20, 99999999999, 0",
        "28, -1, 1",
        "29, -1, 0",
        "127, -1, 0",
        "0x80, 2, 2000000000",
        "0x81, 3, 1500000000",
        "0x8a, 1024, 1000000000",
        "0x94, 524288, 500000000",
        "0xa0, 12884901888, 3000000000",
        "0xbf, -1, 1999999999",
        "0xc0, -1, 999999999",
        "0xc0, -9223372036854775808, 500000000",
        "0xc1, -1, 499999999",
        "0xff, -1, 0"
    })
    void shouldConvertEveryTimestampResolution(int resolution, long units, long nanos) throws IOException {
        CaptureBytes file = new CaptureBytes(ByteOrder.BIG_ENDIAN).section().ethernet(resolution);
        file.enhanced(0, units, DATA.length, DATA);
        assertThat(CaptureBytes.read(file.bytes())).containsExactly(frame(nanos));
    }

    /** Without if_tsresol the unit is a microsecond (4.2). */
    @Test
    void shouldAssumeMicroseconds() throws IOException {
        CaptureBytes file = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section();
        file.describe(1, 65_535, file.body()).enhanced(0, 1_700_000_000_123_456L, DATA.length, DATA);
        assertThat(CaptureBytes.read(file.bytes())).containsExactly(frame(1_700_000_000_123_456_000L));
    }

    @Test
    void shouldAddTheTimestampOffsetOfItsInterface() throws IOException {
        CaptureBytes file = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section().ethernet(9);
        CaptureBytes options = file.body().option(2, "eth0".getBytes(StandardCharsets.UTF_8));
        options.option(14, file.body().u64(-10).bytes())
                .option(9, new byte[] {3})
                .u32(0);
        file.describe(1, 0, options);
        file.enhanced(1, 12_000, DATA.length, DATA).enhanced(0, 5, DATA.length, DATA);
        assertThat(CaptureBytes.read(file.bytes())).containsExactly(frame(2 * SECOND), frame(5));
    }

    /** Section 4.4: no timestamp, no captured length; both come from elsewhere. */
    @Test
    void shouldReadSimplePackets() throws IOException {
        CaptureBytes file = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section();
        file.describe(1, 10, file.body());
        file.enhanced(0, 3, DATA.length, DATA);
        file.block(3, file.body().u32(DATA.length).raw(java.util.Arrays.copyOf(DATA, 10)));
        file.block(3, file.body().u32(4).raw(java.util.Arrays.copyOf(DATA, 4)));
        assertThat(CaptureBytes.read(file.bytes()))
                .containsExactly(
                        frame(3000),
                        CaptureBytes.Frame.of(3000, DATA.length, java.util.Arrays.copyOf(DATA, 10)),
                        CaptureBytes.Frame.of(3000, 4, java.util.Arrays.copyOf(DATA, 4)));
    }

    /** Appendix A: written by early tools. */
    @Test
    void shouldReadObsoletePacketBlocks() throws IOException {
        CaptureBytes file = new CaptureBytes(ByteOrder.BIG_ENDIAN).section().ethernet(9);
        file.block(
                2,
                file.body()
                        .u16(0)
                        .u16(9)
                        .u32(0)
                        .u32(55)
                        .u32(DATA.length)
                        .u32(DATA.length)
                        .raw(DATA));
        assertThat(CaptureBytes.read(file.bytes())).containsExactly(frame(55));
    }

    @Test
    void shouldStartAfreshInASecondSectionOfTheOtherByteOrder() throws IOException {
        CaptureBytes one =
                new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section().ethernet(9).enhanced(0, 1, DATA.length, DATA);
        CaptureBytes two =
                new CaptureBytes(ByteOrder.BIG_ENDIAN).section().ethernet(3).enhanced(0, 1, DATA.length, DATA);
        assertThat(CaptureBytes.read(one.raw(two.bytes()).bytes())).containsExactly(frame(1), frame(1_000_000));
        CaptureBytes none =
                new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section().ethernet(9).section();
        assertThat(refusal(none.enhanced(0, 1, DATA.length, DATA).bytes())).hasMessageContaining("interface 0 of 0");
    }

    @ParameterizedTest
    @MethodSource("orders")
    void shouldEndWhereNothingFollowsTheHeader(ByteOrder order) throws IOException {
        assertThat(CaptureBytes.read(
                        new CaptureBytes(order).pcapHeader(0xA1B2_C3D4).bytes()))
                .isEmpty();
        assertThat(CaptureBytes.read(new CaptureBytes(order).section().bytes())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "'', 'end of the file'",
        "00, 'end of the file'",
        "1f8b0800, gzip",
        "28b52ffd, zstd",
        "736e6f6f70000000, snoop",
        "34cdb2a1, modified",
        "a1b2cd34, modified",
        "cafebabe, 0xcafebabe",
        "00000000, 0x00000000",
        "7b226669, 0x7b226669"
    })
    void shouldSayWhatAForeignFileIs(String hex, String found) {
        CaptureFormatException e = refusal(HexFormat.of().parseHex(hex));
        assertThat(e.offset()).isZero();
        assertThat(e).hasMessageContaining("pcap or pcapng magic").hasMessageContaining(found);
    }

    @ParameterizedTest
    @CsvSource({
        "4, 3, version 2.4, 3.4",
        "6, 3, version 2.4, 2.3",
        "20, 113, Ethernet, cooked",
        "20, 101, Ethernet, raw IP",
        "20, 147, Ethernet, 147"
    })
    void shouldRefuseOtherVersionsAndLinktypes(int offset, int value, String expected, String found) {
        byte[] file = new CaptureBytes(ByteOrder.LITTLE_ENDIAN)
                .pcapHeader(0xA1B2_3C4D)
                .bytes();
        file[offset] = (byte) value;
        CaptureFormatException e = refusal(file);
        assertThat(e.offset()).isEqualTo(offset == 6 ? 4 : offset);
        assertThat(e.expected()).contains(expected);
        assertThat(e).hasMessageContaining(found);
    }

    @Test
    void shouldAcceptTheUpperLinktypeBitsThatTellOfAnFcs() throws IOException {
        byte[] file =
                new CaptureBytes(ByteOrder.BIG_ENDIAN).pcapHeader(0xA1B2_3C4D).bytes();
        file[20] = 0x24;
        assertThat(CaptureBytes.read(file)).isEmpty();
    }

    @Test
    void shouldRefuseAbsurdLengths() {
        byte[] snap =
                new CaptureBytes(ByteOrder.BIG_ENDIAN).pcapHeader(0xA1B2_3C4D).bytes();
        snap[16] = (byte) 0xFF;
        assertThat(refusal(snap).offset()).isEqualTo(16);
        CaptureBytes captured = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).pcapHeader(0xA1B2_3C4D);
        captured.u32(0).u32(0).u32(262_145).u32(262_145);
        assertThat(refusal(captured.bytes()).offset()).isEqualTo(32);
        CaptureBytes original = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).pcapHeader(0xA1B2_3C4D);
        original.u32(0).u32(0).u32(0).u32(-1);
        assertThat(refusal(original.bytes())).hasMessageContaining("original length");
    }

    @Test
    void shouldTakeTheLongestRecord() throws IOException {
        byte[] longest = new byte[262_144];
        longest[262_143] = 9;
        byte[] file = new CaptureBytes(ByteOrder.LITTLE_ENDIAN)
                .pcapHeader(0xA1B2_C3D4)
                .pcapRecord(0, 0, 3, DATA)
                .pcapRecord(0, 0, longest.length, longest)
                .bytes();
        List<CaptureBytes.Frame> frames = CaptureBytes.read(file);
        assertThat(frames.get(0).originalLength())
                .as("never below what was captured")
                .isEqualTo(DATA.length);
        assertThat(frames.get(1)).isEqualTo(CaptureBytes.Frame.of(0, longest.length, longest));
    }

    @Test
    void shouldCountOffsetsThroughALongFile() {
        CaptureBytes file = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).pcapHeader(0xA1B2_3C4D);
        for (int i = 0; i < 300; i++) {
            file.pcapRecord(i, 0, 1000, new byte[1000]);
        }
        int at = file.size() + 8;
        file.u32(0).u32(0).u32(-1).u32(-1);
        assertThat(refusal(file.bytes()).offset()).isEqualTo(at);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 8, 11, 13, 14, 0xFFFF_FFFFL})
    void shouldRefuseAbsurdBlockLengths(long length) {
        CaptureBytes file = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section();
        long at = file.size() + 4L;
        CaptureFormatException e =
                refusal(file.u32(0x0BAD).u32(length).u32(length).bytes());
        assertThat(e.offset()).isEqualTo(at);
        assertThat(e.expected()).contains("multiple of 4");
    }

    @Test
    void shouldRefuseBlocksThatDoNotHoldWhatTheySay() {
        CaptureBytes lengths = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section();
        assertThat(refusal(lengths.u32(5).u32(16).u32(0).u32(20).bytes())).hasMessageContaining("repeated");
        CaptureBytes shortEnhanced =
                new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section().ethernet(9);
        shortEnhanced.block(6, shortEnhanced.body().u32(0).u32(0).u32(0));
        assertThat(refusal(shortEnhanced.bytes())).hasMessageContaining("at least 32");
        CaptureBytes overlong =
                new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section().ethernet(9);
        overlong.block(6, overlong.body().u32(0).u32(0).u32(0).u32(100).u32(100).raw(DATA));
        assertThat(refusal(overlong.bytes())).hasMessageContaining("at least 132");
        CaptureBytes option = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section();
        option.describe(1, 0, option.body().u16(2).u16(400));
        option.block(0x0BAD, option.body().raw(new byte[1000]));
        assertThat(refusal(option.bytes()).expected()).contains("an option that ends within its block");
        CaptureBytes version = new CaptureBytes(ByteOrder.LITTLE_ENDIAN);
        version.block(
                0x0A0D_0D0AL, version.body().u32(0x1A2B_3C4DL).u16(2).u16(0).u64(-1));
        assertThat(refusal(version.bytes()).expected()).isEqualTo("version 1.0");
        CaptureBytes order = new CaptureBytes(ByteOrder.LITTLE_ENDIAN);
        order.block(0x0A0D_0D0AL, order.body().u32(0x1234_5678).u16(1).u16(0).u64(-1));
        assertThat(refusal(order.bytes()).offset()).isEqualTo(8);
    }

    @Test
    void shouldRefusePacketsOfUnknownOrForeignInterfacesOnly() throws IOException {
        CaptureBytes file = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section().ethernet(9);
        file.describe(113, 0, file.body()).enhanced(0, 1, DATA.length, DATA);
        assertThat(CaptureBytes.read(file.bytes())).hasSize(1);
        int at = file.size();
        CaptureFormatException e =
                refusal(file.enhanced(1, 1, DATA.length, DATA).bytes());
        assertThat(e.offset()).isEqualTo(at);
        assertThat(e).hasMessageContaining("Ethernet").hasMessageContaining("cooked");
        CaptureBytes simple = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section();
        assertThat(refusal(simple.block(3, simple.body().u32(0)).bytes())).hasMessageContaining("interface 0 of 0");
    }

    @ParameterizedTest
    @CsvSource({"6, -1", "9, -1", "0, 9223372037", "0x80, 9223372037", "0x81, 40000000000", "0x80, -1", "0x9d, -1"})
    void shouldRefuseTimesThatDoNotFit(int resolution, long units) {
        CaptureBytes file = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section().ethernet(resolution);
        int at = file.size() + 12;
        CaptureFormatException e =
                refusal(file.enhanced(0, units, DATA.length, DATA).bytes());
        assertThat(e.offset()).isEqualTo(at);
        assertThat(e.expected()).contains("2262");
    }

    @Test
    void shouldCloseTheStreamWhenTheHeaderIsWrongAndWithTheReader() throws IOException {
        boolean[] closed = new boolean[1];
        InputStream bad = new ByteArrayInputStream(new byte[4]) {
            @Override
            public void close() {
                closed[0] = true;
            }
        };
        assertThatExceptionOfType(CaptureFormatException.class).isThrownBy(() -> CaptureReader.open(bad, "x"));
        assertThat(closed[0]).isTrue();
        closed[0] = false;
        byte[] header = new CaptureBytes(ByteOrder.LITTLE_ENDIAN)
                .pcapHeader(0xA1B2_3C4D)
                .bytes();
        InputStream good = new ByteArrayInputStream(header) {
            @Override
            public void close() {
                closed[0] = true;
            }
        };
        CaptureReader.open(good, "x").close();
        assertThat(closed[0]).isTrue();
    }

    @Test
    void shouldReportAMissingFileAsSuch() {
        assertThatExceptionOfType(NoSuchFileException.class)
                .isThrownBy(() -> CaptureReader.open(Path.of("no", "such.pcap")));
    }
}
