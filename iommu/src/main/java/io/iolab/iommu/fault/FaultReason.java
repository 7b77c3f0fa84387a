package io.iolab.iommu.fault;

import io.iolab.devices.fault.DmaFault;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Why a remapping unit blocked a request (VT-d 7.1, "Fault Categories", and its tables of reasons). Texts are those
 * that operators know from kernel logs.
 */
public enum FaultReason {
    ROOT_NOT_PRESENT(0x1, false, DmaFault.NOT_MAPPED, "Present bit in root entry is clear"),
    CONTEXT_NOT_PRESENT(0x2, true, DmaFault.NOT_MAPPED, "Present bit in context entry is clear"),
    CONTEXT_INVALID(0x3, true, DmaFault.BAD_TABLE, "Invalid context entry"),
    ADDRESS_BEYOND_WIDTH(0x4, true, DmaFault.NOT_MAPPED, "Access beyond MGAW"),
    WRITE_DENIED(0x5, true, DmaFault.NO_WRITE, "PTE Write access is not set"),
    READ_DENIED(0x6, true, DmaFault.NO_READ, "PTE Read access is not set"),
    TABLE_UNREADABLE(0x7, true, DmaFault.BAD_TABLE, "Next page table ptr is invalid"),
    ROOT_UNREADABLE(0x8, false, DmaFault.BAD_TABLE, "Root table address invalid"),
    CONTEXT_UNREADABLE(0x9, false, DmaFault.BAD_TABLE, "Context table ptr is invalid"),
    ROOT_RESERVED(0xA, false, DmaFault.BAD_TABLE, "non-zero reserved fields in RTP"),
    /** Whether FPD silences this one is contested; the unit always reports it. */
    CONTEXT_RESERVED(0xB, false, DmaFault.BAD_TABLE, "non-zero reserved fields in CTP"),
    PAGE_ENTRY_RESERVED(0xC, true, DmaFault.BAD_TABLE, "non-zero reserved fields in PTE"),
    REQUEST_TYPE_BLOCKED(0xD, true, DmaFault.NOT_MAPPED, "PCE for translation request specifies blocking"),
    INTERRUPT_RANGE(0xE, true, DmaFault.BEYOND_MEMORY, "Translated address lies in the interrupt range"),
    MESSAGE_RESERVED(
            0x20, false, DmaFault.NO_WRITE, "Detected reserved fields in the decoded interrupt-remapped request"),
    INDEX_BEYOND_TABLE(0x21, false, DmaFault.NO_WRITE, "Interrupt index exceeded the interrupt-remapping table size"),
    INTERRUPT_ENTRY_NOT_PRESENT(0x22, true, DmaFault.NO_WRITE, "Present field in the IRTE entry is clear"),
    INTERRUPT_TABLE_UNREADABLE(
            0x23, false, DmaFault.NO_WRITE, "Error accessing interrupt-remapping table pointed by IRTA_REG"),
    INTERRUPT_ENTRY_RESERVED(0x24, true, DmaFault.NO_WRITE, "Detected reserved fields in the IRTE entry"),
    COMPATIBILITY_BLOCKED(0x25, false, DmaFault.NO_WRITE, "Blocked a compatibility format interrupt request"),
    SOURCE_REFUSED(0x26, true, DmaFault.NO_WRITE, "Blocked an interrupt request due to source-id verification failure"),
    POSTED_DESCRIPTOR_UNREADABLE(
            0x27, true, DmaFault.NO_WRITE, "Error accessing the posted-interrupt descriptor of the IRTE entry"),
    POSTED_DESCRIPTOR_RESERVED(
            0x28, true, DmaFault.NO_WRITE, "Detected reserved fields in the posted-interrupt descriptor"),
    MESSAGE_WITH_PASID(0x29, false, DmaFault.NO_WRITE, "Blocked an interrupt request with PASID"),
    /** RTADDR.TTM names a mode that the unit does not offer. */
    TABLE_MODE_INVALID(0x30, false, DmaFault.BAD_TABLE, "Translation table mode is not supported");

    private static final FaultReason[] VALUES = values();

    private final int code;
    private final boolean qualified;
    private final DmaFault dmaFault;
    private final String text;

    FaultReason(int code, boolean qualified, DmaFault dmaFault, String text) {
        this.code = code;
        this.qualified = qualified;
        this.dmaFault = dmaFault;
        this.text = text;
    }

    /** The reason with this FR code, or null. */
    public static @Nullable FaultReason ofCode(int code) {
        for (FaultReason reason : VALUES) {
            if (reason.code == code) {
                return reason;
            }
        }
        return null;
    }

    /** The FR field of a fault record. */
    public int code() {
        return code;
    }

    /** Whether FPD in the entry that led to it (context, PASID, interrupt) suppresses its recording. */
    public boolean qualified() {
        return qualified;
    }

    /** What the device that made the request sees. */
    public DmaFault dmaFault() {
        return dmaFault;
    }

    public String text() {
        return text;
    }

    /** For labels: {@code write_denied}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
