package io.iolab.devices.irq;

/** A level-triggered interrupt line (PCI INTA#). Setting it to the level it already has changes nothing. */
@FunctionalInterface
public interface InterruptPin {
    /** A pin that nothing is connected to. */
    InterruptPin UNCONNECTED = asserted -> {};

    void set(boolean asserted);
}
