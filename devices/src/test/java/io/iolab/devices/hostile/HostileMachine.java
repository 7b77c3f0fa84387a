package io.iolab.devices.hostile;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.golden.GuardDma;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.NetworkFunction;
import java.util.ArrayDeque;
import java.util.Arrays;

/**
 * One device in a slot, the memory of one guest between that of two others, a wire and a clock. Every call of the device is
 * checked for the DMA that it caused; the device works after every store and every frame, as inside an exit.
 */
final class HostileMachine implements AutoCloseable {
    /** Below it, rings and buffers of the attack; above, what the ordinary driver allocates. */
    static final long HEAP = GuestWindow.SIZE / 2;

    static final int BURST = 64;
    /** Where {@link #placeBars} puts the first memory BAR. */
    static final long MMIO = 0xE000_0000L;

    private static final int PIO = 0xC000;
    /**
     * Polls in a row that move no frame before a device counts as spinning: the largest ring, 65 528 descriptors that carry
     * nothing, at {@link #BURST} a poll, and as much again.
     */
    private static final int MOST_IDLE_POLLS = 2 * 65_536 / BURST;
    /**
     * Frames after one access: the generators' largest ring, 32 descriptors, each a packet of 1 MiB in segments of 16 bytes. Their seeds
     * have come within a percent of it.
     */
    private static final long MOST_FRAMES = 32 * 65_536;

    private final Target target;
    private final GuestWindow window = new GuestWindow();
    private final GuestBus bus = new GuestBus(window, this::message);
    private final GuardDma dma = new GuardDma(bus);
    private final NetworkFunction function;
    private final ArrayDeque<byte[]> sent = new ArrayDeque<>();
    private final OrdinaryGuest ordinary;
    private final byte[] sixteen = new byte[16];
    private long frames;
    private long nanos;
    private boolean pin;
    private boolean busyWire;
    private boolean keepFrames = true;
    private boolean loopedWire;
    private long loops;
    private int loopDepth;
    private int deepestLoop;
    private boolean quiet = true;
    private boolean stunned;
    private String step = "power on";
    private long mostRequests;

    HostileMachine(Target target) {
        this.target = target;
        function = target.maker().make(dma, asserted -> pin = asserted, this::take, () -> nanos);
        bus.connect(function);
        ordinary = new OrdinaryGuest(this);
        powerOn();
    }

    private Delivery take(byte[] frame, int offset, int length) {
        java.util.Objects.checkFromIndexSize(offset, length, frame.length);
        if (busyWire) {
            return Delivery.BUSY;
        }
        frames++;
        if (loopedWire) {
            loops++;
            loopDepth++;
            deepestLoop = Math.max(deepestLoop, loopDepth);
            function.poll(1);
            Delivery delivery = function.send(frame, offset, length);
            loopDepth--;
            return delivery == Delivery.ACCEPTED ? Delivery.ACCEPTED : Delivery.DROPPED;
        }
        if (keepFrames) {
            sent.add(Arrays.copyOfRange(frame, offset, offset + length));
        }
        return Delivery.ACCEPTED;
    }

    private void message(long address, int data) {
        ordinary.message(address, data);
    }

    @Override
    public void close() {
        window.close();
    }

    Target target() {
        return target;
    }

    NetworkFunction function() {
        return function;
    }

    GuestBus bus() {
        return bus;
    }

    GuardDma dma() {
        return dma;
    }

    GuestWindow window() {
        return window;
    }

    OrdinaryGuest ordinary() {
        return ordinary;
    }

    boolean pin() {
        return pin;
    }

    long nanos() {
        return nanos;
    }

    /** Frames that left on the wire so far. */
    long frames() {
        return frames;
    }

    /** Frames that left and were not taken yet. */
    ArrayDeque<byte[]> sent() {
        return sent;
    }

    void keepFrames(boolean keep) {
        keepFrames = keep;
        sent.clear();
    }

    void busyWire(boolean busy) {
        busyWire = busy;
    }

    /** Whether what leaves comes straight back, inside of the call. */
    void loopedWire(boolean looped) {
        loopedWire = looped;
    }

    /** Stops working the device for good: a stand-in for one that has broken down. */
    void stun() {
        stunned = true;
    }

    /** Frames that went round on the looped wire. */
    long loops() {
        return loops;
    }

    /** The most frames that were on the looped wire at once, each sent while the one before was being taken. */
    int deepestLoop() {
        return deepestLoop;
    }

    /** What the guest did last, for the report of a failure. */
    String step() {
        return step;
    }

    /** The most DMA requests that one call caused. */
    long mostRequests() {
        return mostRequests;
    }

    // ---- power

    void powerOn() {
        function.reset();
        placeBars();
    }

    private void placeBars() {
        long mmio = MMIO;
        int pio = PIO;
        for (int i = 0; i < 6; i++) {
            Bar bar = function.config().bar(i);
            if (bar == null) {
                continue;
            }
            if (bar.isMemory()) {
                function.config().write(ConfigSpace.BAR0 + 4 * i, 4, (int) mmio);
                mmio += Math.max(bar.size(), 0x2_0000);
            } else {
                function.config().write(ConfigSpace.BAR0 + 4 * i, 4, pio | 1);
                pio += (int) bar.size();
            }
        }
        function.config().write(ConfigSpace.COMMAND, 2, 7);
    }

    /** The address at which the device, and its guest, find an offset of a BAR. */
    long barAddress(int bar, long offset) {
        return function.config().barAddress(bar) + offset;
    }

    // ---- what a guest does

    private void bounded(int budget, long requestsBefore) {
        long requests = dma.requests() - requestsBefore;
        mostRequests = Math.max(mostRequests, requests);
        if (requests > target.bound().of(budget)) {
            throw new AssertionError(requests + " DMA requests in one call, at most "
                    + target.bound().of(budget) + " expected, after " + step);
        }
    }

    long read(int bar, long offset, int width) {
        long before = dma.requests();
        long value = function.readBar(bar, offset, width);
        bounded(1, before);
        return value;
    }

    /** A store without the work that it may ring for. */
    void put(int bar, long offset, int width, long value) {
        long before = dma.requests();
        function.writeBar(bar, offset, width, value);
        bounded(1, before);
    }

    void write(int bar, long offset, int width, long value) {
        put(bar, offset, width, value);
        run();
    }

    void configWrite(int offset, int width, int value) {
        long before = dma.requests();
        function.config().write(offset, width, value);
        bounded(1, before);
        run();
    }

    Delivery arrive(byte[] frame) {
        long before = dma.requests();
        Delivery delivery = function.send(frame, 0, frame.length);
        bounded(1, before);
        run();
        return delivery;
    }

    void note(String what) {
        step = what;
    }

    int poll(int budget) {
        if (stunned) {
            return 0;
        }
        long before = dma.requests();
        int moved = function.poll(budget);
        bounded(budget, before);
        if (moved < 0 || moved > budget) {
            throw new AssertionError("poll(" + budget + ") moved " + moved + " after " + step);
        }
        return moved;
    }

    /** Polls until the device is at rest, or for as long as a device may need at most. */
    void run() {
        poll(BURST);
        int idle = 0;
        long moved = 0;
        while (!stunned && function.workPending()) {
            int now = poll(BURST);
            if (now == 0 && busyWire) {
                return;
            }
            idle = now > 0 ? 0 : idle + 1;
            moved += now;
            if (idle > MOST_IDLE_POLLS || moved > MOST_FRAMES) {
                quiet = false;
                return;
            }
        }
    }

    void advance(long duration) {
        long end = nanos + duration;
        run();
        int rounds = 0;
        for (long due = function.nextDeadlineNanos(); due <= end; due = function.nextDeadlineNanos()) {
            // An interrupt held back by the least gap of 256 ns, for all of the time.
            if (++rounds > 100_000) {
                quiet = false;
                break;
            }
            nanos = Math.max(nanos, due);
            run();
        }
        nanos = end;
        run();
    }

    /** Whether the device came to rest each time since the last call. */
    boolean takeQuiet() {
        boolean value = quiet;
        quiet = true;
        return value;
    }

    // ---- memory; a store that misses the guest's memory goes nowhere

    void store(long gpa, byte[] bytes) {
        window.store(gpa, bytes);
    }

    void zero(long gpa, long length) {
        window.memory().fill(GuestWindow.SIZE + gpa, length, (byte) 0);
    }

    void storeShort(long gpa, int value) {
        if (gpa < 0 || gpa > GuestWindow.SIZE - 2) {
            return;
        }
        window.memory().writeShort(GuestWindow.SIZE + gpa, (short) value);
    }

    int loadShort(long gpa) {
        return gpa < 0 || gpa > GuestWindow.SIZE - 2 ? 0 : window.memory().readShort(GuestWindow.SIZE + gpa) & 0xFFFF;
    }

    /** Sixteen bytes: a 64-bit and two 32-bit words, which is how all descriptors here begin. */
    void descriptor(long gpa, long first, int third, int fourth) {
        if (gpa < 0 || gpa > GuestWindow.SIZE - 16) {
            return;
        }
        LittleEndian.putLong(sixteen, 0, first);
        LittleEndian.putInt(sixteen, 8, third);
        LittleEndian.putInt(sixteen, 12, fourth);
        window.store(gpa, sixteen);
    }
}
