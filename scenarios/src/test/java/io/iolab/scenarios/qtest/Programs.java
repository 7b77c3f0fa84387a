package io.iolab.scenarios.qtest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The processes that these tests start. */
final class Programs {
    private static final Path SCRIPTS = Path.of("src", "test", "python", "qtest");
    private static final long PATIENCE_SECONDS = 180;
    /** The scripts give a server 20 s to connect, which is little for a JVM on a machine that is busy with other things. */
    private static final String TOO_SLOW = "no connection; stderr";

    private Programs() {}

    static boolean found(String program) {
        return run(List.of(program, "--version")).status == 0;
    }

    /** Whether the QEMU on the path is of the version that was recorded. */
    static boolean isRecordedQemu() {
        Ended ended = run(List.of("qemu-system-x86_64", "--version"));
        return ended.status == 0 && ended.output.contains("version 7.2");
    }

    private record Ended(int status, String output) {}

    private static Ended run(List<String> command) {
        try {
            Path output = Files.createTempFile("iolab-test-", ".txt");
            try {
                Process process = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
                if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                    return new Ended(-1, "no end after " + PATIENCE_SECONDS + " s\n" + Files.readString(output));
                }
                return new Ended(process.exitValue(), Files.readString(output));
            } finally {
                Files.delete(output);
            }
        } catch (IOException e) {
            return new Ended(-1, e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Ended(-1, e.toString());
        }
    }

    /**
     * Runs a recorder.
     *
     * @param server the program that it drives, words separated by blanks
     * @param mode its third argument
     * @return what it wrote
     */
    static Path record(Path folder, String script, String server, String mode) {
        Path out = folder.resolve(script + "-" + mode + ".json");
        List<String> command = List.of("python3", SCRIPTS.resolve(script).toString(), out.toString(), server, mode);
        Ended ended = run(command);
        if (ended.output.contains(TOO_SLOW)) {
            ended = run(command);
        }
        assertThat(ended.status).as(ended.output).isZero();
        return out;
    }

    /** Of the tests themselves, whichever launcher runs them. */
    private static String classPath() {
        if (Thread.currentThread().getContextClassLoader() instanceof URLClassLoader loader) {
            return Arrays.stream(loader.getURLs()).map(URL::getPath).collect(Collectors.joining(File.pathSeparator));
        }
        return System.getProperty("java.class.path");
    }

    /** Our command on this JVM, with its flags; a file, because the scripts split their argument at blanks. */
    static String ourServer() {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.add("-XX:+UseSerialGC");
        words.add("-XX:TieredStopAtLevel=1");
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--add-")
                        || flag.startsWith("--enable-native-access")
                        || flag.startsWith("--sun-misc"))
                .forEach(words::add);
        words.addAll(List.of("-cp", classPath(), "io.iolab.scenarios.cli.Main", "qtest"));
        try {
            Path launcher = Files.createTempFile("iolab-qtest-", ".sh");
            launcher.toFile().deleteOnExit();
            StringBuilder text = new StringBuilder("exec");
            words.forEach(
                    word -> text.append(" '").append(word.replace("'", "'\\''")).append('\''));
            Files.writeString(launcher, text.append(" \"$@\"\n"), StandardCharsets.UTF_8);
            return "/bin/sh " + launcher;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
