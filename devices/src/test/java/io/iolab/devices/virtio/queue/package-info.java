/** Tests of the virtio device, with a driver that acts only through registers and memory. */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.virtio.queue;
