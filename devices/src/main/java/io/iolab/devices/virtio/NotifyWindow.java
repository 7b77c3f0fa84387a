package io.iolab.devices.virtio;

/**
 * Where a driver kicks, so that a VMM can route such writes past the ordinary exit (KVM's ioeventfd): a write of 2 or 4 bytes
 * at {@code offset + queue * multiplier} of the BAR kicks that queue (virtio 1.2 section 4.1.4.4).
 *
 * @param bar BAR number
 * @param offset bytes from the start of the BAR
 * @param length bytes
 * @param multiplier bytes from one queue's address to the next
 */
public record NotifyWindow(int bar, long offset, long length, int multiplier) {}
