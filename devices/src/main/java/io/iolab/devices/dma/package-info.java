/**
 * What a device can do as a bus master: read and write memory at addresses that somebody else may translate.
 *
 * <pre>
 *   device --iova--> BusMasterGate (PCI command bit 2) --> DmaPort: direct | remapped by an IOMMU | a guest memory map
 *                                                            |
 *                                                            +-- 0xFEE0_0000..0xFEEF_FFFF: interrupt messages
 * </pre>
 *
 * <p>An IOMMU is a {@link io.iolab.devices.dma.DmaPort}, not an {@code if}: a device cannot tell whether it is behind one,
 * and an MSI is a 4-byte write that takes the same road (PCI 3.0 section 6.8; VT-d chapter 5).
 *
 * <p>Threading: a port is used by one thread at a time, the one that runs the device.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.dma;
