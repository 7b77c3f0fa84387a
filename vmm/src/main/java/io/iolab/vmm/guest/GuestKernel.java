package io.iolab.vmm.guest;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.FrameReceiver;
import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.time.Clock;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.vcpu.GuestSoftware;
import io.iolab.vmm.vcpu.Processor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The operating system of a guest, as small as it can be: interrupt vectors, one soft interrupt (the driver's poll, in the
 * manner of NAPI), a bump allocator, and a socket-like call for one program.
 *
 * <p>It boots in its first step: the driver probes and opens the device there, so that set-up is charged and counted like
 * everything else. The program starts when {@link #release} says so.
 */
public final class GuestKernel implements GuestSoftware, DriverPlatform, Endpoint {
    private static final int POLL_BUDGET = 64;
    /** How often a booted kernel looks whether its program may start. */
    private static final long RELEASE_CHECK_PICOS = 1_000_000_000L;

    private static final int FIRST_MESSAGE_VECTOR = 0x41;
    private static final int LINE_VECTOR_BASE = 0x31;
    private static final long MESSAGE_ADDRESS = 0xFEE0_0000L;
    private static final long IO_APIC = 0xFEC0_0000L;
    private static final int IO_APIC_WINDOW = 0x10;
    private static final int REDIRECTION = 0x10;
    /** Redirection entry: level-triggered, active low (82093AA, section 3.2.4). */
    private static final int LEVEL_LOW = 1 << 15 | 1 << 13;

    private final Processor processor;
    private final Memory ram;
    private final GuestLedger ledger;
    private final Program program;
    private final Function<DriverPlatform, NetDriver> probe;
    private final @Nullable InterruptHandler[] handlers = new InterruptHandler[256];
    private final FrameReceiver receiver = this::received;
    private final long txPicos;
    private final long rxPicos;
    private long nextFree;
    private final long ramEnd;
    private int nextVector = FIRST_MESSAGE_VECTOR;
    private final Function<GuestKernel, @Nullable KernelDma> startDma;
    private @Nullable KernelDma dma;
    private @Nullable NetDriver driver;
    private boolean pollPending;
    /** A poll that used its whole budget leaves the next turn to the program, as ksoftirqd shares the processor. */
    private boolean programsTurn;

    private boolean sentSomething;
    private boolean flushPending;
    private boolean programStarted;
    private volatile long bootedPicos = Long.MAX_VALUE;
    private volatile boolean released;
    private final Watchdog watchdog;
    private long receiveErrors;

    /**
     * A kernel whose watchdogs wake nobody.
     *
     * @param ram the processor's memory
     * @param heapStart first address that may be allocated
     * @param heapEnd end of what may be allocated
     * @param probe finds the NIC and returns its driver, not yet open
     */
    public GuestKernel(
            Processor processor,
            Memory ram,
            long heapStart,
            long heapEnd,
            GuestLedger ledger,
            CostProfile profile,
            Program program,
            Function<DriverPlatform, NetDriver> probe) {
        this(processor, ram, heapStart, heapEnd, ledger, profile, program, probe, WatchdogPace.DEFERRABLE);
    }

    /** @param pace of the watchdogs */
    public GuestKernel(
            Processor processor,
            Memory ram,
            long heapStart,
            long heapEnd,
            GuestLedger ledger,
            CostProfile profile,
            Program program,
            Function<DriverPlatform, NetDriver> probe,
            WatchdogPace pace) {
        this(processor, ram, heapStart, heapEnd, ledger, profile, program, probe, pace, kernel -> null);
    }

    /** @param startDma called in the first step, for a kernel that drives a remapping unit; gives null for others */
    public GuestKernel(
            Processor processor,
            Memory ram,
            long heapStart,
            long heapEnd,
            GuestLedger ledger,
            CostProfile profile,
            Program program,
            Function<DriverPlatform, NetDriver> probe,
            WatchdogPace pace,
            Function<GuestKernel, @Nullable KernelDma> startDma) {
        this.startDma = startDma;
        this.processor = processor;
        this.ram = ram;
        this.nextFree = heapStart;
        this.ramEnd = heapEnd;
        this.ledger = ledger;
        this.program = program;
        this.probe = probe;
        txPicos = profile.picos(Cost.GUEST_TX_PACKET);
        rxPicos = profile.picos(Cost.GUEST_RX_PACKET);
        watchdog = new Watchdog(ledger, pace);
    }

    private NetDriver boot() {
        dma = startDma.apply(this);
        NetDriver found = probe.apply(this);
        driver = found;
        found.open();
        bootedPicos = processor.nowPicos();
        watchdog.start(bootedPicos);
        return found;
    }

    /** When the driver had opened its device; {@link Long#MAX_VALUE} before. */
    public long bootedPicos() {
        return bootedPicos;
    }

    /** Lets the program start: it waits for the slowest guest to boot. From any thread. */
    public void release() {
        released = true;
    }

    /** The driver, once booted. */
    public @Nullable NetDriver driver() {
        return driver;
    }

    @Override
    public void interrupt(int vector) {
        watchdog.interrupt(vector);
        InterruptHandler handler = handlers[vector];
        if (handler != null && handler.interrupt()) {
            pollPending = true;
        }
    }

    @Override
    public boolean step() {
        NetDriver d = driver;
        if (d == null) {
            boot();
            return true;
        }
        if (flushPending) {
            ring(d);
            return true;
        }
        if (pollPending && !programsTurn) {
            pollPending = d.poll(POLL_BUDGET, receiver) == POLL_BUDGET;
            programsTurn = pollPending;
            countErrors(d);
            return true;
        }
        programsTurn = false;
        KernelDma mappings = dma;
        if (mappings != null && mappings.nextFlushPicos() <= processor.nowPicos()) {
            mappings.poll();
        }
        if (!programStarted && released) {
            programStarted = true;
            program.start(this);
        }
        watchdog.lookIfDue(d, processor.nowPicos());
        return programStarted && program.step() || pollPending || flushPending;
    }

    /** Frames that the driver threw away never reached the program. */
    private void countErrors(NetDriver d) {
        for (long errors = d.receiveErrors(); receiveErrors < errors; receiveErrors++) {
            corrupt();
        }
    }

    @Override
    public long nextWakePicos() {
        if (!programStarted) {
            return processor.nowPicos() + RELEASE_CHECK_PICOS;
        }
        NetDriver d = driver;
        KernelDma mappings = dma;
        long flush = mappings == null ? Long.MAX_VALUE : mappings.nextFlushPicos();
        long own = Math.min(program.nextWakePicos(), flush);
        return d == null ? own : Math.min(own, watchdog.wakePicos(d));
    }

    private void received(byte[] frame, int offset, int length) {
        processor.charge(CpuShare.GUEST, rxPicos);
        ledger.frame(Direction.RX, length);
        if (programStarted) {
            program.frame(frame, offset, length);
        }
    }

    @Override
    public long nowPicos() {
        return processor.nowPicos();
    }

    @Override
    public byte[] macAddress() {
        return driverOrThrow().macAddress();
    }

    private NetDriver driverOrThrow() {
        NetDriver d = driver;
        if (d == null) {
            throw new IllegalStateException("the guest has not booted");
        }
        return d;
    }

    @Override
    public boolean send(byte[] frame, int offset, int length) {
        if (!driverOrThrow().queue(frame, offset, length)) {
            watchdog.refused(processor.nowPicos());
            return false;
        }
        watchdog.accepted();
        sentSomething = true;
        processor.charge(CpuShare.GUEST, txPicos);
        ledger.frame(Direction.TX, length);
        return true;
    }

    /**
     * Rings the doorbell as the next step: by then everybody else has come up to the time at which the frames were built, and
     * nobody sends them before.
     */
    @Override
    public void flush() {
        flushPending = sentSomething;
    }

    private void ring(NetDriver d) {
        sentSomething = false;
        flushPending = false;
        processor.packetCall(true);
        d.flush();
        processor.packetCall(false);
        ledger.kicks(d.doorbells(), d.doorbellsSuppressed());
    }

    @Override
    public void latency(long sincePicos) {
        ledger.latency(Direction.RX).record((processor.nowPicos() - sincePicos) / 1000);
    }

    @Override
    public void corrupt() {
        ledger.drop(Direction.RX, io.iolab.vmm.ledger.DropCause.CORRUPT);
    }

    @Override
    public CpuPort cpu() {
        return processor;
    }

    @Override
    public Memory ram() {
        return ram;
    }

    @Override
    public Clock clock() {
        return processor;
    }

    @Override
    public long allocate(long bytes, long alignment) {
        long at = AddressRange.alignUp(nextFree, alignment);
        if (at + bytes > ramEnd) {
            throw new IllegalStateException(
                    ledger.guest() + ": out of memory, " + bytes + " bytes wanted; give the guest more RAM");
        }
        nextFree = at + bytes;
        ram.fill(at, bytes, (byte) 0);
        return at;
    }

    @Override
    public long busAddress(long pa) {
        return pa;
    }

    @Override
    public long mapShared(long pa, long bytes) {
        KernelDma mappings = dma;
        return mappings == null ? pa : mappings.mapShared(pa, bytes);
    }

    @Override
    public long mapTransfer(long pa, int bytes, boolean fromDevice) {
        KernelDma mappings = dma;
        return mappings == null ? pa : mappings.mapTransfer(pa, bytes, fromDevice);
    }

    @Override
    public void unmapTransfer(long busAddress, int written) {
        KernelDma mappings = dma;
        if (mappings != null) {
            mappings.unmapTransfer(busAddress, written);
        }
    }

    /** Time of the processor that this kernel spends. */
    public void charge(long picos) {
        processor.charge(CpuShare.GUEST, picos);
    }

    /** What the NIC's buffers were mapped by, once booted; null if the kernel drives no remapping unit. */
    public @Nullable KernelDma dma() {
        return dma;
    }

    @Override
    public MessageTarget allocateMessage(InterruptHandler handler) {
        int vector = nextVector++;
        handlers[vector] = handler;
        return new MessageTarget(MESSAGE_ADDRESS, vector);
    }

    /** The line behind a vector, or the vector itself of a message. */
    static int irq(int vector) {
        return vector < FIRST_MESSAGE_VECTOR ? vector - LINE_VECTOR_BASE : vector;
    }

    @Override
    public void attachLine(int line, InterruptHandler handler) {
        int vector = LINE_VECTOR_BASE + line % 16;
        handlers[vector] = handler;
        writeIoApic(REDIRECTION + 2 * line + 1, 0);
        writeIoApic(REDIRECTION + 2 * line, LEVEL_LOW | vector);
    }

    private void writeIoApic(int index, int value) {
        processor.store32(IO_APIC, index);
        processor.store32(IO_APIC + IO_APIC_WINDOW, value);
    }

    @Override
    public void delayNanos(long nanos) {
        processor.charge(CpuShare.GUEST, nanos * 1000);
    }
}
