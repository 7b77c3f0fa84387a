package io.iolab.vmm.rings;

import io.iolab.devices.virtio.queue.DescriptorChain;
import io.iolab.devices.virtio.queue.Virtqueue;
import io.iolab.devices.virtio.queue.Virtqueue.Take;

/** The device's loop: uses whatever is available, a batch at a time, and sleeps when there is nothing. */
final class HostEnd {
    private final Virtqueue queue;
    private final int batch;
    private final boolean sleeps;
    private final Doorbell kicks;
    private final Doorbell interrupts;
    private long interruptCount;

    HostEnd(Virtqueue queue, ExchangePlan plan, Doorbell kicks, Doorbell interrupts) {
        this.queue = queue;
        this.batch = plan.batch();
        this.sleeps = plan.suppression();
        this.kicks = kicks;
        this.interrupts = interrupts;
        queue.disableKicks();
    }

    /** Serves up to {@code rounds} batches, or until it has slept. */
    void serve(int rounds) {
        int idle = 0;
        for (int i = 0; i < rounds; i++) {
            if (use()) {
                idle = 0;
            } else if (++idle < ExchangeLoop.POLLS || !sleeps) {
                ExchangeLoop.relax(idle);
            } else {
                sleep();
                return;
            }
        }
    }

    private void sleep() {
        if (!queue.enableKicks()) {
            kicks.await();
        }
        queue.disableKicks();
    }

    /** @return whether there was anything */
    private boolean use() {
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
            return false;
        }
        queue.publish();
        if (sleeps && queue.interruptWanted()) {
            interruptCount++;
            interrupts.ring();
        }
        return true;
    }

    long interrupts() {
        return interruptCount;
    }

    boolean faulted() {
        return queue.fault() != null;
    }
}
