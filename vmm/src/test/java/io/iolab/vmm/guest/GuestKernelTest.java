package io.iolab.vmm.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.bus.AddressMap;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.FrameReceiver;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WatchdogEvent;
import io.iolab.vmm.ledger.WatchdogKind;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.time.Profiles;
import io.iolab.vmm.time.Timeline;
import io.iolab.vmm.vcpu.GuestBus;
import io.iolab.vmm.vcpu.GuestWindow;
import io.iolab.vmm.vcpu.LocalApic;
import io.iolab.vmm.vcpu.Processor;
import io.iolab.vmm.vcpu.Vcpu;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The small operating system of a guest: boot, NAPI polls, its program's turns. */
class GuestKernelTest {
    private static final long MILLISECOND = 1_000_000_000L;
    private static final CostProfile PROFILE =
            Profiles.of(Map.of(Cost.GUEST_TX_PACKET, 1_000L, Cost.GUEST_RX_PACKET, 2_000L));

    /** A driver whose device has as many frames as a test says. */
    private static final class FakeDriver implements NetDriver {
        final List<Integer> budgets = new ArrayList<>();
        int vector;
        boolean open;
        long waiting;
        int room = 1_000;
        int queued;
        int doorbells;
        final byte[] frame = new byte[60];
        int looks;
        boolean hung;
        boolean stalled;
        long errors;

        @Override
        public void open() {
            open = true;
        }

        @Override
        public byte[] macAddress() {
            return new byte[6];
        }

        @Override
        public boolean queue(byte[] bytes, int offset, int length) {
            if (queued == room) {
                return false;
            }
            queued++;
            return true;
        }

        @Override
        public void flush() {
            doorbells++;
        }

        @Override
        public int poll(int budget, FrameReceiver receiver) {
            budgets.add(budget);
            int count = (int) Math.min(budget, waiting);
            waiting -= count;
            for (int i = 0; i < count; i++) {
                receiver.frame(frame, 0, frame.length);
            }
            return count;
        }

        @Override
        public int transmitSlots() {
            return room - queued;
        }

        @Override
        public int transmitsInFlight() {
            return 0;
        }

        @Override
        public String name() {
            return "fake";
        }

        @Override
        public boolean transmitHung() {
            looks++;
            return hung;
        }

        @Override
        public boolean receiveStalled() {
            return stalled;
        }

        @Override
        public List<String> report() {
            return List.of("fake: it hangs");
        }

        @Override
        public long receiveErrors() {
            return errors;
        }

        @Override
        public long doorbells() {
            return doorbells;
        }

        @Override
        public long doorbellsSuppressed() {
            return 3;
        }
    }

    /** A program that counts its turns. */
    private static final class CountingProgram implements Program {
        @Nullable
        Endpoint endpoint;

        int frames;
        int steps;

        @Override
        public void start(Endpoint at) {
            endpoint = at;
        }

        @Override
        public boolean step() {
            steps++;
            return false;
        }

        @Override
        public void frame(byte[] bytes, int offset, int length) {
            frames++;
        }

        @Override
        public long nextWakePicos() {
            return Long.MAX_VALUE;
        }

        @Override
        public boolean done() {
            return false;
        }
    }

    private static final GuestBus NOTHING = new GuestBus() {
        @Override
        public AddressMap.@Nullable Region<GuestWindow> memory(long gpa, int width) {
            return null;
        }

        @Override
        public AddressMap.@Nullable Region<GuestWindow> ports(int port, int width) {
            return null;
        }

        @Override
        public void afterUserExit() {}
    };

    private final GuestLedger ledger = new GuestLedger("guest", Path.VIRTIO);
    private final Processor processor =
            new Vcpu("vcpu0", ledger, PROFILE, new LocalApic(0, vector -> {}, (sender, icr) -> {}), NOTHING);
    private final PhysicalMemory ram = PhysicalMemory.allocate(1 << 20);
    private final FakeDriver driver = new FakeDriver();
    private final CountingProgram program = new CountingProgram();
    private final Timeline timeline = new Timeline();
    private final GuestKernel kernel =
            new GuestKernel(processor, ram, 0x1_0000, 0x2_0000, ledger, PROFILE, program, this::probe);

    GuestKernelTest() {
        processor.run(kernel);
        timeline.add("guest", processor);
    }

    private NetDriver probe(DriverPlatform platform) {
        driver.vector = platform.allocateMessage(() -> true).data();
        return driver;
    }

    @AfterEach
    void free() {
        ram.close();
    }

    private void bootAndStart() {
        timeline.until(2 * MILLISECOND);
        kernel.release();
        timeline.until(5 * MILLISECOND);
        program.steps = 0;
    }

    private void arrive(long frames) {
        driver.waiting += frames;
        processor.post(driver.vector, timeline.nowPicos());
        timeline.until(timeline.nowPicos() + MILLISECOND);
    }

    @Test
    void shouldBootInItsFirstStepAndWaitForItsRelease() {
        assertThat(kernel.bootedPicos()).isEqualTo(Long.MAX_VALUE);

        timeline.until(20 * MILLISECOND);

        assertThat(driver.open).isTrue();
        assertThat(kernel.bootedPicos()).isLessThan(MILLISECOND);
        assertThat(program.endpoint).isNull();
        kernel.release();
        timeline.until(25 * MILLISECOND);
        assertThat(program.endpoint).isSameAs(kernel);
    }

    @Test
    @DisplayName("one interrupt, polls of 64 until one comes back short, each frame charged and counted")
    void shouldPollInBudgetsOf64() {
        bootAndStart();
        long busy = ledger.cpuPicos(CpuShare.GUEST);

        arrive(150);

        assertThat(driver.budgets).containsExactly(64, 64, 64);
        assertThat(program.frames).isEqualTo(150);
        assertThat(ledger.frames(Direction.RX)).isEqualTo(150);
        assertThat(ledger.bytes(Direction.RX)).isEqualTo(150 * 60);
        assertThat(ledger.cpuPicos(CpuShare.GUEST) - busy).isEqualTo(150 * 2_000_000L);
    }

    @Test
    void shouldPollOnceMoreAfterAnExactlyFullBudget() {
        bootAndStart();

        arrive(64);

        assertThat(driver.budgets).containsExactly(64, 64);
    }

    @Test
    @DisplayName("a flood of frames does not keep the program from its turns (no receive livelock)")
    void shouldShareTheProcessorWithTheProgramUnderAFlood() {
        bootAndStart();

        arrive(64 * 100);

        assertThat(program.steps).isGreaterThanOrEqualTo(driver.budgets.size() - 2);
    }

    @Test
    void shouldCountFramesThatComeBeforeTheProgramAndHandThemToNobody() {
        timeline.until(2 * MILLISECOND);

        arrive(5);

        assertThat(ledger.frames(Direction.RX)).isEqualTo(5);
        assertThat(program.frames).isZero();
    }

    @Test
    void shouldChargeAndCountWhatIsSentAndRingOnceForIt() {
        bootAndStart();
        long busy = ledger.cpuPicos(CpuShare.GUEST);
        driver.room = 2;

        kernel.flush();
        kernel.step();
        assertThat(driver.doorbells).as("nothing to send").isZero();
        assertThat(kernel.send(new byte[60], 0, 60)).isTrue();
        assertThat(kernel.send(new byte[100], 0, 100)).isTrue();
        assertThat(kernel.send(new byte[60], 0, 60)).isFalse();
        kernel.flush();
        assertThat(driver.doorbells)
                .as("in the step after the one that built the frames")
                .isZero();
        assertThat(kernel.step()).isTrue();
        kernel.flush();
        kernel.step();

        assertThat(driver.doorbells).isOne();
        assertThat(ledger.frames(Direction.TX)).isEqualTo(2);
        assertThat(ledger.bytes(Direction.TX)).isEqualTo(160);
        assertThat(ledger.cpuPicos(CpuShare.GUEST) - busy).isEqualTo(2_000_000L);
        assertThat(ledger.kicksSent()).isOne();
        assertThat(ledger.kicksSuppressed()).isEqualTo(3);
    }

    @Test
    @DisplayName(
            "the watchdogs of driver and stack: each look that finds something counts, the first one's lines are kept")
    void shouldNoteWhatItsDriverFindsHanging() {
        bootAndStart();
        driver.hung = true;
        keepStepping(2);

        assertThat(ledger.watchdog().count(WatchdogKind.TX_HANG)).isEqualTo(2);
        WatchdogEvent event = ledger.watchdog().events().getFirst();
        assertThat(event.kind()).isEqualTo(WatchdogKind.TX_HANG);
        assertThat(event.lines()).containsExactly("fake: it hangs");
        assertThat(event.lastPicos() - event.firstPicos()).isGreaterThanOrEqualTo(WatchdogPace.PERIOD_PICOS);
    }

    @Test
    @DisplayName("NETDEV WATCHDOG: a queue that stays stopped for a period")
    void shouldNoteAQueueThatStaysStopped() {
        bootAndStart();
        driver.room = 0;
        assertThat(kernel.send(new byte[60], 0, 60)).isFalse();
        keepStepping(2);

        assertThat(ledger.watchdog().count(WatchdogKind.TX_TIMEOUT)).isPositive();
        assertThat(ledger.watchdog().events().getFirst().lines().getFirst())
                .startsWith("NETDEV WATCHDOG: eth0 (fake): transmit queue 0 timed out ");
        driver.room = 10;
        assertThat(kernel.send(new byte[60], 0, 60)).isTrue();
        long before = ledger.watchdog().count(WatchdogKind.TX_TIMEOUT);
        keepStepping(3);
        assertThat(ledger.watchdog().count(WatchdogKind.TX_TIMEOUT)).isEqualTo(before);
    }

    @Test
    void shouldCountFramesThatItsDriverThrowsAwayAsCorrupt() {
        bootAndStart();
        driver.errors = 7;
        arrive(1);
        keepStepping(2);

        assertThat(ledger.drops(Direction.RX, DropCause.CORRUPT)).isEqualTo(7);
        assertThat(ledger.watchdog().count(WatchdogKind.RX_ERRORS)).isOne();
    }

    @Test
    @DisplayName("1,000 interrupts in a period and no frame")
    void shouldNoteInterruptsWithoutWork() {
        bootAndStart();
        keepStepping(1);
        for (int i = 0; i < 1_000; i++) {
            kernel.interrupt(0x3B);
        }
        keepStepping(1);

        assertThat(ledger.watchdog().count(WatchdogKind.INTERRUPT_STORM)).isOne();
        assertThat(ledger.watchdog().events().getFirst().lines().getFirst()).startsWith("irq 10: nobody cared");
    }

    @Test
    void shouldSleepThroughItsWatchdogWhileNothingIsInFlight() {
        bootAndStart();
        int looks = driver.looks;

        timeline.until(timeline.nowPicos() + 100 * WatchdogPace.PERIOD_PICOS);

        assertThat(driver.looks).isLessThanOrEqualTo(looks + 1);
        assertThat(ledger.watchdog().events()).isEmpty();
    }

    /** Lets periods pass, with the guest awake at the end of each. */
    private void keepStepping(int periods) {
        for (int i = 0; i < periods; i++) {
            timeline.until(timeline.nowPicos() + WatchdogPace.PERIOD_PICOS + MILLISECOND);
            processor.post(0x99, timeline.nowPicos());
            timeline.until(timeline.nowPicos() + MILLISECOND);
        }
    }

    @Test
    void shouldAllocateZeroedAlignedMemoryUntilThereIsNone() {
        ram.fill(0x1_0000, 0x1_0000, (byte) 0x55);

        long first = kernel.allocate(10, 16);
        long second = kernel.allocate(0x100, 0x1000);

        assertThat(first).isEqualTo(0x1_0000);
        assertThat(second).isEqualTo(0x1_1000);
        assertThat(ram.readLong(second)).isZero();
        assertThatThrownBy(() -> kernel.allocate(0x1_0000, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("guest: out of memory");
        assertThat(kernel.allocate(0x2_0000 - 0x1_1100, 1)).isEqualTo(0x1_1100);
    }

    @Test
    void shouldIgnoreAVectorThatNobodyClaimed() {
        bootAndStart();
        int polls = driver.budgets.size();

        processor.post(0x99, timeline.nowPicos());
        timeline.until(timeline.nowPicos() + MILLISECOND);

        assertThat(driver.budgets).hasSize(polls);
    }
}
