/**
 * What the drivers of a guest share: the platform they run on, PCI enumeration, the network driver contract.
 *
 * <pre>
 *   guest program --send/poll--> NetDriver --CpuPort, Memory--> device
 *   interrupt vector --> InterruptHandler --> NetDriver.poll (NAPI style)
 * </pre>
 *
 * <p>Drivers act through MMIO, configuration space and memory alone and transcribe every offset from the specification
 * themselves; they never import a device model, so a wrong constant cannot pass unseen.
 *
 * <p>Threading: everything in a driver runs on its vCPU.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.driver;
