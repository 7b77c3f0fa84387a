package io.iolab.vmm.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WakeCause;
import io.iolab.vmm.time.Timeline;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The thread of the VMM, or the engine of a physical NIC, that runs a device on time of its own. */
class NicWorkerTest {
    private static final long TERABIT = 1_000_000_000_000L;
    /** The smallest frame at a terabit: 672 ps. */
    private static final long FRAME = 672;

    private static final long WAKE = 2_690_000;
    private static final long PER_RECEIVED = 1_000_000;
    private static final long PER_TRANSMITTED = 3_000_000;
    private static final long SECOND = 1_000_000_000_000L;
    private static final NicWorker.Costs THREAD =
            new NicWorker.Costs(WAKE, PER_RECEIVED, PER_TRANSMITTED, CpuShare.WORKER);

    private final GuestLedger ledger = new GuestLedger("guest", Path.VIRTIO);
    private final WorkAccount account = new WorkAccount(ledger);
    private final FakeNic nic = new FakeNic(account);
    private final Link incoming = new Link("in", TERABIT, 0, 256);
    private final Link outgoing = new Link("out", 1_000_000_000L, 0, 2);
    private final Timeline timeline = new Timeline();
    private final NicWorker worker = worker(THREAD, 4);

    private NicWorker worker(NicWorker.Costs costs, int burst) {
        NicWorker made = new NicWorker("worker", nic, account, incoming, outgoing, costs, burst);
        nic.wire = NicWorker.wire(outgoing, account, costs.perTransmitted());
        return made;
    }

    private void start() {
        timeline.add("host", worker);
        timeline.until(1);
    }

    private void arrive(int frames) {
        for (int i = 0; i < frames; i++) {
            incoming.send(new byte[60], 0, 60, timeline.nowPicos());
        }
    }

    private void settle() {
        timeline.until(timeline.nowPicos() + SECOND);
    }

    @Test
    @DisplayName("a sleeping worker is there after its wake-up latency, one that is busy at once")
    void shouldPayTheWakeUpOnlyWhenAsleep() {
        start();
        arrive(6);

        settle();

        long first = 1 + FRAME + WAKE + PER_RECEIVED;
        assertThat(nic.receivedAt).hasSize(6);
        for (int i = 0; i < 6; i++) {
            assertThat(nic.receivedAt.get(i)).isEqualTo(first + i * PER_RECEIVED);
        }
        assertThat(ledger.cpuPicos(CpuShare.WORKER))
                .as("being woken is no work")
                .isEqualTo(6 * PER_RECEIVED);
        long began = timeline.nowPicos();
        arrive(1);
        settle();
        assertThat(nic.receivedAt.get(6)).isEqualTo(began + FRAME + WAKE + PER_RECEIVED);
    }

    @Test
    void shouldNotBeWokenEarlierByASecondSignal() {
        start();
        worker.signal(10_000);
        worker.signal(20_000);
        worker.deviceTouched(30_000);

        settle();

        assertThat(nic.polledAt).isNotEmpty();
        assertThat(nic.polledAt.get(0)).isEqualTo(10_000 + WAKE);
    }

    @Test
    @DisplayName("no wake-up latency and nobody's processor time for the engine of a physical NIC")
    void shouldCostNoProcessorTimeAsHardware() {
        NicWorker engine = worker(new NicWorker.Costs(0, 0, 0, null), 4);
        timeline.add("host", engine);
        timeline.until(1);
        arrive(3);

        settle();

        assertThat(nic.receivedAt).containsExactly(1 + FRAME, 1 + 2 * FRAME, 1 + 3 * FRAME);
        for (CpuShare share : CpuShare.values()) {
            assertThat(ledger.cpuPicos(share)).isZero();
        }
    }

    @Test
    @DisplayName("each wake-up of a thread that slept counts once, by what woke it; hardware does not sleep")
    void shouldCountWakeUpsByTheirCause() {
        start();
        arrive(6);
        settle();
        worker.signal(timeline.nowPicos());
        worker.signal(timeline.nowPicos() + 1);
        settle();
        nic.deadlineNanos = timeline.nowPicos() / 1000 + 5;
        worker.deviceTouched(timeline.nowPicos());
        settle();

        assertThat(ledger.wakeups(WakeCause.FRAME)).isOne();
        assertThat(ledger.wakeups(WakeCause.KICK)).isOne();
        assertThat(ledger.wakeups(WakeCause.TIMER)).isOne();
        assertThat(ledger.wakeups(WakeCause.ROOM)).isZero();
    }

    @Test
    @DisplayName("polling: found within a look, no wake-up, and all the time that passes is the processor's")
    void shouldBurnItsProcessorAndNeverSleepWhenItPolls() {
        worker.polling(() -> 0);
        start();
        arrive(3);
        nic.toTransmit.add(new byte[60]);

        timeline.until(1_000 * NicWorker.POLL_PICOS);

        assertThat(nic.receivedAt).hasSize(3);
        assertThat(nic.receivedAt.get(0)).isEqualTo(1 + FRAME + PER_RECEIVED);
        for (WakeCause cause : WakeCause.values()) {
            assertThat(ledger.wakeups(cause)).isZero();
        }
        long work = 3 * PER_RECEIVED + PER_TRANSMITTED;
        assertThat(ledger.cpuPicos(CpuShare.WORKER)).isEqualTo(work);
        assertThat(ledger.cpuPicos(CpuShare.POLLING) + work)
                .isBetween(999 * NicWorker.POLL_PICOS, 1_000 * NicWorker.POLL_PICOS);
    }

    @Test
    @DisplayName("polling: a ring is not looked at before its driver's time has come, and at that time at once")
    void shouldNotSeeWhatTheDriverHasYetToDo() {
        long[] driver = {50 * NicWorker.POLL_PICOS + 7};
        worker.polling(() -> driver[0]);
        start();

        timeline.until(60 * NicWorker.POLL_PICOS);

        assertThat(nic.polledAt.get(0)).isBetween(driver[0] - 1, driver[0]);
        assertThat(ledger.cpuPicos(CpuShare.POLLING)).isPositive();
    }

    @Test
    @DisplayName("polling: a frame that finds no buffers is offered again by itself, since no kick will come")
    void shouldRetryAReceiveWithoutAKickWhenItPolls() {
        worker.polling(() -> 0);
        start();
        nic.buffers = 0;
        arrive(1);
        timeline.until(10 * NicWorker.POLL_PICOS);
        nic.buffers = 1;

        timeline.until(20 * NicWorker.POLL_PICOS);

        assertThat(nic.receivedAt).hasSize(1);
        assertThat(ledger.cpuPicos(CpuShare.WORKER)).as("paid for once").isEqualTo(PER_RECEIVED);
    }

    @Test
    void shouldTakeAtMostABurstInAStep() {
        start();
        arrive(10);
        long began = timeline.steps();

        settle();

        assertThat(nic.receivedAt).hasSize(10);
        // The wake-up, bursts of 4, 4 and 2, and the step that finds nothing.
        assertThat(timeline.steps() - began).isBetween(4L, 6L);
    }

    @Test
    @DisplayName("what arrives while it works is left for the next step: others have not come so far")
    void shouldTakeWhatHadArrivedWhenTheStepBegan() {
        start();
        incoming.send(new byte[60], 0, 60, 0);
        incoming.send(new byte[60], 0, 60, WAKE + PER_RECEIVED / 2);

        settle();

        assertThat(nic.receivedAt).hasSize(2);
        assertThat(nic.polledAt.get(0)).isEqualTo(nic.receivedAt.get(0));
    }

    @Test
    @DisplayName("a receive that meets BUSY waits for the driver, keeps its frame, and is paid for once")
    void shouldRetryAReceiveOnceTheDeviceWasTouched() {
        start();
        nic.buffers = 2;
        arrive(3);
        settle();
        assertThat(nic.receivedAt).hasSize(2);
        assertThat(nic.refusals).isOne();
        settle();
        assertThat(nic.refusals).as("no spinning").isOne();

        nic.buffers = 5;
        worker.deviceTouched(timeline.nowPicos());
        settle();

        assertThat(nic.receivedAt).hasSize(3);
        assertThat(ledger.cpuPicos(CpuShare.WORKER)).isEqualTo(3 * PER_RECEIVED);
    }

    @Test
    void shouldRetryAReceiveAtAKick() {
        start();
        nic.buffers = 0;
        arrive(1);
        settle();

        nic.buffers = 1;
        worker.signal(timeline.nowPicos());
        settle();

        assertThat(nic.receivedAt).hasSize(1);
        assertThat(incoming.nextArrivalPicos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void shouldNotTryABlockedReceiveForOtherReasons() {
        start();
        nic.buffers = 0;
        arrive(1);
        settle();

        nic.deadlineNanos = timeline.nowPicos() / 1000 + 5;
        worker.wake(timeline.nowPicos());
        settle();

        assertThat(nic.expirations).isOne();
        assertThat(nic.refusals).isOne();
    }

    @Test
    @DisplayName(
            "transmit: the wire takes two frames, then each goes when there is room; none is lost, none paid twice")
    void shouldWaitForABusyWire() {
        start();
        for (int i = 0; i < 10; i++) {
            nic.toTransmit.add(new byte[1514]);
        }

        worker.signal(timeline.nowPicos());
        long drained = 0;
        for (int i = 0; i < 100; i++) {
            timeline.until(timeline.nowPicos() + 20_000_000);
            while (outgoing.arrived(timeline.nowPicos())) {
                outgoing.release(timeline.nowPicos());
                drained++;
            }
        }

        assertThat(drained).isEqualTo(10);
        assertThat(nic.toTransmit).isEmpty();
        assertThat(ledger.cpuPicos(CpuShare.WORKER)).isEqualTo(10 * PER_TRANSMITTED);
    }

    @Test
    void shouldKeepTheDevicesTimers() {
        start();
        long deadline = timeline.nowPicos() / 1000 + 7_000;
        nic.deadlineNanos = deadline;
        worker.deviceTouched(timeline.nowPicos());

        timeline.until(deadline * 1000);
        assertThat(nic.expirations).isZero();
        settle();

        assertThat(nic.expirations).isOne();
        assertThat(nic.polledAt.get(0)).isEqualTo(deadline * 1000 + WAKE);
    }

    @Test
    void shouldSleepWhenThereIsNothingToDo() {
        start();
        settle();

        assertThat(worker.isIdle()).isTrue();
        assertThat(nic.polledAt).isEmpty();
    }
}
