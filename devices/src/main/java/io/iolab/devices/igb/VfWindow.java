package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.register.RegisterFile;
import java.util.Arrays;

/**
 * A virtual function's BAR0: each of its registers is one of the physical function's, at another offset (82576 datasheet 8.26). Everything
 * else reads 0. Accesses are 4 bytes, or 8 as two of them.
 */
final class VfWindow implements MmioHandler {
    private static final int NOTHING = -1;
    private static final int VTSTATUS = 0x0008;
    private static final int VF_MAILBOX_MEMORY = 0x0800;
    private static final int VF_PBACL = 0x0F04;
    private static final int FIRST_STATISTIC = 0x0F10;
    private static final int LAST_STATISTIC = 0x0F50;
    private static final int VF_INTERRUPTS = 0x1520;
    private static final int VF_EICR = 0x1580;
    private static final int VF_MPRC = 0x0F3C;
    private static final int VF_RX_QUEUES = 0x2800;
    private static final int VF_TX_QUEUES = 0x3800;
    private static final int VF_QUEUE_STRIDE = 0x100;

    private final int vf;
    private final RegisterFile registers;
    private final Runnable reset;
    private final java.util.function.IntConsumer clearPending;
    /** For each word of the window the offset that answers. */
    private final int[] targets = new int[VF_WINDOW / 4];

    /**
     * @param reset does what VTCTRL.RST asks for
     * @param clearPending takes the vectors whose MSI-X pending bits software wants cleared
     */
    VfWindow(int vf, RegisterFile registers, Runnable reset, java.util.function.IntConsumer clearPending) {
        this.vf = vf;
        this.registers = registers;
        this.reset = reset;
        this.clearPending = clearPending;
        Arrays.fill(targets, NOTHING);
        int base = VF_STRIDE * vf;
        map(0, PVTCTRL + base, 1);
        map(VTSTATUS, STATUS, 1);
        map(VF_MAILBOX_MEMORY, VMBMEM + 4 * Mailbox.WORDS * vf, Mailbox.WORDS);
        map(0x0C40, V2PMAILBOX + 4 * vf, 1);
        map(0x0F0C, PSRTYPE + 4 * vf, 1);
        map(FRTIMER, FRTIMER, 1);
        for (int offset = FIRST_STATISTIC; offset <= LAST_STATISTIC; offset += 4) {
            int target = offset == VF_MPRC ? PVFMPRC : PVFGPRC + offset - FIRST_STATISTIC;
            if (offset == VF_MPRC || isStatistic(target)) {
                map(offset, target + base, 1);
            }
        }
        map(VF_INTERRUPTS, PVTEICS + base, 5);
        map(VF_EICR, PVTEICR + base, 1);
        map(EITR, EITR + 4 * InterruptUnit.firstCause(vf), PciFace.VF_VECTORS);
        map(0x1700, VTIVAR + base, 1);
        map(0x1740, VTIVAR_MISC + base, 1);
        for (int queue = 0; queue < 2; queue++) {
            int from = QUEUE_STRIDE * (vf + POOLS * queue);
            map(VF_RX_QUEUES + VF_QUEUE_STRIDE * queue, RDBAL + from, QUEUE_STRIDE / 4);
            map(VF_TX_QUEUES + VF_QUEUE_STRIDE * queue, TDBAL + from, QUEUE_STRIDE / 4);
        }
    }

    private static boolean isStatistic(int target) {
        for (int offset : VfStatistics.OFFSETS) {
            if (offset == target) {
                return target != PVFMPRC;
            }
        }
        return false;
    }

    private void map(int offset, int target, int words) {
        for (int i = 0; i < words; i++) {
            targets[(offset >>> 2) + i] = target + 4 * i;
        }
    }

    private int target(long offset) {
        return offset >= 0 && offset < VF_WINDOW ? targets[(int) offset >>> 2] : NOTHING;
    }

    private boolean accepts(long offset, int width) {
        if (width != 4 && width != 8 || offset % width != 0) {
            registers.count(RegisterFault.WRONG_WIDTH);
            return false;
        }
        return true;
    }

    @Override
    public long read(long offset, int width) {
        if (!accepts(offset, width)) {
            return 0;
        }
        long low = readWord(offset);
        return width == 4 ? low : low | readWord(offset + 4) << 32;
    }

    private long readWord(long offset) {
        int target = target(offset);
        if (target == NOTHING) {
            registers.count(RegisterFault.UNKNOWN_OFFSET);
            return 0;
        }
        long value = registers.read(target, 4);
        return offset == VTSTATUS ? value & STATUS_VF_VIEW : value;
    }

    @Override
    public void write(long offset, int width, long value) {
        if (!accepts(offset, width)) {
            return;
        }
        writeWord(offset, (int) value);
        if (width == 8) {
            writeWord(offset + 4, (int) (value >>> 32));
        }
    }

    private void writeWord(long offset, int value) {
        int target = target(offset);
        if (offset == VF_PBACL) {
            clearPending.accept(value);
        } else if (offset == 0) {
            if ((value & PVTCTRL_RST) != 0) {
                reset.run();
            }
        } else if (target == NOTHING) {
            registers.count(RegisterFault.UNKNOWN_OFFSET);
        } else if (isReadOnly(offset)) {
            registers.count(RegisterFault.READ_ONLY);
        } else {
            registers.write(target, 4, value & 0xFFFF_FFFFL);
        }
    }

    private static boolean isReadOnly(long offset) {
        return offset == VTSTATUS || offset == FRTIMER || offset >= FIRST_STATISTIC && offset <= LAST_STATISTIC;
    }

    String registerName(long offset) {
        if (offset == VF_PBACL) {
            return "PBACL";
        }
        int target = target(offset & ~3L);
        if (target == NOTHING) {
            return "unimplemented";
        }
        String name = registers.map().nameAt(target);
        int index = name.indexOf('[');
        if (target >= RDBAL && target < TDBAL + QUEUE_STRIDE * QUEUES && index >= 0) {
            return name.substring(0, index) + "[" + (offset >>> 8 & 1) + "]";
        }
        if (target >= EITR && target < IVAR) {
            return "VTEITR[" + ((offset - EITR) / 4) + "]";
        }
        return index >= 0 && target != STATUS ? name.substring(0, index).replaceFirst("^PVT", "VT") : name;
    }

    @Override
    public String toString() {
        return "VF " + vf;
    }
}
