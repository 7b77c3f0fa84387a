package io.iolab.devices.driver;

import io.iolab.devices.memory.ForwardingMemory;
import io.iolab.devices.memory.Memory;
import org.jspecify.annotations.Nullable;

/** RAM with an ear at ordered 16-bit stores: the moments at which a driver shows a ring index or an event index. */
final class HookedMemory extends ForwardingMemory {
    private @Nullable Runnable hook;

    HookedMemory(Memory memory) {
        super(memory);
    }

    /** Runs before each ordered 16-bit store, as if another processor had been faster. */
    void onOrderedStore(@Nullable Runnable action) {
        hook = action;
    }

    @Override
    public void storeShortRelease(long pa, short value) {
        Runnable action = hook;
        if (action != null) {
            action.run();
        }
        super.storeShortRelease(pa, value);
    }
}
