/**
 * The walk through root, context and second-level tables, without any cache (VT-d 3.4, 3.7 and 9).
 *
 * <pre>
 *   rid --context()--> context entry --request()--> allowed? --page(iova)--> frame, page size, rights
 *          any step --> FaultReason
 * </pre>
 *
 * <p>Threading: under the unit's lock.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.walk;
