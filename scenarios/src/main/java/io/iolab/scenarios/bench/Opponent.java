package io.iolab.scenarios.bench;

import io.iolab.vmm.rings.ExchangePlan;
import io.iolab.vmm.rings.RingLayout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program of ringtest: it passes a number of buffers between two threads, and ends. */
final class Opponent {
    /** Takes a second where a buffer takes a microsecond, and says enough where it takes less. */
    private static final long TRIAL_CYCLES = 1_000_000;

    private static final long MOST_CYCLES = 2_000_000_000L;
    private static final long PATIENCE_SECONDS = 60;

    private final Path program;

    private Opponent(Path program) {
        this.program = program;
    }

    /**
     * Those that a layout is measured against.
     *
     * @throws IOException if the folder or one of them is not there, or is no program
     */
    static List<Opponent> of(RingLayout layout, Path folder) throws IOException {
        if (!Files.exists(folder)) {
            throw new NoSuchFileException(folder.toString());
        }
        if (!Files.isDirectory(folder)) {
            throw new NotDirectoryException(folder.toString());
        }
        List<Opponent> found = new ArrayList<>();
        for (String name : names(layout)) {
            Path program = folder.resolve(name);
            if (!Files.isRegularFile(program)) {
                throw new NoSuchFileException(program.toString());
            }
            if (!Files.isExecutable(program)) {
                throw new AccessDeniedException(program.toString());
            }
            found.add(new Opponent(program.toAbsolutePath()));
        }
        return found;
    }

    private static List<String> names(RingLayout layout) {
        return switch (layout) {
            case SPLIT -> List.of("virtio_ring_0_9");
            case IN_ORDER -> List.of("virtio_ring_inorder", "ring");
            case PACKED, PACKED_IN_ORDER -> List.of("ring");
        };
    }

    String name() {
        return String.valueOf(program.getFileName());
    }

    /** Buffers a second over about {@code nanos}, start and end of the process included. */
    double measure(ExchangePlan plan, long nanos) throws IOException {
        long trial = run(plan, wholeBatches(plan, TRIAL_CYCLES));
        long cycles = (long) Math.min(MOST_CYCLES, Math.max(TRIAL_CYCLES, (double) TRIAL_CYCLES * nanos / trial));
        long whole = wholeBatches(plan, cycles);
        return whole * 1e9 / run(plan, whole);
    }

    /** A batch that is not full at the end is never kicked: with --sleep both threads then wait for each other. */
    private static long wholeBatches(ExchangePlan plan, long cycles) {
        return cycles - cycles % plan.batch();
    }

    /** @return nanoseconds */
    private long run(ExchangePlan plan, long cycles) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                program.toString(),
                "--ring-size",
                String.valueOf(plan.size()),
                "--batch",
                String.valueOf(plan.batch()),
                "--run-cycles",
                String.valueOf(cycles)));
        if (plan.suppression()) {
            command.add("--sleep");
        }
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.DISCARD)
                .start();
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException(program + ": not done after " + PATIENCE_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new IOException(program + ": interrupted", e));
        } finally {
            process.destroyForcibly();
        }
        if (process.exitValue() != 0) {
            throw new IOException(program + ": ended with " + process.exitValue());
        }
        return System.nanoTime() - start;
    }
}
