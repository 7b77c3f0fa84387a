package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.virtio.queue.SplitRing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * A virtio-net device with memory, wire and interrupt receivers around it, and a driver that acts only by BAR accesses,
 * configuration accesses and memory. Offsets and bits are transcribed from virtio 1.2 section 4.1.
 */
final class Lab implements AutoCloseable {
    static final long VERSION_1 = 1L << 32;
    static final long INDIRECT = 1L << 28;
    static final long EVENT_IDX = 1L << 29;
    static final long NET_MAC = 1L << 5;
    static final long MRG = 1L << 15;
    static final long NET_STATUS = 1L << 16;

    static final int DEVICE_FEATURE_SELECT = 0x00;
    static final int DEVICE_FEATURE = 0x04;
    static final int DRIVER_FEATURE_SELECT = 0x08;
    static final int DRIVER_FEATURE = 0x0C;
    static final int CONFIG_VECTOR = 0x10;
    static final int NUM_QUEUES = 0x12;
    static final int STATUS = 0x14;
    static final int GENERATION = 0x15;
    static final int QUEUE_SELECT = 0x16;
    static final int QUEUE_SIZE = 0x18;
    static final int QUEUE_VECTOR = 0x1A;
    static final int QUEUE_ENABLE = 0x1C;
    static final int QUEUE_NOTIFY_OFF = 0x1E;
    static final int QUEUE_DESC = 0x20;
    static final int QUEUE_DRIVER = 0x28;
    static final int QUEUE_DEVICE = 0x30;

    static final int RX = 0;
    static final int TX = 1;

    static final long RAM = 8L << 20;
    static final byte[] MAC = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    record Message(long address, int data) {}

    final PhysicalMemory ram = PhysicalMemory.allocate(RAM);
    final List<byte[]> sent = new ArrayList<>();
    final List<Message> messages = new ArrayList<>();
    final VirtioNet device;
    final SplitRing[] rings = new SplitRing[17];
    /** What the wire answers next. */
    Delivery wireAnswer = Delivery.ACCEPTED;

    /** Whether the wire keeps what it takes. */
    boolean keepSent = true;

    /** Sees every frame that the wire takes. */
    java.util.function.Consumer<byte[]> onWire = frame -> {};

    /** The device's clock. */
    long nanos;

    boolean pin;
    int pinRises;
    private final SplittableRandom random;
    private long nextFree = 0x1000;

    Lab() {
        this(VirtioNetOptions.defaults(MAC), (lab, dma) -> dma);
    }

    Lab(BiFunction<Lab, DmaPort, DmaPort> wrap) {
        this(VirtioNetOptions.defaults(MAC), wrap);
    }

    Lab(VirtioNetOptions options, BiFunction<Lab, DmaPort, DmaPort> wrap) {
        this(options, wrap, 1);
    }

    /** A device whose wire is this port. */
    Lab(VirtioNetOptions options, BiFunction<Lab, DmaPort, DmaPort> wrap, FramePort wire) {
        this(options, wrap, 1, wire);
    }

    Lab(VirtioNetOptions options, BiFunction<Lab, DmaPort, DmaPort> wrap, long seed) {
        this(options, wrap, seed, null);
    }

    private Lab(VirtioNetOptions options, BiFunction<Lab, DmaPort, DmaPort> wrap, long seed, @Nullable FramePort wire) {
        random = new SplittableRandom(seed);
        DmaPort dma = wrap.apply(this, new DirectDma(ram, (address, data) -> messages.add(new Message(address, data))));
        device = new VirtioNet(options, dma, this::pinSet, wire == null ? this::wireSend : wire, () -> nanos);
        device.config().write(0x04, 2, 0x6);
    }

    private void pinSet(boolean asserted) {
        pinRises += asserted && !pin ? 1 : 0;
        pin = asserted;
    }

    private Delivery wireSend(byte[] frame, int offset, int length) {
        if (wireAnswer != Delivery.BUSY && keepSent) {
            byte[] copy = Arrays.copyOfRange(frame, offset, offset + length);
            sent.add(copy);
            onWire.accept(copy);
        }
        return wireAnswer;
    }

    @Override
    public void close() {
        ram.close();
    }

    /** Memory behind a random gap, zeroed, that no other allocation touches. */
    long allocate(long bytes, int alignment) {
        long gap = random.nextInt(1, 300);
        long at = nextFree + gap + alignment - 1 & -(long) alignment;
        nextFree = at + bytes;
        if (nextFree > RAM) {
            throw new IllegalStateException("test memory used up");
        }
        return at;
    }

    long common(int offset, int width) {
        return device.readBar(4, offset, width);
    }

    void common(int offset, int width, long value) {
        device.writeBar(4, offset, width, value);
    }

    int status() {
        return (int) common(STATUS, 1);
    }

    void status(int value) {
        common(STATUS, 1, value);
    }

    int isr() {
        return (int) device.readBar(4, 0x1000, 1);
    }

    long offeredFeatures() {
        common(DEVICE_FEATURE_SELECT, 4, 0);
        long low = common(DEVICE_FEATURE, 4);
        common(DEVICE_FEATURE_SELECT, 4, 1);
        return low | common(DEVICE_FEATURE, 4) << 32;
    }

    void acceptFeatures(long features) {
        common(DRIVER_FEATURE_SELECT, 4, 0);
        common(DRIVER_FEATURE, 4, features & 0xFFFF_FFFFL);
        common(DRIVER_FEATURE_SELECT, 4, 1);
        common(DRIVER_FEATURE, 4, features >>> 32);
    }

    /** Reset up to FEATURES_OK, section 3.1.1 steps 1 to 6. */
    Lab negotiate(long features) {
        status(0);
        status(1);
        status(3);
        acceptFeatures(features | VERSION_1);
        status(0xB);
        if (status() != 0xB) {
            throw new AssertionError("features refused");
        }
        return this;
    }

    /** Lays out and enables a queue. */
    SplitRing enableQueue(int index, int size) {
        SplitRing ring = new SplitRing(
                ram,
                size,
                allocate(SplitRing.descBytes(size), 16),
                allocate(SplitRing.availBytes(size), 2),
                allocate(SplitRing.usedBytes(size), 4));
        placeQueue(index, size, ring.desc, ring.avail, ring.used);
        common(QUEUE_ENABLE, 2, 1);
        rings[index] = ring;
        return ring;
    }

    void placeQueue(int index, int size, long desc, long avail, long used) {
        common(QUEUE_SELECT, 2, index);
        common(QUEUE_SIZE, 2, size);
        writeLong(QUEUE_DESC, desc);
        writeLong(QUEUE_DRIVER, avail);
        writeLong(QUEUE_DEVICE, used);
    }

    void writeLong(int offset, long value) {
        common(offset, 4, value & 0xFFFF_FFFFL);
        common(offset + 4, 4, value >>> 32);
    }

    /** The whole of section 3.1.1 with INTx. */
    Lab start(long features, int queueSize) {
        negotiate(features);
        enableQueue(RX, queueSize);
        enableQueue(TX, queueSize);
        status(0xF);
        device.poll(1);
        return this;
    }

    /** MSI-X on, all vectors unmasked with address 0xFEE00000 + 0x1000 v, data 0x40 + v. */
    void enableMsix() {
        for (int v = 0; v < 3; v++) {
            device.writeBar(1, 16L * v, 4, 0xFEE0_0000L + 0x1000L * v);
            device.writeBar(1, 16L * v + 4, 4, 0);
            device.writeBar(1, 16L * v + 8, 4, 0x40 + v);
            device.writeBar(1, 16L * v + 12, 4, 0);
        }
        device.config().write(0x98 + 2, 2, 0x8000);
    }

    void mapVectors(int config, int rx, int tx) {
        common(CONFIG_VECTOR, 2, config);
        common(QUEUE_SELECT, 2, RX);
        common(QUEUE_VECTOR, 2, rx);
        common(QUEUE_SELECT, 2, TX);
        common(QUEUE_VECTOR, 2, tx);
    }

    void kick(int queue) {
        device.writeBar(4, 0x3000 + 4L * queue, 2, queue);
    }

    void poll() {
        device.poll(64);
    }

    /** A frame of counting bytes with a recognisable start. */
    static byte[] frame(int length, int seed) {
        byte[] frame = new byte[length];
        for (int i = 0; i < length; i++) {
            frame[i] = (byte) (seed * 31 + i);
        }
        return frame;
    }

    /** Header and frame somewhere in memory. */
    long packet(byte[] frame) {
        long gpa = allocate(12 + frame.length, 1);
        ram.fill(gpa, 12, (byte) 0);
        ram.write(gpa + 12, frame, 0, frame.length);
        return gpa;
    }

    /** Offers one frame in one buffer, without a kick. */
    int transmit(byte[] frame) {
        return rings[TX].add(packet(frame), 12 + frame.length, 0);
    }

    long receiveBuffer(int length) {
        long gpa = allocate(length, 1);
        ram.fill(gpa, length, (byte) 0xAA);
        rings[RX].add(gpa, length, SplitRing.WRITE);
        return gpa;
    }

    Delivery arrive(byte[] frame) {
        return device.send(frame, 0, frame.length);
    }

    byte[] bytes(long gpa, int length) {
        byte[] copy = new byte[length];
        ram.read(gpa, copy, 0, length);
        return copy;
    }
}
