package io.iolab.devices.virtio;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.virtio.queue.Virtqueue;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The transport under a device type of seventeen queues that only notes what it is told. */
final class TransportLab implements PciFunction, DeviceType, AutoCloseable {
    static final int QUEUES = 17;
    static final int CONTROL = 16;
    static final long VERSION_1 = 1L << 32;
    static final long RING_PACKED = 1L << 34;
    static final long NOTIFICATION_DATA = 1L << 38;
    static final long NOTIF_CONFIG_DATA = 1L << 39;
    static final long RING_RESET = 1L << 40;
    private static final long OFFERED = 1L << 28
            | 1L << 29
            | VERSION_1
            | RING_PACKED
            | 1L << 35
            | NOTIFICATION_DATA
            | NOTIF_CONFIG_DATA
            | RING_RESET;

    static final int NUM_QUEUES = 0x12;
    static final int STATUS = 0x14;
    static final int QUEUE_SELECT = 0x16;
    static final int QUEUE_SIZE = 0x18;
    static final int QUEUE_VECTOR = 0x1A;
    static final int QUEUE_ENABLE = 0x1C;
    static final int QUEUE_NOTIFY_OFF = 0x1E;
    static final int QUEUE_DESC = 0x20;
    static final int QUEUE_DRIVER = 0x28;
    static final int QUEUE_DEVICE = 0x30;
    static final int NOTIF_DATA = 0x38;
    static final int QUEUE_RESET = 0x3A;

    final PhysicalMemory ram = PhysicalMemory.allocate(1 << 20);
    final List<String> told = new ArrayList<>();
    final List<Integer> messages = new ArrayList<>();
    final VirtioPci transport =
            new VirtioPci(this, this, 1, 0x020000, new DirectDma(ram, (address, data) -> messages.add(data)), up -> {});

    @Nullable
    Virtqueue[] queues = new @Nullable Virtqueue[QUEUES];

    TransportLab() {
        transport.config().write(4, 2, 6);
    }

    long get(int offset, int width) {
        return transport.readBar(4, offset, width);
    }

    void set(int offset, int width, long value) {
        transport.writeBar(4, offset, width, value);
    }

    /** Up to FEATURES_OK; whether the device agreed. */
    boolean negotiate(long features) {
        set(STATUS, 1, 0);
        set(STATUS, 1, 3);
        set(0x08, 4, 0);
        set(0x0C, 4, features & 0xFFFF_FFFFL);
        set(0x08, 4, 1);
        set(0x0C, 4, (features | VERSION_1) >>> 32);
        set(STATUS, 1, 0xB);
        return get(STATUS, 1) == 0xB;
    }

    /** Places a queue, and says whether it could be enabled. */
    boolean enable(int queue, int size, long desc, long driver, long device) {
        set(QUEUE_SELECT, 2, queue);
        set(QUEUE_SIZE, 2, size);
        long[] areas = {desc, driver, device};
        for (int i = 0; i < areas.length; i++) {
            set(QUEUE_DESC + 8 * i, 4, areas[i] & 0xFFFF_FFFFL);
            set(QUEUE_DESC + 8 * i + 4, 4, areas[i] >>> 32);
        }
        set(QUEUE_ENABLE, 2, 1);
        return get(QUEUE_ENABLE, 2) == 1;
    }

    void kick(int queue, int width, long value) {
        transport.writeBar(4, 0x3000 + 4L * queue, width, value);
    }

    /** Address FEE00000h and data 40h + v for each vector. */
    void enableMsix() {
        for (int v = 0; v <= QUEUES; v++) {
            transport.writeBar(1, 16L * v, 4, 0xFEE0_0000L);
            transport.writeBar(1, 16L * v + 8, 4, 0x40 + v);
            transport.writeBar(1, 16L * v + 12, 4, 0);
        }
        transport.config().write(0x98 + 2, 2, 0x8000);
    }

    void mask(int vector, boolean masked) {
        transport.writeBar(1, 16L * vector + 12, 4, masked ? 1 : 0);
    }

    @Override
    public void close() {
        ram.close();
    }

    @Override
    public long offeredFeatures() {
        return OFFERED;
    }

    @Override
    public boolean accepts(long features) {
        return true;
    }

    @Override
    public int queues() {
        return QUEUES;
    }

    @Override
    public int queueSize(int queue) {
        return queue == CONTROL ? 64 : 256;
    }

    @Override
    public int configBytes() {
        return 12;
    }

    @Override
    public int configByte(int offset) {
        return 0;
    }

    @Override
    public String configField(int offset) {
        return "field";
    }

    @Override
    public void start(long features, @Nullable Virtqueue[] enabled) {
        told.add("start");
        queues = enabled;
    }

    @Override
    public void stop() {
        told.add("stop");
    }

    @Override
    public void stopQueue(int queue) {
        told.add("stop " + queue);
        queues[queue] = null;
    }

    @Override
    public void startQueue(int queue, Virtqueue restarted) {
        told.add("start " + queue);
        queues[queue] = restarted;
    }

    @Override
    public void kicked(int queue) {
        told.add("kick " + queue);
    }

    @Override
    public ConfigSpace config() {
        return transport.config();
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        return transport.readBar(bar, offset, width);
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        transport.writeBar(bar, offset, width, value);
    }

    @Override
    public int poll(int budget) {
        return 0;
    }

    @Override
    public long nextDeadlineNanos() {
        return Long.MAX_VALUE;
    }

    @Override
    public boolean workPending() {
        return false;
    }

    @Override
    public void reset() {
        transport.reset();
    }

    @Override
    public String registerName(int bar, long offset) {
        return transport.registerName(bar, offset);
    }
}
