package io.iolab.vmm.rings;

import io.iolab.devices.driver.virtio.RingDriver;

/** The driver's loop: keeps the ring as full as whole batches allow, and sleeps when no buffer comes back. */
final class GuestEnd {
    private final RingDriver driver;
    private final int batch;
    private final int size;
    private final int refill;
    private final boolean sleeps;
    private final Doorbell interrupts;

    GuestEnd(RingDriver driver, ExchangePlan plan, Doorbell interrupts) {
        this.driver = driver;
        this.batch = plan.batch();
        this.size = plan.size();
        this.refill = plan.refill();
        this.sleeps = plan.suppression();
        this.interrupts = interrupts;
        driver.silenceInterrupts();
    }

    /** Returns once at least {@code buffers} more have come back. */
    void pass(long buffers) {
        long target = driver.reaped() + buffers;
        int idle = 0;
        while (driver.reaped() < target) {
            int back = turn();
            idle = back > 0 ? 0 : idle;
            if (back >= refill) {
                continue;
            }
            // What came is not worth another look at once, which would take the line that the device is writing.
            if (++idle < ExchangeLoop.POLLS || !sleeps) {
                ExchangeLoop.relax(idle);
            } else {
                idle = 0;
                sleep();
            }
        }
    }

    /** Fills the ring if it is worth it, and takes back what came back. @return how many */
    private int turn() {
        if (driver.free() >= refill) {
            while (driver.free() >= batch) {
                if (sleeps) {
                    driver.offer(batch);
                } else {
                    driver.offerWithoutKick(batch);
                }
            }
        }
        return driver.reap(size);
    }

    /** The next batch is worth an interrupt, and no less. */
    private void sleep() {
        if (driver.armInterrupt(batch - 1)) {
            interrupts.await();
        }
        driver.silenceInterrupts();
    }
}
