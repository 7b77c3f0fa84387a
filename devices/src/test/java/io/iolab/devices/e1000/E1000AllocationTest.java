package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.Delivery;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Frames cost no garbage, in either direction. */
class E1000AllocationTest {
    private static final int FRAMES = 10_000;
    private static final int RING = 256;
    private long taken;

    private E1000 open(E1000Model model, PhysicalMemory ram) {
        E1000 device = E1000.create(
                model,
                MAC,
                new DirectDma(ram, (address, data) -> {}),
                InterruptPin.UNCONNECTED,
                (frame, offset, length) -> {
                    taken += length;
                    return Delivery.ACCEPTED;
                },
                () -> 0);
        device.config().write(0x04, 2, 0x7);
        for (int i = 0; i < RING; i++) {
            ram.writeLong(TX_RING + 16L * i, TX_BUFFERS + 2048L * i);
            ram.writeLong(TX_RING + 16L * i + 8, legacy(60, EOP | IFCS | RS));
            ram.write(TX_BUFFERS + 2048L * i, frame(PEER, 60), 0, 60);
            ram.writeLong(RX_RING + 16L * i, RX_BUFFERS + 2048L * i);
        }
        write(device, TDBAL, (int) TX_RING);
        write(device, TDLEN, 16 * RING);
        write(device, TCTL, TX_EN | TX_PSP);
        write(device, RDBAL, (int) RX_RING);
        write(device, RDLEN, 16 * RING);
        write(device, RDT, RING - 1);
        write(device, RXCSUM, 0x300);
        write(device, IMS, 0xFF);
        return device;
    }

    private static void write(E1000 device, int offset, int value) {
        device.writeBar(0, offset, 4, value & 0xFFFF_FFFFL);
    }

    private static void transmit(E1000 device, int frames) {
        int tail = (int) device.readBar(0, TDT, 4);
        for (int sent = 0; sent < frames; ) {
            int burst = Math.min(RING - 1, frames - sent);
            tail = (tail + burst) % RING;
            write(device, TDT, tail);
            int moved = device.poll(RING);
            assertThat(moved == burst).isTrue();
            device.readBar(0, ICR, 4);
            sent += burst;
        }
    }

    private static void receive(E1000 device, byte[] frame, int frames) {
        int tail = (int) device.readBar(0, RDT, 4);
        for (int i = 0; i < frames; i++) {
            device.send(frame, 0, frame.length);
            if ((i & 31) == 31) {
                device.poll(RING);
                tail = (tail + 32) % RING;
                write(device, RDT, tail);
                device.readBar(0, ICR, 4);
            }
        }
        device.poll(RING);
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    void shouldNotAllocateWhenTransmitting(E1000Model model) {
        try (PhysicalMemory ram = PhysicalMemory.allocate(8 << 20)) {
            E1000 device = open(model, ram);
            transmit(device, FRAMES);
            long before = allocated();
            transmit(device, FRAMES);
            assertThat(allocated() - before).isLessThan(FRAMES);
            assertThat(device.counters().txFrames()).isEqualTo(2 * FRAMES);
            assertThat(taken).isEqualTo(2L * FRAMES * 60);
        }
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    void shouldNotAllocateWhenReceiving(E1000Model model) {
        try (PhysicalMemory ram = PhysicalMemory.allocate(8 << 20)) {
            E1000 device = open(model, ram);
            byte[] frame = TestFrames.tcpFrame(400);
            System.arraycopy(MAC, 0, frame, 0, 6);
            for (int rctl : new int[] {RX_EN | RX_SECRC, RX_EN}) {
                write(device, RCTL, rctl);
                receive(device, frame, FRAMES);
                long before = allocated();
                receive(device, frame, FRAMES);
                assertThat(allocated() - before).as("RCTL %x", rctl).isLessThan(FRAMES);
            }
            assertThat(device.counters().rxFrames()).isEqualTo(4 * FRAMES);
        }
    }

    @Test
    void shouldMeasureAllocationsAtAll() {
        long before = allocated();
        byte[][] kept = new byte[100][];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = new byte[1000];
        }
        assertThat(allocated() - before).isGreaterThan(100_000);
        assertThat(kept.length).isEqualTo(100);
    }

    private static long allocated() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean())
                .getThreadAllocatedBytes(Thread.currentThread().threadId());
    }
}
