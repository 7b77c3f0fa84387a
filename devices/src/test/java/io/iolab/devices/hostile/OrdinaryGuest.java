package io.iolab.devices.hostile;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.driver.NetDrivers;
import io.iolab.devices.driver.e1000.E1000Options;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.ResourceWindow;
import io.iolab.devices.driver.virtio.VirtioOptions;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The guest after a reboot: an ordinary kernel with the ordinary driver, which knows nothing of what happened before. It says
 * whether the device works for it.
 */
final class OrdinaryGuest implements DriverPlatform, CpuPort, ConfigAccess {
    private static final int RID = 3 << 3;
    private static final long MESSAGES = 0xFEE0_0000L;
    private static final int FRAMES = 3;
    private static final int ROUNDS = 1000;
    private static final NetDrivers.Options SMALL = new NetDrivers.Options(
            new E1000Options(8, 8, 2048, 0, 0, 0, 0, 0, 4, true),
            VirtioOptions.defaults().withLargestQueue(8));
    private static final byte[] PEER = {0x02, 0, 0, 0, 0, 0x77};

    private final HostileMachine machine;
    private final List<InterruptHandler> handlers = new ArrayList<>();
    private final List<InterruptHandler> lines = new ArrayList<>();
    private final List<byte[]> received = new ArrayList<>();
    private long pending;
    private long allocated = HostileMachine.HEAP;

    OrdinaryGuest(HostileMachine machine) {
        this.machine = machine;
    }

    /** Messages of the attack, and those to nobody, count for nothing. */
    void message(long address, int data) {
        if (address == MESSAGES && data >= 0 && data < handlers.size()) {
            pending |= 1L << data;
        }
    }

    /** @return why the device does not work, or an empty string */
    String complaint() {
        machine.bus().peerToPeer(false);
        machine.loopedWire(false);
        machine.busyWire(false);
        machine.dma().refuseEvery(0);
        machine.keepFrames(true);
        handlers.clear();
        lines.clear();
        received.clear();
        pending = 0;
        allocated = HostileMachine.HEAP;
        try {
            PciBus bus = new PciBus(
                    this,
                    this,
                    new ResourceWindow("MMIO", HostileMachine.MMIO, 0x1000_0000),
                    new ResourceWindow("I/O", 0xC000, 0x1000));
            NetDriver driver = NetDrivers.probe(this, bus, SMALL);
            driver.open();
            return traffic(driver);
        } catch (DriverException e) {
            return "the driver gives up: " + e.getMessage();
        } finally {
            handlers.clear();
            lines.clear();
        }
    }

    private String traffic(NetDriver driver) {
        settle(driver);
        machine.takeQuiet();
        machine.sent().clear();
        received.clear();
        for (int i = 0; i < FRAMES; i++) {
            byte[] frame = frame(PEER, i);
            if (!driver.queue(frame, 0, frame.length)) {
                return "no room for frame " + i;
            }
        }
        driver.flush();
        for (int i = 0; i < FRAMES; i++) {
            byte[] frame = machine.sent().poll();
            if (!Arrays.equals(frame, frame(PEER, i))) {
                return "frame " + i + " did not leave intact";
            }
        }
        for (int i = 0; i < FRAMES; i++) {
            if (machine.arrive(frame(driver.macAddress(), i)) != Delivery.ACCEPTED) {
                return "frame " + i + " was not taken";
            }
        }
        settle(driver);
        for (int i = 0; i < FRAMES; i++) {
            if (received.size() != FRAMES || !Arrays.equals(received.get(i), frame(driver.macAddress(), i))) {
                return received.size() + " frames arrived, or frame " + i + " did not arrive intact";
            }
        }
        if (driver.transmitHung() || driver.transmitsInFlight() != 0) {
            return "transmissions never complete";
        }
        return machine.takeQuiet() ? "" : "the device does not come to rest";
    }

    private static byte[] frame(byte[] destination, int number) {
        byte[] frame = new byte[64 + 300 * number];
        Arrays.fill(frame, (byte) (0x30 + number));
        System.arraycopy(destination, 0, frame, 0, 6);
        frame[6] = 2;
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xB5;
        return frame;
    }

    private void settle(NetDriver driver) {
        for (int round = 0; round < ROUNDS && serviceInterrupts(); round++) {
            driver.poll(
                    64, (bytes, offset, length) -> received.add(Arrays.copyOfRange(bytes, offset, offset + length)));
        }
    }

    private boolean serviceInterrupts() {
        boolean wanted = false;
        long now = pending;
        pending = 0;
        for (int i = 0; i < handlers.size(); i++) {
            wanted |= (now & 1L << i) != 0 && handlers.get(i).interrupt();
        }
        for (int i = 0; i < lines.size() && machine.pin(); i++) {
            wanted |= lines.get(i).interrupt();
        }
        return wanted;
    }

    // ---- the platform

    @Override
    public CpuPort cpu() {
        return this;
    }

    /** Host memory: a physical address here is a bus address and the size of the neighbour below. */
    @Override
    public Memory ram() {
        return machine.window().memory();
    }

    @Override
    public Clock clock() {
        return machine::nanos;
    }

    @Override
    public long allocate(long bytes, long alignment) {
        allocated = (allocated + 64 + alignment - 1) & -alignment;
        long gpa = allocated;
        allocated += bytes;
        machine.zero(gpa, bytes);
        return gpa + GuestWindow.SIZE;
    }

    @Override
    public long busAddress(long pa) {
        return pa - GuestWindow.SIZE;
    }

    @Override
    public MessageTarget allocateMessage(InterruptHandler handler) {
        handlers.add(handler);
        return new MessageTarget(MESSAGES, handlers.size() - 1);
    }

    @Override
    public void attachLine(int line, InterruptHandler handler) {
        lines.add(handler);
    }

    @Override
    public void delayNanos(long nanos) {
        machine.advance(nanos);
    }

    // ---- the processor

    @Override
    public long load(long pa, int width) {
        int bar = find(pa, width, true);
        return bar < 0 ? -1L >>> 64 - 8 * width : machine.read(bar, pa - base(bar), width);
    }

    @Override
    public void store(long pa, int width, long value) {
        int bar = find(pa, width, true);
        if (bar >= 0) {
            machine.write(bar, pa - base(bar), width, value);
        }
    }

    @Override
    public int in(int port, int width) {
        int bar = find(port, width, false);
        return bar < 0 ? -1 : (int) machine.read(bar, port - base(bar), width);
    }

    @Override
    public void out(int port, int width, int value) {
        int bar = find(port, width, false);
        if (bar >= 0) {
            machine.write(bar, port - base(bar), width, value & 0xFFFF_FFFFL);
        }
    }

    private long base(int bar) {
        return machine.function().config().barAddress(bar);
    }

    private int find(long address, int width, boolean memory) {
        for (int i = 0; i < 6; i++) {
            Bar bar = machine.function().config().bar(i);
            if (bar != null
                    && bar.isMemory() == memory
                    && machine.function().config().barDecodes(i)) {
                long offset = address - base(i);
                if (offset >= 0 && offset + width <= bar.size()) {
                    return i;
                }
            }
        }
        return -1;
    }

    @Override
    public int read(int rid, int offset, int width) {
        return rid == RID ? machine.function().config().read(offset, width) : -1;
    }

    @Override
    public void write(int rid, int offset, int width, int value) {
        if (rid == RID) {
            machine.configWrite(offset, width, value);
        }
    }
}
