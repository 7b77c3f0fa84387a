package io.iolab.vmm.rings;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.driver.virtio.RingDriver;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.virtio.queue.QueueLayout;
import io.iolab.devices.virtio.queue.Virtqueue;
import java.util.concurrent.CountDownLatch;

/**
 * A driver and a device, each on a thread, that pass buffers through one virtqueue. The guest is the thread that constructs
 * and calls this; the host thread works until {@link #close}.
 */
public final class RingExchange implements AutoCloseable {
    private static final long HEAP = 0x1000;
    private static final int BUFFER_LENGTH = 2048;
    /** Where the rings end and the buffers, which nobody touches, begin. */
    private static final long RINGS = 4L << 20;

    private static final int ROUNDS = 1024;
    private static final long CHUNK = 1 << 14;

    private final ExchangePlan plan;
    private final PhysicalMemory memory;
    private final Doorbell kickBell = new Doorbell();
    private final Doorbell interruptBell = new Doorbell();
    private final RingDriver driver;
    private final GuestEnd guest;
    private final Thread hostThread;
    private volatile boolean closing;
    private volatile long interrupts;

    public RingExchange(ExchangePlan plan) {
        this.plan = plan;
        memory = PhysicalMemory.allocate(RINGS + (long) plan.size() * BUFFER_LENGTH);
        BareGuest machine = new BareGuest(memory, HEAP, kickBell);
        driver = new RingDriver(machine, plan.size(), plan.features(), RINGS, BUFFER_LENGTH, false);
        guest = new GuestEnd(driver, plan, interruptBell);
        CountDownLatch ready = new CountDownLatch(1);
        hostThread = new Thread(() -> host(ready), "ring-host");
        hostThread.setDaemon(true);
        hostThread.start();
        await(ready);
    }

    private static void await(CountDownLatch ready) {
        try {
            ready.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The device's objects are made on its own thread, so that they share no cache line with the driver's. */
    private void host(CountDownLatch ready) {
        QueueLayout layout = new QueueLayout(driver.descriptorsBus(), driver.driverBus(), driver.deviceBus());
        Virtqueue queue =
                plan.layout().open(new DirectDma(memory, (address, data) -> {}), plan.size(), layout, plan.features());
        HostEnd end = new HostEnd(queue, plan, kickBell, interruptBell);
        ready.countDown();
        while (!closing && !end.faulted()) {
            end.serve(ROUNDS);
            interrupts = end.interrupts();
        }
    }

    /** Returns once at least {@code buffers} more have made the round. */
    public void pass(long buffers) {
        guest.pass(buffers);
    }

    /** Passes buffers for about {@code nanos}. */
    public ExchangeFigures passFor(long nanos) {
        long start = System.nanoTime();
        long buffers = driver.reaped();
        long kicks = driver.kicks();
        long interruptsBefore = interrupts;
        long elapsed;
        do {
            guest.pass(CHUNK);
            elapsed = System.nanoTime() - start;
        } while (elapsed < nanos);
        return new ExchangeFigures(
                driver.reaped() - buffers, elapsed, driver.kicks() - kicks, interrupts - interruptsBefore);
    }

    /** Ends the host thread. */
    @Override
    public void close() {
        closing = true;
        kickBell.ring();
        try {
            hostThread.join();
            memory.close();
        } catch (InterruptedException e) {
            // The thread may still be in memory, which then stays.
            Thread.currentThread().interrupt();
        }
    }
}
