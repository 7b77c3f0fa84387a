/**
 * Host software that programs a remapping unit as an operating system does (VT-d chapters 6, 7, 9, 10): capabilities, global
 * commands, tables, invalidation, faults. It knows registers and formats from the specification, not from the model.
 *
 * <pre>
 *   IommuDriver --UnitRegisters (CpuPort)--> the unit's window
 *   DmaMapper: PageMapper (IovaAllocator, FlushQueue), ShadowMapper (BouncePool), DirectMapper
 *      +-- Domain -- PageTable ---------+
 *      +-- ContextTables, PasidTables --+--> host memory, frames from a FrameSource
 *      +-- NestedSpace: first-level tables of a guest behind a domain
 *      +-- DomainInvalidator -- Invalidator: queue, or registers where there is none
 *      +-- InterruptTable --------------+
 *      +-- FaultLog --> FaultReport
 * </pre>
 *
 * <p>Order of duties: an entry is cleared, then the context cache, the PASID cache, the IOTLB and the device TLBs are invalidated, in
 * this order and each waited for, and only then is memory used again. A {@link io.iolab.iommu.driver.Domain} flushes strictly; what a
 * device driver maps by a {@link io.iolab.iommu.driver.DmaMapper} follows the mapper's policy.
 *
 * <p>Threading: one thread at a time for a driver and its domains.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.driver;
