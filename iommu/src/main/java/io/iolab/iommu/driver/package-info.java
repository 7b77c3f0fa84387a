/**
 * Host software that programs a remapping unit as an operating system does (VT-d chapters 6, 7, 9, 10): capabilities, global
 * commands, tables, invalidation, faults. It knows registers and formats from the specification, not from the model.
 *
 * <pre>
 *   IommuDriver --UnitRegisters (CpuPort)--> the unit's window
 *   DmaMapper: PageMapper (IovaAllocator, FlushQueue), ShadowMapper (BouncePool), DirectMapper
 *      +-- Domain -- PageTable ---------+
 *      +-- ContextTables ---------------+--> host memory, frames from a FrameSource
 *      +-- Invalidator: queue, or registers where there is none
 *      +-- InterruptTable --------------+
 *      +-- FaultLog --> FaultReport
 * </pre>
 *
 * <p>Order of duties: an entry is cleared, then the context cache, then the IOTLB is invalidated and waited for, and only then is
 * memory used again. {@link io.iolab.iommu.driver.Domain} flushes strictly; what a device driver maps by a
 * {@link io.iolab.iommu.driver.DmaMapper} follows the mapper's policy.
 *
 * <p>Threading: one thread at a time for a driver and its domains.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.driver;
