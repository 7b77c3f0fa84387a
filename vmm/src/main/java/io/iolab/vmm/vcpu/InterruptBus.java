package io.iolab.vmm.vcpu;

/** What lies between interrupt sources and local APICs: it finds the processors that a message addresses. */
@FunctionalInterface
public interface InterruptBus {

    /** A physical destination that means every processor. */
    int BROADCAST = -1;

    /**
     * Delivers one message.
     *
     * @param destination an APIC id, or a logical destination, in the 32 bits of x2APIC mode; {@link #BROADCAST} for all
     * @param logical whether {@code destination} is to be compared with logical ids
     * @param vector 0 to 255; without meaning for modes that use none
     * @param level the trigger mode: an EOI of this vector is then reported back
     * @return whether at least one local APIC accepted it
     */
    boolean deliver(int destination, boolean logical, DeliveryMode mode, int vector, boolean level);

    /** An 8-bit destination field as 32 bits: all ones mean broadcast, as they do to KVM for devices in x2APIC mode. */
    static int widen(int destination) {
        return destination == 0xFF ? BROADCAST : destination;
    }
}
