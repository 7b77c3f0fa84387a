package io.iolab.vmm.assign;

import io.iolab.devices.driver.DriverPlatform.MessageTarget;
import io.iolab.devices.irq.MessagePort;
import org.jspecify.annotations.Nullable;

/**
 * The host's interrupt vectors: where messages of physical devices arrive, after the IOMMU. A message for a vector that nobody
 * asked for is counted as spurious.
 */
public final class HostInterrupts implements MessagePort {
    private static final long ADDRESS = 0xFEE0_0000L;
    private static final int FIRST_VECTOR = 0x30;
    private static final int LAST_VECTOR = 0xEF;

    private final @Nullable Runnable[] handlers = new Runnable[256];
    private int next = FIRST_VECTOR;
    private long spurious;

    /** Claims a vector. Set-up only. */
    public MessageTarget allocate(Runnable handler) {
        if (next > LAST_VECTOR) {
            throw new IllegalStateException("the host has no interrupt vector left");
        }
        handlers[next] = handler;
        return new MessageTarget(ADDRESS, next++);
    }

    @Override
    public void message(long address, int data) {
        Runnable handler = handlers[data & 0xFF];
        if (handler == null) {
            spurious++;
        } else {
            handler.run();
        }
    }

    /** Messages for vectors without a handler. */
    public long spurious() {
        return spurious;
    }
}
