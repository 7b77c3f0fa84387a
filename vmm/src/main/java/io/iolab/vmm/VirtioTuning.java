package io.iolab.vmm;

/**
 * What a virtio-net device is and who serves it.
 *
 * @param queueSize descriptors a virtqueue has at most, a power of two, 8 to 1024; 0 for the NIC's ring size and 256 at most
 */
public record VirtioTuning(Backend backend, int queueSize) {
    /** A queue of more is not offered unless asked for, as under QEMU. */
    static final int USUAL_QUEUE = 256;

    /** vhost, queues as large as the NIC's rings. */
    public static final VirtioTuning DEFAULTS = new VirtioTuning(Backend.VHOST, 0);

    /** Who does a virtqueue's work, and how it learns of it. */
    public enum Backend {
        /**
         * The VMM process, without an ioeventfd: a kick exits to it and what was published is sent in that exit; its I/O thread
         * receives. Each interrupt is a system call.
         */
        USER,
        /**
         * A thread of the host's kernel: a kick's exit ends in the kernel, where an ioeventfd wakes the thread; interrupts take
         * an irqfd, without a system call.
         */
        VHOST,
        /**
         * A thread of another process that never sleeps and looks at the rings all the time, as a vhost-user switch does: kicks are
         * off for good, interrupts are an eventfd's system call.
         */
        POLL
    }

    /** @param ringSize of the NIC */
    int queueSize(int ringSize) {
        return queueSize == 0 ? Math.min(USUAL_QUEUE, ringSize) : queueSize;
    }
}
