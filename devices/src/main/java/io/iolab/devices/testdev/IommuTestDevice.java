package io.iolab.devices.testdev;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.BusMasterGate;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;

/**
 * QEMU's iommu-testdev, 1b36:0005: one BAR of nine 32-bit registers, no interrupts. Layout and results are those of section "Device
 * Interface" of its document; values after reset, that accesses of other widths do nothing, and the pattern's byte order are those of the
 * device itself.
 *
 * <p>Beyond the document:
 *
 * <ul>
 *   <li>Without bus mastering nothing is written and the result is {@link #WRITE_FAILED}, as on every function here; QEMU's goes around
 *       the command register.
 *   <li>A length above {@link #MAX_LENGTH} is {@link #BAD_LENGTH}, so that no register read takes unbounded time.
 *   <li>The secure and space attributes, which are Arm's, are checked for consistency and have no further effect.
 * </ul>
 */
public final class IommuTestDevice implements PciFunction {
    public static final int TRIGGERING = 0x00;
    public static final int IOVA_LOW = 0x04;
    public static final int IOVA_HIGH = 0x08;
    public static final int LENGTH = 0x0C;
    public static final int RESULT = 0x10;
    public static final int DOORBELL = 0x14;
    public static final int ATTRIBUTES = 0x18;
    public static final int GPA_LOW = 0x1C;
    public static final int GPA_HIGH = 0x20;

    /** Results. */
    public static final int DONE = 0;

    public static final int IDLE = 0xFFFF_FFFF;
    public static final int ARMED = 0xFFFF_FFFE;
    public static final int BAD_LENGTH = 0xDEAD_0001;
    public static final int WRITE_FAILED = 0xDEAD_0002;
    public static final int READ_FAILED = 0xDEAD_0003;
    public static final int MISMATCH = 0xDEAD_0004;
    public static final int NOT_ARMED = 0xDEAD_0005;
    public static final int BAD_ATTRIBUTES = 0xDEAD_0006;

    /** What is written, over and over, low byte first. */
    public static final int PATTERN = 0x1234_5678;

    /** Bytes of the longest transfer. */
    public static final int MAX_LENGTH = 16 << 20;

    private static final int VENDOR = 0x1B36;
    private static final int DEVICE = 0x0005;
    private static final int CLASS_OTHERS = 0x00FF00;
    private static final int SUBSYSTEM_VENDOR = 0x1AF4;
    private static final int SUBSYSTEM = 0x1100;
    private static final int WINDOW = 4096;
    private static final int CHUNK = 4096;

    private static final int ARM = 1;
    private static final int SECURE = 1;
    private static final int SPACE_VALID = 1 << 3;
    private static final int SPACE_NON_SECURE = 1;

    private final ConfigSpace config;
    private final DmaPort dma;
    private final Memory memory;
    private final byte[] written = new byte[CHUNK];
    private final byte[] readBack = new byte[CHUNK];

    private long iova;
    private long gpa;
    private int length;
    private int result;
    private int attributes;
    private boolean armed;
    private long ignored;

    /**
     * @param dma the function's way to memory, without regard to the command register: that gate is inside
     * @param memory what the tester calls memory, for reading back
     */
    public IommuTestDevice(DmaPort dma, Memory memory) {
        config = new ConfigSpace(VENDOR, DEVICE, 0, CLASS_OTHERS)
                .subsystem(SUBSYSTEM_VENDOR, SUBSYSTEM)
                .bar(new Bar(0, Bar.Kind.MEMORY32, WINDOW, false));
        this.dma = new BusMasterGate(config, dma);
        this.memory = memory;
        config.seal();
        for (int i = 0; i < CHUNK; i++) {
            written[i] = (byte) (PATTERN >>> 8 * (i & 3));
        }
        power();
    }

    private void power() {
        iova = 0;
        gpa = 0;
        length = 0;
        result = IDLE;
        armed = false;
        attributes = SPACE_NON_SECURE << 1;
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    /** Accesses that had no effect: of a wrong width, or where no register is. */
    public long ignored() {
        return ignored;
    }

    private boolean accepts(int bar, long offset, int width) {
        boolean fits = bar == 0 && width == 4 && (offset & 3) == 0 && offset <= GPA_HIGH;
        ignored += fits ? 0 : 1;
        return fits;
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        if (!accepts(bar, offset, width)) {
            return 0;
        }
        int value = switch ((int) offset) {
            case TRIGGERING -> {
                trigger();
                yield 0;
            }
            case IOVA_LOW -> (int) iova;
            case IOVA_HIGH -> (int) (iova >>> 32);
            case LENGTH -> length;
            case RESULT -> result;
            case ATTRIBUTES -> attributes;
            case GPA_LOW -> (int) gpa;
            case GPA_HIGH -> (int) (gpa >>> 32);
            default -> 0;
        };
        return value & 0xFFFF_FFFFL;
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        if (!accepts(bar, offset, width)) {
            return;
        }
        int data = (int) value;
        switch ((int) offset) {
            case IOVA_LOW -> iova = low(iova, data);
            case IOVA_HIGH -> iova = high(iova, data);
            case GPA_LOW -> gpa = low(gpa, data);
            case GPA_HIGH -> gpa = high(gpa, data);
            case LENGTH -> length = data;
            case RESULT -> result = data;
            case ATTRIBUTES -> attributes = data;
            case DOORBELL -> {
                armed = (data & ARM) != 0;
                result = armed ? ARMED : IDLE;
            }
            default -> ignored++;
        }
    }

    private static long low(long value, int data) {
        return value & 0xFFFF_FFFF_0000_0000L | data & 0xFFFF_FFFFL;
    }

    private static long high(long value, int data) {
        return value & 0xFFFF_FFFFL | (long) data << 32;
    }

    /** Section "DMA Operation Flow": the values are those at this moment, and the request is consumed whatever comes of it. */
    private void trigger() {
        if (!armed) {
            result = NOT_ARMED;
            return;
        }
        armed = false;
        if (length <= 0 || length > MAX_LENGTH) {
            result = BAD_LENGTH;
        } else if (attributesContradict()) {
            result = BAD_ATTRIBUTES;
        } else {
            result = transfer();
        }
    }

    /** Space 0 is Arm's secure one, space 1 the non-secure; the secure bit must agree with either. */
    private boolean attributesContradict() {
        int space = attributes >>> 1 & 3;
        boolean secure = (attributes & SECURE) != 0;
        return (attributes & SPACE_VALID) != 0 && space <= SPACE_NON_SECURE && secure != (space == 0);
    }

    private int transfer() {
        for (int done = 0; done < length; done += CHUNK) {
            int part = Math.min(CHUNK, length - done);
            if (dma.write(iova + done, written, 0, part, DmaKind.PAYLOAD) != DmaFault.NONE) {
                return WRITE_FAILED;
            }
        }
        for (int done = 0; done < length; done += CHUNK) {
            int part = Math.min(CHUNK, length - done);
            if (!memory.contains(gpa + done, part)) {
                return READ_FAILED;
            }
            memory.read(gpa + done, readBack, 0, part);
            if (!java.util.Arrays.equals(readBack, 0, part, written, 0, part)) {
                return MISMATCH;
            }
        }
        return DONE;
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
        config.reset();
        power();
    }

    @Override
    public String registerName(int bar, long offset) {
        return switch (bar == 0 ? (int) offset : -1) {
            case TRIGGERING -> "dma_triggering";
            case IOVA_LOW -> "dma_gva_lo";
            case IOVA_HIGH -> "dma_gva_hi";
            case LENGTH -> "dma_len";
            case RESULT -> "dma_result";
            case DOORBELL -> "dma_dbell";
            case ATTRIBUTES -> "dma_attrs";
            case GPA_LOW -> "dma_gpa_lo";
            case GPA_HIGH -> "dma_gpa_hi";
            default -> "unimplemented";
        };
    }
}
