package io.iolab.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * The requirements of one specification, as a file lists them.
 *
 * @param specification its name and version, as sections are cited: "virtio 1.2"
 */
record Requirements(String specification, String title, List<Requirement> all) {

    /**
     * @param section as an {@code @Spec} must cite it
     * @param unmet why it is not met; null if a test shows that it is
     */
    record Requirement(
            String id,
            String section,
            String must,
            @Nullable String unmet) {}

    static Requirements read(Path file) {
        try {
            Map<?, ?> document =
                    (Map<?, ?>) new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
            String specification = text(document, "specification");
            String name = specification.substring(0, specification.indexOf(' '));
            List<?> entries = (List<?>) document.get("requirements");
            return new Requirements(
                    specification,
                    text(document, "title"),
                    entries.stream()
                            .map(entry -> requirement((Map<?, ?>) entry, specification, name))
                            .toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A section of another version carries the version with it: "1.3 5.1.6.5.9". */
    private static Requirement requirement(Map<?, ?> entry, String specification, String name) {
        String section = text(entry, "section");
        String cited = section.indexOf(' ') < 0 ? specification + " " + section : name + " " + section;
        return new Requirement(
                text(entry, "id"), cited, text(entry, "must"), entry.containsKey("not") ? text(entry, "not") : null);
    }

    private static String text(Map<?, ?> map, String key) {
        return String.valueOf(map.get(key));
    }
}
