package io.iolab.iommu.interrupt;

/**
 * A remappable interrupt request as pure functions on the address and data of its message (VT-d 5.1.2.2).
 *
 * <pre>
 *   address 63:32 zero   31:20 0xFEE   19:5 handle 14:0   4 one: remappable   3 SHV   2 handle 15   1:0 ignored
 *   data    31:16 zero   15:0 subhandle, if SHV
 * </pre>
 */
final class InterruptRequest {
    private static final int REMAPPABLE = 1 << 4;
    private static final int SUBHANDLE_VALID = 1 << 3;
    private static final int HANDLE_TOP = 1 << 2;

    private InterruptRequest() {}

    /** Whether it asks for remapping; otherwise it is of the compatibility format. */
    static boolean remappable(long address) {
        return (address & REMAPPABLE) != 0;
    }

    /** Whether a bit is set that the format reserves. */
    static boolean reservedSet(long address, int data) {
        return address >>> 32 != 0 || data >>> 16 != 0;
    }

    /** The index of the entry: 0 to 131070, which is beyond any table from 65536 on. */
    static int index(long address, int data) {
        int handle = (int) (address >>> 5) & 0x7FFF | ((address & HANDLE_TOP) != 0 ? 0x8000 : 0);
        return (address & SUBHANDLE_VALID) != 0 ? handle + (data & 0xFFFF) : handle;
    }
}
