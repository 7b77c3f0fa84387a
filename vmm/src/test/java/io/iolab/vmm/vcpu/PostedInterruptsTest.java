package io.iolab.vmm.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.interrupt.PostedDescriptor;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.memory.Allocations;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.ScriptedActor;
import java.lang.reflect.Proxy;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** SDM volume 3, "Posted-Interrupt Processing"; VT-d 5.2; which exits remain with APICv and posting. */
@DisplayName("Posted interrupts")
class PostedInterruptsTest extends VcpuFixture {
    private static final long HPA = 0x1000;

    private final PhysicalMemory memory = PhysicalMemory.allocate(1 << 20);
    private long posts;
    private int notifications;
    private final PostedInterrupts descriptor = new PostedInterrupts(memory, HPA, 0, () -> posts);

    @AfterEach
    void release() {
        memory.close();
    }

    /** What a unit does for a posted entry, and the host for the notification. */
    private void post(int vector, boolean urgent, long atPicos) {
        posts++;
        long control = PostedDescriptor.post(memory, HPA, vector, urgent);
        if (control != 0) {
            notifications++;
            vcpu.notification(atPicos);
        }
    }

    private void postWhileRunning(int... vectors) {
        vcpu.postsInto(descriptor);
        software.actions.add(() -> vcpu.spend(1_000_000_000L));
        software.actions.add(() -> {});
        timeline.add("device", new ScriptedActor("device", self -> {
            for (int vector : vectors) {
                post(vector, false, self.nowPicos());
            }
            self.rest();
        }));
        settle();
    }

    @Test
    @DisplayName("device MSIs to a running vCPU: no exit, one notification, no EOI exit")
    void shouldDeliverToARunningVcpuWithoutExits() {
        postWhileRunning(0x41, 0x61, 0x51, 0x41);
        assertThat(software.interrupts).as("by priority").containsExactly(0x61, 0x51, 0x41);
        assertThat(notifications).as("ON collapses").isOne();
        assertThat(count(ExitReason.HLT)).isEqualTo(ledger.exits().total());
        assertThat(ledger.interrupts(InterruptOutcome.POSTED)).isEqualTo(3);
        assertThat(ledger.interrupts(InterruptOutcome.INJECTED)).isZero();
        assertThat(ledger.interrupts(InterruptOutcome.RAISED)).isEqualTo(4);
        assertThat(ledger.interrupts(InterruptOutcome.COALESCED)).isOne();
    }

    @Test
    @DisplayName("to a halted vCPU: one wake-up for two interrupts, and the handler runs after its latency")
    void shouldWakeAHaltedVcpuOnce() {
        vcpu.postsInto(descriptor);
        settle();
        assertThat(vcpu.halted()).isTrue();
        assertThat(PostedDescriptor.notificationVector(memory.readLong(HPA + 32)))
                .as("NV while blocked")
                .isEqualTo(PostedInterrupts.WAKE_UP_VECTOR);
        long[] handled = new long[1];
        software.onInterrupt = vector -> handled[0] = handled[0] == 0 ? vcpu.nowPicos() : handled[0];
        long exits = ledger.exits().total();
        long arrival = timeline.nowPicos() + 5_000;
        post(0x41, false, arrival);
        post(0x42, false, arrival);
        settle();
        assertThat(notifications).as("one wake-up an edge of ON").isOne();
        assertThat(software.interrupts).containsExactly(0x42, 0x41);
        assertThat(handled[0]).isEqualTo(arrival + cost(Cost.WAKE_VCPU, Cost.GUEST_IRQ_ENTRY));
        assertThat(ledger.exits().total() - exits).as("only the next HLT").isOne();
    }

    @Test
    void shouldSuppressNotificationsWhilePreempted() {
        vcpu.postsInto(descriptor);
        descriptor.preempt();
        post(0x41, false, 0);
        assertThat(notifications).isZero();
        assertThat(descriptor.outstanding()).isFalse();
        descriptor.schedule();
        assertThat(descriptor.outstanding()).as("found at sched-in").isTrue();
        assertThat(descriptor.drainInto(apic)).isOne();
        descriptor.preempt();
        post(0x42, true, 0);
        assertThat(notifications).as("URG").isOne();
    }

    @Test
    void shouldNotSleepOnWhatWasPostedBeforeTheChangeOfNv() {
        post(0x41, false, 0);
        assertThat(descriptor.block()).isTrue();
        descriptor.resume();
        descriptor.drainInto(apic);
        assertThat(descriptor.block()).isFalse();
    }

    @Test
    void shouldDeliverUnitMessagesByTheirDestination() {
        MessagePort host = (address, data) -> assertThat(address >>> 12 & 0xFF).isEqualTo(7);
        PostedInterrupts other = new PostedInterrupts(memory, HPA + 64, 7, () -> 0);
        long control = PostedDescriptor.post(memory, other.hpa(), 0x41, false);
        host.message(
                0xFEE0_0000L | (long) PostedDescriptor.destination(control, false) << 12,
                PostedDescriptor.notificationVector(control));
    }

    /** Memory that lets somebody else in before its n-th access, counted from when it is armed. */
    private static final class Interleaved {
        private final Memory memory;
        private int accesses;
        private int first = -1;
        private int second = -1;
        private Runnable intruder = () -> {};

        Interleaved(Memory real) {
            memory = (Memory) Proxy.newProxyInstance(
                    Memory.class.getClassLoader(), new Class<?>[] {Memory.class}, (proxy, method, arguments) -> {
                        int now = accesses++;
                        if (now == first || now == second) {
                            intruder.run();
                        }
                        return method.invoke(real, arguments);
                    });
        }

        /** @return accesses that {@code action} made */
        int run(int at, int andAt, Runnable action, Runnable who) {
            accesses = 0;
            first = at;
            second = andAt;
            intruder = who;
            action.run();
            first = -1;
            second = -1;
            return accesses;
        }
    }

    /**
     * Every schedule in which one or two posts fall between any two memory accesses of the owner's drain, and every one in which a drain falls
     * between any two accesses of a post: what was posted is delivered, or a notification is due for it.
     */
    @Test
    @Spec(id = "A4", section = "VT-d 3.3 5.2.4")
    @DisplayName("no schedule of post against clear-ON and drain loses an interrupt")
    void shouldLoseNothingInAnySchedule() {
        int schedules = 0;
        boolean more = true;
        for (int at = 0; more; at++) {
            more = false;
            for (int andAt = at; andAt <= 40; andAt++) {
                Schedule schedule = new Schedule();
                schedule.post(0x20);
                int accesses = schedule.drainWithPostsAt(at, andAt);
                schedule.check("drain interrupted at " + at + " and " + andAt);
                schedules++;
                more |= at < accesses;
            }
        }
        for (int at = 0; at < 20; at++) {
            Schedule schedule = new Schedule();
            schedule.post(0x90);
            schedule.postWithDrainAt(at, 0x20);
            schedule.check("post interrupted at " + at);
            schedules++;
        }
        assertThat(schedules).isGreaterThan(100);
    }

    /** An owner that drains when it was notified, and remembers what it was given. */
    private final class Schedule {
        private final Interleaved owner = new Interleaved(memory);
        private final Interleaved sender = new Interleaved(memory);
        private final LocalApic target = new LocalApic(0, vector -> {}, (from, icr) -> {});
        private final PostedInterrupts own = new PostedInterrupts(owner.memory, HPA + 128, 0, () -> 0);
        private final TreeSet<Integer> posted = new TreeSet<>();
        private int due;
        private int next = 0x30;

        Schedule() {
            target.writeMsr(0x80F, 0x1FF);
        }

        void post(int vector) {
            posted.add(vector);
            due += PostedDescriptor.post(sender.memory, HPA + 128, vector, false) == 0 ? 0 : 1;
        }

        int drainWithPostsAt(int at, int andAt) {
            due--;
            return owner.run(at, andAt, () -> own.drainInto(target), () -> {
                next += 0x40;
                post(next & 0xFF | 0x10);
            });
        }

        void postWithDrainAt(int at, int vector) {
            sender.run(at, -1, () -> post(vector), () -> {
                if (due > 0) {
                    due--;
                    own.drainInto(target);
                }
            });
        }

        void check(String schedule) {
            while (due > 0) {
                due--;
                own.drainInto(target);
            }
            TreeSet<Integer> arrived = new TreeSet<>();
            while (target.pendingVector() >= 0) {
                arrived.add(target.acknowledge());
                target.endOfInterrupt();
            }
            assertThat(arrived).as(schedule).isEqualTo(posted);
        }
    }

    @Test
    void shouldAllocateNothing() {
        long bytes = Allocations.bytesOf(10_000, () -> {
            PostedDescriptor.post(memory, HPA, 0x50, false);
            descriptor.drainInto(apic);
            apic.acknowledge();
            apic.endOfInterrupt();
        });
        assertThat(bytes).as("bytes in 10,000 rounds").isLessThan(1_000);
    }
}
