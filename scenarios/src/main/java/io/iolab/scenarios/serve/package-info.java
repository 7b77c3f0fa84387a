/**
 * A lab that is watched while it runs: its meters in Prometheus' formats, over HTTP or into a file.
 *
 * <pre>
 *   Lab ── LabMeters ──▶ PrometheusMeterRegistry ──┐
 *    └── distributions ──▶ LabHistograms ──────────┴─▶ PrometheusExposition ──▶ MetricsEndpoint (/metrics), PrometheusDump
 * </pre>
 *
 * <p>The only place that picks a registry.
 *
 * <p>Threading: the lab runs on the caller's thread and its own; requests are answered one at a time on a thread of the
 * endpoint, which only reads what the lab counts.
 */
@NullMarked
package io.iolab.scenarios.serve;

import org.jspecify.annotations.NullMarked;
