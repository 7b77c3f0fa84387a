/**
 * The ledgers as meters: nothing is counted here, and nothing is added to what counts.
 *
 * <pre>
 *   ledgers, IOMMU counters, drivers (plain fields) <--read at scrape time-- LabMeters --binds--> any MeterRegistry
 *   LabMeter: the catalogue, as data; dashboards and tests are held to it
 * </pre>
 *
 * <p>Counters and gauges are function meters, which read a field when they are asked. The two timers are distributions that
 * the ledger already keeps by bucket; Micrometer has no meter that takes buckets ready-made, so on a plain registry they are
 * function timers (count and total), and an exporter that knows histograms takes {@link
 * io.iolab.vmm.metrics.LabMeters#distributions} in their place.
 *
 * <p>Beside one package in scenarios this is the only importer of Micrometer.
 *
 * <p>Threading: bind and refresh from one thread at a time; meters may be read by any thread, and may be a moment old.
 */
@NullMarked
package io.iolab.vmm.metrics;

import org.jspecify.annotations.NullMarked;
