package io.iolab.vmm.rings;

/** What both ends do while there is nothing to do. */
final class ExchangeLoop {
    /** Looks at an empty ring before an end asks to be woken: some microseconds, as a wake-up costs. */
    static final int POLLS = 200;

    /** Looks after which a poller lets others have the processor: the other end may be waiting for it. */
    private static final int PATIENCE = 20_000;

    private ExchangeLoop() {}

    /** Between two looks. */
    static void relax(int looks) {
        if (looks % PATIENCE == 0) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }
}
