package io.iolab.scenarios.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that appears complete or not at all: it is written beside its place and moved there. Devices and pipes have no such
 * place and are written directly.
 */
final class OutputFile implements AutoCloseable {
    private final Path target;
    private final Path written;

    private OutputFile(Path target, Path written) {
        this.target = target;
        this.written = written;
    }

    /**
     * Makes sure that the file can be written.
     *
     * @throws IOException if it cannot
     */
    static OutputFile open(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new FileSystemException(file.toString(), null, "is a directory, expected a file");
        }
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            return new OutputFile(file, file);
        }
        // A link stays, its target is replaced.
        Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        Path beside = target.resolveSibling(
                "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".part");
        Files.write(beside, new byte[0]);
        beside.toFile().deleteOnExit();
        return new OutputFile(target, beside);
    }

    /** Writes all of the file and puts it in its place. */
    void complete(String text) throws IOException {
        try {
            if (written.equals(target)) {
                Files.writeString(target, text, StandardCharsets.UTF_8, StandardOpenOption.WRITE);
                return;
            }
            Files.writeString(written, text, StandardCharsets.UTF_8);
            Files.move(written, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            throw e;
        } catch (IOException e) {
            // Such as a full disk, whose message does not name the file.
            throw new FileSystemException(target.toString(), null, e.getMessage());
        }
    }

    /** Removes what was not completed. */
    @Override
    public void close() {
        if (!written.equals(target)) {
            try {
                Files.deleteIfExists(written);
            } catch (IOException e) {
                // It goes when the process ends.
            }
        }
    }
}
