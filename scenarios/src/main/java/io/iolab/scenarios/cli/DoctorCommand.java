package io.iolab.scenarios.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.result.ResultJson;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code iolab doctor}. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {"What this machine has and lacks, and what each is needed for.", ""},
        footer = {"Examples:", "  iolab doctor", "  iolab doctor --json", ""})
final class DoctorCommand implements Callable<Integer> {
    private static final long MIB = 1 << 20;

    /**
     * One thing that the lab can use.
     *
     * @param found what there is, or what to do where there is none
     */
    private record Check(String name, boolean present, String found, String neededFor) {}

    private final Session session;

    @Option(names = "--json", description = "As one JSON document, iolab.doctor/1.")
    private boolean json;

    DoctorCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        List<Check> checks = checks();
        session.print(json ? json(checks) : table(checks));
        return ExitCode.DONE;
    }

    private List<Check> checks() {
        List<Check> checks = new ArrayList<>();
        checks.add(new Check("iolab", true, session.version(), "this"));
        checks.add(new Check(
                "jdk",
                Runtime.version().feature() >= 25,
                Runtime.version() + " (" + System.getProperty("java.vm.name", "unknown") + ")",
                "everything; 25 or newer"));
        int processors = Runtime.getRuntime().availableProcessors();
        checks.add(new Check(
                "processors", processors >= 2, String.valueOf(processors), "--clock wall and serve; 2 or more"));
        checks.add(memory());
        checks.add(kvm());
        checks.add(tool("tshark", "reading captures of --pcap"));
        checks.add(tool("prometheus", "storing the metrics of serve"));
        checks.add(tool("grafana-server", "the dashboards"));
        checks.add(tool("iasl", "a second reader of the ACPI DMAR tables that the lab writes"));
        checks.add(tool("qemu-system-x86_64", "a real guest in front of the lab's devices"));
        return checks;
    }

    private static Check memory() {
        long heap = Runtime.getRuntime().maxMemory() / MIB;
        String found = heap + " MiB heap";
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system) {
            found += " of " + system.getTotalMemorySize() / MIB + " MiB, " + system.getFreeMemorySize() / MIB
                    + " MiB free";
        }
        return new Check(
                "memory", heap >= 256, found, "the guests' RAM comes on top of the heap, 64 MiB each by default");
    }

    private static Check kvm() {
        Path device = Path.of("/dev/kvm");
        String neededFor = "real guests at speed; the lab's own guests do not use it";
        if (!Files.exists(device)) {
            return new Check("/dev/kvm", false, "none", neededFor);
        }
        boolean usable = Files.isReadable(device) && Files.isWritable(device);
        return new Check("/dev/kvm", usable, usable ? "usable" : "no permission: join the group kvm", neededFor);
    }

    private static Check tool(String program, String neededFor) {
        Optional<Path> found = onPath(program);
        return new Check(program, found.isPresent(), found.map(Path::toString).orElse("not on the PATH"), neededFor);
    }

    private static Optional<Path> onPath(String program) {
        String path = System.getenv("PATH");
        if (path == null) {
            return Optional.empty();
        }
        for (String folder : path.split(File.pathSeparator, -1)) {
            try {
                Path file = Path.of(folder, program);
                if (!folder.isEmpty() && Files.isExecutable(file) && Files.isRegularFile(file)) {
                    return Optional.of(file);
                }
            } catch (InvalidPathException e) {
                // A PATH may hold anything; such an entry holds no program.
            }
        }
        return Optional.empty();
    }

    private static String table(List<Check> checks) {
        int names = 0;
        int found = 0;
        for (Check check : checks) {
            names = Math.max(names, check.name().length());
            found = Math.max(found, check.found().length());
        }
        StringBuilder out = new StringBuilder();
        for (Check check : checks) {
            out.append(String.format(
                    "%-4s  %-" + names + "s  %-" + found + "s  %s\n",
                    check.present() ? "ok" : "no",
                    check.name(),
                    check.found(),
                    check.neededFor()));
        }
        return out.toString();
    }

    private static String json(List<Check> checks) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("schema", "iolab.doctor/1");
        ArrayNode list = root.putArray("checks");
        for (Check check : checks) {
            list.addObject()
                    .put("name", check.name())
                    .put("present", check.present())
                    .put("found", check.found())
                    .put("needed_for", check.neededFor());
        }
        return ResultJson.text(root);
    }
}
