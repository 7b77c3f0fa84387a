package io.iolab.devices.driver;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.NetworkFunction;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongUnaryOperator;

/** A device with some registers that lie, and some that are deaf. */
final class TamperedFunction implements NetworkFunction {
    private final NetworkFunction device;
    private final Map<String, LongUnaryOperator> lies = new HashMap<>();
    private final Set<String> deaf = new HashSet<>();

    TamperedFunction(NetworkFunction device) {
        this.device = device;
    }

    /** What reading a register gives, made from what it holds. */
    TamperedFunction lie(String register, LongUnaryOperator answer) {
        lies.put(register, answer);
        return this;
    }

    /** Writes to a register are lost. */
    TamperedFunction deafen(String register) {
        deaf.add(register);
        return this;
    }

    @Override
    public ConfigSpace config() {
        return device.config();
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        long value = device.readBar(bar, offset, width);
        LongUnaryOperator lie = lies.get(device.registerName(bar, offset));
        return lie == null ? value : lie.applyAsLong(value);
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        if (!deaf.contains(device.registerName(bar, offset))) {
            device.writeBar(bar, offset, width, value);
        }
    }

    @Override
    public int poll(int budget) {
        return device.poll(budget);
    }

    @Override
    public long nextDeadlineNanos() {
        return device.nextDeadlineNanos();
    }

    @Override
    public boolean workPending() {
        return device.workPending();
    }

    @Override
    public void reset() {
        device.reset();
    }

    @Override
    public String registerName(int bar, long offset) {
        return device.registerName(bar, offset);
    }

    @Override
    public Delivery send(byte[] frame, int offset, int length) {
        return device.send(frame, offset, length);
    }

    @Override
    public void setLink(boolean connected) {
        device.setLink(connected);
    }
}
