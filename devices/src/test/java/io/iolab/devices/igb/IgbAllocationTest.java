package io.iolab.devices.igb;

import static io.iolab.devices.igb.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.PciFunction;
import java.lang.management.ManagementFactory;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Frames cost no garbage: from the wire to a virtual function, out of it, and between two of them. */
class IgbAllocationTest {
    private static final int FRAMES = 10_000;
    private static final int RING = 256;
    private static final long RX_RING = 0x1_0000;
    private static final long TX_RING = 0x2_0000;
    private static final long BUFFERS = 0x10_0000;

    private long messages;

    private static long allocated() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean())
                .getThreadAllocatedBytes(Thread.currentThread().threadId());
    }

    private Igb82576 open(PhysicalMemory ram) {
        Igb82576 device = Igb82576.create(
                Bench.MAC,
                rid -> new DirectDma(ram, (address, data) -> messages++),
                InterruptPin.UNCONNECTED,
                (frame, offset, length) -> Delivery.ACCEPTED,
                () -> 0);
        device.config().write(4, 2, 6);
        device.config().write(0x170, 2, 2);
        device.config().write(0x168, 2, 0x19);
        write(device, 0x5818, 3);
        write(device, 0x581C, 2 << 7 | 1 << 30);
        for (int pool = 0; pool < 2; pool++) {
            write(device, 0x5AD0 + 4 * pool, 0x2600 | 1 << 16 | 1 << 24 | 1 << 27 | 1 << 30);
            write(device, 0x5408 + 8 * pool, 2);
            write(device, 0x540C + 8 * pool, 0x10 | pool << 8 | 1 << 18 + pool | 1 << 31);
        }
        write(device, 0x0C8C, 0xFF);
        write(device, 0x0C90, 0xFF);
        write(device, 0x3500, 1 << 31 | 0x0303);
        write(device, 0x0100, 1 << 1 | 1 << 26);
        write(device, 0x0400, 1 << 1);
        for (int vf = 0; vf < 2; vf++) {
            PciFunction function = Objects.requireNonNull(device.functionAt(0x80 + 2 * vf));
            function.config().write(4, 2, 4);
            function.config().write(0x72, 2, 0x8000);
            for (int v = 0; v < 3; v++) {
                function.writeBar(3, 16 * v, 4, 0xFEE0_0000L);
                function.writeBar(3, 16 * v + 12, 4, 0);
            }
            openQueues(device, ram, vf);
            function.writeBar(0, 0x1700, 4, 0x8081);
            function.writeBar(0, 0x152C, 4, 7);
            function.writeBar(0, 0x1524, 4, 7);
        }
        return device;
    }

    private static void openQueues(Igb82576 device, PhysicalMemory ram, int vf) {
        long rx = RX_RING + 0x2000L * vf;
        long tx = TX_RING + 0x2000L * vf;
        byte[] frame = frame(macOf(1 - vf), macOf(vf), 100);
        for (int i = 0; i < RING; i++) {
            long buffer = BUFFERS + 2048L * (512 * vf + i);
            ram.writeLong(rx + 16L * i, buffer);
            ram.write(buffer + 0x100_0000, frame, 0, frame.length);
            ram.writeLong(tx + 16L * i, buffer + 0x100_0000);
            ram.writeInt(tx + 16L * i + 8, 100 | DATA | EOP | RS | DEXT);
            ram.writeInt(tx + 16L * i + 12, 100 << 14);
        }
        write(device, 0xC000 + 0x40 * vf, (int) rx);
        write(device, 0xC008 + 0x40 * vf, 16 * RING);
        write(device, 0xC00C + 0x40 * vf, 0x8200_0002);
        write(device, 0xC028 + 0x40 * vf, ENABLE);
        write(device, 0xE000 + 0x40 * vf, (int) tx);
        write(device, 0xE008 + 0x40 * vf, 16 * RING);
        write(device, 0xE028 + 0x40 * vf, ENABLE);
    }

    private static void write(Igb82576 device, int offset, int value) {
        device.writeBar(0, offset, 4, value & 0xFFFF_FFFFL);
    }

    private static void receive(Igb82576 device, PhysicalMemory ram, byte[] frame, int frames) {
        for (int i = 0; i < frames; i++) {
            refill(device, ram, 0, 1);
            device.send(frame, 0, frame.length);
            device.poll(8);
        }
    }

    /** Gives the next descriptors back, as a driver does. */
    private static void refill(Igb82576 device, PhysicalMemory ram, int vf, int count) {
        int tail = (int) device.readBar(0, 0xC018 + 0x40 * vf, 4);
        for (int i = 0; i < count; i++) {
            ram.writeLong(RX_RING + 0x2000L * vf + 16L * tail, BUFFERS + 2048L * (512 * vf + tail));
            tail = (tail + 1) % RING;
        }
        write(device, 0xC018 + 0x40 * vf, tail);
    }

    private static void loop(Igb82576 device, PhysicalMemory ram, int frames) {
        int tail = (int) device.readBar(0, 0xE018, 4);
        for (int i = 0; i < frames; i += 16) {
            refill(device, ram, 1, 16);
            tail = (tail + 16) % RING;
            write(device, 0xE018, tail);
            device.poll(64);
        }
    }

    @Test
    void shouldNotAllocateWhenReceiving() {
        try (PhysicalMemory ram = PhysicalMemory.allocate(32 << 20)) {
            Igb82576 device = open(ram);
            byte[] plain = frame(macOf(0), PEER, 100);
            byte[] all = tagged(BROADCAST, PEER, 5, 100);
            receive(device, ram, plain, FRAMES);
            receive(device, ram, all, FRAMES);
            long before = allocated();
            receive(device, ram, plain, FRAMES);
            receive(device, ram, all, FRAMES);
            assertThat(allocated() - before).isLessThan(FRAMES);
            assertThat(device.counters().rxFrames()).isEqualTo(4 * FRAMES);
            assertThat(messages).isPositive();
        }
    }

    @Test
    void shouldNotAllocateWhenSwitching() {
        try (PhysicalMemory ram = PhysicalMemory.allocate(32 << 20)) {
            Igb82576 device = open(ram);
            loop(device, ram, FRAMES);
            long before = allocated();
            loop(device, ram, FRAMES);
            assertThat(allocated() - before).isLessThan(FRAMES);
            assertThat(device.counters().txLooped()).isEqualTo(2 * FRAMES);
            assertThat(device.counters().rxOverruns()).isZero();
        }
    }
}
