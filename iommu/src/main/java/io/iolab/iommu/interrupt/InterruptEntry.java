package io.iolab.iommu.interrupt;

/**
 * An interrupt-remapping table entry as pure functions on its two words (VT-d 9.9 and 9.10).
 *
 * <pre>
 *            remapped (IM=0)                                  posted (IM=1)
 *   low      0 P  1 FPD  2 DM  3 RH  4 TM  7:5 DLM            0 P  1 FPD  7:2 zero
 *            11:8 available  14:12 zero  15 IM                11:8 available  13:12 zero  14 URG  15 IM
 *            23:16 vector  31:24 zero  63:32 destination      23:16 vector  37:24 zero  63:38 descriptor 31:6
 *   high     15:0 SID  17:16 SQ  19:18 SVT  63:20 zero        15:0 SID  17:16 SQ  19:18 SVT  31:20 zero  63:32 descriptor 63:32
 * </pre>
 */
public final class InterruptEntry {
    public static final int BYTES = 16;

    private static final int PRESENT = 1;
    private static final int FAULTS_DISABLED = 1 << 1;
    private static final int URGENT = 1 << 14;
    private static final int POSTED = 1 << 15;

    private static final long REMAPPED_RESERVED = 0xFF00_7000L;
    private static final long REMAPPED_RESERVED_HIGH = ~0xF_FFFFL;
    /** With 8-bit destinations only bits 47:40 name one. */
    private static final long DESTINATION_RESERVED = 0xFFFF_00FF_0000_0000L;

    private static final long POSTED_RESERVED = 0x3F_FF00_30FCL;
    private static final long POSTED_RESERVED_HIGH = 0xFFF0_0000L;
    /** Bit n: delivery mode n is reserved. */
    private static final int RESERVED_DELIVERY_MODES = 1 << 3 | 1 << 6;

    private static final int VALIDATE_SOURCE = 1;
    private static final int VALIDATE_BUS = 2;
    /** SQ: function bits of the source id that do not count. */
    private static final int[] COMPARE = {0xFFFF, 0xFFFB, 0xFFF9, 0xFFF8};

    /** DM and RH lie where the message's address has them. */
    private static final long REDIRECTION = 0xC;

    private static final long MESSAGE_BASE = 0xFEE0_0000L;
    private static final int LEVEL_ASSERT = 1 << 14;

    private InterruptEntry() {}

    /** @param tableHpa page-aligned */
    public static long hpa(long tableHpa, int index) {
        return tableHpa + (long) index * BYTES;
    }

    public static boolean present(long low) {
        return (low & PRESENT) != 0;
    }

    /** FPD: qualified faults by way of this entry are not recorded. */
    public static boolean faultsDisabled(long low) {
        return (low & FAULTS_DISABLED) != 0;
    }

    /** IM: the interrupt goes into a posted-interrupt descriptor. */
    public static boolean posted(long low) {
        return (low & POSTED) != 0;
    }

    /** URG: notify even while the descriptor suppresses notifications. */
    public static boolean urgent(long low) {
        return (low & URGENT) != 0;
    }

    public static int vector(long low) {
        return (int) (low >>> 16) & 0xFF;
    }

    /**
     * Whether a reserved bit is set or a field has a reserved value.
     *
     * @param extended whether destinations have 32 bits (EIME)
     * @param posting whether the unit posts (CAP.PI); without it IM is reserved
     */
    public static boolean reservedSet(long low, long high, boolean extended, boolean posting) {
        if (posted(low)) {
            return !posting || (low & POSTED_RESERVED) != 0 || (high & POSTED_RESERVED_HIGH) != 0;
        }
        return (low & REMAPPED_RESERVED) != 0
                || (high & REMAPPED_RESERVED_HIGH) != 0
                || !extended && (low & DESTINATION_RESERVED) != 0
                || (RESERVED_DELIVERY_MODES >>> ((int) (low >>> 5) & 7) & 1) != 0;
    }

    /**
     * Whether this requester may use the entry, by SVT: not checked, compared with SID under SQ, or its bus between SID 15:8 and
     * SID 7:0 (both included). The reserved type lets nobody.
     */
    public static boolean admits(long high, int rid) {
        int source = (int) high & 0xFFFF;
        return switch ((int) (high >>> 18) & 3) {
            case 0 -> true;
            case VALIDATE_SOURCE -> ((source ^ rid) & COMPARE[(int) (high >>> 16) & 3]) == 0;
            case VALIDATE_BUS -> rid >>> 8 >= source >>> 8 && rid >>> 8 <= (source & 0xFF);
            default -> false;
        };
    }

    /** The address of the message that a remapped entry makes; with EIME bits 31:8 of the destination are in 63:40. */
    public static long messageAddress(long low, boolean extended) {
        int destination = (int) (low >>> 32);
        return destinationAddress(extended ? destination : destination >>> 8 & 0xFF) | low & REDIRECTION;
    }

    /** The data of the message that a remapped entry makes. */
    public static int messageData(long low) {
        int deliveryMode = (int) (low >>> 5) & 7;
        int level = (int) (low >>> 4) & 1;
        return vector(low) | deliveryMode << 8 | LEVEL_ASSERT | level << 15;
    }

    static long destinationAddress(int destination) {
        return MESSAGE_BASE | (destination & 0xFFL) << 12 | (destination & 0xFFFF_FF00L) << 32;
    }

    /** Host physical address of the descriptor that a posted entry names; 64-byte aligned. */
    public static long descriptorHpa(long low, long high) {
        return low >>> 32 & 0xFFFF_FFC0L | high & 0xFFFF_FFFF_0000_0000L;
    }
}
