/**
 * PCI as a driver's operating system sees it: configuration access, enumeration, BAR sizing and placement, capabilities,
 * MSI-X (PCI Local Bus 3.0 sections 3.2.2.3, 6.1, 6.2.5, 6.7 and 6.8; PCI Express Base section 7.2.2).
 *
 * <pre>
 *   PciBus.scan --ConfigAccess: CF8/CFC ports or ECAM--> functions
 *        |  BARs that firmware left at 0 are placed in the platform's windows
 *        v
 *   PciDevice (id, BARs, capabilities) --MsixVectors--> table entries, by MMIO
 * </pre>
 *
 * <p>Threading: during set-up, on one vCPU.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.driver.pci;
