package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.memory.Memory;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.interrupt.InterruptPort;
import io.iolab.iommu.interrupt.PostedDescriptor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Posting into a descriptor in host memory (VT-d 5.2, 9.11). */
class PostedInterruptTest {
    private static final long DESCRIPTOR = 0x8_0040;
    private static final long CONTROL = DESCRIPTOR + 32;
    private static final int ON = 1;
    private static final int SN = 2;
    private static final int NOTIFICATION = 0xF2;

    private InterruptBench at = InterruptBench.plain();
    private final Memory memory = at.bench.memory;

    @AfterEach
    void release() {
        at.close();
    }

    /** NDST in xAPIC form: processor 7. */
    private void control(int bits) {
        memory.writeLong(CONTROL, 7L << 40 | NOTIFICATION << 16 | bits);
    }

    private void entry(int index, int vector, boolean urgent) {
        long low = DESCRIPTOR << 32 | (long) vector << 16 | InterruptBench.POSTED | (urgent ? 1 << 14 : 0) | 1;
        at.entry(index, low, 0);
    }

    private boolean requested(int vector) {
        return (memory.readByte(DESCRIPTOR + vector / 8) >>> vector % 8 & 1) != 0;
    }

    private void expectNotification() {
        assertThat(at.bench.messages).containsExactly(new Bench.Message(0xFEE0_7000L, NOTIFICATION | 1 << 14));
        at.bench.messages.clear();
    }

    @Test
    @Spec(id = "I6.1", section = "VT-d 3.3 5.2.3")
    void shouldSetVectorAndOnAndNotify() {
        control(0);
        for (int vector : new int[] {0, 63, 64, 200, 255}) {
            entry(1, vector, false);
            at.invalidateAll();
            memory.writeByte(CONTROL, (byte) 0);
            at.raise(1);
            assertThat(requested(vector)).as("vector %d", vector).isTrue();
            assertThat(memory.readLong(CONTROL)).isEqualTo(7L << 40 | NOTIFICATION << 16 | ON);
            expectNotification();
        }
        assertThat(at.bench.unit.counters().interruptsPosted()).isEqualTo(5);
        assertThat(at.bench.unit.counters().notifications()).isEqualTo(5);
    }

    @Test
    @Spec(id = "I6.1", section = "VT-d 3.3 5.2.3")
    void shouldNotifyAll32BitsOfNdstWithExtendedInterruptMode() {
        at.close();
        at = InterruptBench.extended();
        at.bench.memory.writeLong(CONTROL, 0x0001_02FFL << 32 | NOTIFICATION << 16);
        at.entry(1, DESCRIPTOR << 32 | 0x40 << 16 | InterruptBench.POSTED | 1, 0);
        at.raise(1);
        assertThat(at.bench.messages)
                .containsExactly(new Bench.Message(0x0001_0200_FEEF_F000L, NOTIFICATION | 1 << 14));
    }

    @Test
    @Spec(id = "I6.2", section = "VT-d 3.3 5.2.3")
    void shouldNotNotifyWhileOutstandingOrSuppressedUnlessUrgent() {
        entry(1, 0x41, false);
        entry(2, 0x42, true);
        int[][] cases = { // ON and SN before, entry, whether a notification is due
            {0, 1, 1}, {ON, 1, 0}, {SN, 1, 0}, {ON | SN, 1, 0}, {0, 2, 1}, {ON, 2, 0}, {SN, 2, 1}, {ON | SN, 2, 0}
        };
        for (int[] c : cases) {
            control(c[0]);
            memory.fill(DESCRIPTOR, 32, (byte) 0);
            at.raise(c[1]);
            assertThat(requested(0x40 + c[1])).isTrue();
            assertThat(at.bench.messages).as("ON, SN %d, entry %d", c[0], c[1]).hasSize(c[2]);
            assertThat((int) memory.readLong(CONTROL) & 3).isEqualTo(c[0] | (c[2] != 0 ? ON : 0));
            at.bench.messages.clear();
        }
    }

    @Test
    @Spec(id = "I6.3", section = "VT-d 3.3 5.2.3")
    void shouldNotifyOnceBetweenTwoClearingsOfOn() {
        control(0);
        entry(1, 0x41, false);
        entry(2, 0x42, false);
        at.raise(1);
        at.raise(2);
        at.raise(1);
        expectNotification();
        PostedDescriptor.clearOutstanding(memory, DESCRIPTOR);
        assertThat(PostedDescriptor.take(memory, DESCRIPTOR, 1)).isEqualTo(1L << 1 | 1L << 2);
        assertThat(PostedDescriptor.pending(memory, DESCRIPTOR)).isFalse();
        at.raise(1);
        expectNotification();
    }

    /** A vector that is set already notifies anew when its owner has cleared ON but not yet taken it. */
    @Test
    @Spec(id = "I6.3", section = "VT-d 3.3 5.2.3")
    void shouldNotifyForVectorThatIsStillSetWhenOnWasCleared() {
        control(0);
        entry(1, 0x41, false);
        at.raise(1);
        PostedDescriptor.clearOutstanding(memory, DESCRIPTOR);
        at.bench.messages.clear();
        at.raise(1);
        expectNotification();
    }

    /** Set-up, suppression and moving as a hypervisor does them (SDM volume 3, posted-interrupt processing). */
    @Test
    void shouldKeepControlFieldsApart() {
        PostedDescriptor.initialise(memory, DESCRIPTOR, 0xF2, 7 << 8);
        PostedDescriptor.suppress(memory, DESCRIPTOR, true);
        PostedDescriptor.notify(memory, DESCRIPTOR, 0xF1, 9 << 8);
        assertThat(memory.readLong(CONTROL)).isEqualTo(9L << 40 | 0xF1 << 16 | SN);
        assertThat(PostedDescriptor.suppressed(memory, DESCRIPTOR)).isTrue();
        PostedDescriptor.suppress(memory, DESCRIPTOR, false);
        assertThat(PostedDescriptor.outstanding(memory, DESCRIPTOR)).isFalse();
        assertThat(PostedDescriptor.post(memory, DESCRIPTOR, 3, false)).isNotZero();
        assertThat(PostedDescriptor.outstanding(memory, DESCRIPTOR)).isTrue();
    }

    /**
     * Two sources post while the owner takes: every vector that was raised is taken, and whenever PIR holds one a notification is
     * outstanding or under way (VT-d 5.2.3).
     */
    @Test
    void shouldLoseNoVectorAmongThreads() throws InterruptedException {
        AtomicInteger notified = new AtomicInteger();
        try (Bench bench = new Bench(InterruptBench.options().build())) {
            Memory shared = bench.memory;
            RemappingUnit unit = new RemappingUnit(
                    InterruptBench.options().build(), shared, (address, data) -> notified.incrementAndGet());
            unit.registers().write(Bench.IRTA, 8, InterruptBench.TABLE | 3);
            unit.registers().write(Bench.GCMD, 4, Bench.SIRTP);
            unit.registers().write(Bench.GCMD, 4, Bench.IRE);
            PostedDescriptor.initialise(shared, DESCRIPTOR, NOTIFICATION, 7 << 8);
            Thread[] sources = new Thread[2];
            for (int i = 0; i < 2; i++) {
                long entry = InterruptBench.TABLE + 16L * i;
                shared.writeLong(entry, DESCRIPTOR << 32 | (0x40L + i) << 16 | InterruptBench.POSTED | 1);
                InterruptPort port = unit.interruptPortFor(i);
                int index = i;
                sources[i] = new Thread(() -> {
                    for (int n = 0; n < 100_000; n++) {
                        port.message(InterruptBench.address(index), 0);
                    }
                });
            }
            for (Thread source : sources) {
                source.start();
            }
            int handled = 0;
            while (sources[0].isAlive() || sources[1].isAlive() || handled < notified.get()) {
                if (handled < notified.get()) {
                    handled++;
                    PostedDescriptor.clearOutstanding(shared, DESCRIPTOR);
                    PostedDescriptor.take(shared, DESCRIPTOR, 1);
                }
            }
            for (Thread source : sources) {
                source.join();
            }
            assertThat(handled).isEqualTo(notified.get());
            assertThat(PostedDescriptor.pending(shared, DESCRIPTOR))
                    .as("a vector without notification")
                    .isFalse();
            assertThat(unit.counters().interruptsPosted()).isEqualTo(200_000);
        }
    }
}
