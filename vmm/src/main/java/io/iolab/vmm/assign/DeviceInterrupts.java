package io.iolab.vmm.assign;

import io.iolab.devices.driver.DriverPlatform.MessageTarget;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The interrupts of an open device. MSI-X vectors are programmed with host vectors, each of which runs the event that the user set for it.
 * INTx, error and request have an event each, which nobody but {@link IrqInfo#ACTION_TRIGGER} raises: the lab's physical functions are not
 * wired to a pin.
 */
final class DeviceInterrupts {
    static final int INDEXES = IrqIndex.values().length;

    private static final int DATA = IrqInfo.DATA_NONE | IrqInfo.DATA_BOOL | IrqInfo.DATA_EVENTFD;
    private static final int ACTIONS = IrqInfo.ACTION_MASK | IrqInfo.ACTION_UNMASK | IrqInfo.ACTION_TRIGGER;
    private static final int MSIX_ENABLE = 1 << 15;
    private static final int ENTRY_BYTES = 16;
    private static final int VECTOR_CONTROL = 12;

    private final PciFunction physical;
    private final int rid;
    private final HostInterrupts host;
    private final MappedPages pages;
    private final int msix;
    private final List<AtomicReferenceArray<@Nullable Runnable>> events = new ArrayList<>();
    /** Claimed once; a reset function is given the same again. */
    private final List<HostInterrupts.Route> hostVectors = new ArrayList<>();

    private final boolean[] masked = new boolean[INDEXES];
    private boolean msixOn;

    DeviceInterrupts(PciFunction physical, int rid, HostInterrupts host, MappedPages pages) {
        this.rid = rid;
        this.physical = physical;
        this.host = host;
        this.pages = pages;
        this.msix = VirtualConfig.find(physical.config(), VirtualConfig.MSIX);
        for (IrqIndex index : IrqIndex.values()) {
            events.add(new AtomicReferenceArray<>(count(index)));
        }
    }

    private int count(IrqIndex index) {
        ConfigSpace config = physical.config();
        return switch (index) {
            case INTX -> config.get(ConfigSpace.INTERRUPT_PIN, 1) == 0 ? 0 : 1;
            // MSI is not offered: see VirtualConfig.
            case MSI -> 0;
            case MSIX -> msix == 0 ? 0 : VfioDevice.vectors(config, msix);
            case ERR, REQ -> 1;
        };
    }

    Opened<IrqInfo> info(int index) {
        if (index < 0 || index >= INDEXES) {
            return Opened.failed(Errno.EINVAL);
        }
        IrqIndex irq = IrqIndex.values()[index];
        boolean line = irq == IrqIndex.INTX;
        return Opened.of(new IrqInfo(true, line, line, !line, count(irq)));
    }

    Errno set(int flags, int index, int start, int count, List<@Nullable Runnable> data) {
        boolean oneEach = Integer.bitCount(flags & DATA) == 1
                && Integer.bitCount(flags & ACTIONS) == 1
                && (flags & ~(DATA | ACTIONS)) == 0;
        if (!oneEach || index < 0 || index >= INDEXES) {
            return Errno.EINVAL;
        }
        AtomicReferenceArray<@Nullable Runnable> slots = events.get(index);
        boolean needsData = (flags & IrqInfo.DATA_NONE) == 0;
        if (start < 0 || count < 0 || start > slots.length() - count || needsData && data.size() != count) {
            return Errno.EINVAL;
        }
        if ((flags & IrqInfo.ACTION_TRIGGER) != 0) {
            return trigger(flags, IrqIndex.values()[index], start, count, data);
        }
        if (index != IrqIndex.INTX.ordinal() || (flags & IrqInfo.DATA_EVENTFD) != 0) {
            return Errno.EINVAL;
        }
        masked[index] = (flags & IrqInfo.ACTION_MASK) != 0;
        return Errno.OK;
    }

    private Errno trigger(int flags, IrqIndex index, int start, int count, List<@Nullable Runnable> data) {
        AtomicReferenceArray<@Nullable Runnable> slots = events.get(index.ordinal());
        if ((flags & IrqInfo.DATA_NONE) != 0 && count == 0) {
            disable(index);
            return Errno.OK;
        }
        if (count == 0) {
            return Errno.EINVAL;
        }
        for (int i = 0; i < count; i++) {
            if ((flags & IrqInfo.DATA_EVENTFD) != 0) {
                slots.set(start + i, data.get(i));
            } else if ((flags & IrqInfo.DATA_NONE) != 0 || data.get(i) != null) {
                fire(index, start + i);
            }
        }
        if (index == IrqIndex.MSIX && (flags & IrqInfo.DATA_EVENTFD) != 0) {
            enableMsix();
        }
        return Errno.OK;
    }

    private void fire(IrqIndex index, int vector) {
        Runnable event = events.get(index.ordinal()).get(vector);
        if (event != null && !masked[index.ordinal()]) {
            masked[index.ordinal()] = index == IrqIndex.INTX;
            event.run();
        }
    }

    /** The host points the physical table at its own vectors, all of them: which have an event is looked up when they fire. */
    private void enableMsix() {
        if (msixOn) {
            return;
        }
        msixOn = true;
        for (int v = 0; v < count(IrqIndex.MSIX); v++) {
            MessageTarget target = hostVector(v).message();
            int bar = pages.tableBar();
            long entry = pages.tableOffset() + (long) ENTRY_BYTES * v;
            physical.writeBar(bar, entry, 4, target.address());
            physical.writeBar(bar, entry + 4, 4, 0);
            physical.writeBar(bar, entry + 8, 4, target.data());
            physical.writeBar(bar, entry + VECTOR_CONTROL, 4, 0);
        }
        physical.config().write(msix + 2, 2, MSIX_ENABLE);
    }

    /** See {@link VfioDevice#post}. */
    boolean post(int vector, int guestVector, long descriptorHpa) {
        return msixOn
                && vector < hostVectors.size()
                && host.post(hostVectors.get(vector), rid, guestVector, descriptorHpa);
    }

    /** See {@link VfioDevice#unpost}. */
    void unpost(int vector) {
        if (vector < hostVectors.size()) {
            host.unpost(hostVectors.get(vector), rid);
        }
    }

    private HostInterrupts.Route hostVector(int vector) {
        if (vector == hostVectors.size()) {
            hostVectors.add(host.route(rid, () -> fire(IrqIndex.MSIX, vector)));
        }
        return hostVectors.get(vector);
    }

    private void disable(IrqIndex index) {
        AtomicReferenceArray<@Nullable Runnable> slots = events.get(index.ordinal());
        for (int i = 0; i < slots.length(); i++) {
            slots.set(i, null);
        }
        if (index == IrqIndex.MSIX && msixOn) {
            msixOn = false;
            physical.config().write(msix + 2, 2, 0);
            for (int vector = 0; vector < hostVectors.size(); vector++) {
                unpost(vector);
            }
        }
    }

    void disableAll() {
        for (IrqIndex index : IrqIndex.values()) {
            disable(index);
        }
        Arrays.fill(masked, false);
    }
}
