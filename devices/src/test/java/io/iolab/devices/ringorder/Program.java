package io.iolab.devices.ringorder;

/** One side, from its start to its end. It must do the same whenever its accesses give the same results. */
@FunctionalInterface
interface Program {
    void run(Replay replay);
}
