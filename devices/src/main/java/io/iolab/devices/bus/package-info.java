/**
 * Register accesses from both ends: {@link io.iolab.devices.bus.MmioHandler} is a device seen from the bus,
 * {@link io.iolab.devices.bus.CpuPort} is the bus seen from a processor, {@link io.iolab.devices.bus.AddressMap} joins them.
 *
 * <pre>
 *   driver --CpuPort--> (exit, in a VM) --> AddressMap --> MmioHandler.read/write(offset, width)
 * </pre>
 *
 * <p>Threading: calls come on the processor thread that issued the access.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.bus;
