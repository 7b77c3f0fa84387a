package io.iolab.scenarios.scenario;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystemAlreadyExistsException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Files that come inside the jar, as paths. A capture is read in place through the jar's file system, so nothing is unpacked
 * and nothing can be left behind.
 */
final class BundledFiles {
    /** Captures by name. */
    static final List<String> CAPTURES = List.of("lan-mix");

    private static final String CAPTURE_FOLDER = "/io/iolab/scenarios/captures/";
    private static final List<String> CAPTURE_SUFFIXES = List.of(".pcap", ".pcapng");

    private BundledFiles() {}

    /** A capture that comes with the lab. */
    static Optional<Path> capture(String name) throws IOException {
        if (!CAPTURES.contains(name)) {
            return Optional.empty();
        }
        for (String suffix : CAPTURE_SUFFIXES) {
            URL url = BundledFiles.class.getResource(CAPTURE_FOLDER + name + suffix);
            if (url != null) {
                return Optional.of(path(url));
            }
        }
        return Optional.empty();
    }

    private static Path path(URL url) throws IOException {
        try {
            URI uri = url.toURI();
            if (uri.getScheme().equals("jar")) {
                mount(uri);
            }
            return Path.of(uri);
        } catch (URISyntaxException e) {
            throw new IOException("cannot open " + url, e);
        }
    }

    /** Stays mounted for the life of the process: its paths are handed out. */
    private static synchronized void mount(URI jar) throws IOException {
        try {
            FileSystems.getFileSystem(jar);
        } catch (FileSystemNotFoundException e) {
            try {
                FileSystems.newFileSystem(jar, Map.of());
            } catch (FileSystemAlreadyExistsException raced) {
                // Mounted by someone else meanwhile: just as good.
            }
        }
    }
}
