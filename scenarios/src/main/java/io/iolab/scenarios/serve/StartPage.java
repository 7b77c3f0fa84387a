package io.iolab.scenarios.serve;

import io.iolab.scenarios.scenario.Scenario;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.GuestConfig;

/** What is at {@code /}: what runs here, and where its figures are. */
final class StartPage {
    private StartPage() {}

    static String html(Scenario scenario, String version) {
        StringBuilder guests = new StringBuilder();
        for (GuestConfig guest : scenario.guests()) {
            guests.append("<tr><td>%s</td><td>%s</td></tr>%n"
                    .formatted(escape(guest.name()), guest.path().label()));
        }
        return """
            <!doctype html>
            <html lang="en">
            <head><meta charset="utf-8"><title>iolab: %1$s</title></head>
            <body>
            <h1>iolab %2$s: %1$s</h1>
            <p>%3$s</p>
            <p>Seed %4$d, cost profile %5$s, %6$s.</p>
            <table>
            <tr><th>guest</th><th>path</th></tr>
            %7$s</table>
            <ul>
            <li><a href="/metrics">/metrics</a>: every counter, for Prometheus (text 0.0.4 and OpenMetrics 1.0)</li>
            </ul>
            <p>grafana/README.md in the source tree says how to see them in Grafana.</p>
            </body>
            </html>
            """.formatted(
                        escape(scenario.name()),
                        escape(version),
                        escape(scenario.description()),
                        scenario.seed(),
                        escape(scenario.profile().name()),
                        scenario.clock() == ClockMode.WALL
                                ? "wall clock: iolab_clock_virtual_seconds are real seconds"
                                : "virtual clock: iolab_clock_virtual_seconds are modelled seconds",
                        guests);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
