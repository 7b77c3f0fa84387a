package io.iolab.devices.driver;

/** Runs in interrupt context: with interrupts off, before the platform sends the EOI. */
@FunctionalInterface
public interface InterruptHandler {
    /** @return whether the interrupt was ours and a {@link NetDriver#poll} is wanted */
    boolean interrupt();
}
