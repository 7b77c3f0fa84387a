/**
 * A guest's virtio-net driver over modern PCI with split queues, as Linux's virtio_net without transmit interrupts (virtio 1.2
 * sections 2.7, 3.1, 4.1 and 5.1).
 *
 * <pre>
 *   queue --copy--> buffer, avail ring     flush --> avail.idx | full fence | avail_event --kick?--> notify register
 *   receive interrupt --> poll: used ring in RAM, buffers back to the avail ring, used_event, full fence, re-check
 * </pre>
 *
 * <p>Device accesses: one 16-bit store for each kick that the device has not suppressed, none an interrupt, none a packet.
 *
 * <p>Threading: everything runs on the driver's vCPU. The device may run on another processor; the order in which each side
 * sees the rings is that of virtio 1.2 sections 2.7.13 and 2.7.14.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.driver.virtio;
