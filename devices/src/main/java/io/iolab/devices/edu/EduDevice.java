package io.iolab.devices.edu;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.BusMasterGate;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.IntxLine;
import io.iolab.devices.pci.MsiCapability;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.time.Clock;

/**
 * QEMU's educational device, 1234:11e8. A factorial is computed, modulo 2^32, by the next {@link #poll}; a DMA transfer is carried out
 * {@link #DMA_NANOS} after its command.
 */
public final class EduDevice implements PciFunction {
    /** Addresses of 28 bits, as section "Command line switches" has it. */
    public static final long DEFAULT_DMA_MASK = (1L << 28) - 1;

    /** From the command to the end of a transfer. */
    public static final long DMA_NANOS = 100_000_000;

    private static final int VENDOR = 0x1234;
    private static final int DEVICE = 0x11E8;
    private static final int REVISION = 0x10;
    private static final int CLASS_OTHERS = 0x00FF00;
    private static final int SUBSYSTEM_VENDOR = 0x1AF4;
    private static final int SUBSYSTEM = 0x1100;
    private static final long WINDOW = 1 << 20;
    private static final int MSI = 0x40;

    private static final int IDENTIFICATION = 0x00;
    private static final int LIVENESS = 0x04;
    private static final int FACTORIAL = 0x08;
    private static final int STATUS = 0x20;
    private static final int INTERRUPT_STATUS = 0x24;
    private static final int INTERRUPT_RAISE = 0x60;
    private static final int INTERRUPT_ACKNOWLEDGE = 0x64;
    private static final int DMA_SOURCE = 0x80;
    private static final int DMA_DESTINATION = 0x88;
    private static final int DMA_COUNT = 0x90;
    private static final int DMA_COMMAND = 0x98;

    private static final int VERSION_1_0 = 0x0100_00ED;
    private static final int STATUS_COMPUTING = 0x01;
    private static final int STATUS_INTERRUPT = 0x80;
    private static final int INTERRUPT_FACTORIAL = 0x001;
    private static final int INTERRUPT_DMA = 0x100;
    private static final int COMMAND_START = 0x01;
    private static final int COMMAND_FROM_DEVICE = 0x02;
    private static final int COMMAND_INTERRUPT = 0x04;

    private static final int BUFFER_BASE = 0x40000;
    private static final int BUFFER_BYTES = 4096;
    /** 34! is the first factorial that 2^32 divides. */
    private static final int FIRST_ZERO_FACTORIAL = 34;

    private final ConfigSpace config;
    private final DmaPort dma;
    private final MsiCapability msi;
    private final IntxLine pin;
    private final Clock clock;
    private final long dmaMask;
    private final byte[] buffer = new byte[BUFFER_BYTES];

    private int liveness;
    private int factorial;
    private boolean computing;
    private int status;
    private int interruptStatus;
    private long source;
    private long destination;
    private long count;
    private int command;
    private long transferEnds = Long.MAX_VALUE;
    private long ignored;

    /**
     * @param dmaMask address bits that DMA uses; others are dropped
     * @param dma the function's way to memory, without regard to the command register: that gate is inside
     * @param intx what INTA# is wired to
     */
    public EduDevice(long dmaMask, DmaPort dma, InterruptPin intx, Clock clock) {
        this.dmaMask = dmaMask;
        this.clock = clock;
        config = new ConfigSpace(VENDOR, DEVICE, REVISION, CLASS_OTHERS)
                .subsystem(SUBSYSTEM_VENDOR, SUBSYSTEM)
                .interruptPin(1)
                .bar(new Bar(0, Bar.Kind.MEMORY32, WINDOW, false));
        this.dma = new BusMasterGate(config, dma);
        msi = new MsiCapability(config, MSI, this.dma);
        pin = new IntxLine(config, intx, msi::enabled);
        msi.onSwitch(pin::evaluate);
        config.seal();
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    /** Accesses and transfers that had no effect because they were not what the device takes. */
    public long ignored() {
        return ignored;
    }

    /** Section "MMIO area spec": four bytes below 0x80, four or eight from there on. */
    private boolean accepts(long offset, int width) {
        boolean fits = (width == 4 || width == 8 && offset >= DMA_SOURCE) && offset % width == 0;
        ignored += fits ? 0 : 1;
        return fits;
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        long ones = -1L >>> 64 - 8 * width;
        if (bar != 0 || !accepts(offset, width)) {
            return ones;
        }
        long value = switch ((int) offset) {
            case IDENTIFICATION -> VERSION_1_0;
            case LIVENESS -> liveness;
            case FACTORIAL -> factorial;
            case STATUS -> status | (computing ? STATUS_COMPUTING : 0);
            case INTERRUPT_STATUS -> interruptStatus;
            case DMA_SOURCE -> source;
            case DMA_DESTINATION -> destination;
            case DMA_COUNT -> count;
            case DMA_COMMAND -> command;
            default -> {
                ignored++;
                yield -1;
            }
        };
        return value & ones;
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        if (bar != 0 || !accepts(offset, width)) {
            return;
        }
        long written = value & -1L >>> 64 - 8 * width;
        switch ((int) offset) {
            case LIVENESS -> liveness = ~(int) written;
            case FACTORIAL -> startFactorial((int) written);
            case STATUS -> status = (int) written & STATUS_INTERRUPT;
            case INTERRUPT_RAISE -> raise((int) written);
            case INTERRUPT_ACKNOWLEDGE -> acknowledge((int) written);
            case DMA_SOURCE, DMA_DESTINATION, DMA_COUNT, DMA_COMMAND -> writeDma((int) offset, written);
            default -> ignored++;
        }
    }

    /** A value written while another is being computed is lost. */
    private void startFactorial(int value) {
        if (computing) {
            ignored++;
            return;
        }
        factorial = value;
        computing = true;
    }

    private void computeFactorial() {
        int result = 0;
        if (Integer.compareUnsigned(factorial, FIRST_ZERO_FACTORIAL) < 0) {
            result = 1;
            for (int i = 2; i <= factorial; i++) {
                result *= i;
            }
        }
        factorial = result;
        computing = false;
        if ((status & STATUS_INTERRUPT) != 0) {
            raise(INTERRUPT_FACTORIAL);
        }
    }

    /** Section "IRQ controller": each raise sends a message, or keeps the pin up until all is acknowledged. */
    private void raise(int value) {
        interruptStatus |= value;
        if (interruptStatus == 0) {
            return;
        }
        if (!msi.fire()) {
            pin.request(true);
        }
    }

    private void acknowledge(int value) {
        interruptStatus &= ~value;
        pin.request(interruptStatus != 0);
    }

    /** While a transfer runs its registers take no writes. A command without the start bit does nothing. */
    private void writeDma(int register, long value) {
        if ((command & COMMAND_START) != 0 || register == DMA_COMMAND && (value & COMMAND_START) == 0) {
            ignored++;
            return;
        }
        switch (register) {
            case DMA_SOURCE -> source = value;
            case DMA_DESTINATION -> destination = value;
            case DMA_COUNT -> count = value;
            default -> {
                command = (int) value;
                transferEnds = clock.nanos() + DMA_NANOS;
            }
        }
    }

    /** Section "DMA controller". */
    private void transfer() {
        boolean fromDevice = (command & COMMAND_FROM_DEVICE) != 0;
        long inside = fromDevice ? source : destination;
        long outside = (fromDevice ? destination : source) & dmaMask;
        if (count < 0 || !AddressRange.contains(BUFFER_BASE, BUFFER_BYTES, inside, count)) {
            ignored++;
        } else {
            int at = (int) inside - BUFFER_BASE;
            int length = (int) count;
            DmaFault fault = fromDevice
                    ? dma.write(outside, buffer, at, length, DmaKind.PAYLOAD)
                    : dma.read(outside, buffer, at, length, DmaKind.PAYLOAD);
            ignored += fault == DmaFault.NONE ? 0 : 1;
        }
        transferEnds = Long.MAX_VALUE;
        int finished = command;
        command &= ~COMMAND_START;
        if ((finished & COMMAND_INTERRUPT) != 0) {
            raise(INTERRUPT_DMA);
        }
    }

    /** @return always 0: no frames move */
    @Override
    public int poll(int budget) {
        if (computing) {
            computeFactorial();
        }
        if (transferEnds <= clock.nanos()) {
            transfer();
        }
        return 0;
    }

    @Override
    public long nextDeadlineNanos() {
        return transferEnds;
    }

    @Override
    public boolean workPending() {
        return computing;
    }

    @Override
    public void reset() {
        config.reset();
        liveness = 0;
        factorial = 0;
        computing = false;
        status = 0;
        interruptStatus = 0;
        source = 0;
        destination = 0;
        count = 0;
        command = 0;
        transferEnds = Long.MAX_VALUE;
        java.util.Arrays.fill(buffer, (byte) 0);
        pin.request(false);
        pin.evaluate();
    }

    @Override
    public String registerName(int bar, long offset) {
        return switch (bar == 0 ? (int) offset : -1) {
            case IDENTIFICATION -> "identification";
            case LIVENESS -> "liveness";
            case FACTORIAL -> "factorial";
            case STATUS -> "status";
            case INTERRUPT_STATUS -> "interrupt_status";
            case INTERRUPT_RAISE -> "interrupt_raise";
            case INTERRUPT_ACKNOWLEDGE -> "interrupt_acknowledge";
            case DMA_SOURCE -> "dma_source";
            case DMA_DESTINATION -> "dma_destination";
            case DMA_COUNT -> "dma_count";
            case DMA_COMMAND -> "dma_command";
            default -> "unimplemented";
        };
    }
}
