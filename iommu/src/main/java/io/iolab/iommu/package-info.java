/**
 * A VT-d remapping unit (VT-d 3 to 7, 9, 10): DMA and interrupts of assigned devices through tables that host software keeps in
 * memory.
 *
 * <pre>
 *   host software --registers()--> RegisterFile --GCMD, CCMD, IOTLB, IQT, FSTS--> GlobalCommand, invalidate, fault
 *   device --portFor(rid)--> RemappedPort --iova--> Translator (context cache, IOTLB, walk) --hpa--> host memory
 *                                 +--0xFEEx_xxxx--> InterruptPort (entry cache, table) --> MessagePort, posted descriptor
 * </pre>
 *
 * <p>What is offered is chosen by {@link io.iolab.iommu.RemappingOptions}, and CAP and ECAP say so.
 *
 * <p>Threading: registers from any thread; a port from one thread at a time, ports beside each other. A hit and a common walk take no lock;
 * everything else happens under one lock per unit.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu;
