package io.iolab.vmm;

import io.iolab.devices.virtio.queue.RingFeatures;

/**
 * What a virtio-net device is and who serves it.
 *
 * @param ring how driver and device share a queue
 * @param inOrder whether VIRTIO_F_IN_ORDER is offered and taken: buffers come back in the order in which they were offered
 * @param queueSize descriptors a virtqueue has at most, a power of two, 8 to 1024; 0 for the NIC's ring size and 256 at most
 */
public record VirtioTuning(Backend backend, Ring ring, boolean inOrder, int queueSize) {
    /** A queue of more is not offered unless asked for, as under QEMU. */
    static final int USUAL_QUEUE = 256;

    /** vhost, split rings, queues as large as the NIC's rings. */
    public static final VirtioTuning DEFAULTS = new VirtioTuning(Backend.VHOST, Ring.SPLIT, false, 0);

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

    /** The form of a virtqueue. */
    public enum Ring {
        /** A table of descriptors, a ring of those that are available, a ring of those that are used (virtio 1.2 section 2.7). */
        SPLIT,
        /** One ring of descriptors that both sides write (section 2.8). */
        PACKED
    }

    /** The feature bits that the device offers beyond those it always does. */
    long ringFeatures() {
        return (ring == Ring.PACKED ? RingFeatures.RING_PACKED : 0) | (inOrder ? RingFeatures.IN_ORDER : 0);
    }

    /** @param ringSize of the NIC */
    int queueSize(int ringSize) {
        return queueSize == 0 ? Math.min(USUAL_QUEUE, ringSize) : queueSize;
    }
}
