package io.iolab.scenarios.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.net.CaptureReader;
import io.iolab.vmm.backend.Link;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PcapFolderTest {
    @TempDir
    Path temporary;

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void shouldGiveOneReadableCapturePerLink() throws IOException {
        Path folder = temporary.resolve("new/frames");
        Link tx = new Link("emulated.tx", 1_000_000_000L, 0, 4);
        Link rx = new Link("emulated.rx", 1_000_000_000L, 0, 4);
        byte[] frame = new byte[100];
        frame[20] = 7;

        try (PcapFolder captures = PcapFolder.open(folder)) {
            captures.attach(List.of(tx, rx));
            tx.send(frame, 20, 60, 5_000_000L);
            assertThat(captures.finish()).isEmpty();
        }

        assertThat(names(folder)).containsExactly("emulated.rx.pcap", "emulated.tx.pcap");
        try (CaptureReader reader = CaptureReader.open(folder.resolve("emulated.tx.pcap"))) {
            assertThat(reader.next()).isTrue();
            assertThat(reader.nanos()).isEqualTo(5_000);
            assertThat(reader.length()).isEqualTo(60);
            assertThat(reader.bytes()[0]).isEqualTo((byte) 7);
            assertThat(reader.next()).isFalse();
        }
    }

    @Test
    void shouldLeaveNothingHalfWrittenWhenTheRunFails() throws IOException {
        try (PcapFolder captures = PcapFolder.open(temporary)) {
            captures.attach(List.of(new Link("virtio.tx", 1_000_000_000L, 0, 4)));
        }
        assertThat(names(temporary)).isEmpty();
    }

    @Test
    void shouldFailAtOnceWhenTheFolderCannotBeMade() throws IOException {
        Path file = Files.writeString(temporary.resolve("file"), "");
        assertThatThrownBy(() -> PcapFolder.open(file)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> PcapFolder.open(file.resolve("below"))).isInstanceOf(IOException.class);
    }
}
