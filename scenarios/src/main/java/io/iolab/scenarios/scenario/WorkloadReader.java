package io.iolab.scenarios.scenario;

import io.iolab.devices.net.CaptureReader;
import io.iolab.scenarios.scenario.ScenarioKeys.Flow;
import io.iolab.scenarios.scenario.ScenarioKeys.Traffic;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.config.ConfigNode;
import io.iolab.vmm.guest.Workload;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The mapping {@code workload}. */
final class WorkloadReader {
    /** Finds the file that a key names. */
    interface FileFinder {
        Path existing(ConfigNode node, String key, String path) throws ConfigException;
    }

    private WorkloadReader() {}

    static Workload read(ConfigNode node, FileFinder files) throws ConfigException {
        WorkloadKind kind = Traffic.KIND.read(node);
        Key.only(node, Traffic.of(kind));
        return switch (kind) {
            case UDP_STREAM -> udpStream(node);
            case PING_PONG ->
                new Workload.PingPong(
                        Traffic.SIZE.read(node).intValue(), Traffic.COUNT.read(node, 0L), Traffic.THINK.read(node, 0L));
            case REPLAY ->
                new Workload.Replay(
                        capture(node, files),
                        Traffic.FLAT_OUT.read(node, false),
                        Traffic.BOTH_SIDES.read(node, false),
                        Traffic.LOOPS.read(node, 0L));
            case ECHO -> new Workload.EchoResponder(Traffic.SIZE.read(node).intValue(), Traffic.RATE.read(node, 0L));
        };
    }

    private static Workload udpStream(ConfigNode node) throws ConfigException {
        if (Traffic.SIZE.has(node) == Traffic.SIZES.has(node)) {
            throw node.error("expected either size or sizes");
        }
        List<Integer> sizes =
                Traffic.SIZE.has(node) ? List.of(Traffic.SIZE.read(node).intValue()) : Traffic.SIZES.read(node);
        Workload.Flow transmit = flow(Traffic.TRANSMIT.find(node));
        Workload.Flow receive = flow(Traffic.RECEIVE.find(node));
        if (!transmit.enabled() && !receive.enabled()) {
            throw node.error("expected transmit, receive or both");
        }
        return new Workload.UdpStream(sizes, transmit, receive);
    }

    private static Workload.Flow flow(Optional<ConfigNode> found) throws ConfigException {
        if (found.isEmpty()) {
            return Workload.Flow.OFF;
        }
        ConfigNode node = found.get();
        Key.only(node, Flow.ALL);
        return new Workload.Flow(
                true, Flow.RATE.read(node, 0L), Flow.BURST.read(node, 1L).intValue(), Flow.COUNT.read(node, 0L));
    }

    private static Path capture(ConfigNode node, FileFinder files) throws ConfigException {
        if (Traffic.FILE.has(node) == Traffic.CAPTURE.has(node)) {
            throw node.error("expected either file or capture");
        }
        if (Traffic.FILE.has(node)) {
            Path file = files.existing(node, Traffic.FILE.name(), Traffic.FILE.read(node));
            check(node, file);
            return file;
        }
        String name = Traffic.CAPTURE.read(node);
        try {
            Optional<Path> bundled = BundledFiles.capture(name);
            if (bundled.isPresent()) {
                return bundled.get();
            }
        } catch (IOException e) {
            throw node.error(Traffic.CAPTURE.name(), "cannot open the bundled capture " + name + ": " + e.getMessage());
        }
        throw node.error(
                Traffic.CAPTURE.name(),
                "expected one of " + String.join(", ", BundledFiles.CAPTURES) + ", found '" + name + "'");
    }

    /** Reads the capture to its end, so that a damaged one is found before the run. */
    private static void check(ConfigNode node, Path file) throws ConfigException {
        try (CaptureReader capture = CaptureReader.open(file)) {
            if (!capture.next()) {
                throw node.error(Traffic.FILE.name(), "expected a capture with frames, found none in " + file);
            }
            while (capture.next()) {
                // Only its form matters here.
            }
        } catch (IOException e) {
            throw node.error(Traffic.FILE.name(), "cannot use this capture: " + e.getMessage());
        }
    }
}
