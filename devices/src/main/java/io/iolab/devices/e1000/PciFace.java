package io.iolab.devices.e1000;

import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;

/** The configuration space of each model, except for the capabilities that have behaviour of their own. */
final class PciFace {
    static final int REGISTER_BAR = 0;
    static final int FLASH_BAR = 1;
    static final int IO_BAR = 2;

    static final int VECTORS = 5;
    private static final int VECTOR_BAR_SIZE = 0x4000;

    /** Offsets of capabilities: 82540EM, then 82574L. */
    static final int PCI_POWER = 0xDC;

    static final int PCIX = 0xE4;
    static final int PCIE_POWER = 0xC8;
    static final int MSI = 0xD0;
    static final int PCIE = 0xE0;
    static final int MSIX = 0xA0;

    /** Version 2, device specific initialisation, PME from D0 and D3 (PCI Bus Power Management 1.2 section 3.2.3). */
    static final int POWER_CAPABILITIES = 0xC822;

    private static final int INTEL = 0x8086;
    private static final int ETHERNET = 0x020000;
    private static final int INTA = 1;
    private static final int AER = 0x100;
    private static final int SERIAL_NUMBER = 0x140;

    private PciFace() {}

    static ConfigSpace create(E1000Model model, E1000Board board, Eeprom eeprom) {
        ConfigSpace config = new ConfigSpace(INTEL, model.deviceId(), board.revision(model), ETHERNET)
                .subsystem(board.subsystemVendor(eeprom), board.subsystemId(eeprom))
                .interruptPin(INTA)
                .bar(new Bar(REGISTER_BAR, Bar.Kind.MEMORY32, E1000Registers.WINDOW, false));
        if (model == E1000Model.I82540EM) {
            // BAR1 is the optional flash, absent here; the I/O window is BAR2 as on the part itself, unless the board
            // moves it.
            return config.bar(new Bar(board.ioBar(model), Bar.Kind.IO, 64, false));
        }
        config.bar(new Bar(FLASH_BAR, Bar.Kind.MEMORY32, 0x20000, false)).bar(new Bar(IO_BAR, Bar.Kind.IO, 32, false));
        VectorPlacement placement = board.vectors();
        return placement == VectorPlacement.OWN_BAR
                ? config.bar(new Bar(placement.bar(), Bar.Kind.MEMORY32, VECTOR_BAR_SIZE, false))
                : config;
    }

    /** PCI-X (PCI-X 1.0b section 7.2): a command register that takes writes and changes nothing on a 32-bit conventional bus. */
    static void addPcix(ConfigSpace config) {
        config.capability(PCIX, 0x07).field(PCIX + 2, 2, 0x0002, 0x007F, 0).field(PCIX + 4, 4, 0x0000_FFF8, 0, 0);
    }

    /** PCI Express, version 1 endpoint, 2.5 GT/s x1, without function level reset (PCI Express Base 7.8). */
    static void addPcie(ConfigSpace config) {
        config.capability(PCIE, 0x10)
                .field(PCIE + 2, 2, 0x0001, 0, 0)
                .field(PCIE + 4, 4, 0x0000_8000, 0, 0)
                // Relaxed order, no snoop, 512 byte requests; bit 15 would be the reset that this part lacks.
                .field(PCIE + 8, 2, 0x2810, 0x7CFF, 0)
                .field(PCIE + 10, 2, 0, 0, 0x000F)
                .field(PCIE + 12, 4, 0x0000_0411, 0, 0)
                .field(PCIE + 16, 2, 0, 0x00CB, 0)
                .field(PCIE + 18, 2, 0x0011, 0, 0);
    }

    /** Advanced error reporting, version 1, and the serial number made from the station address (7.10 and 7.12). */
    static void addExtended(ConfigSpace config, byte[] mac) {
        config.extendedCapability(AER, ExtendedCapability.ADVANCED_ERROR_REPORTING, 1)
                .field(AER + 0x04, 4, 0, 0, 0x001F_F010)
                .field(AER + 0x08, 4, 0, 0x001F_F010, 0)
                .field(AER + 0x0C, 4, 0x0006_2010, 0x001F_F010, 0)
                .field(AER + 0x10, 4, 0, 0, 0x0000_31C1)
                .field(AER + 0x14, 4, 0x0000_2000, 0x0000_31C1, 0)
                .field(AER + 0x18, 4, 0, 0, 0);
        int low = mac[5] & 0xFF | (mac[4] & 0xFF) << 8 | (mac[3] & 0xFF) << 16 | 0xFF << 24;
        int high = 0xFF | (mac[2] & 0xFF) << 8 | (mac[1] & 0xFF) << 16 | (mac[0] & 0xFF) << 24;
        config.extendedCapability(SERIAL_NUMBER, ExtendedCapability.SERIAL_NUMBER, 1)
                .field(SERIAL_NUMBER + 4, 4, low, 0, 0)
                .field(SERIAL_NUMBER + 8, 4, high, 0, 0);
    }
}
