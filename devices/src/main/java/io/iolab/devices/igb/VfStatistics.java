package io.iolab.devices.igb;

import io.iolab.devices.register.RegisterFile;

/**
 * A virtual function's counters. They wrap at 32 bits and reads leave them alone: a driver keeps what it last saw (82576 datasheet
 * 8.28). GORC and GOTC count bytes, the LBC registers what came and went by the local switch.
 */
final class VfStatistics {
    /** At the first virtual function's aliases. */
    static final int[] OFFSETS = {
        IgbRegisters.PVFGPRC,
        IgbRegisters.PVFGPTC,
        IgbRegisters.PVFGORC,
        IgbRegisters.PVFGOTC,
        IgbRegisters.PVFMPRC,
        IgbRegisters.PVFGPRLBC,
        IgbRegisters.PVFGPTLBC,
        IgbRegisters.PVFGORLBC,
        IgbRegisters.PVFGOTLBC
    };

    private final RegisterFile registers;

    VfStatistics(RegisterFile registers) {
        this.registers = registers;
    }

    private void add(int pool, int offset, int amount) {
        int at = offset + IgbRegisters.VF_STRIDE * pool;
        registers.set(at, registers.get(at) + amount);
    }

    void received(int pool, int bytes, boolean multicast, boolean looped) {
        add(pool, IgbRegisters.PVFGPRC, 1);
        add(pool, IgbRegisters.PVFGORC, bytes);
        if (multicast) {
            add(pool, IgbRegisters.PVFMPRC, 1);
        }
        if (looped) {
            add(pool, IgbRegisters.PVFGPRLBC, 1);
            add(pool, IgbRegisters.PVFGORLBC, bytes);
        }
    }

    void transmitted(int pool, int bytes, boolean looped) {
        add(pool, IgbRegisters.PVFGPTC, 1);
        add(pool, IgbRegisters.PVFGOTC, bytes);
        if (looped) {
            add(pool, IgbRegisters.PVFGPTLBC, 1);
            add(pool, IgbRegisters.PVFGOTLBC, bytes);
        }
    }
}
