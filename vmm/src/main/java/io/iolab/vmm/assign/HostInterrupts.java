package io.iolab.vmm.assign;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.driver.DriverPlatform.MessageTarget;
import io.iolab.devices.irq.MessagePort;
import io.iolab.iommu.driver.InterruptTable;
import io.iolab.iommu.driver.InterruptTarget;
import io.iolab.iommu.driver.SourceCheck;
import io.iolab.vmm.vcpu.PostedInterrupts;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The host's interrupt vectors: where messages of physical devices arrive, after the IOMMU, and those of the host's I/O APIC, on whose
 * pins the devices' interrupt lines end. A message for a vector that nobody asked for is counted as spurious.
 *
 * <p>Threading: any thread; a handler runs on the thread of the device that sent the message. Guests on threads of their own claim
 * vectors when their drivers enable MSI-X. Lines are for devices that share a thread.
 */
public final class HostInterrupts implements MessagePort {
    private static final long ADDRESS = 0xFEE0_0000L;
    private static final int FIRST_VECTOR = 0x30;
    private static final int LAST_VECTOR = 0xEF;

    private final AtomicReferenceArray<@Nullable Runnable> handlers = new AtomicReferenceArray<>(256);
    private final AtomicLong spurious = new AtomicLong();
    private final AtomicReferenceArray<@Nullable Runnable> notifications = new AtomicReferenceArray<>(256);
    private final AtomicReferenceArray<@Nullable Runnable> wakeUps = new AtomicReferenceArray<>(256);
    private final BitSet free = new BitSet(256);
    private final Map<Integer, HostLine> lines = new HashMap<>();
    private @Nullable InterruptTable table;
    private @Nullable MmioHandler ioApic;
    private int ioApicRid;

    /** All vectors are free. */
    public HostInterrupts() {
        free.set(FIRST_VECTOR, LAST_VECTOR + 1);
    }

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
     * The I/O APIC that devices' interrupt lines end at, and whose messages arrive here. Set-up only; without one there are no lines.
     *
     * @param registers its register window
     * @param rid the source id of its messages
     */
    public synchronized void linesThrough(MmioHandler registers, int rid) {
        ioApic = registers;
        ioApicRid = rid;
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

    /**
     * Claims consecutive vectors for a device, each with an entry that admits this device alone if there is a table.
     *
     * @param count a power of two where the device numbers its messages itself (MSI): the first vector and entry are aligned to it
     * @return what the device sends for each; empty if there is no room
     */
    synchronized List<Route> routes(int rid, int count, IntFunction<Runnable> handler) {
        int first = block(count);
        if (first < 0) {
            return List.of();
        }
        InterruptTable entries = table;
        int entry = -1;
        if (entries != null) {
            try {
                entry = entries.allocate(count);
            } catch (IllegalStateException full) {
                return List.of();
            }
        }
        free.clear(first, first + count);
        List<Route> routes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            handlers.set(first + i, handler.apply(i));
            Route route = new Route(message(first + i, entry, i, count), entry < 0 ? -1 : entry + i, first + i);
            routes.add(route);
            unpost(route, rid);
        }
        return routes;
    }

    /** A device that numbers its messages itself adds the number to the data: to the vector, or to the entry as a subhandle. */
    private static MessageTarget message(int vector, int entry, int number, int count) {
        if (entry < 0) {
            return new MessageTarget(ADDRESS, vector);
        }
        return count == 1
                ? new MessageTarget(InterruptTable.messageAddress(entry), 0)
                : new MessageTarget(InterruptTable.blockMessageAddress(entry), number);
    }

    private int block(int count) {
        int size = Integer.highestOneBit(2 * count - 1);
        for (int first = FIRST_VECTOR; first + count <= LAST_VECTOR + 1; first += size) {
            if (free.get(first, first + count).cardinality() == count) {
                return first;
            }
        }
        return -1;
    }

    /** As {@link #routes} for one, or null. */
    @Nullable
    Route route(int rid, Runnable handler) {
        List<Route> one = routes(rid, 1, number -> handler);
        return one.isEmpty() ? null : one.getFirst();
    }

    /** Gives a vector back; messages that still come are spurious, or blocked by the unit. */
    synchronized void release(Route route) {
        InterruptTable entries = table;
        if (entries != null && route.entry >= 0) {
            entries.free(route.entry, 1);
        }
        handlers.set(route.vector, null);
        free.set(route.vector);
    }

    /**
     * Adds a handler to an interrupt line, and opens the line with the first.
     *
     * @param gsi the I/O APIC's pin
     * @param handler whether the interrupt was its device's; it must have made the device let go of the line then
     * @param alone whether the handler may not share the line
     * @return null without such a line, or if it cannot be shared
     */
    synchronized @Nullable HostLine line(int gsi, BooleanSupplier handler, boolean alone) {
        MmioHandler registers = ioApic;
        if (registers == null || gsi < 0 || gsi >= HostLine.PINS) {
            return null;
        }
        HostLine line = lines.computeIfAbsent(gsi, pin -> new HostLine(this, registers, ioApicRid, pin));
        return line.add(handler, alone) ? line : null;
    }

    /** Whether {@link #line} can give any. */
    synchronized boolean hasLines() {
        return ioApic != null;
    }

    /** Points an entry at a level-triggered vector. */
    synchronized void level(Route route, int rid) {
        InterruptTable entries = table;
        if (entries != null && route.entry >= 0) {
            entries.remap(
                    route.entry, SourceCheck.requester(rid), new InterruptTarget(0, route.vector, 0, false, true));
        }
    }

    /**
     * Claims a vector for a device that a driver of the host's own runs. Set-up only.
     *
     * @throws IllegalStateException if there is none left
     */
    public MessageTarget allocate(int rid, Runnable handler) {
        Route route = route(rid, handler);
        if (route == null) {
            throw new IllegalStateException("the host has no interrupt vector left");
        }
        return route.message();
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
        int vector = free.nextSetBit(0);
        if (vector < 0) {
            throw new IllegalStateException("the host has no interrupt vector left");
        }
        free.clear(vector);
        handlers.set(vector, handler);
        return new MessageTarget(ADDRESS, vector);
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
            countSpurious();
        } else {
            handler.run();
        }
    }

    void countSpurious() {
        spurious.incrementAndGet();
    }

    /** Messages for vectors without a handler, and interrupts of lines that none of their handlers knew as its own. */
    public long spurious() {
        return spurious.get();
    }
}
