package io.iolab.vmm;

import io.iolab.iommu.RequesterCounters;
import io.iolab.vmm.ledger.GuestLedger;
import java.util.Optional;
import java.util.function.IntSupplier;

/**
 * One guest's counters as they stand, for whoever watches a run. Any thread; values may be a moment old.
 *
 * @param iommu what the IOMMU counts for the guest's device; empty where none is in between
 * @param transmitsInFlight frames handed to the device that the driver has not seen completed
 */
public record LiveCounters(GuestLedger ledger, Optional<RequesterCounters> iommu, IntSupplier transmitsInFlight) {}
