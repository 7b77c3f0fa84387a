package io.iolab.iommu.fault;

import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.register.RegisterFile;
import io.iolab.iommu.register.VtdRegisters;

/**
 * The message of one event of the unit (fault, invalidation completion) with its mask and pending bits, IM and IP
 * (VT-d 7.3 and 6.5.2.8). The unit's own messages are not remapped. An address that software has not pointed into the
 * interrupt range goes nowhere.
 */
public final class EventSignal {
    private static final int MASK = 1 << 31;
    private static final int PENDING = 1 << 30;

    private final RegisterFile registers;
    private final int control;
    private final MessagePort messages;

    /** @param control offset of the control register; data, address and upper address follow it */
    public EventSignal(RegisterFile registers, int control, MessagePort messages) {
        this.registers = registers;
        this.control = control;
        this.messages = messages;
        registers.onWrite(control, (written, previous) -> deliver());
    }

    /** The condition arose: sends the message, or leaves it pending while masked. */
    public void raise() {
        registers.set(control, registers.get(control) | PENDING);
        deliver();
    }

    /** Software has seen to the condition without the message. */
    public void withdraw() {
        registers.set(control, registers.get(control) & ~PENDING);
    }

    private void deliver() {
        int word = registers.get(control);
        if ((word & PENDING) == 0 || (word & MASK) != 0) {
            return;
        }
        registers.set(control, word & ~PENDING);
        long address = registers.get(control + VtdRegisters.EVENT_ADDRESS) & 0xFFFF_FFFFL
                | (long) registers.get(control + VtdRegisters.EVENT_UPPER_ADDRESS) << 32;
        if (MessagePort.claims(address)) {
            messages.message(address, registers.get(control + VtdRegisters.EVENT_DATA));
        }
    }
}
