package io.iolab.scenarios.scenario;

import io.iolab.vmm.config.ConfigException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/** Scenarios by bundled name or by file. */
public final class ScenarioCatalog {
    /** What {@code iolab compare} runs when no scenario is named. */
    public static final String DEFAULT = "side-by-side";

    private static final List<String> NAMES = List.of(
            DEFAULT,
            "ping-pong",
            "mixed-sizes",
            "doorbell-cost",
            "pcap-replay",
            "virtio-backends",
            "rings",
            "shared-msix-page",
            "posted-interrupts",
            "sriov",
            "guest-iommu");

    private ScenarioCatalog() {}

    /** The bundled scenarios, the default first. */
    public static List<String> names() {
        return NAMES;
    }

    /** The text of a bundled scenario, comments and all. */
    public static String text(String name) throws UnknownScenarioException, IOException {
        if (!NAMES.contains(name)) {
            throw new UnknownScenarioException(name);
        }
        String resource = "/io/iolab/scenarios/scenario/" + name + ".yaml";
        try (InputStream in = ScenarioCatalog.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new FileNotFoundException("no bundled scenario " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** A bundled scenario. */
    public static Scenario bundled(String name) throws UnknownScenarioException, ConfigException, IOException {
        return ScenarioReader.parse(name + ".yaml", text(name), null);
    }

    /**
     * @param nameOrFile a bundled name, or the path of a file; a file called like a bundled scenario is reached by
     *     {@code ./name}
     * @throws UnknownScenarioException if it is neither and does not look like a path
     * @throws ConfigException if the file is not a scenario
     * @throws IOException if it looks like a path, and no file can be read there
     */
    public static Scenario find(String nameOrFile) throws UnknownScenarioException, ConfigException, IOException {
        if (NAMES.contains(nameOrFile)) {
            return bundled(nameOrFile);
        }
        try {
            Path file = Path.of(nameOrFile);
            if (ScenarioReader.looksLikeFile(nameOrFile) || Files.isRegularFile(file)) {
                return ScenarioReader.read(file);
            }
        } catch (InvalidPathException e) {
            // Not a path, so not a scenario: said below.
        }
        throw new UnknownScenarioException(nameOrFile);
    }
}
