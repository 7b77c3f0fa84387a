package io.iolab.vmm.metrics;

import io.iolab.vmm.ledger.Buckets;
import java.util.Map;

/**
 * Durations that the ledger counts by bucket: what an exporter needs for a histogram.
 *
 * @param meter one of the timers
 * @param tags key to value, as on the meter
 * @param buckets live
 */
public record Distribution(LabMeter meter, Map<String, String> tags, Buckets buckets) {}
