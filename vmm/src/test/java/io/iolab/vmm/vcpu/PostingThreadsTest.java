package io.iolab.vmm.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.Profiles;
import io.iolab.vmm.time.WallThreads;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No interrupt is lost, whatever the vCPU is doing when another thread posts it: running, halting, waking. */
@Timeout(120)
class PostingThreadsTest {
    private static final int POSTERS = 2;
    private static final int ROUNDS = 2_000;
    private static final int FIRST_VECTOR = 0x41;
    private static final long LIMIT = 100_000_000_000_000L;

    @Test
    void shouldLoseNoInterruptThatOtherThreadsPost() throws InterruptedException {
        GuestLedger ledger = new GuestLedger("guest", Path.EMULATED);
        LocalApic apic = new LocalApic(0, vector -> {}, (sender, icr) -> {});
        Vcpu vcpu = new Vcpu("vcpu0", ledger, Profiles.free(), apic, new FakeBus());
        ScriptedSoftware software = new ScriptedSoftware();
        AtomicIntegerArray seen = new AtomicIntegerArray(256);
        software.onInterrupt = seen::incrementAndGet;
        vcpu.run(software);

        try (WallThreads run = new WallThreads(false)) {
            run.add("guest", vcpu);
            List<Thread> posters = new ArrayList<>();
            for (int i = 0; i < POSTERS; i++) {
                int vector = FIRST_VECTOR + 0x10 * i;
                Thread poster = Thread.ofPlatform().daemon().start(() -> post(vcpu, run, vector, seen));
                posters.add(poster);
            }
            while (posters.stream().anyMatch(Thread::isAlive) && run.nowPicos() < LIMIT) {
                run.until(run.nowPicos() + 1_000_000_000L);
            }
        }

        for (int i = 0; i < POSTERS; i++) {
            assertThat(seen.get(FIRST_VECTOR + 0x10 * i))
                    .as("vector of poster " + i)
                    .isEqualTo(ROUNDS);
        }
        assertThat(ledger.interrupts(InterruptOutcome.RAISED)).isEqualTo((long) POSTERS * ROUNDS);
        assertThat(ledger.interrupts(InterruptOutcome.INJECTED)).isEqualTo((long) POSTERS * ROUNDS);
        assertThat(ledger.interrupts(InterruptOutcome.COALESCED)).isZero();
    }

    /** Posts, and waits for each to arrive: a lost one hangs. */
    private static void post(Vcpu vcpu, WallThreads run, int vector, AtomicIntegerArray seen) {
        for (int i = 1; i <= ROUNDS; i++) {
            vcpu.post(vector, run.nowPicos());
            while (seen.get(vector) < i) {
                if (run.nowPicos() > LIMIT) {
                    return;
                }
                Thread.yield();
            }
        }
    }
}
