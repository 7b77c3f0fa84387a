package io.iolab.scenarios.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.vmm.remote.QtestBench;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code iolab bench}. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = {"Measurements: rings and qtest on this machine's clock, IOMMU policies in virtual time.", ""},
        footer = {
            "Examples:",
            "  iolab bench rings",
            "  iolab bench iommu-policy",
            "  iolab bench viommu",
            "  iolab bench qtest --server qemu-system-x86_64",
            ""
        })
final class BenchCommand implements Runnable {
    private static final int MOST_TURNS = 1000;

    private final Session session;

    @Spec
    private CommandSpec spec;

    BenchCommand(Session session) {
        this.session = session;
    }

    @Override
    public void run() {
        throw new MissingCommandException(spec.commandLine());
    }

    /** One server's turns. */
    private record Result(String server, double[] nanosPerFrame) {
        double median() {
            return nanosPerFrame[nanosPerFrame.length / 2];
        }
    }

    /** {@code iolab bench qtest}. */
    @Command(
            name = "qtest",
            mixinStandardHelpOptions = true,
            description = {
                "Nanoseconds that an e1000 takes to transmit a frame, ours and others, driven by the same script over qtest:",
                "a ring of 4096 descriptors of 60 bytes, one write of TDT a lap, a cable that leads nowhere.",
                "",
            },
            footer = {
                "Examples:",
                "  iolab bench qtest                               ours alone",
                "  iolab bench qtest --server qemu-system-x86_64   ours and QEMU's",
                "",
            })
    int qtest(
            @Option(
                            names = "--server",
                            paramLabel = "CMD",
                            description = "Another server to measure, words separated by blanks; may be repeated.")
                    List<String> servers,
            @Option(
                            names = "--turns",
                            paramLabel = "N",
                            defaultValue = "9",
                            description = "Turns, of which the median counts; default ${DEFAULT-VALUE}.")
                    int turns,
            @Option(
                            names = "--laps",
                            paramLabel = "N",
                            defaultValue = "200",
                            description = "Laps of the ring a turn; default ${DEFAULT-VALUE}.")
                    int laps,
            @Option(names = "--json", description = "As one JSON document, iolab.bench.qtest/1.") boolean json)
            throws IOException {
        if (turns < 1 || turns > MOST_TURNS || laps < 1) {
            throw new ParameterException(spec.commandLine(), "--turns is 1 to " + MOST_TURNS + ", --laps 1 or more");
        }
        List<Result> results = new ArrayList<>();
        results.add(new Result("iolab qtest", QtestBench.measure(ourselves(), turns, laps)));
        for (String server : servers == null ? List.<String>of() : servers) {
            List<String> words = List.of(server.strip().split(" +"));
            results.add(new Result(server, QtestBench.measure(words, turns, laps)));
        }
        session.print(json ? json(results, turns, laps) : table(results));
        return ExitCode.DONE;
    }

    /** The command that this process is, with {@code qtest} for an argument. */
    private static List<String> ourselves() {
        List<String> words = new ArrayList<>();
        words.add(ProcessHandle.current().info().command().orElse("java"));
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (!flag.startsWith("-agentlib")) {
                words.add(flag);
            }
        }
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "qtest"));
        return words;
    }

    private static String table(List<Result> results) {
        int width = "server".length();
        for (Result result : results) {
            width = Math.max(width, result.server.length());
        }
        StringBuilder out = new StringBuilder();
        out.append(String.format(
                "%-" + width + "s  %9s  %7s  %7s  %8s%n", "server", "ns/frame", "least", "most", "to ours"));
        double ours = results.getFirst().median();
        for (Result result : results) {
            double[] turns = result.nanosPerFrame;
            out.append(String.format(
                    "%-" + width + "s  %9.1f  %7.1f  %7.1f  %8.2f%n",
                    result.server,
                    result.median(),
                    turns[0],
                    turns[turns.length - 1],
                    result.median() / ours));
        }
        return out.toString();
    }

    private static String json(List<Result> results, int turns, int laps) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("schema", "iolab.bench.qtest/1");
        root.put("turns", turns).put("laps", laps);
        ArrayNode list = root.putArray("servers");
        for (Result result : results) {
            ArrayNode each = list.addObject()
                    .put("server", result.server)
                    .put("ns_per_frame_median", result.median())
                    .putArray("ns_per_frame");
            for (double nanos : result.nanosPerFrame) {
                each.add(nanos);
            }
        }
        return ResultJson.text(root);
    }
}
