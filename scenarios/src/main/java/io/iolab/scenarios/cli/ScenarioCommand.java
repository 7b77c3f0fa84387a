package io.iolab.scenarios.cli;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.scenarios.result.ResultSchema;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.scenarios.scenario.ScenarioCatalog;
import io.iolab.scenarios.scenario.ScenarioSchema;
import io.iolab.scenarios.scenario.UnknownScenarioException;
import io.iolab.scenarios.schema.SchemaCheck;
import io.iolab.vmm.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code iolab scenario}. */
@Command(
        name = "scenario",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {"List, show and check scenarios; print their JSON Schema.", ""},
        footer = {
            "Examples:",
            "  iolab scenario list",
            "  iolab scenario show side-by-side > my.yaml   a start for one of your own",
            "  iolab scenario validate my.yaml",
            "  iolab scenario schema > scenario.schema.json  for an editor that completes",
            "  iolab scenario validate --result r.json       whether a result is iolab.result/1",
            "",
        })
final class ScenarioCommand implements Runnable {
    private final Session session;

    @Spec
    private CommandSpec spec;

    ScenarioCommand(Session session) {
        this.session = session;
    }

    @Override
    public void run() {
        throw new MissingCommandException(spec.commandLine());
    }

    @Command(name = "list", mixinStandardHelpOptions = true, description = "The bundled scenarios, each in a line.")
    int list() throws UnknownScenarioException, ConfigException, IOException {
        int width =
                ScenarioCatalog.names().stream().mapToInt(String::length).max().orElse(1);
        StringBuilder out = new StringBuilder();
        for (String name : ScenarioCatalog.names()) {
            String description = ScenarioCatalog.bundled(name).description();
            out.append(name).append(" ".repeat(width + 2 - name.length())).append(description);
            out.append(System.lineSeparator());
        }
        session.print(out.toString());
        return ExitCode.DONE;
    }

    @Command(
            name = "show",
            mixinStandardHelpOptions = true,
            description = "Print a bundled scenario, comments and all.")
    int show(@Parameters(paramLabel = "NAME", description = "A bundled scenario.") String name)
            throws UnknownScenarioException, IOException {
        session.print(ScenarioCatalog.text(name));
        return ExitCode.DONE;
    }

    @Command(name = "schema", mixinStandardHelpOptions = true, description = "Print the JSON Schema of scenario files.")
    int schema(@Option(names = "--result", description = "That of results, iolab.result/1, instead.") boolean result) {
        session.print(ResultJson.text(result ? ResultSchema.document() : ScenarioSchema.document()));
        return ExitCode.DONE;
    }

    @Command(
            name = "validate",
            mixinStandardHelpOptions = true,
            description = "Check scenario files without running them.")
    int validate(
            @Option(names = "--result", description = "The files are results, iolab.result/1.") boolean result,
            @Parameters(paramLabel = "FILE", arity = "1..*", description = "Files, or names of bundled scenarios.")
                    List<String> files) {
        Failures failures = new Failures(session.err());
        int worst = ExitCode.DONE;
        for (String file : files) {
            try {
                session.print(file + ": " + (result ? result(file) : scenario(file)) + "\n");
            } catch (UnknownScenarioException | ConfigException | IOException e) {
                worst = Math.max(worst, failures.failed(e));
            }
        }
        return worst;
    }

    private static String scenario(String file) throws UnknownScenarioException, ConfigException, IOException {
        Scenario scenario = ScenarioCatalog.find(file);
        return "valid, " + scenario.guests().size() + " guests";
    }

    private static String result(String file) throws ConfigException, IOException {
        JsonMapper mapper = JsonMapper.builder()
                .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build();
        JsonNode document;
        try {
            document = mapper.readTree(Files.readAllBytes(Path.of(file)));
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw new ConfigException(
                    file,
                    at == null ? 0 : at.getLineNr(),
                    at == null ? 0 : at.getColumnNr(),
                    "not JSON: " + e.getOriginalMessage());
        }
        List<String> problems = SchemaCheck.problems(ResultSchema.document(), document);
        if (!problems.isEmpty()) {
            throw new ConfigException(file, 0, 0, "not " + ResultJson.SCHEMA + ":\n  " + String.join("\n  ", problems));
        }
        return "valid, " + ResultJson.SCHEMA;
    }
}
