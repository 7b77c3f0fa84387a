package io.iolab.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.iolab.conformance.Requirements.Requirement;
import io.iolab.devices.spec.Spec;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** CONFORMANCE.md says what the tests say. {@link #WRITE} writes it anew. */
class ConformanceTest {
    private static final String LISTS = "src/test/resources/conformance";
    private static final String WRITE = "mvn -Dquick -pl scenarios -am test -Dtest=ConformanceTest"
            + " -Dsurefire.failIfNoSpecifiedTests=false -Diolab.conformance.write";
    private static final List<String> MODULES = List.of("devices", "iommu", "vmm", "scenarios");

    private record Citation(String test, Spec spec) {}

    private final Path root = root();
    private final List<Requirements> lists = lists();
    private final List<Citation> citations = citations();

    /** The folder of the checkout: surefire runs in a module's. */
    private static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.exists(here.resolve("devices")) ? here : here.getParent();
    }

    private List<Requirements> lists() {
        try (Stream<Path> files = MODULES.stream()
                .map(module -> root.resolve(module).resolve(LISTS))
                .filter(Files::isDirectory)
                .flatMap(ConformanceTest::entries)) {
            return files.sorted().map(Requirements::read).toList();
        }
    }

    private static Stream<Path> entries(Path folder) {
        try {
            return Files.list(folder);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Every module's test classes lie where this one's do, in the module's own folder. */
    private List<Citation> citations() {
        Path own = ownClasses();
        Path module = root.resolve("scenarios");
        List<Path> folders = MODULES.stream()
                .map(name -> root.resolve(name).resolve(module.relativize(own).toString()))
                .filter(Files::isDirectory)
                .toList();
        List<Citation> found = new ArrayList<>();
        new ClassFileImporter()
                .importPaths(folders).stream()
                        .flatMap(type -> type.getMethods().stream())
                        .forEach(method -> cite(method, found));
        return found;
    }

    private static Path ownClasses() {
        try {
            return Path.of(ConformanceTest.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void cite(JavaMethod method, List<Citation> found) {
        String test = method.getOwner().getSimpleName() + "." + method.getName();
        method.tryGetAnnotationOfType(Spec.class).ifPresent(spec -> found.add(new Citation(test, spec)));
        method.tryGetAnnotationOfType(Spec.All.class)
                .ifPresent(all -> Arrays.stream(all.value()).forEach(spec -> found.add(new Citation(test, spec))));
    }

    private Map<String, Requirement> byId() {
        Map<String, Requirement> byId = new TreeMap<>();
        for (Requirements list : lists) {
            for (Requirement requirement : list.all()) {
                assertThat(byId.put(requirement.id(), requirement))
                        .as("%s is listed twice", requirement.id())
                        .isNull();
            }
        }
        return byId;
    }

    private Map<String, TreeSet<String>> testsById() {
        Map<String, TreeSet<String>> tests = new TreeMap<>();
        for (Citation citation : citations) {
            tests.computeIfAbsent(citation.spec.id(), id -> new TreeSet<>()).add(citation.test);
        }
        return tests;
    }

    @Test
    void shouldCiteOnlyListedRequirementsWithTheirSections() {
        Map<String, Requirement> byId = byId();
        List<String> wrong = citations.stream()
                .filter(citation -> {
                    Requirement requirement = byId.get(citation.spec.id());
                    return requirement == null || !requirement.section().equals(citation.spec.section());
                })
                .map(citation -> citation.test + ": " + citation.spec)
                .sorted()
                .toList();
        assertThat(wrong).isEmpty();
    }

    @Test
    void shouldTestEveryRequirementThatIsNotListedAsUnmet() {
        Map<String, TreeSet<String>> tests = testsById();
        List<String> untested = byId().values().stream()
                .filter(requirement -> (requirement.unmet() == null) != tests.containsKey(requirement.id()))
                .map(requirement -> requirement.id() + " " + requirement.section() + ": " + requirement.must())
                .toList();
        assertThat(untested).isEmpty();
    }

    @Test
    void shouldHoldWhatTheTestsSayInConformanceMd() throws IOException {
        Path file = root.resolve("CONFORMANCE.md");
        String document = document();
        if (System.getProperty("iolab.conformance.write") != null) {
            Files.writeString(file, document);
        }
        assertThat(file)
                .as("CONFORMANCE.md is out of date; this writes it anew: %s", WRITE)
                .hasContent(document);
    }

    private String document() {
        Map<String, TreeSet<String>> tests = testsById();
        StringBuilder text = new StringBuilder("# Conformance\n\n"
                + "Which requirement of which specification is checked by which test, in our own words. Made from the lists in\n"
                + "`*/src/test/resources/conformance` and the `@Spec` annotations of the tests; the build fails if it is out of date, if a\n"
                + "requirement has neither a test nor a reason, or if a test cites another section.\n");
        for (Requirements list : lists) {
            long met = list.all().stream()
                    .filter(requirement -> requirement.unmet() == null)
                    .count();
            text.append("\n## ")
                    .append(list.title())
                    .append(" (")
                    .append(list.specification())
                    .append(")\n\n")
                    .append(met)
                    .append(" of ")
                    .append(list.all().size())
                    .append(" requirements have a test.\n\n| | section | requirement | tests |\n|---|---|---|---|\n");
            for (Requirement requirement : list.all()) {
                text.append("| ")
                        .append(requirement.id())
                        .append(" | ")
                        .append(requirement.section())
                        .append(" | ")
                        .append(requirement.must())
                        .append(" | ")
                        .append(evidence(requirement, tests))
                        .append(" |\n");
            }
        }
        return text.toString();
    }

    private static String evidence(Requirement requirement, Map<String, TreeSet<String>> tests) {
        if (requirement.unmet() != null) {
            return "not implemented: " + requirement.unmet();
        }
        return "`" + String.join("`, `", tests.getOrDefault(requirement.id(), new TreeSet<>())) + "`";
    }
}
