package io.iolab.scenarios.attack;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.memory.Memory;
import java.util.function.UnaryOperator;

/**
 * What is wrong with a host that believes itself defended. A verdict is worth something only if it changes when the defence does not
 * work: hosts of the catalogue have {@link #NONE}, tests have every other.
 *
 * @param unitsMemory host memory as the remapping unit sees it: a bit of a table that it does not heed
 * @param driversMemory host memory as the unit's driver sees it: a copy that takes more than it should
 * @param registers registers of the unit and of devices as host software reaches them: a store that is lost
 * @param configuration configuration space as host software reaches it
 * @param forgetsReservedMemory whether the host has never heard of memory that firmware reserved
 */
record HostFlaw(
        UnaryOperator<Memory> unitsMemory,
        UnaryOperator<Memory> driversMemory,
        UnaryOperator<CpuPort> registers,
        UnaryOperator<ConfigAccess> configuration,
        boolean forgetsReservedMemory) {
    static final HostFlaw NONE = new HostFlaw(
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            false);

    HostFlaw withUnitsMemory(UnaryOperator<Memory> seen) {
        return new HostFlaw(seen, driversMemory, registers, configuration, forgetsReservedMemory);
    }

    HostFlaw withDriversMemory(UnaryOperator<Memory> seen) {
        return new HostFlaw(unitsMemory, seen, registers, configuration, forgetsReservedMemory);
    }

    HostFlaw withRegisters(UnaryOperator<CpuPort> reached) {
        return new HostFlaw(unitsMemory, driversMemory, reached, configuration, forgetsReservedMemory);
    }

    HostFlaw withConfiguration(UnaryOperator<ConfigAccess> reached) {
        return new HostFlaw(unitsMemory, driversMemory, registers, reached, forgetsReservedMemory);
    }

    HostFlaw withoutReservedMemory() {
        return new HostFlaw(unitsMemory, driversMemory, registers, configuration, true);
    }
}
