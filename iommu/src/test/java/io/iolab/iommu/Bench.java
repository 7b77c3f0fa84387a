package io.iolab.iommu;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.iommu.driver.FrameSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.UnaryOperator;

/** A unit, its host memory, its messages and a processor that reaches its registers. Constants are from VT-d chapter 10. */
final class Bench implements AutoCloseable {
    static final long BASE = 0xFED9_0000L;
    static final int CAP = 0x08;
    static final int ECAP = 0x10;
    static final int GCMD = 0x18;
    static final int GSTS = 0x1C;
    static final int RTADDR = 0x20;
    static final int CCMD = 0x28;
    static final int FSTS = 0x34;
    static final int FECTL = 0x38;
    static final int FEDATA = 0x3C;
    static final int FEADDR = 0x40;
    static final int IQH = 0x80;
    static final int IQT = 0x88;
    static final int IQA = 0x90;
    static final int ICS = 0x9C;
    static final int IECTL = 0xA0;
    static final int IEDATA = 0xA4;
    static final int IEADDR = 0xA8;
    static final int IQERCD = 0xB0;
    static final int IVA = 0xF0;
    static final int IOTLB = 0xF8;
    static final int FRCD = 0x220;

    static final int TE = 1 << 31;
    static final int SRTP = 1 << 30;
    static final int WBF = 1 << 27;
    static final int QIE = 1 << 26;
    static final int IRE = 1 << 25;
    static final int SIRTP = 1 << 24;
    static final int CFI = 1 << 23;
    static final int PMEN = 0x64;
    static final int IRTA = 0xB8;

    /** Where {@link #queue} puts its descriptors. */
    static final long QUEUE = 0x48_0000;

    record Message(long address, int data) {}

    final PhysicalMemory memory;
    final List<Message> messages = new ArrayList<>();
    final RemappingUnit unit;
    final Cpu cpu;
    final Frames frames = new Frames();

    Bench() {
        this(RemappingOptions.defaults());
    }

    Bench(RemappingOptions options) {
        this(options, 12 << 20);
    }

    /** @param size bytes of host memory */
    Bench(RemappingOptions options, long size) {
        this(options, size, UnaryOperator.identity());
    }

    /** @param unitsMemory host memory as the unit reaches it */
    Bench(RemappingOptions options, long size, UnaryOperator<Memory> unitsMemory) {
        memory = PhysicalMemory.allocate(size);
        unit = new RemappingUnit(
                options, unitsMemory.apply(memory), (address, data) -> messages.add(new Message(address, data)));
        cpu = new Cpu(unit.registers());
    }

    int load32(int offset) {
        return cpu.load32(BASE + offset);
    }

    void store32(int offset, int value) {
        cpu.store32(BASE + offset, value);
    }

    long load64(int offset) {
        return cpu.load(BASE + offset, 8);
    }

    void store64(int offset, long value) {
        cpu.store(BASE + offset, 8, value);
    }

    void setRoot(long rootHpa) {
        store64(RTADDR, rootHpa);
        store32(GCMD, load32(GSTS) & 0x96FF_FFFF | SRTP);
    }

    void translation(boolean on) {
        int steady = load32(GSTS) & 0x96FF_FFFF;
        store32(GCMD, on ? steady | TE : steady & ~TE);
    }

    /** Gives one 128-bit descriptor to the queue, which is enabled first if it is not. */
    void queue(long low, long high) {
        if ((load32(GSTS) & QIE) == 0) {
            store64(IQT, 0);
            store64(IQA, QUEUE);
            store32(GCMD, load32(GSTS) & 0x96FF_FFFF | QIE);
        }
        int tail = load32(IQT);
        memory.writeLong(QUEUE + tail + 8, high);
        memory.writeLong(QUEUE + tail, low);
        store32(IQT, tail + 16 & 0xFFF);
    }

    /** IQERCD.IQEI; 0 unless the queue stopped on an error. */
    int queueError() {
        return (load32(FSTS) & 1 << 4) == 0 ? 0 : load32(IQERCD) & 0xF;
    }

    @Override
    public void close() {
        memory.close();
    }

    /** Routes the register page; notes every store for tests of a driver's protocol. */
    static final class Cpu implements CpuPort {
        record Store(int offset, int width, long value) {}

        private final MmioHandler registers;
        final List<Store> stores = new ArrayList<>();

        Cpu(MmioHandler registers) {
            this.registers = registers;
        }

        @Override
        public long load(long pa, int width) {
            return pa >>> 12 == BASE >>> 12 ? registers.read(pa & 0xFFF, width) : -1L >>> 64 - 8 * width;
        }

        @Override
        public void store(long pa, int width, long value) {
            if (pa >>> 12 == BASE >>> 12) {
                stores.add(new Store((int) pa & 0xFFF, width, value));
                registers.write(pa & 0xFFF, width, value);
            }
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }

    /** Frames from 9 MiB up, freed ones last in first out so that a use after free is likely to be seen. */
    final class Frames implements FrameSource {
        private final Deque<Long> free = new ArrayDeque<>();
        private long next = 9 << 20;
        int inUse;

        @Override
        public long allocatePage() {
            inUse++;
            Long hpa = free.poll();
            if (hpa == null) {
                hpa = next;
                next += 4096;
            }
            memory.fill(hpa, 4096, (byte) 0);
            return hpa;
        }

        @Override
        public void freePage(long hpa) {
            inUse--;
            memory.fill(hpa, 4096, (byte) 0xEE);
            free.push(hpa);
        }
    }
}
