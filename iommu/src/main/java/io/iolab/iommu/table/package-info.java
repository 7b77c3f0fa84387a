/**
 * The translation structures that software keeps in memory, as pure functions on their 64-bit words (VT-d chapter 9).
 *
 * <pre>
 *   legacy    RTADDR --> root table [bus] --> context table [devfn] --> second-level table, 3 to 5 levels --> page
 *   scalable  RTADDR --> root table [bus] --> context table [devfn] --> PASID directory --> PASID table --> first level, second
 *                                                                                          level, or first through second
 * </pre>
 *
 * <p>Threading: no state.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.table;
