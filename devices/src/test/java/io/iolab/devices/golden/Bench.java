package io.iolab.devices.golden;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.devices.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The machine that the recordings were made on, as far as a network function can see it: 16 MiB of memory, a clock that
 * only tests move, a wire whose frames are kept, and a PCI slot that decodes BARs by what configuration space holds.
 *
 * <p>The function is polled after every write and after every delivery, as an emulated device is inside the exit that rang
 * its doorbell. Frames that it answers with BUSY wait and are offered again, as a host's net layer does.
 */
public final class Bench implements AutoCloseable {
    /** How a function is made from its ports. */
    public interface Maker {
        NetworkFunction make(DmaPort dma, InterruptPin pin, FramePort wire, Clock clock);
    }

    public static final long MEMORY_BYTES = 16 << 20;
    /** Where {@link #enableMsix} aims its messages: plain memory, so that a message can be seen as a write. */
    public static final long MSIX_TARGET = 0x00F0_0000L;

    private static final long MMIO_BASE = 0xE000_0000L;
    private static final int PIO_BASE = 0xC000;
    private static final int MSIX = 0x11;
    private static final int BURST = 64;
    /** Polls in a row that may do something without moving a frame, such as a lap over null descriptors. */
    private static final int IDLE_LIMIT = 2_000;

    private final PhysicalMemory memory = PhysicalMemory.allocate(MEMORY_BYTES);
    private final GuardDma dma;
    private final NetworkFunction function;
    private final ArrayDeque<byte[]> sent = new ArrayDeque<>();
    private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();
    private final List<String> pinLog = new ArrayList<>();
    private final List<Long> messages = new ArrayList<>();
    private @Nullable Delivery lastDelivery;
    private boolean pin;
    private boolean stuck;
    private long nanos;

    public Bench(Maker maker) {
        dma = new GuardDma(new DirectDma(memory, (address, data) -> messages.add(address << 32 | data & 0xFFFF_FFFFL)));
        function = maker.make(dma, this::setPin, this::take, () -> nanos);
    }

    private void setPin(boolean asserted) {
        if (asserted != pin) {
            pinLog.add(asserted ? "raise" : "lower");
        }
        pin = asserted;
    }

    private Delivery take(byte[] frame, int offset, int length) {
        byte[] copy = new byte[length];
        System.arraycopy(frame, offset, copy, 0, length);
        sent.add(copy);
        return Delivery.ACCEPTED;
    }

    public NetworkFunction function() {
        return function;
    }

    public GuardDma dma() {
        return dma;
    }

    public boolean pin() {
        return pin;
    }

    /** Changes of the pin: {@code raise} and {@code lower}. */
    public List<String> pinLog() {
        return pinLog;
    }

    /** Messages to 0xFEEx_xxxx: address in the upper half, data in the lower. */
    public List<Long> messages() {
        return messages;
    }

    @Override
    public void close() {
        memory.close();
    }

    // ---- time and work

    public long nanos() {
        return nanos;
    }

    /** Polls until the function has nothing to do at this instant; waiting frames are offered once more first. */
    public void settle() {
        offerWaiting();
        function.poll(BURST);
        int idle = 0;
        while (function.workPending() && idle < IDLE_LIMIT) {
            idle = function.poll(BURST) > 0 ? 0 : idle + 1;
        }
        stuck |= idle == IDLE_LIMIT;
    }

    /**
     * Whether work was ever still pending after polls in a row that moved nothing. An owner that polls while there is work
     * would spin.
     */
    public boolean stuck() {
        return stuck;
    }

    private void offerWaiting() {
        for (byte[] frame = waiting.peek(); frame != null; frame = waiting.peek()) {
            lastDelivery = function.send(frame, 0, frame.length);
            if (lastDelivery == Delivery.BUSY) {
                return;
            }
            waiting.remove();
        }
    }

    /** Lets time pass; the function is polled at each of its deadlines. */
    public void advance(long duration) {
        long end = nanos + duration;
        settle();
        int late = 0;
        for (long due = function.nextDeadlineNanos(); due <= end; due = function.nextDeadlineNanos()) {
            late = due <= nanos ? late + 1 : 0;
            if (late > IDLE_LIMIT) {
                throw new AssertionError("a deadline that has passed stays after " + IDLE_LIMIT + " polls");
            }
            nanos = Math.max(nanos, due);
            settle();
        }
        nanos = end;
        settle();
    }

    public void advanceMillis(double milliseconds) {
        advance((long) (milliseconds * 1_000_000));
    }

    /** Tries a condition every few milliseconds, as the recorders do. */
    public boolean await(java.util.function.BooleanSupplier condition, int tries, double everyMillis) {
        for (int i = 0; i < tries; i++) {
            if (condition.getAsBoolean()) {
                return true;
            }
            advanceMillis(everyMillis);
        }
        return condition.getAsBoolean();
    }

    // ---- wire

    /** A frame arrives from the wire. */
    public void deliver(byte[] frame) {
        waiting.add(frame);
        settle();
    }

    /** The answer to the last frame that was offered; null before the first. */
    public @Nullable Delivery lastDelivery() {
        return lastDelivery;
    }

    /** The next frame that the function sent, waiting for it at most so long; empty when none came. */
    public byte[] receive(double waitMillis) {
        if (sent.isEmpty()) {
            advanceMillis(waitMillis);
        }
        byte[] frame = sent.poll();
        return frame == null ? new byte[0] : frame;
    }

    public void drain() {
        advanceMillis(50);
        sent.clear();
    }

    // ---- memory

    public void write(long pa, byte[] bytes) {
        memory.write(pa, bytes, 0, bytes.length);
    }

    public byte[] read(long pa, int length) {
        byte[] bytes = new byte[length];
        memory.read(pa, bytes, 0, length);
        return bytes;
    }

    public String hex(long pa, int length) {
        return HexFormat.of().formatHex(read(pa, length));
    }

    public void fill(long pa, long length, int value) {
        memory.fill(pa, length, (byte) value);
    }

    public int readShort(long pa) {
        return memory.readShort(pa) & 0xFFFF;
    }

    // ---- configuration space

    public long config(int offset, int width) {
        return function.config().read(offset, width) & -1L >>> 64 - 8 * width;
    }

    public void configWrite(int offset, int width, long value) {
        function.config().write(offset, width, (int) value);
        settle();
    }

    /** The capability list: pairs of id and offset. */
    public List<int[]> capabilities() {
        List<int[]> found = new ArrayList<>();
        if ((config(ConfigSpace.STATUS, 2) & 0x10) == 0) {
            return found;
        }
        int at = (int) config(ConfigSpace.CAPABILITIES_POINTER, 1) & 0xFC;
        while (at != 0 && found.size() < 48) {
            found.add(new int[] {(int) config(at, 1), at});
            at = (int) config(at + 1, 1) & 0xFC;
        }
        return found;
    }

    /** Places every BAR and switches on memory and I/O decoding and bus mastering. */
    public void enable() {
        long mmio = MMIO_BASE;
        int pio = PIO_BASE;
        for (int i = 0; i < 6; i++) {
            Bar bar = function.config().bar(i);
            if (bar == null) {
                continue;
            }
            if (bar.isMemory()) {
                long size = Math.max(bar.size(), 0x1000);
                mmio = mmio + size - 1 & -size;
                configWrite(ConfigSpace.BAR0 + 4 * i, 4, mmio);
                mmio += size;
            } else {
                configWrite(ConfigSpace.BAR0 + 4 * i, 4, pio | 1);
                pio += (int) bar.size();
            }
            if (bar.kind() == Bar.Kind.MEMORY64) {
                configWrite(ConfigSpace.BAR0 + 4 * i + 4, 4, 0);
            }
        }
        configWrite(ConfigSpace.COMMAND, 2, config(ConfigSpace.COMMAND, 2) | 7);
    }

    /** Power-on reset of the machine, BARs placed again. */
    public void systemReset() {
        function.reset();
        settle();
        enable();
    }

    // ---- BARs

    /** The function's I/O BAR; its number differs between boards. */
    public int ioBar() {
        for (int i = 0; i < 6; i++) {
            Bar bar = function.config().bar(i);
            if (bar != null && !bar.isMemory()) {
                return i;
            }
        }
        throw new AssertionError("no I/O BAR");
    }

    private boolean claims(int number, long offset, int width) {
        Bar bar = function.config().bar(number);
        return bar != null && function.config().barDecodes(number) && offset + width <= bar.size();
    }

    /** Where no device answers, memory reads give 0 as on the recorded machine. */
    public long read(int bar, long offset, int width) {
        if (!claims(bar, offset, width)) {
            return 0;
        }
        return function.readBar(bar, offset, width);
    }

    public void write(int bar, long offset, int width, long value) {
        if (claims(bar, offset, width)) {
            function.writeBar(bar, offset, width, value);
            settle();
        }
    }

    // ---- MSI-X

    /** Enables MSI-X with every vector's data equal to 0x1000 plus its number; returns the vectors. */
    public int enableMsix() {
        int cap = capability(MSIX);
        int control = (int) config(cap + 2, 2);
        int bar = (int) config(cap + 4, 4) & 7;
        long table = config(cap + 4, 4) & ~7L;
        int vectors = (control & 0x7FF) + 1;
        for (int v = 0; v < vectors; v++) {
            write(bar, table + 16L * v, 4, MSIX_TARGET + 4L * v);
            write(bar, table + 16L * v + 4, 4, 0);
            write(bar, table + 16L * v + 8, 4, 0x1000 + v);
            write(bar, table + 16L * v + 12, 4, 0);
        }
        configWrite(cap + 2, 2, control | 0x8000);
        return vectors;
    }

    public int capability(int id) {
        return capabilities().stream()
                .filter(c -> c[0] == id)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no capability " + id))[1];
    }

    /** Whether the vector has fired since the last call. */
    public boolean takeMsix(int vector) {
        long pa = MSIX_TARGET + 4L * vector;
        boolean fired = memory.readInt(pa) == 0x1000 + vector;
        memory.writeInt(pa, 0);
        return fired;
    }

    /** The vectors that have fired since the last call, in order of their numbers. */
    public List<Integer> takeMsixVectors(int vectors) {
        List<Integer> fired = new ArrayList<>();
        for (int v = 0; v < vectors; v++) {
            if (takeMsix(v)) {
                fired.add(v);
            }
        }
        return fired;
    }
}
