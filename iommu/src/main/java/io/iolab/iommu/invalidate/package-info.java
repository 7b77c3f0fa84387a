/**
 * How software makes the unit forget: by register, or by a queue in memory (VT-d 6.5).
 *
 * <pre>
 *   CCMD, IVA + IOTLB --RegisterInvalidation--+
 *                                             +--> Invalidations --> TranslationCaches, InterruptEntryCache
 *   IQT --InvalidationQueue (memory)----------+         +----------> device TLBs; responses to page requests
 *            wait: status dword, completion event      error: FSTS.IQE, ITE, fault event
 * </pre>
 *
 * <p>Threading: under the unit's lock.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.invalidate;
