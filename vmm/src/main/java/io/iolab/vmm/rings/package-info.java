/**
 * A virtqueue between two threads, and nothing else: what a buffer costs, and how many kicks and interrupts, when a driver and
 * a device run at the same time on two processors.
 *
 * <pre>
 *   guest thread: RingDriver --add, publish--> rings in PhysicalMemory --take, complete--> Virtqueue : host thread
 *        ^             |                                                                      |           ^
 *        |             +---- kick: Doorbell ------------------------------------------------- | ----------+
 *        +------------------------------------------------ interrupt: Doorbell ---------------+
 * </pre>
 *
 * <p>Both ends are the lab's own, the driver's and the device's, as virtio-net uses them; the device reaches memory through
 * {@link io.iolab.devices.dma.DirectDma} with every bound checked. The buffers' bytes stay untouched: a buffer is a descriptor.
 *
 * <p>Suppression on: VIRTIO_F_EVENT_IDX, and a thread that finds nothing to do polls its ring for a bounded time, asks for an
 * event, looks once more, and sleeps on its {@link io.iolab.vmm.rings.Doorbell} until the other end rings it. Suppression off:
 * both ends poll for ever, and neither looks whether the other wants an event.
 *
 * <p>Threading: {@link io.iolab.vmm.rings.RingExchange} starts the host thread; the guest is the thread that calls it.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.rings;
