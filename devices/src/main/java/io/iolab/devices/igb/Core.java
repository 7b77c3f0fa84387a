package io.iolab.devices.igb;

import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.time.Clock;

/** What every part of the controller works with. */
record Core(
        RegisterFile registers,
        Clock clock,
        Igb82576Counters counters,
        PfStatistics statistics,
        VfStatistics vfStatistics) {
    static Core of(Clock clock) {
        RegisterFile registers = new RegisterFile(RegisterTables.MAP);
        return new Core(
                registers, clock, new Igb82576Counters(), new PfStatistics(registers), new VfStatistics(registers));
    }
}
