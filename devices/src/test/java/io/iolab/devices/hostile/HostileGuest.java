package io.iolab.devices.hostile;

import io.iolab.devices.golden.GuardDma;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.NetworkFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Does to a network function whatever a guest can do to it, in an order that a seed decides, and checks after every call how
 * much DMA that call caused.
 */
class HostileGuest implements AutoCloseable {
    /** A register with a name, or any place in a BAR. */
    record Place(int bar, long offset, String name) {}

    private static final int[] WIDTHS = {1, 2, 4, 8};
    private static final int LONGEST_FRAME = 17_000;
    private static final int MSIX = 0x11;
    /** Where the BARs are placed; while the bus routes it there, the device finds itself. */
    private static final long BARS = 0xE000_0000L;

    private static final String NOTHING = "unimplemented";

    final SplittableRandom random;
    private final GuestWindow window = new GuestWindow();
    private final GuestBus bus = new GuestBus(window, (address, data) -> {});
    private final GuardDma dma = new GuardDma(bus);
    private final NetworkFunction function;
    private final Target.Bound bound;
    private final List<Place> registers = new ArrayList<>();
    private final byte[] frame = new byte[LONGEST_FRAME];
    private Delivery wire = Delivery.ACCEPTED;
    private long nanos;
    private long sent;
    private long taken;
    private long mostRequests;
    private String step = "";
    private String mostAt = "";
    private int malice = 1;

    HostileGuest(long seed, Target target) {
        this.random = new SplittableRandom(seed);
        this.bound = target.bound();
        this.function = target.maker().make(dma, asserted -> {}, this::carry, () -> nanos);
        bus.connect(function);
        for (int bar = 0; bar < 6; bar++) {
            Bar description = function.config().bar(bar);
            for (long offset = 0; description != null && offset < description.size(); offset += 2) {
                String name = function.registerName(bar, offset);
                if (!name.equals(NOTHING)) {
                    registers.add(new Place(bar, offset, name));
                }
            }
        }
        random.nextBytes(frame);
        powerOn();
    }

    private Delivery carry(byte[] bytes, int offset, int length) {
        java.util.Objects.checkFromIndexSize(offset, length, bytes.length);
        sent++;
        return wire;
    }

    @Override
    public void close() {
        window.close();
    }

    // ---- what happened

    long sent() {
        return sent;
    }

    long taken() {
        return taken;
    }

    GuardDma dma() {
        return dma;
    }

    GuestBus bus() {
        return bus;
    }

    GuestWindow window() {
        return window;
    }

    /** The most DMA requests that one call caused. */
    long mostRequests() {
        return mostRequests;
    }

    /** Which call that was. */
    String mostAt() {
        return mostAt;
    }

    /** What the guest did last, for the report of a failure. */
    String step() {
        return step;
    }

    List<Place> registers() {
        return registers;
    }

    NetworkFunction function() {
        return function;
    }

    // ---- what a guest can do

    private void powerOn() {
        function.reset();
        function.setLink(true);
        for (int bar = 0; bar < 6; bar++) {
            configWrite(ConfigSpace.BAR0 + 4 * bar, 4, (int) BARS + 0x2_0000 * bar);
        }
        configWrite(ConfigSpace.COMMAND, 2, 7);
    }

    private void bounded(Runnable call) {
        bounded(1, call);
    }

    private void bounded(int frames, Runnable call) {
        long before = dma.requests();
        call.run();
        long requests = dma.requests() - before;
        if (requests > mostRequests) {
            mostRequests = requests;
            mostAt = step;
        }
        long most = bound.of(frames);
        if (requests > most) {
            throw new AssertionError(requests + " DMA requests in one call, at most " + most + " expected");
        }
    }

    void write(int bar, long offset, int width, long value) {
        step = "write bar " + bar + " offset 0x" + Long.toHexString(offset) + " width " + width + " value 0x"
                + Long.toHexString(value);
        bounded(() -> function.writeBar(bar, offset, width, value));
    }

    void read(int bar, long offset, int width) {
        step = "read bar " + bar + " offset 0x" + Long.toHexString(offset) + " width " + width;
        bounded(() -> {
            long value = function.readBar(bar, offset, width);
            if (width < 8 && value >>> 8 * width != 0) {
                throw new AssertionError("0x" + Long.toHexString(value) + " is wider than the access");
            }
        });
    }

    void configWrite(int offset, int width, int value) {
        step = "config write 0x" + Integer.toHexString(offset) + " width " + width + " value 0x"
                + Integer.toHexString(value);
        bounded(() -> function.config().write(offset, width, value));
    }

    void poll(int budget) {
        step += ", poll " + budget;
        bounded(budget, () -> {
            int moved = function.poll(budget);
            if (moved < 0 || moved > budget) {
                throw new AssertionError("poll(" + budget + ") moved " + moved);
            }
        });
    }

    void store(long gpa, byte[] bytes) {
        window.store(gpa, bytes);
    }

    // ---- one random access

    /** Does one random thing, then perhaps polls. */
    void act() {
        int choice = random.nextInt(1000);
        if (choice < 450) {
            registerAccess(true);
        } else if (choice < 620) {
            registerAccess(false);
        } else if (choice < 720) {
            anyAccess();
        } else if (choice < 760) {
            configAccess();
        } else if (choice < 880) {
            deliver();
        } else if (choice < 940) {
            passTime();
        } else if (choice < 975) {
            scribble();
        } else if (choice < 996) {
            malice = 1 << random.nextInt(10);
            revive();
        } else {
            upset();
        }
        if (random.nextInt(4) != 0) {
            poll(1 + random.nextInt(64));
        }
    }

    /** One of the registers, the interesting ones more often; overridden where a device has favourites. */
    Place pick() {
        return registers.get(random.nextInt(registers.size()));
    }

    /** A value that fits the register's kind more often than chance would. */
    long valueFor(Place place) {
        return switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> 1L << random.nextInt(64);
            case 3 -> random.nextInt(256);
            case 4 -> address();
            default -> random.nextLong();
        };
    }

    /** Mostly inside of the guest's memory, sometimes at its edges or far out. */
    long address() {
        return switch (random.nextInt(8)) {
            case 0 -> random.nextLong();
            case 1 -> GuestWindow.SIZE - random.nextInt(64);
            case 2 -> -1L - random.nextInt(64);
            case 3 ->
                random.nextBoolean()
                        ? 0xFEE0_0000L + random.nextInt(0x10_0000)
                        : BARS + (random.nextInt(6 * 0x2_0000) & (random.nextBoolean() ? -1 : 0xE_3FFC));
            default -> random.nextLong(GuestWindow.SIZE) & -16L;
        };
    }

    private void registerAccess(boolean write) {
        Place place = pick();
        int width = random.nextInt(8) == 0 ? WIDTHS[random.nextInt(4)] : 4;
        if (place.offset() + width > size(place.bar())) {
            width = 1;
        }
        if (write) {
            write(place.bar(), place.offset(), width, valueFor(place));
        } else {
            read(place.bar(), place.offset(), width);
        }
    }

    private long size(int bar) {
        Bar description = function.config().bar(bar);
        return description == null ? 0 : description.size();
    }

    private void anyAccess() {
        int bar = random.nextInt(6);
        int width = WIDTHS[random.nextInt(4)];
        if (size(bar) < width) {
            return;
        }
        long offset = random.nextLong(size(bar) - width + 1);
        if (random.nextBoolean()) {
            write(bar, offset, width, random.nextLong());
        } else {
            read(bar, offset, width);
        }
    }

    private void configAccess() {
        int offset = random.nextInt(random.nextBoolean() ? 256 : 4096);
        int width = WIDTHS[random.nextInt(3)];
        if (random.nextBoolean()) {
            step = "config read 0x" + Integer.toHexString(offset) + " width " + width;
            bounded(() -> function.config().read(offset, width));
            return;
        }
        configWrite(offset, width, random.nextInt());
        if (random.nextInt(8) != 0) {
            configWrite(ConfigSpace.COMMAND, 2, 7);
        }
    }

    private void deliver() {
        int length = random.nextInt(16) == 0 ? random.nextInt(LONGEST_FRAME) : random.nextInt(1600);
        int from = random.nextInt(LONGEST_FRAME - length + 1);
        if (random.nextBoolean() && length > 40) {
            dress(frame, from);
        }
        step = "frame of " + length;
        bounded(() -> taken += function.send(frame, from, length) == Delivery.ACCEPTED ? 1 : 0);
    }

    /** Makes a frame that gets past filters: broadcast, often IPv4 with TCP, UDP or nonsense in the header. */
    private void dress(byte[] bytes, int at) {
        for (int i = 0; i < 6; i++) {
            bytes[at + i] = -1;
        }
        bytes[at + 12] = random.nextBoolean() ? (byte) 0x08 : (byte) 0x86;
        bytes[at + 13] = bytes[at + 12] == 8 ? 0 : (byte) 0xDD;
        bytes[at + 14] = (byte) (random.nextInt(4) == 0 ? random.nextInt(256) : 0x45);
        bytes[at + 23] = (byte) (random.nextBoolean() ? 6 : 17);
    }

    private void passTime() {
        nanos += random.nextInt(16) == 0 ? random.nextLong(5_000_000_000L) : random.nextLong(1_000_000);
        step = "time";
        if (function.nextDeadlineNanos() < nanos && random.nextBoolean()) {
            poll(64);
        }
    }

    /** Fills part of memory with what could be descriptors. */
    void scribble() {
        byte[] bytes = new byte[16 * 64];
        for (int i = 0; i < bytes.length; i += 16) {
            descriptor(bytes, i);
        }
        store(random.nextLong(GuestWindow.SIZE - bytes.length) & -16L, bytes);
    }

    /** True once in {@code n} times, and less often in the milder of the phases that each revival begins. */
    boolean odd(int n) {
        return random.nextInt(n * malice) == 0;
    }

    /** Sixteen bytes of malice; overridden where the layout is known. */
    void descriptor(byte[] bytes, int at) {
        io.iolab.devices.dma.LittleEndian.putLong(bytes, at, address());
        io.iolab.devices.dma.LittleEndian.putLong(bytes, at + 8, random.nextLong());
    }

    /** Programs the device as a driver would, so that what follows meets a running one. */
    void revive() {
        configWrite(ConfigSpace.COMMAND, 2, 7);
        int at = capability(MSIX);
        if (at == 0) {
            return;
        }
        int table = function.config().read(at + 4, 4);
        int vectors = (function.config().read(at + 2, 2) & 0x7FF) + 1;
        for (int vector = 0; vector < vectors; vector++) {
            long entry = (table & ~7) + 16L * vector;
            write(table & 7, entry, 4, odd(4) ? address() : 0xFEE0_0000L);
            write(table & 7, entry + 4, 4, 0);
            write(table & 7, entry + 12, 4, random.nextInt(2));
        }
        configWrite(at + 2, 2, random.nextInt(3) == 0 ? 0 : 0x8000);
    }

    /** Offset of the first capability with this id; 0 if there is none. */
    int capability(int id) {
        int at = function.config().read(ConfigSpace.CAPABILITIES_POINTER, 1);
        for (int i = 0; i < 48 && at != 0; i++) {
            if (function.config().read(at, 1) == id) {
                return at;
            }
            at = function.config().read(at + 1, 1);
        }
        return 0;
    }

    private void upset() {
        switch (random.nextInt(5)) {
            case 4 -> bus.peerToPeer(random.nextBoolean());
            case 0 -> function.setLink(random.nextInt(4) != 0);
            case 1 -> wire = Delivery.values()[random.nextInt(Delivery.values().length)];
            case 2 -> dma.refuseEvery(random.nextBoolean() ? 0 : 2 + random.nextInt(40));
            default -> {
                powerOn();
                wire = Delivery.ACCEPTED;
                dma.refuseEvery(0);
                revive();
            }
        }
    }
}
