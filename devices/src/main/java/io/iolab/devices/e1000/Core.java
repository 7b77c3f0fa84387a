package io.iolab.devices.e1000;

import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.time.Clock;

/** What every unit of one controller shares. */
record Core(E1000Model model, RegisterFile registers, Clock clock, E1000Counters counters, Statistics statistics) {

    static Core of(E1000Model model, Clock clock) {
        RegisterFile registers = new RegisterFile(model.registers());
        return new Core(model, registers, clock, new E1000Counters(registers), new Statistics(registers, model));
    }
}
