/**
 * Bytes: the memory contract that everything below and above it shares.
 *
 * <pre>
 *   drivers --loads, stores--> Memory (a guest: GPA)   --+
 *                                                        +--> PhysicalMemory (HPA, Chronicle Bytes)
 *   devices --DmaPort--> translation (EPT map, VT-d) ----+
 * </pre>
 *
 * <p>All multi-byte accesses are little-endian, as on x86 and PCI. {@link io.iolab.devices.memory.Memory} orders nothing
 * unless the method name says so (acquire, release, compare-and-set). Range arithmetic happens in
 * {@link io.iolab.devices.memory.AddressRange} and nowhere else. Chronicle is imported in this package only: it does no
 * bounds checks of its own, so {@link io.iolab.devices.memory.PhysicalMemory} does them all.
 *
 * <p>Threading: memory is shared by every thread; plain accesses race exactly as loads and stores of a processor do.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.memory;
