package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Ports on threads of their own while host software changes and invalidates: no mixture of two translations is ever used. */
class ConcurrencyTest {
    private static final int PAGES = 8;
    private static final int REQUESTERS = 2;

    /**
     * Page n of the domain leads to one of two frames, both holding n. Reaching a frame that holds another number would mean that an
     * entry was used while it was being replaced.
     */
    @Test
    void shouldNeverMixTranslations() throws InterruptedException {
        RemappingOptions options =
                RemappingOptions.builder().iotlb(1, 2).contextCache(1, 1).build();
        try (Bench bench = Tables.bench(options)) {
            long block = Tables.IOVA & -(1L << 21);
            for (int page = 0; page < PAGES; page++) {
                bench.memory.writeLong(Tables.LEVEL1 + 8 * page, frame(page, 0) | 3);
                bench.memory.writeShort(frame(page, 0), (short) page);
                bench.memory.writeShort(frame(page, 1), (short) page);
            }
            AtomicBoolean stop = new AtomicBoolean();
            AtomicLong wrong = new AtomicLong();
            AtomicLong moves = new AtomicLong();
            List<Thread> threads = new ArrayList<>();
            for (int requester = 0; requester < REQUESTERS; requester++) {
                int rid = Tables.RID + requester;
                Tables.context(bench.memory, rid, 0, 2, Tables.DOMAIN, Tables.LEVEL4);
                DmaPort port = bench.unit.portFor(rid);
                threads.add(Thread.ofPlatform().start(() -> {
                    for (int i = 0; !stop.get(); i++) {
                        int page = i / 3 % PAGES;
                        int seen = port.loadShortAcquire(block + 4096L * page, DmaKind.DESCRIPTOR);
                        if (seen != page) {
                            wrong.incrementAndGet();
                        }
                        moves.incrementAndGet();
                    }
                }));
            }
            for (int i = 0; i < 20_000 || moves.get() < 20_000; i++) {
                bench.memory.storeLongRelease(Tables.LEVEL1 + 8 * (i % PAGES), frame(i % PAGES, i / PAGES & 1) | 3);
                bench.store64(Bench.IOTLB, 1L << 63 | 2L << 60 | (long) Tables.DOMAIN << 32);
                bench.cpu.stores.clear();
            }
            stop.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(wrong).hasValue(0);
            assertThat(bench.unit.counters().blocked()).isZero();
        }
    }

    private static long frame(int page, int choice) {
        return Tables.PAGE + 4096L * (2 * page + choice);
    }
}
