package io.iolab.vmm.rings;

import io.iolab.devices.virtio.queue.DescriptorChain;
import io.iolab.devices.virtio.queue.Virtqueue;
import io.iolab.devices.virtio.queue.Virtqueue.Take;

/** The device's loop: uses whatever is available, a batch at a time, and sleeps when there is nothing. */
final class HostEnd {
    /**
     * Buffers that are returned before the device looks whether the driver wants an interrupt for them, unless it runs out of work
     * before: as many as Linux's vhost-net signals at once (VHOST_NET_BATCH in drivers/vhost/net.c, handle_tx_copy).
     */
    private static final int DECISION = 64;

    private final Virtqueue queue;
    private final int batch;
    private final int refill;
    private final boolean sleeps;
    private final Doorbell kicks;
    private final Doorbell interrupts;
    private long interruptCount;
    private int undecided;
    /** Buffers used since the last look that found some. */
    private int run;

    HostEnd(Virtqueue queue, ExchangePlan plan, Doorbell kicks, Doorbell interrupts) {
        this.queue = queue;
        this.batch = plan.batch();
        this.refill = plan.refill();
        this.sleeps = plan.suppression();
        this.kicks = kicks;
        this.interrupts = interrupts;
        queue.disableKicks();
    }

    /** Serves up to {@code rounds} batches, or until it has slept. */
    void serve(int rounds) {
        int idle = 0;
        for (int i = 0; i < rounds; i++) {
            int count = use();
            if (count > 0) {
                idle = 0;
                pace(count);
            } else if (++idle < ExchangeLoop.POLLS || !sleeps) {
                ExchangeLoop.relax(idle);
            } else {
                sleep();
                return;
            }
        }
    }

    /** A look that brought less than a driver refills is not worth another at once. */
    private void pace(int count) {
        run += count;
        if (queue.ahead() == 0) {
            if (run < refill) {
                ExchangeLoop.relax(1);
            }
            run = 0;
        }
    }

    private void sleep() {
        if (!queue.enableKicks()) {
            kicks.await();
        }
        queue.disableKicks();
    }

    /** @return how many there were */
    private int use() {
        // Local: what a field holds is looked up again after each call.
        Virtqueue queue = this.queue;
        DescriptorChain chain = queue.chain();
        int batch = this.batch;
        int count = 0;
        while (count < batch && queue.take() == Take.CHAIN) {
            long room = 0;
            while (chain.next() == DescriptorChain.Step.DESCRIPTOR) {
                room += chain.length();
            }
            queue.complete(queue.token(), room);
            count++;
        }
        if (count == 0) {
            decide();
            return 0;
        }
        queue.publish();
        undecided += count;
        if (undecided >= DECISION) {
            decide();
        }
        return count;
    }

    /** Whether the driver wants an interrupt for what was returned, which takes a full fence to find out. */
    private void decide() {
        undecided = 0;
        if (sleeps && queue.interruptWanted()) {
            interruptCount++;
            interrupts.ring();
        }
    }

    long interrupts() {
        return interruptCount;
    }

    boolean faulted() {
        return queue.fault() != null;
    }
}
