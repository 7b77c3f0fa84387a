package io.iolab.vmm.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.memory.Allocations;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** SDM volume 3, chapter "APIC Virtualization and Virtual Interrupts", section "Posted-Interrupt Processing". */
@DisplayName("Posted vectors")
class PostedVectorsTest {
    private final LocalApic apic = enabled();
    private final PostedVectors posted = new PostedVectors();

    private static LocalApic enabled() {
        LocalApic apic = new LocalApic(0, vector -> {}, (sender, icr) -> {});
        apic.writeMsr(0x80F, 0x1FF);
        return apic;
    }

    @Test
    void shouldNotifyOncePerEdgeOfTheOutstandingBit() {
        assertThat(posted.outstanding()).isFalse();
        assertThat(posted.post(0x40)).isTrue();
        assertThat(posted.outstanding()).isTrue();
        assertThat(posted.post(0x41)).as("ON collapses notifications").isFalse();
        assertThat(posted.post(0x40)).isFalse();
        assertThat(posted.coalesced()).isOne();
        assertThat(posted.drainInto(apic)).isEqualTo(2);
        assertThat(posted.outstanding()).isFalse();
        assertThat(posted.post(0x40)).as("a new edge").isTrue();
    }

    @Test
    void shouldMoveEveryVectorToIrr() {
        for (int vector = 16; vector < 256; vector++) {
            posted.post(vector);
        }
        assertThat(posted.drainInto(apic)).isEqualTo(240);
        for (int vector = 255; vector >= 16; vector--) {
            assertThat(apic.highestRequested()).isEqualTo(vector);
            assertThat(apic.levelTriggered(vector)).isFalse();
            apic.acknowledge();
            apic.endOfInterrupt();
        }
        assertThat(posted.drainInto(apic)).isZero();
    }

    @Test
    void shouldKeepTheTriggerModeOfTheLastPost() {
        posted.post(0x50, true);
        posted.post(0x60, false);
        posted.drainInto(apic);
        assertThat(apic.levelTriggered(0x50)).isTrue();
        assertThat(apic.levelTriggered(0x60)).isFalse();
        posted.post(0x50, false);
        posted.post(0x60, true);
        posted.drainInto(apic);
        assertThat(apic.levelTriggered(0x50)).isFalse();
        assertThat(apic.levelTriggered(0x60)).isTrue();
    }

    /**
     * A vCPU that looks only when it was notified, and a sender whose second post runs into the merge that its first one caused.
     * Both must arrive with no third post to help.
     */
    @Test
    @Timeout(60)
    @DisplayName("No interrupt is lost between the merge of PIR and a new post")
    void shouldLoseNothingToARace() throws InterruptedException {
        int rounds = 200_000;
        AtomicInteger notifications = new AtomicInteger();
        AtomicLong arrived = new AtomicLong();
        AtomicBoolean stop = new AtomicBoolean();
        Thread vcpu = new Thread(() -> {
            int answered = 0;
            while (!stop.get()) {
                int due = notifications.get();
                if (due == answered) {
                    Thread.onSpinWait();
                } else {
                    answered = due;
                    arrived.addAndGet(posted.drainInto(apic));
                }
            }
        });
        vcpu.start();
        SplittableRandom random = new SplittableRandom(1);
        boolean lost = false;
        for (int round = 1; round <= rounds && !lost; round++) {
            notify(notifications, posted.post(0x20, random.nextBoolean()));
            for (int spin = random.nextInt(60); spin > 0; spin--) {
                Thread.onSpinWait();
            }
            notify(notifications, posted.post(0xF0, random.nextBoolean()));
            lost = !reaches(arrived, 2L * round);
        }
        stop.set(true);
        vcpu.join();
        assertThat(lost).as("%d of two a round arrived (seed 1)", arrived.get()).isFalse();
        assertThat(posted.coalesced()).isZero();
    }

    private static void notify(AtomicInteger notifications, boolean due) {
        if (due) {
            notifications.incrementAndGet();
        }
    }

    /** Within some seconds, however busy the machine is. */
    private static boolean reaches(AtomicLong counter, long value) {
        long deadline = System.nanoTime() + 10_000_000_000L;
        for (int spins = 0; counter.get() != value; spins++) {
            if ((spins & 0xFFFF) == 0xFFFF) {
                Thread.yield();
                if (System.nanoTime() > deadline) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Two senders at once: every post either arrives or was merged in PIR. */
    @Test
    @Timeout(60)
    void shouldAccountForEveryPostOfTwoSenders() throws InterruptedException {
        int posts = 100_000;
        Thread[] senders = new Thread[2];
        for (int i = 0; i < 2; i++) {
            SplittableRandom random = new SplittableRandom(i);
            senders[i] = new Thread(() -> {
                for (int n = 0; n < posts; n++) {
                    posted.post(16 + random.nextInt(240), random.nextBoolean());
                }
            });
            senders[i].start();
        }
        long arrived = 0;
        while (senders[0].isAlive() || senders[1].isAlive()) {
            arrived += posted.drainInto(apic);
        }
        senders[0].join();
        senders[1].join();
        arrived += posted.drainInto(apic);
        assertThat(arrived + posted.coalesced()).isEqualTo(2L * posts);
    }

    @Test
    void shouldAllocateNothing() {
        long bytes = Allocations.bytesOf(10_000, () -> {
            posted.post(0x50, true);
            posted.post(0x50, false);
            posted.post(0xF0);
            posted.drainInto(apic);
            apic.acknowledge();
            apic.endOfInterrupt();
        });
        assertThat(bytes).as("bytes in 10,000 rounds").isLessThan(1_000);
    }
}
