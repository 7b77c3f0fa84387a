package io.iolab.vmm.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.ExitCounter;
import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.time.Profiles;
import io.iolab.vmm.time.Timeline;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

/** A vCPU with software of the test's making on a bus of its making; every cost is different. */
abstract class VcpuFixture {
    static final long FAR = 1_000_000_000_000L;

    final CostProfile profile = Profiles.distinct();
    final GuestLedger ledger = new GuestLedger("guest", Path.EMULATED);
    final FakeBus bus = new FakeBus();
    final ScriptedSoftware software = new ScriptedSoftware();
    /** Whether each level interrupt cost its sender an interprocessor interrupt. */
    final List<Boolean> levelKicks = new ArrayList<>();

    final IoApic ioApic = new IoApic((destination, logical, mode, vector, level) -> {
        levelKicks().add(vcpu().acceptLevel(vector, vcpu().nowPicos()));
        return true;
    });
    final LocalApic apic = new LocalApic(0, ioApic::endOfInterrupt, (sender, icr) -> {});
    final Vcpu vcpu = new Vcpu("vcpu0", ledger, profile, apic, bus);
    final Timeline timeline = new Timeline();

    VcpuFixture() {
        vcpu.run(software);
        timeline.add("guest", vcpu);
    }

    private List<Boolean> levelKicks() {
        return levelKicks;
    }

    private Vcpu vcpu() {
        return vcpu;
    }

    /** Runs one action as a step of the software, and goes on for a second; a vCPU that has halted does not take part. */
    void run(Runnable action) {
        software.actions.add(action);
        vcpu.wake(timeline.nowPicos());
        settle();
    }

    void settle() {
        timeline.until(timeline.nowPicos() + FAR);
    }

    long cost(Cost... costs) {
        long sum = 0;
        for (Cost cost : costs) {
            sum += profile.picos(cost);
        }
        return sum;
    }

    long count(ExitReason reason) {
        return ledger.exits().counters().stream()
                .filter(counter -> counter.reason() == reason)
                .mapToLong(ExitCounter::count)
                .sum();
    }

    long count(ExitReason reason, String detail, ExitHandler handler) {
        return ledger.exits().counter(reason, detail, handler).count();
    }

    long picos(ExitReason reason, String detail, ExitHandler handler) {
        return ledger.exits().counter(reason, detail, handler).picos();
    }

    /** x86.md 8.1: the sum over reasons is the number of exits, and nothing else took exit time. */
    @AfterEach
    void exitsAddUp() {
        long sum =
                ledger.exits().counters().stream().mapToLong(ExitCounter::count).sum();
        long time =
                ledger.exits().counters().stream().mapToLong(ExitCounter::picos).sum();
        assertThat(ledger.exits().total()).isEqualTo(sum);
        assertThat(ledger.exitTimes().count()).isEqualTo(sum);
        assertThat(ledger.cpuPicos(CpuShare.EXIT) - injections())
                .as("time of exits, without injection at entry")
                .isEqualTo(time);
    }

    private long injections() {
        return ledger.interrupts(io.iolab.vmm.ledger.InterruptOutcome.INJECTED) * cost(Cost.INJECT_EVENT);
    }
}
