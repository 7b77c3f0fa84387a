package io.iolab.vmm.memory;

import java.lang.management.ManagementFactory;

/** Measures what a hot path allocates on the Java heap. */
public final class Allocations {
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int WARM_UP = 20_000;

    private Allocations() {}

    /** Bytes that {@code times} runs of {@code action} allocate on this thread, after a warm-up. */
    public static long bytesOf(int times, Runnable action) {
        for (int i = 0; i < WARM_UP; i++) {
            action.run();
        }
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < times; i++) {
            action.run();
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }
}
