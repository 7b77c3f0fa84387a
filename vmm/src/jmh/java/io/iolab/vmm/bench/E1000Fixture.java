package io.iolab.vmm.bench;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.FramePort;

/**
 * A controller over physical memory without translation, with one transmit or one receive ring. Register offsets are those of the
 * 82540 SDM, table 13-2.
 */
final class E1000Fixture implements AutoCloseable {
    static final int ICR = 0x00C0;
    static final int RCTL = 0x0100;
    static final int TCTL = 0x0400;
    static final int RXCSUM = 0x5000;
    static final int TRANSMIT = 0x3800;
    static final int RECEIVE = 0x2800;

    private static final int BASE_LOW = 0x00;
    private static final int LENGTH = 0x08;
    private static final int TAIL = 0x18;

    private static final long RING_HPA = 0x10_0000;
    private static final long BUFFERS_HPA = 0x20_0000;
    private static final int BUFFER = 2048;
    private static final int DESCRIPTOR = 16;

    private final PhysicalMemory memory;
    private final E1000 device;
    private final int direction;
    private final int ring;
    private int tail;

    /** @param ring descriptors, a multiple of 8 */
    E1000Fixture(E1000Model model, FramePort wire, int direction, int ring) {
        memory = PhysicalMemory.allocate(BUFFERS_HPA + (long) BUFFER * ring);
        this.direction = direction;
        this.ring = ring;
        device = E1000.create(
                model,
                BenchmarkFrames.deviceMac(),
                new DirectDma(memory, (address, data) -> {}),
                InterruptPin.UNCONNECTED,
                wire,
                () -> 0);
        device.config().write(0x04, 2, 0x6);
        write(direction + BASE_LOW, (int) RING_HPA);
        write(direction + LENGTH, DESCRIPTOR * ring);
    }

    E1000 device() {
        return device;
    }

    /** Fills a descriptor: every one has a buffer of its own, as a driver's have. */
    void descriptor(int index, byte[] content, long high) {
        long buffer = BUFFERS_HPA + (long) BUFFER * index;
        memory.write(buffer, content, 0, content.length);
        memory.writeLong(RING_HPA + (long) DESCRIPTOR * index, buffer);
        memory.writeLong(RING_HPA + (long) DESCRIPTOR * index + 8, high);
    }

    void write(int register, int value) {
        device.writeBar(0, register, 4, value & 0xFFFF_FFFFL);
    }

    int read(int register) {
        return (int) device.readBar(0, register, 4);
    }

    /** Hands {@code count} more descriptors to the device. */
    void ringDoorbell(int count) {
        tail = (tail + count) % ring;
        write(direction + TAIL, tail);
    }

    @Override
    public void close() {
        memory.close();
    }
}
