package io.iolab.iommu;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import java.util.List;
import org.junit.jupiter.api.Tag;

/**
 * Bytes as the deeds of hostile host software and hostile devices: register stores, tables of every kind, invalidation descriptors of
 * both widths, DMA with and without PASID, translation and page requests, interrupt messages. No exception, no access outside of
 * host memory, and afterwards sound tables translate and sound interrupt entries remap.
 *
 * <pre>
 *   0 register 4   1 register 8   2 table entry   3 invalidation descriptor   4 queue tail   5 DMA read
 *   6 DMA write    7 sound tables and on          8 read a register   9 interrupt message       10 interrupt entry
 *   11 posted-interrupt descriptor   12 interrupt remapping on   13 scalable tables and on   14 wide queue   15 ATS, PRI, PASID
 * </pre>
 */
@Tag("fuzz")
class RemappingUnitFuzzTest {
    private static final int OPS = 16;
    private static final int MOST_OPS = 600;
    private static final long QUEUE = 0x3_0000;
    private static final long DESCRIPTOR = 0x7_0000;

    private byte[] data = {};
    private int at;

    @FuzzTest(maxDuration = "60s")
    void survives(byte[] deeds) {
        data = deeds;
        at = 0;
        RemappingOptions options = DescriptorTest.everything()
                .postedInterrupts(true)
                .extendedInterruptMode(true)
                .firstLevel(true)
                .nested(true)
                .protectedMemory(true, true)
                .cachingMode(data.length % 2 != 0)
                .build();
        try (Bench bench = new Bench(options)) {
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
            case 8 -> bench.load64(u8() * 8);
            case 9 -> message(bench);
            case 10 -> bench.memory.writeLong(InterruptBench.TABLE + u8() * 8, interruptEntry());
            case 11 -> bench.memory.writeLong(DESCRIPTOR + u8() % 8 * 8, u8() < 128 ? u8() : u64());
            case 12 -> {
                bench.store64(Bench.IRTA, InterruptBench.TABLE | u16() & 0x80F);
                bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.SIRTP);
                bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.IRE);
            }
            case 13 -> {
                bench.store64(Bench.RTADDR, Tables.ROOT | (u8() & 3) << 10);
                bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.SRTP);
                bench.translation(true);
            }
            case 14 -> {
                bench.store64(Bench.IQA, QUEUE | 1 << 11);
                bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.QIE);
                bench.store64(Bench.IQT, u8() * 16L);
            }
            default -> translationServices(bench);
        }
    }

    private void message(Bench bench) {
        long address = u8() % 4 == 0 ? 0xFEE0_0000L | u32() & 0xFFFFCL : InterruptBench.address(u8()) | u8() & 0xC;
        byte[] bytes = new byte[] {(byte) u8(), (byte) u8(), (byte) (u8() % 16 == 0 ? 1 : 0), 0};
        bench.unit.portFor(u8() % 4 == 0 ? u16() : Tables.RID).write(address, bytes, 0, 4, DmaKind.MESSAGE);
        bench.unit.interruptPortFor(u8()).message(u8() % 8 == 0 ? u64() : address, u16());
    }

    /** Remapped, posted to one descriptor, or anything at all. */
    private long interruptEntry() {
        return switch (u8() % 4) {
            case 0 -> (long) u8() << 40 | (long) u8() << 16 | u8() & 0xFE | 1;
            case 1 -> DESCRIPTOR << 32 | (long) u8() << 16 | InterruptBench.POSTED | (u8() & 1) << 14 | 1;
            case 2 -> u8();
            default -> u64();
        };
    }

    private void translationServices(Bench bench) {
        TranslationPort port = bench.unit.translationPortFor(Tables.RID);
        long iova = u8() % 2 == 0 ? Tables.IOVA + u16() : u64();
        int pasid = u8() % 2 == 0 ? TranslationPort.NO_PASID : u8();
        byte[] bytes = new byte[u8()];
        switch (u8() % 5) {
            case 0 -> port.translate(iova, pasid, u8(), new TranslationCompletion());
            case 1 -> port.requestPage(iova, pasid, u8(), u16() & 0x1FF, u8() % 2 == 0);
            case 2 -> port.translated().write(iova, bytes, 0, bytes.length, DmaKind.PAYLOAD);
            case 3 -> port.withPasid(u8(), u8()).read(iova, bytes, 0, bytes.length, DmaKind.PAYLOAD);
            default -> bench.unit.unexpectedCompletion(u16());
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

    /**
     * VT-d 10.4.4, 10.4.9: the queue drained by taking its tail back, errors cleared, everything off, sound tables, caches emptied by
     * register, on.
     */
    private static void serve(Bench bench) {
        bench.store64(Bench.IQT, bench.load64(Bench.IQH));
        bench.store32(Bench.FSTS, -1);
        bench.store32(Bench.GCMD, 0);
        bench.store32(Bench.PMEN, 0);
        if (bench.load32(Bench.GSTS) != 0 && (bench.load32(Bench.GSTS) & ~(Bench.SRTP | Bench.SIRTP)) != 0) {
            throw new AssertionError("WEDGED: GSTS " + Integer.toHexString(bench.load32(Bench.GSTS)));
        }
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
        serveInterrupts(bench);
    }

    private static void serveInterrupts(Bench bench) {
        bench.memory.writeLong(InterruptBench.TABLE + 8, 0);
        bench.memory.writeLong(InterruptBench.TABLE, InterruptBench.fixed(0x77));
        bench.store64(Bench.IRTA, InterruptBench.TABLE);
        bench.store32(Bench.GCMD, Bench.TE | Bench.SIRTP);
        bench.queue(4, 0);
        bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.IRE);
        bench.messages.clear();
        bench.unit.interruptPortFor(Tables.RID).message(InterruptBench.address(0), 0);
        Bench.Message expected = new Bench.Message(0xFEE0_5000L, 0x4077);
        if (!bench.messages.equals(List.of(expected))) {
            throw new AssertionError("WEDGED: " + bench.messages + " with a sound entry");
        }
    }
}
