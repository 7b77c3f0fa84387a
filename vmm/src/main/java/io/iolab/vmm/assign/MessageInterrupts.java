package io.iolab.vmm.assign;

import io.iolab.devices.driver.DriverPlatform.MessageTarget;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * MSI or MSI-X of an open device: its messages are programmed to host vectors, each of which runs the event of its number. The number
 * of vectors is fixed while they are on.
 */
final class MessageInterrupts {
    private static final int MSIX_ENABLE = 1 << 15;
    private static final int ENTRY_BYTES = 16;
    private static final int ENTRY_CONTROL = 12;
    private static final int MASKED = 1;

    private static final int MSI_ENABLE = 1;
    private static final int MSI_CAPABLE_SHIFT = 1;
    private static final int MSI_GRANTED_SHIFT = 4;
    private static final int MSI_COUNT = 7;
    private static final int MSI_64_BIT = 1 << 7;
    private static final int MSI_MASKABLE = 1 << 8;

    private final PciFunction physical;
    private final HostInterrupts host;
    private final int rid;
    private final boolean extended;
    private final int capability;
    private final MappedPages pages;
    private final IntFunction<Runnable> events;
    private List<HostInterrupts.Route> routes = List.of();
    /** 0 while off. */
    private int enabled;

    /**
     * @param extended MSI-X, not MSI
     * @param pages where the table is
     * @param events what a vector runs
     */
    MessageInterrupts(
            PciFunction physical,
            HostInterrupts host,
            int rid,
            boolean extended,
            MappedPages pages,
            IntFunction<Runnable> events) {
        this.physical = physical;
        this.host = host;
        this.rid = rid;
        this.extended = extended;
        this.pages = pages;
        this.events = events;
        capability = VirtualConfig.find(physical.config(), extended ? VirtualConfig.MSIX : VirtualConfig.MSI);
    }

    /** Vectors that the device has. */
    int count() {
        if (capability == 0) {
            return 0;
        }
        ConfigSpace config = physical.config();
        return extended
                ? VfioDevice.vectors(config, capability)
                : 1 << Math.min(5, config.get(capability + 2, 2) >>> MSI_CAPABLE_SHIFT & MSI_COUNT);
    }

    /** Vectors switched on; 0 while the index is off. */
    int enabled() {
        return enabled;
    }

    /**
     * Switches the first {@code count} vectors on: which of them have an event is looked up when they fire.
     *
     * @return {@link Errno#ENOSPC} if the host has not so many vectors left
     */
    Errno enable(int count) {
        // What a message of MSI can be granted is a power of two.
        int wanted = extended ? count : Integer.highestOneBit(2 * count - 1);
        if (routes.size() != wanted) {
            release();
            routes = claim(wanted);
        }
        if (routes.size() < wanted) {
            release();
            return Errno.ENOSPC;
        }
        enabled = count;
        if (extended) {
            programTable();
        } else {
            programMessage();
        }
        return Errno.OK;
    }

    /** MSI-X takes any vectors, MSI consecutive ones. */
    private List<HostInterrupts.Route> claim(int count) {
        if (!extended) {
            return host.routes(rid, count, events);
        }
        List<HostInterrupts.Route> claimed = new ArrayList<>();
        for (int vector = 0; vector < count; vector++) {
            HostInterrupts.Route route = host.route(rid, events.apply(vector));
            if (route != null) {
                claimed.add(route);
            }
        }
        return claimed;
    }

    private void programTable() {
        int bar = pages.tableBar();
        for (int vector = 0; vector < count(); vector++) {
            long entry = pages.tableOffset() + (long) ENTRY_BYTES * vector;
            if (vector < enabled) {
                MessageTarget target = routes.get(vector).message();
                physical.writeBar(bar, entry, 4, target.address());
                physical.writeBar(bar, entry + 4, 4, 0);
                physical.writeBar(bar, entry + 8, 4, target.data());
                physical.writeBar(bar, entry + ENTRY_CONTROL, 4, 0);
            } else {
                physical.writeBar(bar, entry + ENTRY_CONTROL, 4, MASKED);
            }
        }
        physical.config().write(capability + 2, 2, MSIX_ENABLE);
    }

    private void programMessage() {
        ConfigSpace config = physical.config();
        MessageTarget target = routes.getFirst().message();
        int control = config.get(capability + 2, 2);
        boolean wide = (control & MSI_64_BIT) != 0;
        config.write(capability + 4, 4, (int) target.address());
        if (wide) {
            config.write(capability + 8, 4, 0);
        }
        config.write(capability + (wide ? 12 : 8), 2, target.data());
        if ((control & MSI_MASKABLE) != 0) {
            config.write(capability + (wide ? 16 : 12), 4, 0);
        }
        int granted = Integer.numberOfTrailingZeros(routes.size());
        config.write(capability + 2, 2, granted << MSI_GRANTED_SHIFT | MSI_ENABLE);
    }

    void disable() {
        if (enabled != 0) {
            enabled = 0;
            physical.config().write(capability + 2, 2, 0);
            for (int vector = 0; vector < routes.size(); vector++) {
                unpost(vector);
            }
        }
    }

    /** Gives the vectors back, when nobody uses the device any more. */
    void release() {
        routes.forEach(host::release);
        routes = List.of();
    }

    /** See {@link VfioDevice#post}. */
    boolean post(int vector, int guestVector, long descriptorHpa) {
        return enabled != 0 && vector < routes.size() && host.post(routes.get(vector), rid, guestVector, descriptorHpa);
    }

    /** See {@link VfioDevice#unpost}. */
    void unpost(int vector) {
        if (vector < routes.size()) {
            host.unpost(routes.get(vector), rid);
        }
    }
}
