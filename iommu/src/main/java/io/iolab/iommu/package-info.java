/**
 * A VT-d remapping unit in legacy mode (VT-d 3.4, 6, 7, 10): DMA of assigned devices through tables that host software keeps
 * in memory.
 *
 * <pre>
 *   host software --registers()--> RegisterFile --GCMD, CCMD, IOTLB, IQT, FSTS--> GlobalCommand, invalidate, fault
 *   device --portFor(rid)--> RemappedPort --iova--> Translator (context cache, IOTLB, walk) --hpa--> host memory
 *                                 +--0xFEEx_xxxx--> MessagePort
 * </pre>
 *
 * <p>Scalable mode, interrupt remapping, posting and device TLBs are not offered, and CAP and ECAP say so.
 *
 * <p>Threading: registers from any thread; a port from one thread at a time, ports beside each other. A hit takes no lock;
 * everything else happens under one lock per unit.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu;
