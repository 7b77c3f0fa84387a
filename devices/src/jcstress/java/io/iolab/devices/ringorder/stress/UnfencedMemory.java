package io.iolab.devices.ringorder.stress;

import io.iolab.devices.memory.ForwardingMemory;
import io.iolab.devices.memory.Memory;

/** Memory without a store-load fence. */
final class UnfencedMemory extends ForwardingMemory {
    UnfencedMemory(Memory memory) {
        super(memory);
    }

    @Override
    public void storeLoadFence() {}
}
