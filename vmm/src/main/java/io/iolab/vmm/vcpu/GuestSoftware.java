package io.iolab.vmm.vcpu;

/** What runs on a processor: a guest's kernel and program, as a state machine of bounded steps. */
public interface GuestSoftware {

    /** An interrupt was delivered: interrupts are off until this returns; the processor writes the EOI afterwards. */
    void interrupt(int vector);

    /**
     * Runs one bounded piece of work.
     *
     * @return false if there was none: the processor halts until an interrupt or {@link #nextWakePicos}
     */
    boolean step();

    /** When a timer of the software is due, in picoseconds; {@link Long#MAX_VALUE} for none. */
    long nextWakePicos();
}
