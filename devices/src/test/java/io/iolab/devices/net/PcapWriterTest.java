package io.iolab.devices.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** draft-ietf-opsawg-pcap, nanosecond magic. */
class PcapWriterTest {

    @TempDir
    private Path directory;

    @Test
    void shouldWriteTheFormatByteByByte() throws IOException {
        Path file = directory.resolve("a.pcap");
        try (PcapWriter writer = PcapWriter.create(file)) {
            assertThat(writer.append(3_000_000_007L, new byte[] {9, 1, 2, 3, 9}, 1, 3))
                    .isTrue();
        }
        String expected = "4d3cb2a1" + "02000400" + "00000000" + "00000000" + "ffff0000" + "01000000" + "03000000"
                + "07000000" + "03000000" + "03000000" + "010203";
        assertThat(HexFormat.of().formatHex(Files.readAllBytes(file))).isEqualTo(expected);
    }

    @Test
    void shouldHaveTheHeaderOnDiskAtOnceAndFramesAfterAFlush() throws IOException {
        Path file = directory.resolve("a.pcap");
        try (PcapWriter writer = PcapWriter.create(file)) {
            assertThat(Files.size(file)).isEqualTo(24);
            writer.append(0, new byte[60], 0, 60);
            assertThat(writer.flush()).isTrue();
            assertThat(Files.size(file)).isEqualTo(100);
            assertThat(writer.file()).isEqualTo(file);
        }
        assertThat(Files.size(file)).isEqualTo(100);
    }

    @Test
    void shouldReplaceAnOlderFile() throws IOException {
        Path file = Files.write(directory.resolve("a.pcap"), new byte[1000]);
        PcapWriter writer = PcapWriter.create(file);
        writer.close();
        writer.close();
        assertThat(Files.size(file)).isEqualTo(24);
    }

    @Test
    void shouldCutFramesAtTheSnapLength() throws IOException {
        Path file = directory.resolve("a.pcap");
        byte[] jumbo = new byte[70_000];
        jumbo[65_534] = 1;
        try (PcapWriter writer = PcapWriter.create(file)) {
            for (int i = 0; i < 3; i++) {
                writer.append(i, jumbo, 0, jumbo.length);
            }
        }
        List<CaptureBytes.Frame> frames = CaptureBytes.read(Files.readAllBytes(file));
        assertThat(frames).hasSize(3).allSatisfy(frame -> {
            assertThat(frame.originalLength()).isEqualTo(70_000);
            assertThat(frame.bytes()).hasSize(65_535).endsWith((byte) 1);
        });
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldBeReadBackAsWritten(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        Path file = directory.resolve("a.pcap");
        List<CaptureBytes.Frame> expected = new ArrayList<>();
        try (PcapWriter writer = PcapWriter.create(file)) {
            long nanos = 0;
            for (int i = 0; i < 500; i++) {
                byte[] frame = new byte[random.nextInt(20) == 0 ? random.nextInt(65_536) : random.nextInt(14, 1515)];
                random.nextBytes(frame);
                nanos += random.nextLong(3_000_000_000L);
                writer.append(nanos, frame, 0, frame.length);
                expected.add(CaptureBytes.Frame.of(nanos, frame.length, frame));
            }
            assertThat(writer.frames()).isEqualTo(500);
            assertThat(writer.lost()).isZero();
        }
        assertThat(CaptureBytes.read(Files.readAllBytes(file)))
                .as("seed %d", seed)
                .isEqualTo(expected);
    }

    @Test
    void shouldSayWhyAFileCannotBeCreated() throws IOException {
        Path blocker = Files.createFile(directory.resolve("file"));
        assertRefused(directory.resolve("missing").resolve("a.pcap"), "no such directory");
        assertRefused(directory, "Is a directory");
        assertRefused(blocker.resolve("a.pcap"), "Not a directory");
    }

    private static void assertRefused(Path file, String reason) {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> PcapWriter.create(file))
                .withMessage("cannot create capture " + file + ": " + reason);
    }

    /** Linux has a device that is always full. */
    @Test
    void shouldReportAFullDiskWhenTheHeaderDoesNotFit() {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.isWritable(full), "no /dev/full on this system");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> PcapWriter.create(full))
                .withMessageContaining("/dev/full")
                .withMessageContaining("No space left on device");
    }

    /** A disk that takes so many bytes, in pieces, and is full then. */
    private static final class SmallDisk implements SeekableByteChannel {
        private final ByteArrayOutputStream content = new ByteArrayOutputStream();
        private final int capacity;
        private boolean open = true;

        SmallDisk(int capacity) {
            this.capacity = capacity;
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            int room = Math.min(Math.min(source.remaining(), 1000), capacity - content.size());
            if (room == 0) {
                throw new IOException("No space left on device");
            }
            byte[] piece = new byte[room];
            source.get(piece);
            content.writeBytes(piece);
            return room;
        }

        @Override
        public SeekableByteChannel truncate(long size) {
            byte[] kept = Arrays.copyOf(content.toByteArray(), (int) Math.min(size, content.size()));
            content.reset();
            content.writeBytes(kept);
            return this;
        }

        @Override
        public int read(ByteBuffer target) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long position() {
            return content.size();
        }

        @Override
        public SeekableByteChannel position(long position) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long size() {
            return content.size();
        }

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public void close() {
            open = false;
        }
    }

    @Test
    void shouldKeepWholeRecordsAndGoOnCountingWhenTheDiskFillsUp() throws IOException {
        SmallDisk disk = new SmallDisk(300_000);
        PcapWriter writer = new PcapWriter(Path.of("full.pcap"), disk);
        byte[] frame = new byte[1000];
        int accepted = 0;
        for (int i = 0; i < 1000; i++) {
            accepted += writer.append(i, frame, 0, frame.length) ? 1 : 0;
        }
        assertThat(accepted).isBetween(200, 500);
        assertThat(writer.frames()).isEqualTo(accepted);
        assertThat(writer.lost()).isEqualTo(1000 - accepted);
        assertThat(writer.flush()).isFalse();
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(writer::close)
                .withMessage("cannot write capture full.pcap: No space left on device");
        assertThat(disk.isOpen()).isFalse();
        List<CaptureBytes.Frame> kept = CaptureBytes.read(disk.content.toByteArray());
        assertThat(kept).hasSizeBetween(100, accepted);
        assertThat(kept.getLast().nanos()).as("none is missing before the last").isEqualTo(kept.size() - 1);
    }

    @Test
    void shouldAllocateNothingPerFrame() throws IOException {
        Path file = directory.resolve("a.pcap");
        byte[] frame = new byte[1514];
        var threads = (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        long allocated;
        try (PcapWriter writer = PcapWriter.create(file)) {
            for (int i = 0; i < 2_000; i++) {
                writer.append(i, frame, 0, 60 + i % 1400);
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 10_000; i++) {
                writer.append(i, frame, 0, 60 + i % 1400);
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
        }
        assertThat(allocated).as("bytes for 10 000 frames").isLessThan(10_000);
        assertThat(readerAllocation(threads, file))
                .as("bytes for 10 000 frames read")
                .isLessThan(10_000);
    }

    private static long readerAllocation(com.sun.management.ThreadMXBean threads, Path file) throws IOException {
        try (CaptureReader reader = CaptureReader.open(file)) {
            for (int i = 0; i < 2_000; i++) {
                assertThat(reader.next()).isTrue();
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            int frames = 0;
            while (reader.next()) {
                frames++;
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(frames).isEqualTo(10_000);
            return allocated;
        }
    }

    /** The tool that most people will open our files with has nothing to complain about: format, lengths, checksums. */
    @Test
    void shouldSatisfyTshark() throws Exception {
        assumeTrue(onPath("tshark"), "tshark is not installed: the file is not checked by another implementation");
        Path file = directory.resolve("a.pcap");
        UdpEndpoint a = new UdpEndpoint(0x0200_0000_000AL, Ipv4.parse("10.0.0.1"), 40000);
        UdpEndpoint b = new UdpEndpoint(0x0200_0000_000BL, Ipv4.parse("10.0.0.2"), 50000);
        byte[] frame = new byte[1514];
        try (PcapWriter writer = PcapWriter.create(file)) {
            writer.append(1, frame, 0, Arp.buildRequest(frame, 0, a.mac(), a.address(), b.address()));
            Arp.replyInPlace(frame, 0, 42, b.mac(), b.address());
            writer.append(1_000_000_002L, frame, 0, 42);
            int length = Icmp.buildEchoRequest(frame, 0, a, b, 77, 1, 56);
            writer.append(1_500_000_003L, frame, 0, length);
            Icmp.replyInPlace(frame, 0, length, b.mac(), b.address());
            writer.append(1_500_000_004L, frame, 0, length);
            for (int payload : new int[] {0, 1, 17, 18, 1471, 1472}) {
                writer.append(2_000_000_000L + payload, frame, 0, Udp.build(frame, 0, a, b, payload, payload));
            }
        }
        List<String> lines = tshark(
                "-r",
                file.toString(),
                "-o",
                "ip.check_checksum:TRUE",
                "-o",
                "udp.check_checksum:TRUE",
                "-T",
                "fields",
                "-e",
                "frame.time_epoch",
                "-e",
                "frame.len",
                "-e",
                "_ws.expert.message",
                "-e",
                "ip.checksum.status",
                "-e",
                "udp.checksum.status",
                "-e",
                "icmp.checksum.status",
                "-e",
                "frame.protocols");
        assertThat(lines)
                .containsExactly(
                        "0.000000001\t42\t\t\t\t\teth:ethertype:arp",
                        "1.000000002\t42\t\t\t\t\teth:ethertype:arp",
                        "1.500000003\t98\t\t1\t\t1\teth:ethertype:ip:icmp:data",
                        "1.500000004\t98\t\t1\t\t1\teth:ethertype:ip:icmp:data",
                        "2.000000000\t42\t\t1\t1\t\teth:ethertype:ip:udp",
                        "2.000000001\t43\t\t1\t1\t\teth:ethertype:ip:udp:data",
                        "2.000000017\t59\t\t1\t1\t\teth:ethertype:ip:udp:data",
                        "2.000000018\t60\t\t1\t1\t\teth:ethertype:ip:udp:data",
                        "2.000001471\t1513\t\t1\t1\t\teth:ethertype:ip:udp:data",
                        "2.000001472\t1514\t\t1\t1\t\teth:ethertype:ip:udp:data");
    }

    private static boolean onPath(String program) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1))
                .anyMatch(entry -> !entry.isEmpty() && Files.isExecutable(Path.of(entry, program)));
    }

    private List<String> tshark(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("tshark"));
        command.addAll(List.of(arguments));
        Path errors = directory.resolve("errors");
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(command)
                .redirectError(errors.toFile())
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS))
                    .as("tshark finished")
                    .isTrue();
        } finally {
            process.destroyForcibly();
        }
        // The remark about running as a superuser is not about the file.
        assertThat(Files.readString(errors, StandardCharsets.UTF_8).lines())
                .filteredOn(line -> !line.isBlank() && !line.startsWith("Running as user"))
                .isEmpty();
        assertThat(process.exitValue()).isZero();
        return Files.readAllLines(output, StandardCharsets.UTF_8);
    }
}
