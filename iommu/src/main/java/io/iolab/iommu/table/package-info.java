/**
 * The translation structures that software keeps in memory, as pure functions on their 64-bit words (VT-d chapter 9).
 *
 * <pre>
 *   RTADDR --> root table [bus] --> context table [devfn] --> second-level table, 3 to 5 levels --> page
 * </pre>
 *
 * <p>Threading: no state.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.table;
