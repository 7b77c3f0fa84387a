package io.iolab.iommu.explain;

import io.iolab.devices.dma.RequesterId;
import io.iolab.iommu.explain.Trail.Entry;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.interrupt.InterruptEntry;
import io.iolab.iommu.interrupt.PostedDescriptor;
import java.util.ArrayList;
import java.util.List;

/** The entry that an interrupt request names, and the order of its checks (VT-d 5.1.4.1, 9.9, 9.10). */
final class InterruptSteps {
    private static final int EXTENDED = 1 << 11;
    private static final int SIZE = 0xF;
    private static final String[] SOURCES = {
        "any source may use it", "the source must be SID, under SQ", "the source's bus must be one of SID's", "reserved"
    };

    private final Trail trail;
    private final int rid;

    InterruptSteps(Trail trail, int rid) {
        this.trail = trail;
        this.rid = rid;
    }

    /** @param irta the register: table address 63:12, EIME 11, S 3:0 */
    void walk(long irta, int index) {
        int entries = 2 << (int) (irta & SIZE);
        if (index >= entries) {
            trail.refuse(FaultReason.INDEX_BEYOND_TABLE, "index " + index + " of a table of " + entries + " (IRTA.S)");
            return;
        }
        long table = irta & ~0xFFFL;
        Entry entry = trail.read(
                "interrupt-remapping entry",
                table,
                index,
                InterruptEntry.hpa(table, index),
                2,
                FaultReason.INTERRUPT_TABLE_UNREADABLE);
        if (entry != null) {
            judge(entry, (irta & EXTENDED) != 0);
        }
    }

    private void judge(Entry entry, boolean extended) {
        long low = entry.word(0);
        long high = entry.word(1);
        List<TableField> fields = fields(low, high, extended);
        String source = RequesterId.format(rid);
        if (!InterruptEntry.present(low)) {
            trail.stop(entry, fields, FaultReason.INTERRUPT_ENTRY_NOT_PRESENT, "P (bit 0) is 0");
        } else if (InterruptEntry.reservedSet(low, high, extended, trail.capabilities.postedInterrupts())) {
            trail.stop(entry, fields, FaultReason.INTERRUPT_ENTRY_RESERVED, "a reserved bit is set");
        } else if (!InterruptEntry.admits(high, rid)) {
            String verdict = "SVT (bits 83:82) asks for the source, and " + source + " is not SID "
                    + RequesterId.format((int) high & 0xFFFF);
            trail.stop(entry, fields, FaultReason.SOURCE_REFUSED, verdict);
        } else if (InterruptEntry.posted(low)) {
            posted(entry, fields);
        } else {
            trail.pass(entry, fields, "vector " + Trail.hex(InterruptEntry.vector(low)) + " to a processor");
            trail.decision = "delivered with the entry's vector and destination";
        }
    }

    private void posted(Entry entry, List<TableField> fields) {
        long descriptor = InterruptEntry.descriptorHpa(entry.word(0), entry.word(1));
        if (!trail.memory.contains(descriptor, PostedDescriptor.BYTES)) {
            trail.stop(
                    entry, fields, FaultReason.POSTED_DESCRIPTOR_UNREADABLE, "no memory at the descriptor's address");
        } else if (PostedDescriptor.reservedSet(trail.memory, descriptor)) {
            trail.pass(entry, fields, "posted-interrupt descriptor at " + Trail.hex(descriptor));
            List<Long> words = new ArrayList<>();
            for (int i = 0; i < PostedDescriptor.BYTES; i += 8) {
                words.add(trail.memory.readLong(descriptor + i));
            }
            trail.stop(
                    new Entry(
                            "posted-interrupt descriptor",
                            descriptor & ~0xFFFL,
                            (int) descriptor >>> 6 & 0x3F,
                            descriptor,
                            words),
                    descriptorFields(words.get(4)),
                    FaultReason.POSTED_DESCRIPTOR_RESERVED,
                    "a reserved bit is set");
        } else {
            trail.pass(entry, fields, "posted into the descriptor at " + Trail.hex(descriptor));
            trail.decision = "posted; a notification follows if the descriptor asks for one";
        }
    }

    /** @param control bits 319:256 */
    private static List<TableField> descriptorFields(long control) {
        return List.of(
                TableField.flag("ON", 256, control, "a notification is outstanding"),
                TableField.flag("SN", 257, control, "notifications are suppressed"),
                TableField.bits("NV", 279, 272, control, "notification vector"),
                TableField.bits("NDST", 319, 288, control, "notification destination"));
    }

    private static List<TableField> fields(long low, long high, boolean extended) {
        List<TableField> fields = new ArrayList<>();
        fields.add(TableField.flag("P", 0, low, "present"));
        fields.add(TableField.flag("FPD", 1, low, "qualified faults are not recorded"));
        fields.add(TableField.flag("IM", 15, low, "posted format"));
        fields.add(TableField.bits("V", 23, 16, low, "vector"));
        if (InterruptEntry.posted(low)) {
            fields.add(TableField.flag("URG", 14, low, "notifies even when suppressed"));
            fields.add(TableField.address("PDA", 127, 38, InterruptEntry.descriptorHpa(low, high)));
        } else {
            fields.add(TableField.flag("DM", 2, low, "logical destination"));
            fields.add(TableField.bits("DLM", 7, 5, low, "delivery mode"));
            fields.add(
                    extended
                            ? TableField.bits("DST", 63, 32, low, "APIC id")
                            : TableField.bits("DST", 47, 40, low, "APIC id"));
        }
        int source = (int) high & 0xFFFF;
        fields.add(TableField.bits("SID", 79, 64, high, RequesterId.format(source)));
        fields.add(TableField.bits("SQ", 81, 80, high, "function bits that do not count"));
        fields.add(TableField.bits("SVT", 83, 82, high, SOURCES[(int) (high >>> 18) & 3]));
        return fields;
    }
}
