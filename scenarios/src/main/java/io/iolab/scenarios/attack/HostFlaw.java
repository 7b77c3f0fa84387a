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
 * @param registers the unit's registers as host software reaches them: a store that is lost
 * @param configuration configuration space as host software reaches it
 * @param forgetsReservedMemory whether the host has never heard of memory that firmware reserved
 */
record HostFlaw(
        UnaryOperator<Memory> unitsMemory,
        UnaryOperator<CpuPort> registers,
        UnaryOperator<ConfigAccess> configuration,
        boolean forgetsReservedMemory) {
    static final HostFlaw NONE =
            new HostFlaw(UnaryOperator.identity(), UnaryOperator.identity(), UnaryOperator.identity(), false);
}
