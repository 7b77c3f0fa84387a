package io.iolab.vmm.rings;

/** What both ends do while there is nothing to do. */
final class ExchangeLoop {
    /** Looks at an empty ring before an end asks to be woken: some ten microseconds, as a wake-up costs. */
    static final int POLLS = 20;

    /** Between two looks, since each takes the line that is looked at from the end that is about to write it. */
    private static final int PAUSES = 32;

    /** Looks after which a poller lets others have the processor: the other end may be waiting for it. */
    private static final int PATIENCE = 100;

    private ExchangeLoop() {}

    /** Between two looks. */
    static void relax(int looks) {
        if (looks % PATIENCE == 0) {
            Thread.yield();
        } else {
            for (int i = 0; i < PAUSES; i++) {
                Thread.onSpinWait();
            }
        }
    }
}
