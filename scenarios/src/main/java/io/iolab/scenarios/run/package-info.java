/**
 * Running a scenario: from a {@code Scenario} to a {@code Report}, with captures and counters beside.
 *
 * <pre>
 *   Scenario --LabRunner--&gt; Lab: create, tap the links, warm up, measure --&gt; RunOutcome = Report + what could not be written
 *                             |
 *                             +--PcapFolder: one capture per link
 *                             +--MetricsDump: the counters at the end, as a scrape would see them
 * </pre>
 *
 * <p>Threading: one run at a time, on the calling thread; the taps are called on the links' sending threads, one file each.
 */
@NullMarked
package io.iolab.scenarios.run;

import org.jspecify.annotations.NullMarked;
