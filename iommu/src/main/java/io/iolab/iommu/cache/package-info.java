/**
 * What the unit remembers of the tables: context cache and IOTLB (VT-d 6.2). Fixed arrays of numbers, no allocation after
 * construction; replacement is first-in first-out within a set.
 *
 * <pre>
 *   rid --> ContextCache --domain--> Iotlb --iova--> frame, rights
 *                CacheVersion: odd while either changes; a reader without a lock checks it before and after
 * </pre>
 *
 * <p>The default geometry is 64 IOTLB entries, the capacity that Neugebauer et al. inferred for Intel Xeons of their time
 * ("Understanding PCIe performance for end host networking", SIGCOMM 2018); ways are this lab's choice, since Intel publishes
 * neither. Paging-structure caches are not modelled: an IOTLB miss walks every level.
 *
 * <p>Threading: stated by each class; all changes happen under the unit's lock.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.cache;
