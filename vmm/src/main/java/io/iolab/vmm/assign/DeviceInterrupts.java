package io.iolab.vmm.assign;

import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The interrupts of an open device: SET_IRQS by index. INTx, MSI and MSI-X come from the device itself, and only one of them is on at a
 * time (drivers/vfio/pci/vfio_pci_intrs.c of Linux, which also says what of the rest is refused and how); error and request have an event
 * each, which nobody but {@link IrqInfo#ACTION_TRIGGER} raises.
 */
final class DeviceInterrupts {
    static final int INDEXES = IrqIndex.values().length;

    private static final int DATA = IrqInfo.DATA_NONE | IrqInfo.DATA_BOOL | IrqInfo.DATA_EVENTFD;
    private static final int ACTIONS = IrqInfo.ACTION_MASK | IrqInfo.ACTION_UNMASK | IrqInfo.ACTION_TRIGGER;

    private final PciFunction physical;
    private final List<AtomicReferenceArray<@Nullable Runnable>> events = new ArrayList<>();
    private final LineInterrupt line;
    private final MessageInterrupts msi;
    private final MessageInterrupts msix;

    DeviceInterrupts(PciFunction physical, int rid, HostInterrupts host, MappedPages pages) {
        this.physical = physical;
        line = new LineInterrupt(physical, host, () -> raise(IrqIndex.INTX, 0));
        msi = new MessageInterrupts(physical, host, rid, false, pages, vector -> () -> raise(IrqIndex.MSI, vector));
        msix = new MessageInterrupts(physical, host, rid, true, pages, vector -> () -> raise(IrqIndex.MSIX, vector));
        for (IrqIndex index : IrqIndex.values()) {
            events.add(new AtomicReferenceArray<>(count(index)));
        }
    }

    private int count(IrqIndex index) {
        return switch (index) {
            case INTX -> physical.config().get(ConfigSpace.INTERRUPT_PIN, 1) == 0 ? 0 : 1;
            case MSI -> msi.count();
            case MSIX -> msix.count();
            case ERR, REQ -> 1;
        };
    }

    Opened<IrqInfo> info(int index) {
        if (index < 0 || index >= INDEXES) {
            return Opened.failed(Errno.EINVAL);
        }
        IrqIndex irq = IrqIndex.values()[index];
        boolean level = irq == IrqIndex.INTX;
        return Opened.of(new IrqInfo(true, level, level, !level, count(irq)));
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
        IrqIndex irq = IrqIndex.values()[index];
        return (flags & IrqInfo.ACTION_TRIGGER) != 0
                ? trigger(flags, irq, start, count, data)
                : mask(flags, irq, count, data);
    }

    /** Only a level is masked from here: the vectors' own mask bits are in the device's table. */
    private Errno mask(int flags, IrqIndex index, int count, List<@Nullable Runnable> data) {
        if (index != IrqIndex.INTX) {
            return Errno.ENOTTY;
        }
        if (!line.isOpen() || count != 1) {
            return Errno.EINVAL;
        }
        if ((flags & IrqInfo.DATA_EVENTFD) != 0) {
            return Errno.ENOTTY;
        }
        if ((flags & IrqInfo.DATA_BOOL) != 0 && data.getFirst() == null) {
            return Errno.OK;
        }
        if ((flags & IrqInfo.ACTION_MASK) != 0) {
            line.mask();
        } else {
            line.unmask();
        }
        return Errno.OK;
    }

    private Errno trigger(int flags, IrqIndex index, int start, int count, List<@Nullable Runnable> data) {
        if ((flags & IrqInfo.DATA_NONE) != 0 && count == 0) {
            if (!canDisable(index)) {
                return Errno.EINVAL;
            }
            disable(index);
            return Errno.OK;
        }
        if (count == 0) {
            return Errno.EINVAL;
        }
        if ((flags & IrqInfo.DATA_EVENTFD) != 0) {
            return listen(index, start, count, data);
        }
        if (!isOn(index, start + count)) {
            return Errno.EINVAL;
        }
        for (int i = 0; i < count; i++) {
            if ((flags & IrqInfo.DATA_NONE) != 0 || data.get(i) != null) {
                raise(index, start + i);
            }
        }
        return Errno.OK;
    }

    private Errno listen(IrqIndex index, int start, int count, List<@Nullable Runnable> data) {
        AtomicReferenceArray<@Nullable Runnable> slots = events.get(index.ordinal());
        boolean first = !isOn(index, 1);
        if (first && anotherIsOn(index) || !first && !isOn(index, start + count)) {
            return Errno.EINVAL;
        }
        for (int i = 0; i < count; i++) {
            slots.set(start + i, data.get(i));
        }
        if (!first) {
            return Errno.OK;
        }
        Errno errno = switch (index) {
            case INTX -> line.open();
            case MSI -> msi.enable(start + count);
            case MSIX -> msix.enable(start + count);
            case ERR, REQ -> Errno.OK;
        };
        if (errno != Errno.OK) {
            forget(slots);
        }
        return errno;
    }

    /** Whether that many vectors of an index are switched on. */
    private boolean isOn(IrqIndex index, int count) {
        return switch (index) {
            case INTX -> line.isOpen();
            case MSI -> msi.enabled() >= count;
            case MSIX -> msix.enabled() >= count;
            case ERR, REQ -> true;
        };
    }

    private boolean canDisable(IrqIndex index) {
        return switch (index) {
            case INTX, MSI, MSIX -> isOn(index, 1);
            case ERR, REQ -> events.get(index.ordinal()).get(0) != null;
        };
    }

    private boolean anotherIsOn(IrqIndex index) {
        return index.compareTo(IrqIndex.MSIX) <= 0 && (line.isOpen() || msi.enabled() != 0 || msix.enabled() != 0);
    }

    private void raise(IrqIndex index, int vector) {
        Runnable event = events.get(index.ordinal()).get(vector);
        if (event != null) {
            event.run();
        }
    }

    /** See {@link VfioDevice#post}. */
    boolean post(int vector, int guestVector, long descriptorHpa) {
        return msix.post(vector, guestVector, descriptorHpa);
    }

    /** See {@link VfioDevice#unpost}. */
    void unpost(int vector) {
        msix.unpost(vector);
    }

    /** Command register bits of the physical function that are decided here. */
    int commandBits() {
        return line.commandBits();
    }

    /** The user wrote its command register's interrupt disable bit. */
    void lineDisabledByUser(boolean disabled) {
        line.disabledByUser(disabled);
    }

    private static void forget(AtomicReferenceArray<@Nullable Runnable> slots) {
        for (int i = 0; i < slots.length(); i++) {
            slots.set(i, null);
        }
    }

    private void disable(IrqIndex index) {
        switch (index) {
            case INTX -> line.close();
            case MSI -> msi.disable();
            case MSIX -> msix.disable();
            case ERR, REQ -> {
                // Nothing but the events.
            }
        }
        forget(events.get(index.ordinal()));
    }

    void disableAll() {
        for (IrqIndex index : IrqIndex.values()) {
            disable(index);
        }
    }

    /** All off, and the host's vectors given back. */
    void close() {
        disableAll();
        msi.release();
        msix.release();
    }
}
