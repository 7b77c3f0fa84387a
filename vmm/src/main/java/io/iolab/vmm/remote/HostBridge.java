package io.iolab.vmm.remote;

import io.iolab.devices.pci.ConfigSpace;
import io.iolab.vmm.pci.BridgeFunction;

/** A function of the chipset that has nothing but a configuration space. */
final class HostBridge extends BridgeFunction {
    private static final int INTEL = 0x8086;
    private static final int HOST_BRIDGE = 0x060000;
    private static final int ISA_BRIDGE = 0x060100;
    private static final int RED_HAT = 0x1AF4;
    private static final int QEMU_SUBSYSTEM = 0x1100;

    /** Where the memory-mapped configuration space lies (82G33 family data sheet, PCIEXBAR): enable 0, length 2:1, base 35:26. */
    static final int PCIEXBAR = 0x60;

    /** How an interrupt pin of a slot leads to an ISA interrupt (82371SB data sheet, PIRQRC): disable 7, number 3:0. */
    static final int PIRQ_ROUTE = 0x60;

    private static final int PIRQS = 4;
    private static final int PIRQ_DISABLED = 0x80;

    private HostBridge(ConfigSpace config) {
        super(config);
        config.subsystem(RED_HAT, QEMU_SUBSYSTEM).seal();
    }

    /** The memory controller hub of q35: 8086:29c0. */
    static HostBridge q35() {
        ConfigSpace config = new ConfigSpace(INTEL, 0x29C0, 0, HOST_BRIDGE);
        config.field(PCIEXBAR, 4, 0xB000_0000, 0xFC00_0007, 0).field(PCIEXBAR + 4, 4, 0, 0x0000_000F, 0);
        return new HostBridge(config);
    }

    /** The 82441FX of a PC: 8086:1237. */
    static HostBridge i440fx() {
        return new HostBridge(new ConfigSpace(INTEL, 0x1237, 2, HOST_BRIDGE));
    }

    /** The 82371SB (PIIX3) of a PC: 8086:7000. No interrupt line leads anywhere until its routes are programmed. */
    static HostBridge piix3() {
        ConfigSpace config = new ConfigSpace(INTEL, 0x7000, 0, ISA_BRIDGE);
        for (int pirq = 0; pirq < PIRQS; pirq++) {
            config.field(PIRQ_ROUTE + pirq, 1, PIRQ_DISABLED, 0x8F, 0);
        }
        return new HostBridge(config);
    }
}
