/**
 * Why a remapping unit translates or blocks a request: the walk again, entry by entry, with the fields of each and the bit that decided.
 *
 * <pre>
 *   RTADDR, tables in memory --TableExplainer--&gt; TableWalk = TableStep* (address, words, TableField*) + outcome
 * </pre>
 *
 * <p>It reads the tables as they are now, through the same views of entries as the unit ({@link io.iolab.iommu.table}), and in the same
 * order of checks; it looks into no cache, sets no accessed or dirty bit and records no fault. Where the unit still uses a translation
 * that the tables do not have any more, the two differ: that is what a stale entry is.
 *
 * <p>Threading: stateless; software may change the tables meanwhile.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.explain;
