/**
 * Host frames and a guest's view of them.
 *
 * <pre>
 *   PhysicalMemory (HPA) --2 MiB and 4 KiB frames--> HostFrames --> GuestMemory: GPA -> HPA --> vCPU, emulated DMA
 *                                                          \--> page tables of the IOMMU
 * </pre>
 *
 * <p>A guest's RAM is mapped by 2 MiB frames, as EPT maps it with large pages (SDM volume 3, section "EPT Translation
 * Mechanism"); the same frames, by {@link io.iolab.vmm.memory.GuestMemory#forEachRun}, are what an IOMMU domain maps.
 *
 * <p>Threading: {@link io.iolab.vmm.memory.HostFrames} from any thread, under a lock;
 * {@link io.iolab.vmm.memory.GuestMemory} has a fixed map from construction to close and is read by every thread.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.memory;
