package io.iolab.vmm;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.FrameReceiver;
import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.time.Clock;
import io.iolab.vmm.assign.HostInterrupts;
import io.iolab.vmm.pci.BarTarget;
import io.iolab.vmm.pci.PciHost;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The host's operating system as its own driver of an assigned device's physical function meets it. It has booted before the run begins:
 * what its driver waits for is added to the device's clock. Its processor is none of the guests', works at once, and is not charged:
 * once guests run, it answers mailboxes, which is part of their drivers' boot, and returns buffers of frames that are for nobody else.
 *
 * <p>Threading: the device's.
 */
final class HostKernel implements DriverPlatform, CpuPort {
    /** A handler that raises its own interrupt again is left for the next time. */
    private static final int ROUNDS = 64;

    private static final int BUDGET = 64;
    private static final FrameReceiver NOBODY = (frame, offset, length) -> {};

    private final Memory memory;
    private final HostInterrupts interrupts;
    private final PciHost pci;
    private final int rid;
    private final PciFunction device;
    private final Time time;
    private final List<InterruptHandler> handlers = new ArrayList<>();
    private long nextFree;
    private final long end;
    private int due;
    private boolean serving;
    private boolean pollDue;
    private @Nullable NetDriver driver;

    /** The host's time and its device's: it has passed for both before the run begins. */
    static final class Time implements Clock {
        private final Clock run;
        private long bootNanos;

        /** @param run time of the run */
        Time(Clock run) {
            this.run = run;
        }

        @Override
        public long nanos() {
            return bootNanos + run.nanos();
        }

        /** A deadline of this time in that of the run. */
        long inRun(long nanos) {
            return nanos == Long.MAX_VALUE ? nanos : nanos - bootNanos;
        }
    }

    /** @param rid of the device, whose memory {@link Host#driverMemory} is */
    HostKernel(Host host, PciHost pci, int rid, PciFunction device, Time time) {
        this.memory = host.memory();
        this.interrupts = host.interrupts();
        this.pci = pci;
        this.rid = rid;
        this.device = device;
        this.time = time;
        nextFree = host.driverMemory(rid);
        end = nextFree + AddressRange.LARGE_PAGE_SIZE;
    }

    /** Opens the driver and polls it from then on. */
    void run(NetDriver opened) {
        driver = opened;
        opened.open();
        serve();
    }

    /** Takes the interrupts that have come, and polls the driver if one of them asked for it. */
    void serve() {
        if (serving || due == 0) {
            return;
        }
        serving = true;
        for (int round = 0; round < ROUNDS && due != 0; round++) {
            int handler = Integer.numberOfTrailingZeros(due);
            due &= due - 1;
            pollDue |= handlers.get(handler).interrupt();
            if (pollDue && driver != null) {
                pollDue = driver.poll(BUDGET, NOBODY) == BUDGET;
            }
        }
        serving = false;
    }

    @Override
    public CpuPort cpu() {
        return this;
    }

    @Override
    public Memory ram() {
        return memory;
    }

    @Override
    public Clock clock() {
        return time;
    }

    @Override
    public long allocate(long bytes, long alignment) {
        long hpa = AddressRange.alignUp(nextFree, alignment);
        if (hpa + bytes > end) {
            throw new IllegalStateException("the host driver's memory is used up");
        }
        nextFree = hpa + bytes;
        memory.fill(hpa, bytes, (byte) 0);
        return hpa;
    }

    @Override
    public long busAddress(long pa) {
        return pa;
    }

    @Override
    public MessageTarget allocateMessage(InterruptHandler handler) {
        int bit = 1 << handlers.size();
        handlers.add(handler);
        return interrupts.allocate(rid, () -> due |= bit);
    }

    @Override
    public void attachLine(int line, InterruptHandler handler) {
        throw new IllegalStateException("no interrupt line of the host is wired to a physical device");
    }

    /** During boot only. */
    @Override
    public void delayNanos(long nanos) {
        time.bootNanos += nanos;
        for (int round = 0; round < ROUNDS && device.poll(BUDGET) == BUDGET; round++) {
            // What the device was given to do.
        }
        serve();
    }

    @Override
    public long load(long hpa, int width) {
        BarTarget target = pci.findMemory(hpa, width);
        return target == null
                ? -1L >>> 64 - 8 * width
                : target.function().readBar(target.bar(), target.offset(hpa), width);
    }

    @Override
    public void store(long hpa, int width, long value) {
        BarTarget target = pci.findMemory(hpa, width);
        if (target != null) {
            target.function().writeBar(target.bar(), target.offset(hpa), width, value);
        }
    }

    @Override
    public int in(int port, int width) {
        return -1 >>> 32 - 8 * width;
    }

    @Override
    public void out(int port, int width, int value) {}
}
