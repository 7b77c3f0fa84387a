package io.iolab.iommu.driver;

/**
 * Where a remapped interrupt goes, and as what (VT-d 9.9).
 *
 * @param destination APIC id, or logical destination; 8 bits unless the table is in extended mode
 * @param vector 0 to 255
 * @param deliveryMode 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT, 7 ExtINT
 * @param logical whether the destination is a logical one
 * @param level the trigger mode
 */
public record InterruptTarget(int destination, int vector, int deliveryMode, boolean logical, boolean level) {
    /** @throws IllegalArgumentException if a field has a reserved value */
    public InterruptTarget {
        if ((vector & ~0xFF) != 0 || (deliveryMode & ~7) != 0 || deliveryMode == 3 || deliveryMode == 6) {
            throw new IllegalArgumentException("vector " + vector + ", delivery mode " + deliveryMode);
        }
    }

    /** Fixed, edge-triggered, to one processor. */
    public static InterruptTarget fixed(int apicId, int vector) {
        return new InterruptTarget(apicId, vector, 0, false, false);
    }

    /** The lower word of an entry, present. A logical destination may be any of several: RH. */
    long entry(boolean extended) {
        long field = extended ? destination & 0xFFFF_FFFFL : (destination & 0xFFL) << 8;
        return field << 32
                | (long) vector << 16
                | (long) deliveryMode << 5
                | (level ? 1 << 4 : 0)
                | (logical ? 3 << 2 : 0)
                | 1;
    }
}
