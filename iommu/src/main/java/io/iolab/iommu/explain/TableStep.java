package io.iolab.iommu.explain;

import io.iolab.iommu.fault.FaultReason;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a walk.
 *
 * @param structure what kind of entry: {@code context entry}, {@code second-level entry, level 2}
 * @param tableHpa where its table begins
 * @param index of the entry in the table
 * @param entryHpa where the entry lies
 * @param words its 64-bit words, the lowest first; empty if no memory is there
 * @param fields what the words say
 * @param reason why the walk ends here; null if it does not, or ends well
 * @param verdict where the entry leads, or the bit that decided, in words
 */
public record TableStep(
        String structure,
        long tableHpa,
        int index,
        long entryHpa,
        List<Long> words,
        List<TableField> fields,
        @Nullable FaultReason reason,
        String verdict) {
    public TableStep {
        words = List.copyOf(words);
        fields = List.copyOf(fields);
    }
}
