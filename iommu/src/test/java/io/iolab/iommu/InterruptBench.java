package io.iolab.iommu;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.LittleEndian;

/** A unit with interrupt remapping on and a table of 16 entries; words of entries are from VT-d 9.9 and 9.10. */
final class InterruptBench implements AutoCloseable {
    static final long TABLE = 0x6_0000;
    static final int SIZE = 3;
    static final int ENTRIES = 16;
    static final int EIME = 1 << 11;

    /** 00:04.0 */
    static final int RID = 0x0020;

    static final int PRESENT = 1;
    static final int FPD = 2;
    static final long POSTED = 1 << 15;

    final Bench bench;

    InterruptBench(RemappingOptions options, boolean extended) {
        bench = new Bench(options);
        bench.store64(Bench.IRTA, TABLE | (extended ? EIME : 0) | SIZE);
        command(Bench.SIRTP, true);
        command(Bench.IRE, true);
    }

    static RemappingOptions.Builder options() {
        return RemappingOptions.builder().interruptRemapping(true).postedInterrupts(true);
    }

    static InterruptBench plain() {
        return new InterruptBench(options().build(), false);
    }

    static InterruptBench extended() {
        return new InterruptBench(options().extendedInterruptMode(true).build(), true);
    }

    void command(int bit, boolean on) {
        int steady = bench.load32(Bench.GSTS) & 0x96FF_FFFF;
        bench.store32(Bench.GCMD, on ? steady | bit : steady & ~bit);
    }

    void entry(int index, long low, long high) {
        bench.memory.writeLong(TABLE + 16L * index + 8, high);
        bench.memory.writeLong(TABLE + 16L * index, low);
    }

    /** A fixed, edge-triggered interrupt to processor 5, from any source. */
    static long fixed(int vector) {
        return 5L << 40 | (long) vector << 16 | PRESENT;
    }

    static long address(int index) {
        return 0xFEE0_0010L | (index & 0x7FFFL) << 5 | (index & 0x8000) >>> 13;
    }

    /** The message as the requester's DMA write. */
    void raise(int rid, long address, int data) {
        byte[] bytes = new byte[4];
        LittleEndian.putInt(bytes, 0, data);
        bench.unit.portFor(rid).write(address, bytes, 0, 4, DmaKind.MESSAGE);
    }

    void raise(int index) {
        raise(RID, address(index), 0);
    }

    private int firstRecord() {
        return Bench.FRCD + 16 * (bench.load32(Bench.FSTS) >>> 8 & 0xFF);
    }

    /** FR of the first pending fault record, or 0 if there is none. */
    int reason() {
        return (bench.load32(Bench.FSTS) & 2) != 0 ? bench.load32(firstRecord() + 12) & 0xFF : 0;
    }

    void clearRecord() {
        bench.store32(firstRecord() + 12, 1 << 31);
    }

    void invalidateAll() {
        bench.queue(4, 0);
    }

    @Override
    public void close() {
        bench.close();
    }
}
