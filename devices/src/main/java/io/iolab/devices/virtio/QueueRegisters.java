package io.iolab.devices.virtio;

import io.iolab.devices.virtio.queue.QueueLayout;

/** What the driver configured for one virtqueue. */
final class QueueRegisters {
    final int maxSize;
    int size;
    int vector;
    boolean enabled;
    /** The queue was reset while the device ran: it may be set up again. */
    boolean restartable;

    long desc;
    long driver;
    long device;

    QueueRegisters(int maxSize) {
        this.maxSize = maxSize;
        reset();
    }

    void reset() {
        size = maxSize;
        vector = InterruptUnit.NO_VECTOR;
        enabled = false;
        restartable = false;
        desc = 0;
        driver = 0;
        device = 0;
    }

    QueueLayout layout() {
        return new QueueLayout(desc, driver, device);
    }
}
