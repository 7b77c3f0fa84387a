package io.iolab.scenarios.cli;

import io.iolab.scenarios.bench.RingBench;
import io.iolab.scenarios.bench.RingJson;
import io.iolab.scenarios.bench.RingResult;
import io.iolab.scenarios.bench.RingTable;
import io.iolab.vmm.rings.ExchangePlan;
import io.iolab.vmm.rings.RingLayout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code iolab bench rings}. */
@Command(
        name = "rings",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {
            "Pass buffers through virtqueues, a driver on one thread and a device on another.",
            "",
            "With suppression, VIRTIO_F_EVENT_IDX is in force: a thread that finds nothing to do asks for an event and sleeps,",
            "and the other wakes it. Without, both poll. A batch is how many buffers one index or flag shows.",
            "Two processors must be free. The threads are not pinned: start it under taskset to do that.",
            ""
        },
        sortOptions = false,
        footer = {
            "Examples:",
            "  iolab bench rings",
            "  iolab bench rings --layout packed --batch 1,16,64 --suppression on",
            "  iolab bench rings --against linux/tools/virtio/ringtest   in turn with the same rings in C, built there by make",
            "",
        })
final class BenchRingsCommand implements Callable<Integer> {
    private static final long PICOS_PER_NANO = 1000;
    private static final int MOST_TURNS = 1000;

    /** A layout by its label. */
    static final class Layout implements ITypeConverter<RingLayout> {
        @Override
        public RingLayout convert(String text) {
            for (RingLayout layout : RingLayout.values()) {
                if (layout.label().equals(text)) {
                    return layout;
                }
            }
            List<String> labels =
                    Arrays.stream(RingLayout.values()).map(RingLayout::label).toList();
            throw new TypeConversionException(
                    "expected one of " + String.join(", ", labels) + ", found '" + text + "'");
        }
    }

    /** On or off. */
    static final class Switch implements ITypeConverter<Boolean> {
        @Override
        public Boolean convert(String text) {
            return switch (text) {
                case "on" -> true;
                case "off" -> false;
                default -> throw new TypeConversionException("expected on or off, found '" + text + "'");
            };
        }
    }

    private final Session session;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--layout",
            split = ",",
            paramLabel = "LAYOUT",
            converter = Layout.class,
            defaultValue = "split,in-order,packed",
            description = "split, in-order, packed, packed-in-order; default ${DEFAULT-VALUE}.")
    private List<RingLayout> layouts;

    @Option(
            names = "--suppression",
            arity = "1",
            split = ",",
            paramLabel = "on|off",
            converter = Switch.class,
            defaultValue = "on,off",
            description = "Default ${DEFAULT-VALUE}.")
    private List<Boolean> suppression;

    @Option(
            names = "--batch",
            split = ",",
            paramLabel = "N",
            defaultValue = "1,64",
            description = "Buffers shown at once; default ${DEFAULT-VALUE}.")
    private List<Integer> batches;

    @Option(
            names = "--size",
            paramLabel = "N",
            defaultValue = "" + ExchangePlan.DEFAULT_SIZE,
            description = "Descriptors in the ring, a power of two; default ${DEFAULT-VALUE}.")
    private int size;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            converter = RunOptions.Time.class,
            defaultValue = "1s",
            description = "Of each measurement; default ${DEFAULT-VALUE}.")
    private long duration;

    @Option(
            names = "--turns",
            paramLabel = "N",
            defaultValue = "3",
            description = "Measurements of each case, whose median is printed; default ${DEFAULT-VALUE}.")
    private int turns;

    @Option(
            names = "--against",
            paramLabel = "DIR",
            description = "Run the programs of Linux's ringtest found there in turn, and print ratios.")
    private @Nullable Path against;

    @Option(names = "--json", description = "As one JSON document, iolab.bench.rings/1.")
    private boolean json;

    BenchRingsCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException {
        RingBench bench = new RingBench(plans(), turns, duration / PICOS_PER_NANO, Optional.ofNullable(against));
        boolean watched = Terminal.isStandardError();
        List<RingResult> results = bench.run(next -> {
            if (watched) {
                session.err().println(next);
            }
        });
        session.print(json ? RingJson.text(bench, results, session.version()) : RingTable.render(results));
        return ExitCode.DONE;
    }

    private List<ExchangePlan> plans() {
        if (turns < 1 || turns > MOST_TURNS) {
            throw new ParameterException(spec.commandLine(), "--turns: expected 1 to " + MOST_TURNS);
        }
        if (duration < PICOS_PER_NANO) {
            throw new ParameterException(spec.commandLine(), "--duration: expected a time above 0");
        }
        List<ExchangePlan> plans = new ArrayList<>();
        for (RingLayout layout : layouts) {
            for (boolean suppressed : suppression) {
                for (int batch : batches) {
                    plans.add(plan(layout, batch, suppressed));
                }
            }
        }
        return plans;
    }

    private ExchangePlan plan(RingLayout layout, int batch, boolean suppressed) {
        try {
            return new ExchangePlan(layout, size, batch, suppressed);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
