/**
 * Virtqueues as a device sees them: split rings (virtio 1.2 section 2.7), behind an interface that a packed ring shares.
 *
 * <pre>
 *   driver: descriptors --> avail ring --idx--> take() --> DescriptorChain.next() ... --> payload
 *                                                                                          |
 *   driver: reaps       <-- used ring  <--idx-- publish() <------------------- complete() <+
 *
 *   kicks:      enableKicks() / disableKicks()   used.flags, avail_event   (device tells the driver)
 *   interrupts: interruptWanted()                avail.flags, used_event   (driver tells the device)
 * </pre>
 *
 * <p>Everything a driver wrote is hostile: chains are walked step by step, bounded by the queue size, and whatever is
 * malformed comes back as a {@link io.iolab.devices.fault.RingFault}. Memory is reached through a
 * {@link io.iolab.devices.dma.DmaPort} alone. Arithmetic on ring indices lives in
 * {@link io.iolab.devices.virtio.queue.RingIndex} and nowhere else.
 *
 * <p>Threading: a queue belongs to the thread that runs its device. The driver is another party: order towards it is made
 * by the acquire and release forms of the port and by two full fences, named where they stand.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.virtio.queue;
