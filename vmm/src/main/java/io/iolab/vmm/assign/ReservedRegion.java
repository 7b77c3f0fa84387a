package io.iolab.vmm.assign;

/**
 * Memory that firmware has a device use (RMRR, VT-d 8.4): whoever gives the device another address space takes it away.
 *
 * @param rid the device
 * @param base first byte
 * @param limit last byte
 */
public record ReservedRegion(int rid, long base, long limit) {}
