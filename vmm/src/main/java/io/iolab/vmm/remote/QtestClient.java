package io.iolab.vmm.remote;

import io.iolab.devices.bus.CpuPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The tester's end of the qtest protocol: it listens, a server of whatever make connects, and then this does the loads, stores and port accesses
 * of a processor that is not there. Drivers that act through a {@link CpuPort} can be pointed at it.
 *
 * <p>Threading: one thread at a time.
 */
public final class QtestClient implements CpuPort, AutoCloseable {
    private static final long CONNECT_MILLIS = 30_000;
    private static final int BUFFER = 64 << 10;

    private final Path folder;
    private final @Nullable Process process;
    private final SocketChannel qtest;
    private final SocketChannel monitor;
    private final Input qtestInput;
    private final Input monitorInput;
    private final List<String> interrupts = new ArrayList<>();

    /** Sockets that wait for a server. */
    public static final class Listening implements AutoCloseable {
        private final Path folder;
        private final ServerSocketChannel qtest;
        private final ServerSocketChannel monitor;

        private Listening(Path folder) throws IOException {
            this.folder = folder;
            qtest = listen(folder.resolve("qtest"));
            monitor = listen(folder.resolve("qmp"));
        }

        private static ServerSocketChannel listen(Path path) throws IOException {
            ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            channel.bind(UnixDomainSocketAddress.of(path));
            channel.configureBlocking(false);
            return channel;
        }

        /** What tells a server where to connect. */
        public List<String> arguments() {
            return List.of(
                    "-qtest",
                    "unix:" + folder.resolve("qtest"),
                    "-qtest-log",
                    "none",
                    "-chardev",
                    "socket,path=" + folder.resolve("qmp") + ",id=char0",
                    "-mon",
                    "chardev=char0,mode=control",
                    "-display",
                    "none",
                    "-nodefaults");
        }

        /**
         * Waits for a server to connect to both.
         *
         * @throws IOException if none does in half a minute
         */
        public QtestClient accept() throws IOException {
            return accept(null);
        }

        private QtestClient accept(@Nullable Process process) throws IOException {
            return new QtestClient(folder, process, take(qtest, process), take(monitor, process));
        }

        private static SocketChannel take(ServerSocketChannel listening, @Nullable Process process) throws IOException {
            long end = System.nanoTime() + CONNECT_MILLIS * 1_000_000;
            try (Selector selector = Selector.open()) {
                listening.register(selector, SelectionKey.OP_ACCEPT);
                while (System.nanoTime() < end && (process == null || process.isAlive())) {
                    selector.select(100);
                    SocketChannel accepted = listening.accept();
                    if (accepted != null) {
                        return accepted;
                    }
                }
            }
            throw new IOException("the server did not connect");
        }

        @Override
        public void close() throws IOException {
            qtest.close();
            monitor.close();
        }
    }

    /** Text from a peer, cut at line feeds. */
    private static final class Input {
        private final SocketChannel channel;
        private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER).limit(0);
        private byte[] line = new byte[256];

        Input(SocketChannel channel) {
            this.channel = channel;
        }

        String line() throws IOException {
            int length = 0;
            while (true) {
                if (!buffer.hasRemaining()) {
                    buffer.clear();
                    int got = channel.read(buffer);
                    buffer.flip();
                    if (got < 0) {
                        throw new IOException("the server closed the connection");
                    }
                    continue;
                }
                byte b = buffer.get();
                if (b == '\n') {
                    return new String(line, 0, length, StandardCharsets.ISO_8859_1).stripTrailing();
                }
                if (length == line.length) {
                    line = java.util.Arrays.copyOf(line, 2 * length);
                }
                line[length++] = b;
            }
        }
    }

    private QtestClient(Path folder, @Nullable Process process, SocketChannel qtest, SocketChannel monitor)
            throws IOException {
        this.folder = folder;
        this.process = process;
        this.qtest = qtest;
        this.monitor = monitor;
        qtestInput = new Input(qtest);
        monitorInput = new Input(monitor);
        monitorInput.line();
        monitor("qmp_capabilities", "{}");
    }

    /** Listens in a fresh folder of its own. */
    public static Listening listen() throws IOException {
        return new Listening(Files.createTempDirectory("iolab-qtest-"));
    }

    /**
     * Starts a server and waits until it has connected.
     *
     * @param server program and first arguments
     * @param machine what comes after the arguments that say where to connect
     * @param errors takes the server's standard error
     * @throws IOException if it cannot be started, or ends before it connects
     */
    public static QtestClient start(List<String> server, List<String> machine, ProcessBuilder.Redirect errors)
            throws IOException {
        try (Listening listening = listen()) {
            List<String> command = new ArrayList<>(server);
            command.addAll(listening.arguments());
            command.addAll(machine);
            Process process = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(errors)
                    .start();
            try {
                return listening.accept(process);
            } catch (IOException e) {
                process.destroyForcibly();
                delete(listening.folder);
                throw new IOException(String.join(" ", server) + ": " + e.getMessage(), e);
            }
        }
    }

    /**
     * Sends one command.
     *
     * @return the reply, of whatever kind
     * @throws UncheckedIOException if the server has gone
     */
    public String ask(String command) {
        try {
            send(qtest, command);
            while (true) {
                String line = qtestInput.line();
                if (!line.startsWith("IRQ ")) {
                    return line;
                }
                interrupts.add(line.substring(4));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Sends one command that must succeed.
     *
     * @return what follows OK
     * @throws IllegalStateException if the reply is another
     */
    public String command(String command) {
        String reply = ask(command);
        if (!reply.equals("OK") && !reply.startsWith("OK ")) {
            throw new IllegalStateException(command + ": " + reply);
        }
        return reply.length() > 3 ? reply.substring(3) : "";
    }

    private static void send(SocketChannel channel, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((text + "\n").getBytes(StandardCharsets.ISO_8859_1));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /**
     * Sends a command to the monitor.
     *
     * @param arguments a JSON object
     * @return the reply's document; events before it are dropped
     */
    public String monitor(String command, String arguments) {
        try {
            send(monitor, "{\"execute\": \"" + command + "\", \"arguments\": " + arguments + "}");
            String line = monitorInput.line();
            while (line.contains("\"event\"")) {
                line = monitorInput.line();
            }
            return line;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Changes of lines so far, {@code raise 20} and {@code lower 20}; only after the server was told to report them. */
    public List<String> interrupts() {
        return interrupts;
    }

    private static char letter(int width) {
        return switch (width) {
            case 1 -> 'b';
            case 2 -> 'w';
            case 4 -> 'l';
            default -> 'q';
        };
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    @Override
    public long load(long pa, int width) {
        return Numbers.parse(command("read" + letter(width) + " " + hex(pa)));
    }

    @Override
    public void store(long pa, int width, long value) {
        command("write" + letter(width) + " " + hex(pa) + " " + hex(value & -1L >>> 64 - 8 * width));
    }

    @Override
    public int in(int port, int width) {
        return (int) Numbers.parse(command("in" + letter(width) + " " + hex(port)));
    }

    @Override
    public void out(int port, int width, int value) {
        command("out" + letter(width) + " " + hex(port) + " " + hex(value & -1L >>> 64 - 8 * width));
    }

    /** Copies out of memory. */
    public byte[] read(long pa, int length) {
        return HexFormat.of().parseHex(command("read " + hex(pa) + " " + length).substring(2));
    }

    /** Copies into memory. */
    public void write(long pa, byte[] bytes) {
        command("write " + hex(pa) + " " + bytes.length + " 0x" + HexFormat.of().formatHex(bytes));
    }

    /** The server that {@link #start} started, or null. */
    public @Nullable Process process() {
        return process;
    }

    /** Asks the server to quit, and ends it by force if it has not after ten seconds. A server that this did not start is only left. */
    @Override
    public void close() throws IOException {
        Process server = process;
        if (server != null && server.isAlive()) {
            try {
                send(monitor, "{\"execute\": \"quit\"}");
                if (!server.waitFor(10, TimeUnit.SECONDS)) {
                    server.destroyForcibly();
                }
            } catch (IOException e) {
                server.destroyForcibly();
            } catch (InterruptedException e) {
                server.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
        qtest.close();
        monitor.close();
        delete(folder);
    }

    private static void delete(Path folder) throws IOException {
        Files.deleteIfExists(folder.resolve("qtest"));
        Files.deleteIfExists(folder.resolve("qmp"));
        Files.deleteIfExists(folder);
    }
}
