package io.iolab.devices.e1000;

/** What the manuals leave to whoever builds a board around the controller: identities, and where the I/O window and the MSI-X
 * table sit. */
public enum E1000Board {
    /** As the part comes up with the lab's EEPROM: subsystem from words 0B and 0C, I/O window in BAR2. */
    REFERENCE,
    /**
     * As QEMU's {@code -device e1000} identifies itself: subsystem 1af4:1100, revision 3, I/O window in BAR1. Its
     * {@code e1000e} keeps the reference board.
     */
    QEMU,
    /**
     * The 82574L's MSI-X table lies in the 4 KiB page of the transmit registers. No 82574L is made like this, but other functions are
     * that keep their table beside registers of the data path.
     */
    SHARED_VECTOR_PAGE;

    private static final int RED_HAT = 0x1AF4;
    private static final int QEMU_SUBSYSTEM = 0x1100;
    private static final int QEMU_REVISION = 3;
    private static final int QEMU_IO_BAR = 1;

    private boolean differs(E1000Model model) {
        return this == QEMU && model == E1000Model.I82540EM;
    }

    VectorPlacement vectors() {
        return this == SHARED_VECTOR_PAGE ? VectorPlacement.TRANSMIT_PAGE : VectorPlacement.OWN_BAR;
    }

    int revision(E1000Model model) {
        return differs(model) ? QEMU_REVISION : model.revision();
    }

    int ioBar(E1000Model model) {
        return differs(model) ? QEMU_IO_BAR : PciFace.IO_BAR;
    }

    int subsystemVendor(Eeprom eeprom) {
        return differs(eeprom.model()) ? RED_HAT : eeprom.subsystemVendor();
    }

    int subsystemId(Eeprom eeprom) {
        return differs(eeprom.model()) ? QEMU_SUBSYSTEM : eeprom.subsystemId();
    }
}
