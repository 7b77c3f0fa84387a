/**
 * The PCI host of a q35-like machine: who answers a configuration access, and which BAR claims an address (PCI Local Bus 3.0
 * sections 3.2.2.3.2 and 6.2; PCI Express Base section 7.2.2).
 *
 * <pre>
 *   OUT CF8, IN/OUT CFC --\
 *                          PciHost --rid--> PciFunction.config
 *   ECAM load, store -----/    |
 *                              +--command, BAR writes--> BarTarget maps: gpa, port --> (function, bar, offset)
 *   PciFunction INTx --> slot and pin --> GSI 16 to 23 --> I/O APIC pin
 * </pre>
 *
 * <p>The host charges no time and counts no exits; the vCPU whose access it serves does.
 *
 * <p>Threading: configuration accesses one at a time; look-ups of addresses from any thread.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.pci;
