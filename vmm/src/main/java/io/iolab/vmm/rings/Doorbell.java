package io.iolab.vmm.rings;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What one thread sleeps on and another rings, as an eventfd: rings that nobody waited for are kept, as one. The sleeper looks
 * for the bell alone, first awake for a while, then parked.
 */
final class Doorbell {
    /** Looks at the bell before parking: a few microseconds, less than a wake-up costs. */
    private static final int SPINS = 100;

    private final AtomicInteger rung = new AtomicInteger();
    private volatile @Nullable Thread sleeper;

    /** Any thread. */
    void ring() {
        rung.set(1);
        Thread parked = sleeper;
        if (parked != null) {
            LockSupport.unpark(parked);
        }
    }

    /** Returns once the bell was rung since this last returned. One thread. */
    void await() {
        for (int i = 0; i < SPINS; i++) {
            if (answered()) {
                return;
            }
            Thread.onSpinWait();
        }
        sleeper = Thread.currentThread();
        while (!answered()) {
            LockSupport.park(this);
        }
        sleeper = null;
    }

    private boolean answered() {
        return rung.get() != 0 && rung.getAndSet(0) != 0;
    }
}
