/**
 * A PCI function: configuration space with exact write masks, BARs, capabilities, MSI-X, and the gates that the command
 * register controls (PCI Local Bus 3.0 chapter 6; PCI Express Base chapter 7).
 *
 * <pre>
 *   config read/write --> ConfigSpace --command, BARs--> routes (whoever owns the bus)
 *   BAR read/write ----> PciFunction.readBar/writeBar
 *   device event ------> MsixTable --4-byte DMA write--> BusMasterGate --> DmaPort
 * </pre>
 *
 * <p>Threading: configuration and BAR accesses, {@code poll} and frame delivery come from one thread at a time.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.pci;
