/**
 * A remapping unit that a guest sees and programs, with assigned devices behind it.
 *
 * <p>The unit's registers are trapped: each access of the guest is an exit. Its tables lie in guest memory, where the guest changes them
 * without an exit. Two ways make them bind the physical device:
 *
 * <pre>
 *   shadowing   legacy mode, caching mode on (CAP.CM, VT-d 6.1): the guest must invalidate after every change, mappings included
 *     guest: table entry, IQT ==exit==&gt; VirtualUnit --range--&gt; ShadowTranslation: walk of the guest's table,
 *                                                            map and unmap in the function's physical domain: IOVA to HPA
 *
 *   nesting     scalable mode, first-level tables (VT-d 3.8): the physical unit walks the guest's table itself
 *     guest: table entry                 ....physical unit: IOVA --guest's first level--&gt; GPA --host's second level--&gt; HPA
 *     guest: unmap, IQT ==exit==&gt; VirtualUnit --&gt; NestedTranslation: the same invalidation on the physical unit
 *     guest: PASID entry, IQT ==exit==&gt; VirtualUnit --&gt; NestedTranslation: an entry of type nested on the physical unit
 * </pre>
 *
 * <p>Everything in guest memory is hostile: tables may alias each other or change under a walk, so walks have a budget, and what a guest
 * maps beyond its memory is left out.
 *
 * <p>Faults go the other way. The host hears its unit's fault event, reads the records, and offers each to the guest's unit:
 *
 * <pre>
 *   physical unit: fault record --MSI--&gt; host --FaultReport--&gt; VirtualUnit.fault
 *                                                               |  whose? the guest's tables are walked for the same request
 *                                    the host's log &lt;--no------+--yes--&gt; FRCD, FSTS, fault event of the guest's unit
 * </pre>
 *
 * <p>The guest is told what its own tables refuse, by its requester id, PASID and reason, and nothing that the host's second level refuses
 * inside the guest's memory, or beyond it.
 *
 * <p>A function with a device TLB keeps it, unseen by the guest: where the host has to make the physical unit forget something, it asks the
 * function to forget it too.
 *
 * <p>Left out: interrupt remapping, device TLBs and page requests of a guest, whose unit must not offer them; guests' own second-level or
 * nested tables in scalable mode; PASIDs of more than 15 bits.
 *
 * <p>Threading: one thread at a time, the vCPU that accesses the unit; devices may run meanwhile.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.viommu;
