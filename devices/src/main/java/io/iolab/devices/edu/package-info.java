/**
 * The educational PCI device of QEMU (document "EDU device" of its specifications; sections are named by their headings): small enough to
 * read in one sitting, and with everything that a first driver needs: registers, interrupts by pin and message, and DMA.
 *
 * <pre>
 *   factorial register --poll--> result, interrupt 0x1
 *   source, destination, count, command --100 ms--> DMA between memory and the 4 KiB buffer at 0x40000, interrupt 0x100
 *   interrupt status --> INTx pin | MSI
 * </pre>
 *
 * <p>What the guest gets wrong: an access of the wrong width, or where no register is, reads as all ones and writes nothing; a transfer that
 * leaves the buffer, or memory that DMA cannot reach, moves nothing and still completes. Each is counted by {@code EduDevice.ignored}.
 *
 * <p>Threading: one thread owns a device and makes every call on it. Register writes only mark work; {@code poll} does it.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.edu;
