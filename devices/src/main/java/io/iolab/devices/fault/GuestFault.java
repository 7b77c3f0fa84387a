package io.iolab.devices.fault;

/** Anything that a guest or a device can get wrong. A hot call returns a constant; it never throws and never allocates. */
public sealed interface GuestFault permits DmaFault, RegisterFault, RingFault {}
