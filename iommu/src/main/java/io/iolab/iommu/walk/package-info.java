/**
 * The walks through root, context and PASID tables, and through first- and second-level page tables (VT-d 3.4 to 3.8 and 9).
 *
 * <pre>
 *   rid, pasid --StructureWalk--> context entry, PASID entry --> AddressSpace
 *   AddressSpace, iova --PageWalk--> frame, page size, rights
 *          any step --> FaultReason
 * </pre>
 *
 * <p>Threading: stated by each class. Structures are walked under the unit's lock, pages without one.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.walk;
