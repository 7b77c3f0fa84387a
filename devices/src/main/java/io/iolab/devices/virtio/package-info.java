/**
 * What all virtio devices share: the device status machine, feature negotiation, and the modern PCI transport (virtio 1.2
 * chapters 2, 3 and section 4.1).
 *
 * <pre>
 *   BAR1  MSI-X table, pending bits          BAR4  0x0000 common configuration   0x1000 ISR status
 *                                                  0x2000 device configuration   0x3000 notifications, 4 bytes a queue
 *
 *   driver --common configuration--> StatusMachine --DRIVER_OK--> DeviceType.start(features, queues)
 *          --notify-----------------> DeviceType.kicked(queue)
 *          <--MSI-X or INTx, ISR----- VirtioPci.interrupt(queue), configurationChanged(), ringFault(...)
 * </pre>
 *
 * <p>An access that hardware would not answer is ignored and counted; a malformed ring sets DEVICE_NEEDS_RESET, once, in one
 * place ({@link io.iolab.devices.virtio.VirtioPci#ringFault}).
 *
 * <p>Threading: one thread owns a function and makes every call.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.virtio;
