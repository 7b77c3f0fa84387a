package io.iolab.scenarios.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.vmm.inject.Bug;
import io.iolab.vmm.ledger.Path;
import java.util.Objects;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code iolab inject}. */
@Command(
        name = "inject",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {"Bugs that drivers, devices and hosts had, to be put into a run and found again.", ""},
        footer = {
            "Examples:",
            "  iolab inject list",
            "  iolab inject show transmit-hang               what goes wrong, what is to be seen, the right fix",
            "  iolab compare --inject transmit-hang          in every guest that can have it",
            "  iolab compare --inject rdt-off-by-one@emulated --inject missed-kick-recheck",
            "",
        })
final class InjectCommand implements Runnable {
    private static final int WIDTH = 100;

    private final Session session;

    @Spec
    private CommandSpec spec;

    InjectCommand(Session session) {
        this.session = session;
    }

    @Override
    public void run() {
        throw new MissingCommandException(spec.commandLine());
    }

    @Command(name = "list", mixinStandardHelpOptions = true, description = "The bugs, each in a line.")
    int list(@Option(names = "--json", description = "As one JSON document, iolab.inject/1.") boolean json) {
        session.print(json ? json() : table());
        return ExitCode.DONE;
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Explain one bug.")
    int show(@Parameters(paramLabel = "NAME", description = "A bug, as iolab inject list has it.") String name) {
        Bug bug = BugNames.find(name, Objects.requireNonNull(spec.subcommands().get("show")));
        StringBuilder out = new StringBuilder(bug.label()).append("\n\n");
        section(out, "At fault", "the " + bug.fault().label());
        section(out, "Paths", paths(bug) + BugNames.conditions(bug));
        section(out, "Strikes after", bug.strikesAfter());
        section(out, "What goes wrong", bug.wrong());
        section(out, "What is to be seen", bug.symptom());
        section(out, "Right", bug.fix());
        section(out, "Met", bug.met());
        section(out, "Try", "iolab compare --inject " + bug.label());
        session.print(out.toString());
        return ExitCode.DONE;
    }

    private static void section(StringBuilder out, String title, String text) {
        out.append(title).append('\n');
        StringBuilder line = new StringBuilder("  ");
        for (String word : text.split(" ", -1)) {
            if (line.length() + 1 + word.length() > WIDTH) {
                out.append(line.toString().stripTrailing()).append('\n');
                line.setLength(2);
            }
            line.append(word).append(' ');
        }
        out.append(line.toString().stripTrailing()).append("\n\n");
    }

    private static String paths(Bug bug) {
        return bug.paths().stream().map(Path::label).collect(Collectors.joining(", "));
    }

    private static String table() {
        StringBuilder out = new StringBuilder();
        out.append(String.format("%-26s %-8s %-30s %s\n", "NAME", "AT FAULT", "PATHS", "WHAT IS TO BE SEEN"));
        for (Bug bug : Bug.values()) {
            out.append(String.format(
                    "%-26s %-8s %-30s %s\n", bug.label(), bug.fault().label(), paths(bug), firstPart(bug.symptom())));
        }
        return out.toString();
    }

    /** Up to the first colon, semicolon or full stop that ends a part. */
    private static String firstPart(String sentence) {
        return sentence.split("[;:.] |\\.$", 2)[0];
    }

    private static String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("schema", "iolab.inject/1");
        ArrayNode bugs = root.putArray("bugs");
        for (Bug bug : Bug.values()) {
            ObjectNode node = bugs.addObject();
            node.put("name", bug.label());
            node.put("fault", bug.fault().label());
            ArrayNode paths = node.putArray("paths");
            bug.paths().forEach(path -> paths.add(path.label()));
            node.put("needs_event_index", bug.needsEventIndex());
            node.put("strikes_after", bug.strikesAfter());
            node.put("wrong", bug.wrong());
            node.put("symptom", bug.symptom());
            node.put("fix", bug.fix());
            node.put("met", bug.met());
        }
        return ResultJson.text(root);
    }
}
