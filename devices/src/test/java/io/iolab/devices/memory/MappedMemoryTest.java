package io.iolab.devices.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import net.openhft.chronicle.core.io.AbstractReferenceCounted;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Host memory as a file that another process can look into. */
class MappedMemoryTest {
    private static final long SIZE = 8 * 4096;

    @TempDir
    private Path directory;

    @BeforeEach
    void trace() {
        AbstractReferenceCounted.enableReferenceTracing();
    }

    @AfterEach
    void shouldHaveReleasedEveryMapping() {
        AbstractReferenceCounted.assertReferencesReleased();
    }

    @Test
    void shouldCreateAZeroedFileOfTheSizeAsked() throws IOException {
        Path file = directory.resolve("ram");
        try (PhysicalMemory memory = PhysicalMemory.map(file, SIZE)) {
            byte[] all = new byte[(int) SIZE];
            memory.read(0, all, 0, all.length);
            assertThat(all).containsOnly((byte) 0);
            assertThat(memory.size()).isEqualTo(SIZE);
            assertThat(Files.size(file)).isEqualTo(SIZE);
        }
    }

    @Test
    void shouldKeepWhatWasWrittenAfterClose() throws IOException {
        Path file = directory.resolve("ram");
        try (PhysicalMemory memory = PhysicalMemory.map(file, SIZE)) {
            memory.writeLong(0, 0x0807_0605_0403_0201L);
            memory.writeByte(SIZE - 1, (byte) 0x7F);
        }
        byte[] stored = Files.readAllBytes(file);
        assertThat(stored)
                .hasSize((int) SIZE)
                .startsWith(1, 2, 3, 4, 5, 6, 7, 8)
                .endsWith(0x7F);
        try (PhysicalMemory memory = PhysicalMemory.map(file, SIZE)) {
            assertThat(memory.readLong(0)).isEqualTo(0x0807_0605_0403_0201L);
        }
    }

    @Test
    void shouldGrowAShorterFileAndKeepItsContent() throws IOException {
        Path file = directory.resolve("ram");
        Files.write(file, new byte[] {9, 8, 7});
        try (PhysicalMemory memory = PhysicalMemory.map(file, SIZE)) {
            assertThat(memory.readInt(0)).isEqualTo(0x0007_0809);
            assertThat(memory.readLong(SIZE - 8)).isZero();
            memory.writeLong(SIZE - 8, -1);
        }
        assertThat(Files.size(file)).isEqualTo(SIZE);
    }

    @Test
    void shouldLeaveTheRestOfALongerFileAlone() throws IOException {
        Path file = directory.resolve("ram");
        byte[] content = new byte[(int) SIZE + 4096];
        Arrays.fill(content, (byte) 0x5A);
        Files.write(file, content);
        try (PhysicalMemory memory = PhysicalMemory.map(file, SIZE)) {
            memory.fill(0, SIZE, (byte) 0);
            assertThat(memory.contains(SIZE, 1)).isFalse();
        }
        assertThat(Arrays.copyOfRange(Files.readAllBytes(file), (int) SIZE, content.length))
                .hasSize(4096)
                .containsOnly((byte) 0x5A);
    }

    @Test
    void shouldShareStoresBetweenTwoMappings() throws IOException {
        Path file = directory.resolve("ram");
        try (PhysicalMemory one = PhysicalMemory.map(file, SIZE);
                PhysicalMemory other = PhysicalMemory.map(file, SIZE)) {
            one.writeInt(4096, 42);
            one.storeShortRelease(0, (short) 7);
            assertThat(other.loadShortAcquire(0)).isEqualTo((short) 7);
            assertThat(other.readInt(4096)).isEqualTo(42);
            assertThat(other.compareAndSetInt(4096, 42, 43)).isTrue();
            assertThat(one.readInt(4096)).isEqualTo(43);
        }
    }

    @Test
    void shouldOutliveTheOtherMapping() throws IOException {
        Path file = directory.resolve("ram");
        try (PhysicalMemory one = PhysicalMemory.map(file, SIZE)) {
            PhysicalMemory.map(file, SIZE).close();
            one.writeLong(SIZE - 8, 1);
            assertThat(one.readLong(SIZE - 8)).isEqualTo(1);
        }
    }

    @Test
    void shouldNameTheFileWhenItsDirectoryIsAFile() throws IOException {
        Path blocker = Files.createFile(directory.resolve("blocker"));
        assertRefused(blocker.resolve("ram"));
    }

    @Test
    void shouldNameTheFileWhenItIsADirectory() {
        assertRefused(directory);
    }

    /** Superusers may write anywhere, so for them the directory is one where the kernel lets nobody create files. */
    @Test
    void shouldNameTheFileWhenTheDirectoryIsNotWritable() throws IOException {
        Path locked = Files.createDirectory(directory.resolve("locked"));
        Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-xr-xr-x"));
        if (Files.isWritable(locked)) {
            locked = Path.of("/proc/self");
            assumeTrue(Files.isDirectory(locked), "no directory on this system refuses new files");
        }
        assertRefused(locked.resolve("iolab-ram"));
    }

    private static void assertRefused(Path file) {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> PhysicalMemory.map(file, SIZE))
                .withMessageContaining(file.toString());
    }

    @Test
    void shouldRefuseASizeThatIsNotWholePagesAndLeaveNoFile() {
        Path file = directory.resolve("ram");
        assertThatIllegalArgumentException().isThrownBy(() -> PhysicalMemory.map(file, 5000));
        assertThat(file).doesNotExist();
    }
}
