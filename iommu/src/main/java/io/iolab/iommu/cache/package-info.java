/**
 * What the unit remembers of the tables: context cache, PASID cache, paging-structure caches and IOTLB (VT-d 6.2). Fixed arrays of
 * numbers, no allocation after construction; replacement is first-in first-out within a set.
 *
 * <pre>
 *   rid --> ContextCache --pasid--> PasidCache --CacheSpace--> Iotlb (4 KiB, 2 MiB, 1 GiB) --iova--> frame, rights
 *                                                   +--miss--> PagingStructureCache --> where the walk begins
 *                CacheVersion: odd while any of them changes; a reader without a lock checks it before and after
 *   TranslationCaches: all of them, and every invalidation that software can ask for
 * </pre>
 *
 * <p>The default geometry is 64 IOTLB entries for each page size, the capacity that Neugebauer et al. inferred for Intel Xeons of
 * their time ("Understanding PCIe performance for end host networking", SIGCOMM 2018); ways are this lab's choice, since Intel
 * publishes neither. Paging-structure caches are an option that is off by default: then an IOTLB miss walks every level.
 *
 * <p>Threading: stated by each class. Changes exclude each other by the version; invalidations happen under the unit's lock.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.cache;
