/**
 * What each mapping policy of {@link io.iolab.iommu.driver.DmaMapper} costs a network driver, and what it leaves open, in virtual
 * time.
 *
 * <pre>
 *   PolicyBench: a driver that maps a buffer, hands it to a NIC, and unmaps it
 *       | map, unmap                            | read, write: one packet
 *       v                                       v
 *   DmaMapper -- IommuDriver --registers--> RemappingUnit -- DmaPort --> host memory
 *       \____ counters ______________________ counters ___/
 *                        | times a CostProfile
 *                        v
 *                   PolicyResult
 * </pre>
 *
 * <p>Driver, unit and memory are the lab's own, and so is every count: translations, misses, invalidations, copies. Only the price of
 * each comes from the profile (VT-d 6.5 for what an invalidation is; rIOMMU, ASPLOS 2015, for what it costs).
 *
 * <p>Threading: all on the calling thread.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.policy;
