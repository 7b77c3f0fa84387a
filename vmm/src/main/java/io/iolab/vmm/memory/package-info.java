/**
 * Host frames and a guest's view of them.
 *
 * <pre>
 *   PhysicalMemory (HPA) --2 MiB and 4 KiB frames--> HostFrames --> GuestMemory: GPA -> HPA --> vCPU, emulated DMA
 *                                                          \--> page tables of the IOMMU
 * </pre>
 *
 * <p>Threading: allocation during set-up, from one thread; {@link io.iolab.vmm.memory.GuestMemory} is immutable afterwards.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.memory;
