package io.iolab.scenarios.serve;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers {@code GET /metrics} and {@code GET /}. Nothing can be changed through it. */
final class MetricsEndpoint implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MetricsEndpoint.class);

    private static final String HTML = "text/html; charset=utf-8";
    private static final String TEXT = "text/plain; charset=utf-8";
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int METHOD_NOT_ALLOWED = 405;
    private static final int FAILED = 500;

    private final HttpServer server;
    private final ExecutorService executor;
    private final PrometheusExposition exposition;
    private final String page;

    private MetricsEndpoint(HttpServer server, PrometheusExposition exposition, String page) {
        this.server = server;
        this.exposition = exposition;
        this.page = page;
        ThreadFactory threads =
                Thread.ofPlatform().name("iolab-metrics").daemon(true).factory();
        executor = Executors.newSingleThreadExecutor(threads);
        server.setExecutor(executor);
        server.createContext("/", this::answer);
        server.start();
    }

    /**
     * Starts to listen.
     *
     * @param port 0 for any that is free
     * @param page what is at {@code /}, in HTML
     * @throws IOException if it cannot listen there; the message says what to do
     */
    static MetricsEndpoint open(InetAddress address, int port, PrometheusExposition exposition, String page)
            throws IOException {
        try {
            return new MetricsEndpoint(HttpServer.create(new InetSocketAddress(address, port), 0), exposition, page);
        } catch (BindException e) {
            throw new BindException("cannot listen on " + host(address) + ":" + port + ": " + e.getMessage()
                    + "; choose another --port (0 takes any that is free) or --address");
        }
    }

    /** Where it listens. */
    URI uri() {
        InetSocketAddress bound = server.getAddress();
        return URI.create("http://" + host(bound.getAddress()) + ":" + bound.getPort() + "/");
    }

    private static String host(InetAddress address) {
        String host = address.getHostAddress();
        return host.contains(":") ? "[" + host + "]" : host;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String method = exchange.getRequestMethod();
            if (!method.equals("GET") && !method.equals("HEAD")) {
                exchange.getResponseHeaders().set("Allow", "GET, HEAD");
                send(exchange, METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n");
                return;
            }
            switch (exchange.getRequestURI().getPath()) {
                case "/" -> send(exchange, OK, HTML, page);
                case "/metrics" -> metrics(exchange);
                default -> send(exchange, NOT_FOUND, TEXT, "nothing here; see / and /metrics\n");
            }
        }
    }

    private void metrics(HttpExchange exchange) throws IOException {
        String accept = Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst("Accept"), "");
        String contentType = PrometheusExposition.contentType(accept);
        String text;
        try {
            text = exposition.text(contentType);
        } catch (RuntimeException e) {
            // The client must see that there is no sample; the lab goes on.
            LOG.error("a scrape failed", e);
            send(exchange, FAILED, TEXT, "the scrape failed: " + e + "\n");
            return;
        }
        send(exchange, OK, contentType, text);
    }

    private static void send(HttpExchange exchange, int status, String contentType, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", contentType);
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(body.length));
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdown();
    }
}
