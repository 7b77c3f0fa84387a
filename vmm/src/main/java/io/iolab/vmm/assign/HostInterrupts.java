package io.iolab.vmm.assign;

import io.iolab.devices.driver.DriverPlatform.MessageTarget;
import io.iolab.devices.irq.MessagePort;
import io.iolab.iommu.driver.InterruptTable;
import io.iolab.iommu.driver.InterruptTarget;
import io.iolab.iommu.driver.SourceCheck;
import io.iolab.vmm.vcpu.PostedInterrupts;
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
    private final AtomicReferenceArray<@Nullable Runnable> notifications = new AtomicReferenceArray<>(256);
    private final AtomicReferenceArray<@Nullable Runnable> wakeUps = new AtomicReferenceArray<>(256);
    private @Nullable InterruptTable table;
    private int next = FIRST_VECTOR;

    /**
     * A device's interrupt on its way to a handler.
     *
     * @param message what the device sends
     * @param entry of the interrupt-remapping table, or -1 without one
     * @param vector of the host
     */
    record Route(MessageTarget message, int entry, int vector) {}

    /** From now on devices' interrupts get entries of this table. Set-up only. */
    public synchronized void remapThrough(InterruptTable interruptTable) {
        table = interruptTable;
    }

    /**
     * Where the notifications of descriptors whose vCPU is on a processor go.
     *
     * @param apicId 0 to 255
     * @param notification for {@link PostedInterrupts#NOTIFICATION_VECTOR}, the running vCPU's
     * @param wakeUp for {@link PostedInterrupts#WAKE_UP_VECTOR}
     */
    public void processor(int apicId, Runnable notification, Runnable wakeUp) {
        notifications.set(apicId, notification);
        wakeUps.set(apicId, wakeUp);
    }

    /** Claims a vector for a device, with an entry that admits this device alone if there is a table. */
    synchronized Route route(int rid, Runnable handler) {
        MessageTarget plain = allocate(handler);
        InterruptTable entries = table;
        if (entries == null) {
            return new Route(plain, -1, plain.data());
        }
        int entry = entries.allocate(1);
        Route route = new Route(new MessageTarget(InterruptTable.messageAddress(entry), 0), entry, plain.data());
        unpost(route, rid);
        return route;
    }

    /** Claims a vector for a device that a driver of the host's own runs. Set-up only. */
    public MessageTarget allocate(int rid, Runnable handler) {
        return route(rid, handler).message();
    }

    /**
     * Has the unit post a device's interrupts.
     *
     * @return false without interrupt remapping: they go on as they did
     */
    synchronized boolean post(Route route, int rid, int guestVector, long descriptorHpa) {
        InterruptTable entries = table;
        if (entries == null || route.entry < 0) {
            return false;
        }
        entries.post(route.entry, SourceCheck.requester(rid), guestVector, descriptorHpa, false);
        return true;
    }

    /** The interrupts go to the host's vector again. */
    synchronized void unpost(Route route, int rid) {
        InterruptTable entries = table;
        if (entries != null && route.entry >= 0) {
            entries.remap(route.entry, SourceCheck.requester(rid), InterruptTarget.fixed(0, route.vector));
        }
    }

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
        int processor = (int) (address >>> 12) & 0xFF;
        Runnable handler = switch (data & 0xFF) {
            case PostedInterrupts.NOTIFICATION_VECTOR -> notifications.get(processor);
            case PostedInterrupts.WAKE_UP_VECTOR -> wakeUps.get(processor);
            default -> handlers.get(data & 0xFF);
        };
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
