package io.iolab.iommu;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.PhysicalMemory;
import org.junit.jupiter.api.Nested;

/** One contract, every road to memory. */
class DmaPortTest {
    private static final long TABLES = 4 << 20;

    @Nested
    class Direct extends DmaPortContract {
        @Override
        DmaPort connect(PhysicalMemory hostMemory, MessagePort messagePort) {
            return new DirectDma(hostMemory, messagePort);
        }
    }

    @Nested
    class TranslationOff extends DmaPortContract {
        @Override
        DmaPort connect(PhysicalMemory hostMemory, MessagePort messagePort) {
            return new RemappingUnit(RemappingOptions.defaults(), hostMemory, messagePort).portFor(Tables.RID);
        }
    }

    @Nested
    class PassThrough extends DmaPortContract {
        @Override
        DmaPort connect(PhysicalMemory hostMemory, MessagePort messagePort) {
            return remapped(hostMemory, messagePort, 2 << 2, 12);
        }
    }

    /** Identity for the reachable part in 4 KiB pages: every move over a page boundary crosses two translations. */
    @Nested
    class SmallPages extends DmaPortContract {
        @Override
        DmaPort connect(PhysicalMemory hostMemory, MessagePort messagePort) {
            return remapped(hostMemory, messagePort, 0, 12);
        }
    }

    @Nested
    class LargePages extends DmaPortContract {
        @Override
        DmaPort connect(PhysicalMemory hostMemory, MessagePort messagePort) {
            return remapped(hostMemory, messagePort, 0, 21);
        }
    }

    private static DmaPort remapped(PhysicalMemory memory, MessagePort messages, int contextType, int pageShift) {
        long root = TABLES;
        long context = TABLES + 0x1000;
        long level3 = TABLES + 0x2000;
        long level2 = TABLES + 0x3000;
        memory.writeLong(root, context | 1);
        memory.writeLong(context + 16 * Tables.RID, level3 | contextType | 1);
        memory.writeLong(context + 16 * Tables.RID + 8, 5 << 8 | 1);
        memory.writeLong(level3, level2 | 3);
        for (int large = 0; large < DmaPortContract.REACHABLE >> 21; large++) {
            long level1 = TABLES + 0x4000 + 0x1000L * large;
            memory.writeLong(level2 + 8 * large, pageShift == 21 ? (long) large << 21 | 0x83 : level1 | 3);
            for (int page = 0; pageShift == 12 && page < 512; page++) {
                memory.writeLong(level1 + 8 * page, (long) large << 21 | (long) page << 12 | 3);
            }
        }
        RemappingUnit unit = new RemappingUnit(RemappingOptions.defaults(), memory, messages);
        unit.registers().write(Bench.RTADDR, 8, root);
        unit.registers().write(Bench.GCMD, 4, Bench.SRTP);
        unit.registers().write(Bench.GCMD, 4, Bench.TE & 0xFFFF_FFFFL);
        return unit.portFor(Tables.RID);
    }
}
