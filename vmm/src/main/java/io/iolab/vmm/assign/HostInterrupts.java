package io.iolab.vmm.assign;

import io.iolab.devices.driver.DriverPlatform.MessageTarget;
import io.iolab.devices.irq.MessagePort;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The host's interrupt vectors: where messages of physical devices arrive, after the IOMMU. A message for a vector that nobody
 * asked for is counted as spurious.
 *
 * <p>Threading: any thread; a handler runs on the thread of the device that sent the message. Guests on threads of their own claim
 * vectors when their drivers enable MSI-X.
 */
public final class HostInterrupts implements MessagePort {
    private static final long ADDRESS = 0xFEE0_0000L;
    private static final int FIRST_VECTOR = 0x30;
    private static final int LAST_VECTOR = 0xEF;

    private final AtomicReferenceArray<@Nullable Runnable> handlers = new AtomicReferenceArray<>(256);
    private final AtomicLong spurious = new AtomicLong();
    private int next = FIRST_VECTOR;

    /**
     * Claims a vector. Set-up only.
     *
     * @throws IllegalStateException if there is none left
     */
    public synchronized MessageTarget allocate(Runnable handler) {
        if (next > LAST_VECTOR) {
            throw new IllegalStateException("the host has no interrupt vector left");
        }
        handlers.set(next, handler);
        return new MessageTarget(ADDRESS, next++);
    }

    @Override
    public void message(long address, int data) {
        Runnable handler = handlers.get(data & 0xFF);
        if (handler == null) {
            spurious.incrementAndGet();
        } else {
            handler.run();
        }
    }

    /** Messages for vectors without a handler. */
    public long spurious() {
        return spurious.get();
    }
}
