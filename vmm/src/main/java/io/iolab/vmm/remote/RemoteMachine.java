package io.iolab.vmm.remote;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.devices.pci.PciFunction;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.vmm.pci.BarTarget;
import io.iolab.vmm.pci.PciHost;
import io.iolab.vmm.pci.RootPort;
import io.iolab.vmm.vcpu.IoApic;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A machine without processors: RAM from address 0, a PCI host, an I/O APIC, perhaps a remapping unit, and devices. Whoever drives it does
 * the loads, stores and port accesses, and calls {@link #settle} after them.
 *
 * <p>Interrupt messages reach no processor: they are counted, the last ones kept, and memory does not see them. With a remapping unit
 * those of devices and of the I/O APIC pass it, each under its source id. Where nothing is, memory reads 0 and ports read
 * all ones; writes are lost.
 */
final class RemoteMachine implements AutoCloseable {
    /** Where Intel's chipsets and QEMU have the remapping unit. */
    static final long IOMMU_BASE = 0xFED9_0000L;

    /** The I/O APIC's source id, ff:00.0 as on QEMU's q35; the DMAR table's device scope would name it. */
    static final int IO_APIC_SOURCE = 0xFF00;

    private static final long IOMMU_SIZE = 0x1000;
    private static final int BURST = 64;
    /** Polls of a device in a row that move no frame, such as laps over null descriptors. */
    private static final int IDLE_LIMIT = 2_000;
    /** Polls of all devices for one command: the longest ring many times over. */
    private static final int ROUND_LIMIT = 1 << 16;

    /** A device in its slot. */
    record Slot(
            String id,
            String driver,
            PciFunction function,
            @Nullable Netdev netdev) {
        /** @return whether anything moved */
        boolean work() {
            boolean arrived = netdev != null && function instanceof NetworkFunction nic && netdev.offerTo(nic);
            return function.poll(BURST) > 0 || arrived;
        }

        /** Whether a poll would do something now; one that only a full wire holds up would not. */
        boolean pending(long now) {
            return function.workPending() && (netdev == null || !netdev.congested())
                    || function.nextDeadlineNanos() <= now;
        }
    }

    private final PhysicalMemory memory;
    private final MachineTime time;
    private final IoApic ioApic;
    private final InterruptLines lines;
    private final PciHost pci;
    private final Chipset chipset;
    private final MessageLog messages = new MessageLog();
    private final List<Slot> slots = new ArrayList<>();
    private final @Nullable RemappingOptions remapping;
    private @Nullable RemappingUnit iommu;
    private boolean settling;

    /**
     * @param memoryBytes a positive multiple of 4096
     * @param remapping what a remapping unit offers, or null for none
     */
    RemoteMachine(MachineType type, long memoryBytes, MachineTime time, @Nullable RemappingOptions remapping) {
        this.memory = PhysicalMemory.allocate(memoryBytes);
        this.time = time;
        this.remapping = remapping;
        ioApic = remapping == null
                ? new IoApic((destination, logical, mode, vector, level) -> false)
                : IoApic.before(this::ioApicMessage);
        lines = new InterruptLines(ioApic);
        pci = new PciHost(lines::source);
        this.chipset = Chipset.of(type, lines);
        chipset.plugInto(pci);
        iommu = remapping == null ? null : new RemappingUnit(remapping, memory, this::message);
    }

    MachineTime time() {
        return time;
    }

    PhysicalMemory memory() {
        return memory;
    }

    InterruptLines lines() {
        return lines;
    }

    List<Slot> slots() {
        return slots;
    }

    /** Interrupt messages that reached the processors' bus. */
    MessageLog messages() {
        return messages;
    }

    private void message(long address, int data) {
        messages.add(address, data);
    }

    private void ioApicMessage(long address, int data) {
        RemappingUnit unit = iommu;
        if (unit != null) {
            unit.interruptPortFor(IO_APIC_SOURCE).message(address, data);
        }
    }

    @Override
    public void close() {
        memory.close();
    }

    // ---- composition

    /** The way to memory of the function that has this requester id, whatever it is at the moment. */
    DmaPort dma(IntSupplier requester) {
        if (remapping == null) {
            return new DirectDma(memory, this::message);
        }
        return new RequesterPort(() -> java.util.Objects.requireNonNull(iommu), requester);
    }

    /** @param pin 1 for INTA# */
    InterruptPin intx(int device, int pin) {
        return chipset.intx(pci, device, pin);
    }

    boolean taken(int device, int function) {
        return pci.function(device << 3 | function) != null;
    }

    void plug(int device, int function, Slot slot) {
        pci.add(device, function, slot.function());
        adopt(slot);
    }

    void plug(int device, int function, RootPort port) {
        pci.addBridge(device, function, port);
        port.config().write(ConfigSpace.INTERRUPT_LINE, 1, 0);
    }

    /** Takes care of a device that is on a bus already. There is no firmware here to fill in interrupt lines. */
    void adopt(Slot slot) {
        slots.add(slot);
        slot.function().config().write(ConfigSpace.INTERRUPT_LINE, 1, 0);
    }

    /** The reset button: everything but memory and time. */
    void reset() {
        chipset.reset();
        for (int rid = 0; rid < 256; rid++) {
            if (pci.function(rid) instanceof RootPort port) {
                port.reset();
            }
        }
        slots.forEach(slot -> slot.function().reset());
        ioApic.reset();
        if (remapping != null) {
            iommu = new RemappingUnit(remapping, memory, this::message);
        }
        settle();
    }

    // ---- work and time

    /** Lets devices and cables do what they can at this instant. */
    void settle() {
        if (settling) {
            return;
        }
        settling = true;
        try {
            for (int i = 0; i < slots.size(); i++) {
                settle(slots.get(i));
            }
            boolean again = slots.size() > 1;
            for (int round = 0; again && round < ROUND_LIMIT; round++) {
                // What one adapter sent may have reached another.
                again = false;
                for (int i = 0; i < slots.size(); i++) {
                    Slot slot = slots.get(i);
                    if (slot.netdev() != null && slot.function() instanceof NetworkFunction nic) {
                        boolean arrived = slot.netdev().offerTo(nic);
                        again |= arrived;
                        if (arrived) {
                            settle(slot);
                        }
                    }
                }
            }
        } finally {
            settling = false;
        }
    }

    private void settle(Slot slot) {
        int idle = 0;
        for (int round = 0; round < ROUND_LIMIT && idle < IDLE_LIMIT; round++) {
            boolean progress = slot.work();
            if (!progress && !slot.pending(time.nanos())) {
                return;
            }
            idle = progress ? 0 : idle + 1;
        }
    }

    /** When the next device wants to be polled; {@link Long#MAX_VALUE} for never. */
    long nextDeadline() {
        long next = Long.MAX_VALUE;
        for (int i = 0; i < slots.size(); i++) {
            next = Math.min(next, slots.get(i).function().nextDeadlineNanos());
        }
        return next;
    }

    /** Moves virtual time on, with a stop at each deadline on the way. */
    void advanceTo(long when) {
        int late = 0;
        for (long due = nextDeadline(); due <= when && late < IDLE_LIMIT; due = nextDeadline()) {
            late = due <= time.nanos() ? late + 1 : 0;
            time.advanceTo(due);
            settle();
        }
        time.advanceTo(when);
        settle();
    }

    // ---- what a processor reaches

    private boolean isMemory(long address, int width) {
        return memory.contains(address, width);
    }

    /** Bytes from {@code address} to the end of RAM; 0 outside of it. */
    long memoryFrom(long address) {
        return address >= 0 && address < memory.size() ? memory.size() - address : 0;
    }

    long load(long address, int width) {
        if (isMemory(address, width)) {
            return switch (width) {
                case 1 -> memory.readByte(address) & 0xFFL;
                case 2 -> memory.readShort(address) & 0xFFFFL;
                case 4 -> memory.readInt(address) & 0xFFFF_FFFFL;
                default -> memory.readLong(address);
            };
        }
        BarTarget bar = pci.findMemory(address, width);
        if (bar != null && !isPlatform(address, width)) {
            return bar.function().readBar(bar.bar(), bar.offset(address), width);
        }
        return platform(address, width, false, 0);
    }

    void store(long address, int width, long value) {
        if (isMemory(address, width)) {
            switch (width) {
                case 1 -> memory.writeByte(address, (byte) value);
                case 2 -> memory.writeShort(address, (short) value);
                case 4 -> memory.writeInt(address, (int) value);
                default -> memory.writeLong(address, value);
            }
            return;
        }
        BarTarget bar = pci.findMemory(address, width);
        if (bar != null && !isPlatform(address, width)) {
            bar.function().writeBar(bar.bar(), bar.offset(address), width, value);
        } else {
            platform(address, width, true, value);
        }
    }

    /** What is soldered on comes before all BARs. */
    private boolean isPlatform(long address, int width) {
        return window(address, width, IoApic.BASE, IoApic.WINDOW_SIZE)
                || iommu != null && window(address, width, IOMMU_BASE, IOMMU_SIZE)
                || MessagePort.claims(address)
                || chipset.ecamBase() >= 0 && window(address, width, chipset.ecamBase(), chipset.ecamSize());
    }

    private static boolean window(long address, int width, long base, long size) {
        return AddressRange.contains(base, size, address, width);
    }

    private long platform(long address, int width, boolean write, long value) {
        if (window(address, width, IoApic.BASE, IoApic.WINDOW_SIZE)) {
            return access(ioApic, address - IoApic.BASE, width, write, value);
        }
        RemappingUnit unit = iommu;
        if (unit != null && window(address, width, IOMMU_BASE, IOMMU_SIZE)) {
            return access(unit.registers(), address - IOMMU_BASE, width, write, value);
        }
        long ecam = chipset.ecamBase();
        if (ecam >= 0 && window(address, width, ecam, chipset.ecamSize())) {
            return access(pci.ecam(), address - ecam, width, write, value);
        }
        if (write && width == 4 && (address & 3) == 0 && MessagePort.claims(address)) {
            message(address, (int) value);
        }
        return 0;
    }

    private static long access(MmioHandler window, long offset, int width, boolean write, long value) {
        if (write) {
            window.write(offset, width, value);
            return 0;
        }
        return window.read(offset, width);
    }

    /** @param port 0 to 65535 */
    int in(int port, int width) {
        if (isConfigPort(port, width)) {
            return (int) pci.configPorts().read(port - PciHost.CONFIG_PORTS, width);
        }
        BarTarget bar = pci.findIo(port, width);
        return bar == null ? -1 : (int) bar.function().readBar(bar.bar(), bar.offset(port), width);
    }

    void out(int port, int width, int value) {
        if (isConfigPort(port, width)) {
            pci.configPorts().write(port - PciHost.CONFIG_PORTS, width, value & 0xFFFF_FFFFL);
            return;
        }
        BarTarget bar = pci.findIo(port, width);
        if (bar != null) {
            bar.function().writeBar(bar.bar(), bar.offset(port), width, value & 0xFFFF_FFFFL);
        }
    }

    private static boolean isConfigPort(int port, int width) {
        return AddressRange.contains(PciHost.CONFIG_PORTS, PciHost.CONFIG_PORT_COUNT, port, width);
    }
}
