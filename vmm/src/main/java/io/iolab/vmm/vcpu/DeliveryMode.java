package io.iolab.vmm.vcpu;

import org.jspecify.annotations.Nullable;

/**
 * How an interrupt message wants to be taken: the three-bit field that messages, I/O APIC entries, local vector table and ICR
 * share (SDM volume 3, chapter "Advanced Programmable Interrupt Controller").
 */
public enum DeliveryMode {
    FIXED(0),
    /** To one of the addressed processors, the VMM chooses which. */
    LOWEST_PRIORITY(1),
    SMI(2),
    NMI(4),
    INIT(5),
    /** Only in the ICR. */
    STARTUP(6),
    EXTINT(7);

    private static final @Nullable DeliveryMode[] BY_NUMBER = {
        FIXED, LOWEST_PRIORITY, SMI, null, NMI, INIT, STARTUP, EXTINT
    };

    private final int number;

    DeliveryMode(int number) {
        this.number = number;
    }

    /** The value of the field. */
    public int number() {
        return number;
    }

    /** The mode with this number, of which the low three bits count; null for 3, which is reserved. */
    public static @Nullable DeliveryMode of(int number) {
        return BY_NUMBER[number & 7];
    }

    /** Whether the interrupt passes IRR and ISR, and is ended by an EOI. */
    public boolean usesVector() {
        return this == FIXED || this == LOWEST_PRIORITY;
    }
}
