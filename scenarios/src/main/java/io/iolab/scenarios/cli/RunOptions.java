package io.iolab.scenarios.cli;

import io.iolab.scenarios.scenario.Scenario;
import io.iolab.scenarios.scenario.ScenarioReader;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.config.Quantity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of every command that runs a scenario. */
final class RunOptions {
    /** A time with a unit, in picoseconds. */
    static final class Time implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            Long picos = Quantity.TIME.parse(text);
            if (picos == null) {
                throw new TypeConversionException("expected " + Quantity.TIME.expected() + ", found '" + text + "'");
            }
            return picos;
        }
    }

    /** One form of result at a time. */
    static final class Form {
        @Option(names = "--json", description = "The result as one JSON document, iolab.result/1.")
        boolean json;

        @Option(names = "--csv", description = "The result as CSV, one row per path.")
        boolean csv;
    }

    @ArgGroup(exclusive = true)
    @Nullable
    Form form;

    @Option(names = "--output", paramLabel = "FILE", description = "Write the result there, not to standard output.")
    @Nullable
    Path output;

    @Option(
            names = "--pcap",
            paramLabel = "DIR",
            description = "Capture every link there, one pcap file each, warm-up included.")
    @Nullable
    Path pcap;

    @Option(names = "--seed", paramLabel = "N", description = "In place of the scenario's.")
    @Nullable
    Long seed;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            converter = Time.class,
            description = "Of the measured part, such as 20ms, in place of the scenario's.")
    @Nullable
    Long duration;

    @Option(
            names = "--warmup",
            paramLabel = "TIME",
            converter = Time.class,
            description = "Traffic before the figures start, in place of the scenario's.")
    @Nullable
    Long warmup;

    @Option(names = "--profile", paramLabel = "NAME|FILE", description = "Cost profile, in place of the scenario's.")
    @Nullable
    String profile;

    @Option(
            names = "--clock",
            paramLabel = "virtual|wall",
            description = "virtual: deterministic, costs from the profile; wall: real threads and the machine's time.")
    @Nullable
    ClockMode clock;

    @Option(names = "--spend", description = "With --clock wall: burn the profile's costs as busy time.")
    boolean spend;

    @Option(
            names = "--metrics-dump",
            paramLabel = "FILE",
            description =
                    "Write the counters there in the Prometheus text format, as a scrape at the end would see them.")
    @Nullable
    Path metricsDump;

    @Option(
            names = "--inject",
            paramLabel = "NAME[@GUEST]",
            description =
                    "Put a bug into every guest that can have it, or into one; repeatable. Names: iolab inject list.")
    List<String> inject = new ArrayList<>();

    /** The scenario with what these options replace. */
    Scenario applyTo(Scenario scenario) throws ConfigException, IOException {
        Scenario changed = scenario;
        if (seed != null) {
            changed = changed.withSeed(seed);
        }
        if (clock != null) {
            changed = changed.withClock(clock);
        }
        if (profile != null) {
            changed = changed.withProfile(ScenarioReader.profile(profile));
        }
        return changed.withTimes(
                warmup != null ? warmup : changed.warmupPicos(), duration != null ? duration : changed.durationPicos());
    }
}
