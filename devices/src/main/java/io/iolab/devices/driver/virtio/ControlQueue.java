package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;

/**
 * controlq (virtio 1.2 section 5.1.6.5): one command at a time, whose ack is polled for, as Linux does. A device that does not
 * answer, or answers what it was not asked, ends the use of the queue.
 */
final class ControlQueue {
    /** What a command may have, class and number included. */
    static final int MAX_COMMAND = 4096 - 64;

    /** A buffer to read and one to write. */
    static final int PARTS = 2;

    private static final int ACK_OFFSET = MAX_COMMAND;
    private static final int ACK_OK = 0;
    private static final int ACK_BEFORE = 0xFF;
    private static final int ATTEMPTS = 10_000;
    private static final long WAIT_NANOS = 1_000;

    private final DriverPlatform platform;
    private final Memory ram;
    private final DriverQueue queue;
    private final long commandPa;
    private final long commandBus;
    private final BufferParts parts = new BufferParts();
    private boolean broken;

    ControlQueue(DriverPlatform platform, DriverQueue queue) {
        this.platform = platform;
        this.ram = platform.ram();
        this.queue = queue;
        commandPa = platform.allocate(AddressRange.PAGE_SIZE, AddressRange.PAGE_SIZE);
        commandBus = platform.busAddress(commandPa);
        queue.silenceInterrupts();
    }

    /** Whether the device has failed to answer: the queue is not used any more. */
    boolean broken() {
        return broken;
    }

    /**
     * Sends a command and waits for its ack.
     *
     * @return whether the device carried it out
     */
    boolean send(byte[] command, int length) {
        if (broken || length > MAX_COMMAND) {
            return false;
        }
        ram.write(commandPa, command, 0, length);
        ram.writeByte(commandPa + ACK_OFFSET, (byte) ACK_BEFORE);
        queue.add(0, parts.clear().read(commandBus, length).write(commandBus + ACK_OFFSET, 1));
        queue.publish();
        for (int attempt = 0; !queue.hasUsed(); attempt++) {
            if (attempt == ATTEMPTS) {
                broken = true;
                return false;
            }
            platform.delayNanos(WAIT_NANOS);
        }
        if (queue.usedToken() != 0) {
            broken = true;
            return false;
        }
        boolean written = queue.usedLength() > 0;
        queue.consume();
        queue.silenceInterrupts();
        return written && ram.readByte(commandPa + ACK_OFFSET) == ACK_OK;
    }
}
