package io.iolab.iommu.explain;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.register.Capabilities;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A walk on its way: what was read, and the outcome as far as it is known. */
final class Trail {
    final Memory memory;
    final Capabilities capabilities;
    final List<TableStep> steps = new ArrayList<>();

    @Nullable
    FaultReason reason;

    String decision = "";
    long hpa = -1;
    int pageShift;

    Trail(Memory memory, Capabilities capabilities) {
        this.memory = memory;
        this.capabilities = capabilities;
    }

    /** An entry that was read. */
    record Entry(String structure, long tableHpa, int index, long hpa, List<Long> words) {
        long word(int at) {
            return words.get(at);
        }
    }

    /**
     * Reads an entry.
     *
     * @param words of 64 bits
     * @return null if no memory is there, which ends the walk for {@code unreadable}
     */
    @Nullable
    Entry read(String structure, long tableHpa, int index, long entryHpa, int words, FaultReason unreadable) {
        List<Long> read = new ArrayList<>();
        if (!memory.contains(entryHpa, 8L * words)) {
            stop(
                    new Entry(structure, tableHpa, index, entryHpa, read),
                    List.of(),
                    unreadable,
                    "no memory at its address");
            return null;
        }
        for (int i = 0; i < words; i++) {
            read.add(memory.readLong(entryHpa + 8L * i));
        }
        return new Entry(structure, tableHpa, index, entryHpa, read);
    }

    /** The walk goes on from here, or ends well. @return true */
    boolean pass(Entry entry, List<TableField> fields, String verdict) {
        steps.add(new TableStep(
                entry.structure, entry.tableHpa, entry.index, entry.hpa, entry.words, fields, null, verdict));
        return true;
    }

    /** The walk ends here. @return false */
    boolean stop(Entry entry, List<TableField> fields, FaultReason why, String verdict) {
        steps.add(new TableStep(
                entry.structure, entry.tableHpa, entry.index, entry.hpa, entry.words, fields, why, verdict));
        return refuse(why, entry.structure + ": " + verdict);
    }

    /** The request is refused for something that is in no entry of its own. @return false */
    boolean refuse(FaultReason why, String what) {
        reason = why;
        decision = what;
        return false;
    }

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
