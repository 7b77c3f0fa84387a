/**
 * Benchmarks of the machine at hand that need no scenario: here, rings between two threads, and in turn with them the programs of
 * Linux's tools/virtio/ringtest, if somebody has built those.
 *
 * <pre>
 *   for each case (layout, suppression, batch), for each turn:
 *     RingExchange: warm up, measure --&gt; Sample          the lab's driver and device
 *     Opponent: a program, --run-cycles N --&gt; Sample      the same case in C
 *   Samples --&gt; median, least and most; ratios of pairs --&gt; RingTable, RingJson
 * </pre>
 *
 * <p>The two are measured in turn, never at once, and a ratio is that of a pair: what else the machine does then disturbs both
 * alike. No thread is pinned; whoever wants that starts the command under {@code taskset}.
 *
 * <p>Threading: one measurement at a time, on the calling thread and one more.
 */
@NullMarked
package io.iolab.scenarios.bench;

import org.jspecify.annotations.NullMarked;
