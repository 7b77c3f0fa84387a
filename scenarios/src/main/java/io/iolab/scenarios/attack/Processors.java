package io.iolab.scenarios.attack;

import io.iolab.devices.irq.MessagePort;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntConsumer;

/** The host's processors as far as interrupts go: how many arrived at which one with which vector. */
final class Processors implements MessagePort {
    private record Arrival(int apicId, int vector) {}

    private final Map<Arrival, Long> arrivals = new HashMap<>();
    private IntConsumer handler = vector -> {};

    @Override
    public void message(long address, int data) {
        arrivals.merge(new Arrival((int) (address >>> 12) & 0xFF, data & 0xFF), 1L, Long::sum);
        handler.accept(data & 0xFF);
    }

    /** What software does at every interrupt; it is given the vector. */
    void onMessage(IntConsumer action) {
        handler = action;
    }

    /** Interrupts that arrived so far. */
    long count(int apicId, int vector) {
        return arrivals.getOrDefault(new Arrival(apicId, vector), 0L);
    }
}
