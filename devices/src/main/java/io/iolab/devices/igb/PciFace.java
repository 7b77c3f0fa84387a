package io.iolab.devices.igb;

import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.pci.AlternativeRouting;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.devices.pci.SingleRootVirtualization;
import java.util.List;

/** The configuration spaces, except for capabilities that have behaviour of their own (82576 datasheet chapter 9). */
final class PciFace {
    static final int REGISTER_BAR = 0;
    static final int IO_BAR = 2;
    static final int VECTOR_BAR = 3;
    static final int POWER = 0x40;
    static final int MSI = 0x50;
    static final int MSIX = 0x70;
    static final int EXPRESS = 0xA0;
    static final int VECTORS = 10;
    static final int VF_VECTORS = 3;
    static final int PENDING_BITS = 0x2000;
    /** Version 3, device specific initialisation, PME from D0 and D3. */
    static final int POWER_CAPABILITIES = 0xC823;

    private static final int INTEL = 0x8086;
    private static final int ABSENT = 0xFFFF;
    private static final int ETHERNET = 0x020000;
    private static final int REVISION = 1;
    private static final int DEVICE_CONTROL = EXPRESS + 8;
    private static final int START_RESET = 1 << 15;
    /** Function level reset, role-based error reporting, 512 byte payloads. */
    private static final int DEVICE_CAPABILITIES = 1 << 28 | 1 << 15 | 2;

    private static final int AER = 0x100;
    private static final int SERIAL_NUMBER = 0x140;
    private static final int ARI = 0x150;
    static final int VIRTUALIZATION = 0x160;

    /** Eight, the first 80h away with ARI and else on the next bus, every other routing id; two windows each (82576 datasheet 9.6.4). */
    static final SingleRootVirtualization.Layout VIRTUAL_FUNCTIONS = new SingleRootVirtualization.Layout(
            Igb82576.VIRTUAL_FUNCTIONS,
            0x180,
            0x80,
            2,
            Igb82576.VF_DEVICE_ID,
            List.of(
                    new Bar(REGISTER_BAR, Bar.Kind.MEMORY64, IgbRegisters.VF_WINDOW, true),
                    new Bar(VECTOR_BAR, Bar.Kind.MEMORY64, IgbRegisters.VF_WINDOW, true)));

    private PciFace() {}

    static ConfigSpace physical() {
        return new ConfigSpace(INTEL, Igb82576.DEVICE_ID, REVISION, ETHERNET)
                .subsystem(INTEL, 0)
                .interruptPin(1)
                .bar(new Bar(REGISTER_BAR, Bar.Kind.MEMORY32, IgbRegisters.WINDOW, false))
                .bar(new Bar(1, Bar.Kind.MEMORY32, 0x20000, false))
                .bar(new Bar(IO_BAR, Bar.Kind.IO, 32, false))
                .bar(new Bar(VECTOR_BAR, Bar.Kind.MEMORY32, 0x4000, false));
    }

    /**
     * A virtual function's own space: its ids read as all ones, its BARs as 0, and of the command register only bus mastering means
     * something (PCI Express SR-IOV 1.1 section 3.4.1). Memory Space Enable keeps what software writes, as drivers set both.
     */
    static ConfigSpace virtual() {
        return new ConfigSpace(ABSENT, ABSENT, REVISION, ETHERNET)
                .subsystem(INTEL, 0)
                .field(ConfigSpace.COMMAND, 2, 0, ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_BUS_MASTER, 0)
                .field(ConfigSpace.INTERRUPT_LINE, 1, 0, 0, 0);
    }

    /** PCI Express, version 2 endpoint, 2.5 GT/s x4 (PCI Express Base 7.8), whose reset bit always reads 0. */
    static void addExpress(ConfigSpace config, Runnable functionLevelReset) {
        config.capability(EXPRESS, 0x10)
                .field(EXPRESS + 2, 2, 0x0002, 0, 0)
                .field(EXPRESS + 4, 4, DEVICE_CAPABILITIES, 0, 0)
                .field(DEVICE_CONTROL, 2, 0x2810, 0xFCFF, 0)
                .field(EXPRESS + 0x0A, 2, 0, 0, 0x000F)
                .field(EXPRESS + 0x0C, 4, 0x0000_0C41, 0, 0)
                .field(EXPRESS + 0x10, 2, 0, 0x00CB, 0)
                .field(EXPRESS + 0x12, 2, 0x0041, 0, 0)
                .field(EXPRESS + 0x24, 4, 0x0000_001F, 0, 0)
                .field(EXPRESS + 0x28, 2, 0, 0x001F, 0)
                .field(EXPRESS + 0x2C, 4, 2, 0, 0)
                .onWrite(DEVICE_CONTROL, 2, () -> {
                    int control = config.get(DEVICE_CONTROL, 2);
                    if ((control & START_RESET) != 0) {
                        config.put(DEVICE_CONTROL, 2, control & ~START_RESET);
                        functionLevelReset.run();
                    }
                });
    }

    static void addPhysicalExtended(ConfigSpace config, long mac) {
        addErrorReporting(config);
        byte[] bytes = new MacAddress(mac).toBytes();
        int low = BigEndian.getShort(bytes, 4) | (bytes[3] & 0xFF) << 16 | 0xFF << 24;
        int high = 0xFF | (bytes[2] & 0xFF) << 8 | (bytes[1] & 0xFF) << 16 | (bytes[0] & 0xFF) << 24;
        config.extendedCapability(SERIAL_NUMBER, ExtendedCapability.SERIAL_NUMBER, 1)
                .field(SERIAL_NUMBER + 4, 4, low, 0, 0)
                .field(SERIAL_NUMBER + 8, 4, high, 0, 0);
        AlternativeRouting.add(config, ARI, 0);
    }

    static void addVirtualExtended(ConfigSpace config) {
        addErrorReporting(config);
        AlternativeRouting.add(config, ARI, 0);
    }

    private static void addErrorReporting(ConfigSpace config) {
        config.extendedCapability(AER, ExtendedCapability.ADVANCED_ERROR_REPORTING, 1)
                .field(AER + 0x04, 4, 0, 0, 0x001F_F010)
                .field(AER + 0x08, 4, 0, 0x001F_F010, 0)
                .field(AER + 0x0C, 4, 0x0006_2010, 0x001F_F010, 0)
                .field(AER + 0x10, 4, 0, 0, 0x0000_31C1)
                .field(AER + 0x14, 4, 0x0000_2000, 0x0000_31C1, 0)
                .field(AER + 0x18, 4, 0, 0, 0);
    }
}
