/**
 * Device assignment in the shape of VFIO: a physical function that a guest sees through a virtual configuration space, with its
 * registers mapped, its MSI-X table trapped, and its interrupts forwarded by the host. {@link io.iolab.vmm.assign.MappedPages} is the
 * rule of which pages of a BAR are mapped.
 *
 * <pre>
 *   guest --config--> virtual ConfigSpace --bus master bit--> physical function
 *   guest --BAR, page without vectors----> mapped, no exit --------> physical function
 *   guest --BAR, page with vectors-------> trapped: virtual MSI-X table
 *                                                  `---beside it---> physical function, by the VMM
 *   physical MSI-X --IOMMU--> host vector --HostInterrupts--> virtual MSI-X entry --> vCPU
 *   physical MSI   --IOMMU--> host vector --HostInterrupts--> the user's event
 *   physical INTx  --I/O APIC--IOMMU--> host vector --HostLine--> LineInterrupt: masked, the user's event
 * </pre>
 *
 * <p>Threading: on the thread that owns the guest.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.assign;
