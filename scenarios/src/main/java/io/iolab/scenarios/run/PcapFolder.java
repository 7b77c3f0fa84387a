package io.iolab.scenarios.run;

import io.iolab.devices.net.PcapWriter;
import io.iolab.vmm.backend.Link;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A folder with one nanosecond capture per link, {@code <link>.pcap}. A capture is written as {@code <link>.pcap.part} and gets
 * its name when it is complete, so that whatever carries the name can be read.
 *
 * <p>Threading: each link's tap on that link's sending thread; everything else on one thread while no link is used.
 */
public final class PcapFolder implements AutoCloseable {
    private static final String UNFINISHED = ".part";

    private final Path folder;
    private final List<PcapWriter> writers = new ArrayList<>();

    private PcapFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * Creates the folder if there is none.
     *
     * @throws IOException if it cannot be created, or files cannot be created in it
     */
    public static PcapFolder open(Path folder) throws IOException {
        Files.createDirectories(folder);
        Path probe = folder.resolve(".iolab-" + ProcessHandle.current().pid() + UNFINISHED);
        Files.write(probe, new byte[0]);
        Files.delete(probe);
        return new PcapFolder(folder);
    }

    /**
     * Captures each of these links from now on.
     *
     * @throws IOException if a file cannot be created
     */
    public void attach(List<Link> links) throws IOException {
        for (Link link : links) {
            String name = link.name().replaceAll("[^A-Za-z0-9._-]", "_");
            Path file = folder.resolve(name + ".pcap" + UNFINISHED);
            PcapWriter writer = PcapWriter.create(file);
            // An interrupted run leaves nothing either.
            file.toFile().deleteOnExit();
            writers.add(writer);
            link.tap((nanos, frame, offset, length) -> writer.append(nanos, frame, offset, length));
        }
    }

    /**
     * Closes the captures and gives them their names.
     *
     * @return why captures are missing, one entry each
     */
    public List<IOException> finish() {
        List<IOException> failures = new ArrayList<>();
        for (PcapWriter writer : writers) {
            try {
                writer.close();
                String part = writer.file().toString();
                Path complete = Path.of(part.substring(0, part.length() - UNFINISHED.length()));
                Files.move(writer.file(), complete, StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException e) {
                failures.add(e);
            }
        }
        return failures;
    }

    /** Removes what did not get its name. */
    @Override
    public void close() {
        for (PcapWriter writer : writers) {
            try (writer) {
                Files.deleteIfExists(writer.file());
            } catch (IOException e) {
                // The failure that left the file there has been reported; it goes when the process ends.
            }
        }
    }
}
