package io.iolab.vmm.vcpu;

/**
 * A message-signalled interrupt in compatibility format, as it arrives at the processors (SDM volume 3, section "Message Signalled
 * Interrupts"; what remapping puts out has the same form).
 *
 * <pre>
 *   address 63:40 destination 31:8 (x2APIC)   31:20 0xFEE   19:12 destination 7:0   4 remappable   3 RH   2 DM (1 logical)
 *   data    15 trigger (1 level)   14 assert   10:8 delivery mode   7:0 vector
 * </pre>
 *
 * <p>The manual says that DM counts only with RH; KVM and QEMU heed it always and take RH for lowest priority, and so does this.
 *
 * <p>Threading: static and without state; allocates nothing.
 */
public final class MsiDecoder {

    /** Whether a message can be delivered, and if not, why. */
    public enum Format {
        VALID,
        /** Not in 0xFEEx_xxxx, not 4-aligned, or with one of the bits 39:32 set. */
        BAD_ADDRESS,
        /** Bit 4 asks for interrupt remapping, and none took it. */
        REMAPPABLE,
        /** A delivery mode that messages do not have. */
        RESERVED_MODE,
        /** A level-triggered message that takes its level back: there is nothing to deliver. */
        DEASSERT
    }

    private static final int REMAPPABLE = 1 << 4;
    private static final int REDIRECTION_HINT = 1 << 3;
    private static final int LOGICAL = 1 << 2;
    private static final int LEVEL = 1 << 15;
    private static final int ASSERT = 1 << 14;

    private MsiDecoder() {}

    public static Format format(long address, int data) {
        if ((address & 0xFF_FFF0_0003L) != 0xFEE0_0000L) {
            return Format.BAD_ADDRESS;
        }
        if ((address & REMAPPABLE) != 0) {
            return Format.REMAPPABLE;
        }
        DeliveryMode mode = DeliveryMode.of(data >>> 8);
        if (mode == null || mode == DeliveryMode.STARTUP) {
            return Format.RESERVED_MODE;
        }
        return (data & (LEVEL | ASSERT)) == LEVEL ? Format.DEASSERT : Format.VALID;
    }

    /** The destination in 32 bits; {@link InterruptBus#BROADCAST} for all processors. */
    public static int destination(long address) {
        int low = (int) address >>> 12 & 0xFF;
        int high = (int) (address >>> 32) & ~0xFF;
        return high == 0 ? InterruptBus.widen(low) : high | low;
    }

    public static boolean logical(long address) {
        return (address & LOGICAL) != 0;
    }

    /**
     * The mode of a {@link Format#VALID} message, where a redirection hint makes a fixed one lowest-priority.
     *
     * @throws IllegalArgumentException for mode 3, which {@link #format} refuses
     */
    public static DeliveryMode mode(long address, int data) {
        DeliveryMode mode = DeliveryMode.of(data >>> 8);
        if (mode == null) {
            throw new IllegalArgumentException("message data 0x" + Integer.toHexString(data) + " has no delivery mode");
        }
        boolean hint = (address & REDIRECTION_HINT) != 0;
        return mode == DeliveryMode.FIXED && hint ? DeliveryMode.LOWEST_PRIORITY : mode;
    }

    /** 0 to 255. */
    public static int vector(int data) {
        return data & 0xFF;
    }

    public static boolean level(int data) {
        return (data & LEVEL) != 0;
    }

    /**
     * Decodes a message and delivers it.
     *
     * @return {@link Format#VALID} if it went to {@code bus}, accepted or not
     */
    public static Format deliver(long address, int data, InterruptBus bus) {
        Format format = format(address, data);
        if (format == Format.VALID) {
            bus.deliver(destination(address), logical(address), mode(address, data), vector(data), level(data));
        }
        return format;
    }
}
