package io.iolab.vmm.remote;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A server on a thread of its own, and the client at its other end. */
final class Served implements AutoCloseable {
    private final QtestClient client;
    private final CompletableFuture<List<String>> server;

    private Served(QtestClient client, CompletableFuture<List<String>> server) {
        this.client = client;
        this.server = server;
    }

    /** @param arguments after those that say where to connect; time stands still unless they name an accelerator */
    static Served start(String... arguments) throws IOException {
        try (QtestClient.Listening listening = QtestClient.listen()) {
            List<String> words = new ArrayList<>(listening.arguments());
            words.addAll(List.of("-m", "16M"));
            words.addAll(List.of(arguments));
            if (!words.contains("-accel")) {
                words.addAll(List.of("-accel", "qtest"));
            }
            CompletableFuture<List<String>> ended = new CompletableFuture<>();
            Thread thread = new Thread(() -> serve(words, ended), "qtest-server");
            thread.setDaemon(true);
            thread.start();
            return new Served(listening.accept(), ended);
        }
    }

    private static void serve(List<String> words, CompletableFuture<List<String>> ended) {
        try (QtestServer server = new QtestServer(QtestOptions.parse(words), "test")) {
            server.run();
            ended.complete(server.warnings());
        } catch (IOException | OptionException | RuntimeException | Error e) {
            ended.completeExceptionally(e);
        }
    }

    QtestClient client() {
        return client;
    }

    String ask(String command) {
        return client.ask(command);
    }

    /** Leaves, and waits for the server to end. */
    List<String> end() throws IOException {
        client.close();
        return ended();
    }

    /** Waits for the server to end. */
    List<String> ended() {
        try {
            return server.get(20, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws IOException {
        end();
    }
}
