package io.iolab.devices.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Message passing between two threads: whoever has acquired the index sees the payload that was written before its release.
 * Waits are bounded, so a lost store fails a test instead of hanging it.
 */
class MemoryOrderTest {
    private static final int MESSAGES = 20_000;
    private static final int SLOTS = 64;
    private static final long INDEX = 0;
    private static final long DONE = 128;
    private static final long PAYLOAD = 4096;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final PhysicalMemory memory = PhysicalMemory.allocate(4 * 4096);

    /** One width of ring index. */
    private interface Index {
        int load(long pa);

        void store(long pa, int value);
    }

    @AfterEach
    void release() {
        memory.close();
    }

    @Test
    void shouldPublishPayloadBeforeA16BitIndex() throws Exception {
        pass(new Index() {
            @Override
            public int load(long pa) {
                return memory.loadShortAcquire(pa) & 0xFFFF;
            }

            @Override
            public void store(long pa, int value) {
                memory.storeShortRelease(pa, (short) value);
            }
        });
    }

    @Test
    void shouldPublishPayloadBeforeA32BitIndex() throws Exception {
        pass(new Index() {
            @Override
            public int load(long pa) {
                return memory.loadIntAcquire(pa);
            }

            @Override
            public void store(long pa, int value) {
                memory.storeIntRelease(pa, value);
            }
        });
    }

    @Test
    void shouldPublishPayloadBeforeA64BitIndex() throws Exception {
        pass(new Index() {
            @Override
            public int load(long pa) {
                return (int) memory.loadLongAcquire(pa);
            }

            @Override
            public void store(long pa, int value) {
                memory.storeLongRelease(pa, value);
            }
        });
    }

    private void pass(Index index) throws Exception {
        CompletableFuture<Integer> consumer = CompletableFuture.supplyAsync(() -> consume(index), this::start);
        for (int i = 1; i <= MESSAGES; i++) {
            await(index, DONE, i - SLOTS);
            long slot = PAYLOAD + 16L * (i % SLOTS);
            memory.writeLong(slot, i);
            memory.writeLong(slot + 8, ~(long) i);
            index.store(INDEX, i);
        }
        assertThat(consumer.get(30, TimeUnit.SECONDS))
                .as("torn or early payloads")
                .isZero();
    }

    private void start(Runnable body) {
        Thread thread = new Thread(body, "consumer");
        thread.setDaemon(true);
        thread.start();
    }

    private int consume(Index index) {
        int wrong = 0;
        for (int i = 1; i <= MESSAGES; i++) {
            await(index, INDEX, i);
            long slot = PAYLOAD + 16L * (i % SLOTS);
            wrong += memory.readLong(slot) == i && memory.readLong(slot + 8) == ~(long) i ? 0 : 1;
            index.store(DONE, i);
        }
        return wrong;
    }

    private static void await(Index index, long pa, int atLeast) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        for (int spins = 0; index.load(pa) < atLeast; spins++) {
            Thread.onSpinWait();
            if ((spins & 0xFFF) == 0xFFF) {
                Thread.yield();
                if (System.nanoTime() - deadline > 0) {
                    throw new AssertionError("index " + atLeast + " never became visible at " + pa);
                }
            }
        }
    }

    @Test
    void shouldLoseNoIncrementWithCompareAndSet() throws Exception {
        CompletableFuture<Void> other = CompletableFuture.runAsync(this::increment, this::start);
        increment();
        other.get(30, TimeUnit.SECONDS);
        assertThat(memory.readInt(64)).isEqualTo(2 * MESSAGES);
        assertThat(memory.readLong(72)).isEqualTo(2L * MESSAGES);
    }

    private void increment() {
        for (int i = 0; i < MESSAGES; i++) {
            int seen;
            do {
                seen = memory.loadIntAcquire(64);
            } while (!memory.compareAndSetInt(64, seen, seen + 1));
            long seenLong;
            do {
                seenLong = memory.loadLongAcquire(72);
            } while (!memory.compareAndSetLong(72, seenLong, seenLong + 1));
        }
    }
}
