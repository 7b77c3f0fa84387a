package io.iolab.iommu;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import org.junit.jupiter.api.Tag;

/**
 * Bytes as the deeds of hostile host software and hostile devices: register stores, tables, invalidation descriptors, DMA. No
 * exception, no access outside of host memory, and afterwards sound tables translate.
 *
 * <pre>
 *   0 register 4   1 register 8   2 table entry   3 invalidation descriptor   4 queue tail   5 DMA read
 *   6 DMA write    7 sound tables and on          8 read a register
 * </pre>
 */
@Tag("fuzz")
class RemappingUnitFuzzTest {
    private static final int OPS = 9;
    private static final int MOST_OPS = 600;
    private static final long QUEUE = 0x3_0000;

    private byte[] data = {};
    private int at;

    @FuzzTest(maxDuration = "60s")
    void survives(byte[] deeds) {
        data = deeds;
        at = 0;
        try (Bench bench = new Bench()) {
            for (int i = 0; i < MOST_OPS && at < data.length; i++) {
                op(bench, u8() % OPS);
            }
            serve(bench);
        }
    }

    private int u8() {
        return at < data.length ? data[at++] & 0xFF : 0;
    }

    private int u16() {
        return u8() | u8() << 8;
    }

    private int u32() {
        return u16() | u16() << 16;
    }

    private long u64() {
        return u32() & 0xFFFF_FFFFL | (long) u32() << 32;
    }

    private void op(Bench bench, int op) {
        switch (op) {
            case 0 -> bench.store32(u8() * 4, u32());
            case 1 -> bench.store64(u8() * 8, u64());
            case 2 -> bench.memory.writeLong(Tables.ROOT + u16() % 0xC00 * 8, entry());
            case 3 -> bench.memory.writeLong(QUEUE + u8() * 8, u64());
            case 4 -> {
                bench.store64(Bench.IQA, QUEUE);
                bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.QIE);
                bench.store64(Bench.IQT, u8() * 16L);
            }
            case 5 -> dma(bench, false);
            case 6 -> dma(bench, true);
            case 7 -> {
                Tables.build(bench.memory);
                bench.setRoot(Tables.ROOT);
                bench.translation(true);
            }
            default -> bench.load64(u8() * 8);
        }
    }

    /** One of the tables, with any of the low bits, or anything at all. */
    private long entry() {
        int kind = u8();
        return kind < 128 ? Tables.ROOT + kind % 8 * 0x1000L | u8() : u64();
    }

    private void dma(Bench bench, boolean write) {
        DmaPort port = bench.unit.portFor(u8() % 8 == 0 ? u16() : Tables.RID);
        long iova = u8() % 2 == 0 ? Tables.IOVA + u16() : u64();
        byte[] bytes = new byte[u16()];
        if (write) {
            port.write(iova, bytes, 0, bytes.length, DmaKind.PAYLOAD);
        } else {
            port.read(iova, bytes, 0, bytes.length, DmaKind.PAYLOAD);
        }
        port.loadShortAcquire(iova, DmaKind.DESCRIPTOR);
    }

    /** VT-d 10.4.4, 10.4.9: off, errors cleared, sound tables, caches emptied by register, on. */
    private static void serve(Bench bench) {
        bench.store32(Bench.GCMD, 0);
        bench.store32(Bench.FSTS, -1);
        bench.memory.fill(Tables.ROOT, 0x6000, (byte) 0);
        Tables.build(bench.memory);
        bench.setRoot(Tables.ROOT);
        bench.store64(Bench.CCMD, 1L << 63 | 1L << 61);
        bench.store64(Bench.IOTLB, 1L << 63 | 1L << 60);
        bench.translation(true);
        bench.memory.writeLong(Tables.PAGE, 0x1234_5678_9ABCL);
        byte[] bytes = new byte[8];
        DmaFault fault = bench.unit.portFor(Tables.RID).read(Tables.IOVA, bytes, 0, 8, DmaKind.PAYLOAD);
        if (fault != DmaFault.NONE || bytes[0] != (byte) 0xBC) {
            throw new AssertionError("WEDGED: " + fault + " with sound tables");
        }
    }
}
