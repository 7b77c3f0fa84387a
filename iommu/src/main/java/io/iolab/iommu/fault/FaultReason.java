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
    TABLE_MODE_INVALID(0x30, false, DmaFault.BAD_TABLE, "Translation table mode is not supported"),
    PASID_IN_LEGACY_MODE(0x31, false, DmaFault.NOT_MAPPED, "SM: TTM 0 for request with PASID"),
    PAGE_REQUEST_IN_LEGACY_MODE(0x32, false, DmaFault.NOT_MAPPED, "SM: TTM 0 for page group request"),

    /** TTM=11 where the unit offers to abort all DMA; the code is from one source only. */
    DMA_ABORTED(0x33, false, DmaFault.NOT_MAPPED, "SM: TTM 3, all DMA is aborted"),

    SCALABLE_ROOT_UNREADABLE(0x38, false, DmaFault.BAD_TABLE, "SM: Error attempting to access Root Entry"),
    SCALABLE_ROOT_NOT_PRESENT(0x39, false, DmaFault.NOT_MAPPED, "SM: Present bit in Root Entry is clear"),
    SCALABLE_ROOT_RESERVED(0x3A, false, DmaFault.BAD_TABLE, "SM: Non-zero reserved field set in Root Entry"),
    SCALABLE_CONTEXT_UNREADABLE(0x40, false, DmaFault.BAD_TABLE, "SM: Error attempting to access Context Entry"),
    SCALABLE_CONTEXT_NOT_PRESENT(0x41, true, DmaFault.NOT_MAPPED, "SM: Present bit in Context Entry is clear"),
    SCALABLE_CONTEXT_RESERVED(0x42, true, DmaFault.BAD_TABLE, "SM: Non-zero reserved field set in the Context Entry"),
    SCALABLE_CONTEXT_INVALID(0x43, true, DmaFault.BAD_TABLE, "SM: Invalid Context Entry"),
    /** DTE=0: translation requests and translated requests are blocked. */
    DEVICE_TLB_DISABLED(0x44, true, DmaFault.NOT_MAPPED, "SM: DTE field in Context Entry is clear"),
    PASID_DISABLED(0x45, true, DmaFault.NOT_MAPPED, "SM: PASID Enable field in Context Entry is clear"),
    PASID_BEYOND_DIRECTORY(0x46, true, DmaFault.NOT_MAPPED, "SM: PASID is larger than the max in Context Entry"),
    PAGE_REQUESTS_DISABLED(0x47, true, DmaFault.NOT_MAPPED, "SM: PRE field in Context-Entry is clear"),
    REQUESTER_PASID_BEYOND_DIRECTORY(0x48, true, DmaFault.BAD_TABLE, "SM: RID_PASID field error in Context-Entry"),
    PASID_DIRECTORY_UNREADABLE(
            0x50, false, DmaFault.BAD_TABLE, "SM: Error attempting to access the PASID Directory Entry"),
    PASID_DIRECTORY_NOT_PRESENT(0x51, true, DmaFault.NOT_MAPPED, "SM: Present bit in Directory Entry is clear"),
    PASID_DIRECTORY_RESERVED(
            0x52, true, DmaFault.BAD_TABLE, "SM: Non-zero reserved field set in PASID Directory Entry"),
    PASID_ENTRY_UNREADABLE(0x58, false, DmaFault.BAD_TABLE, "SM: Error attempting to access PASID Table Entry"),
    PASID_ENTRY_NOT_PRESENT(0x59, true, DmaFault.NOT_MAPPED, "SM: Present bit in PASID Table Entry is clear"),
    PASID_ENTRY_RESERVED(0x5A, true, DmaFault.BAD_TABLE, "SM: Non-zero reserved field set in PASID Table Entry"),
    PASID_ENTRY_INVALID(0x5B, true, DmaFault.BAD_TABLE, "SM: Invalid Scalable-Mode PASID Table Entry"),
    EXECUTE_REQUESTS_DISABLED(0x5C, true, DmaFault.NOT_MAPPED, "SM: ERE field is clear in PASID Table Entry"),
    SUPERVISOR_REQUESTS_DISABLED(0x5D, true, DmaFault.NOT_MAPPED, "SM: SRE field is clear in PASID Table Entry"),

    FIRST_LEVEL_UNREADABLE(0x70, true, DmaFault.BAD_TABLE, "SM: Error attempting to access first-level paging entry"),
    FIRST_LEVEL_NOT_PRESENT(0x71, true, DmaFault.NOT_MAPPED, "SM: Present bit in first-level paging entry is clear"),
    FIRST_LEVEL_RESERVED(0x72, true, DmaFault.BAD_TABLE, "SM: Non-zero reserved field set in first-level paging entry"),
    FIRST_LEVEL_TOP_UNREADABLE(0x73, true, DmaFault.BAD_TABLE, "SM: Error attempting to access FL-PML4 entry"),
    FIRST_LEVEL_BEYOND_NESTED_WIDTH(
            0x74, true, DmaFault.BAD_TABLE, "SM: First-level entry address beyond MGAW in Nested translation"),
    NESTED_TOP_NOT_READABLE(
            0x75, true, DmaFault.BAD_TABLE, "SM: Read permission error in FL-PML4 entry in Nested translation"),
    NESTED_TABLE_NOT_READABLE(
            0x76,
            true,
            DmaFault.BAD_TABLE,
            "SM: Read permission error in first-level paging entry in Nested translation"),
    NESTED_TABLE_NOT_WRITABLE(
            0x77,
            true,
            DmaFault.BAD_TABLE,
            "SM: Write permission error in first-level paging entry in Nested translation"),
    SECOND_LEVEL_UNREADABLE(0x78, true, DmaFault.BAD_TABLE, "SM: Error attempting to access second-level paging entry"),
    NESTED_DENIED(0x79, true, DmaFault.NOT_MAPPED, "SM: Read/Write permission error in second-level paging entry"),
    SECOND_LEVEL_RESERVED(
            0x7A, true, DmaFault.BAD_TABLE, "SM: Non-zero reserved field set in second-level paging entry"),
    SECOND_LEVEL_TOP_UNREADABLE(0x7B, true, DmaFault.BAD_TABLE, "SM: Invalid second-level page table pointer"),
    SECOND_LEVEL_NO_SNOOP(
            0x7C, true, DmaFault.BAD_TABLE, "SM: A/D bit update needed in second-level entry when set up in no snoop"),
    NOT_CANONICAL(0x80, true, DmaFault.NOT_MAPPED, "SM: Address in first-level translation is not canonical"),
    USER_DENIED(0x81, true, DmaFault.NOT_MAPPED, "SM: U/S set 0 for first-level translation with user privilege"),
    EXECUTE_DENIED(0x82, true, DmaFault.NO_READ, "SM: No execute permission for request with PASID and ER=1"),
    BEYOND_HARDWARE_WIDTH(0x83, true, DmaFault.NOT_MAPPED, "SM: Address beyond the DMA hardware max"),
    SECOND_LEVEL_BEYOND_WIDTH(0x84, true, DmaFault.NOT_MAPPED, "SM: Second-level entry address beyond the max"),
    SCALABLE_WRITE_DENIED(0x85, true, DmaFault.NO_WRITE, "SM: No write permission for Write/AtomicOp request"),
    SCALABLE_READ_DENIED(0x86, true, DmaFault.NO_READ, "SM: No read permission for Read/AtomicOp request"),
    SCALABLE_INTERRUPT_RANGE(0x87, true, DmaFault.BEYOND_MEMORY, "SM: Invalid address-interrupt address"),
    FIRST_LEVEL_NO_SNOOP(
            0x90, true, DmaFault.BAD_TABLE, "SM: A/D bit update needed in first-level entry when set up in no snoop"),
    ACCESSED_DIRTY_FAILED(0x91, true, DmaFault.BAD_TABLE, "SM: A/D bit update failed");

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
