package io.iolab.devices.irq;

/** Takes interrupt messages: 4-byte memory writes to 0xFEE0_0000..0xFEEF_FFFF (Intel SDM volume 3, section 11.11). */
@FunctionalInterface
public interface MessagePort {
    /** First address of the interrupt message range. */
    long BASE = 0xFEE0_0000L;

    /** Length of the interrupt message range. */
    long SIZE = 0x10_0000L;

    /**
     * @param address the full address written, 4-aligned
     * @param data the 32 bits written
     */
    void message(long address, int data);

    /** Whether a request's address lies in the interrupt range, where it never reaches memory. */
    static boolean claims(long address) {
        return address >>> 20 == BASE >>> 20;
    }
}
