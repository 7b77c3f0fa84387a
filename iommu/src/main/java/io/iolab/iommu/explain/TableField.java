package io.iolab.iommu.explain;

/**
 * A field of an entry.
 *
 * @param name as VT-d chapter 9 has it
 * @param bits {@code 63:12}, counted over the whole entry
 * @param value the field alone; of an address field the address
 * @param meaning in a few words; empty where the value says it all
 */
public record TableField(String name, String bits, long value, String meaning) {
    static TableField flag(String name, int bit, long word, String meaning) {
        long value = word >>> (bit & 63) & 1;
        return new TableField(name, Integer.toString(bit), value, value != 0 ? meaning : "");
    }

    static TableField bits(String name, int high, int low, long word, String meaning) {
        long mask = (1L << high - low + 1) - 1;
        return new TableField(name, high + ":" + low, word >>> (low & 63) & mask, meaning);
    }

    static TableField address(String name, int high, int low, long address) {
        return new TableField(name, high + ":" + low, address, "");
    }
}
