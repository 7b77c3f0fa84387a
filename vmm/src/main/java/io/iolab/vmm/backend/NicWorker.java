package io.iolab.vmm.backend;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.WakeCause;
import io.iolab.vmm.time.Actor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs a NIC on time of its own: delivers what arrives on its link, lets it transmit, keeps its timers. As a thread of the
 * VMM (the emulated device's receive side, a virtqueue's back end) it costs processor time and must be woken; as the engine
 * of a physical NIC it is hardware.
 *
 * <p>{@link #polling} makes it a thread that never sleeps: nobody wakes it, and its processor is busy all the time.
 */
public final class NicWorker extends Actor {
    /** Frames per step in each direction, unless a test asks for another number. */
    public static final int BURST = 16;

    /**
     * How long a polling thread takes to look at link and rings and find nothing. It is a step of the model and no cost: it delays
     * what is found by at most as much, while processor time is what has passed, however often the thread looked.
     */
    static final long POLL_PICOS = 100_000;

    /**
     * What the work costs, in picoseconds.
     *
     * @param wake from a signal to a sleeping worker until it runs
     * @param perReceived per frame delivered to the device
     * @param perTransmitted per frame the device puts on the wire
     * @param share whose processor time it is; null for hardware
     */
    public record Costs(
            long wake,
            long perReceived,
            long perTransmitted,
            @Nullable CpuShare share) {}

    private final NetworkFunction nic;
    private final WorkAccount account;
    private final Link incoming;
    private final Costs costs;
    private final int burst;
    private boolean asleep = true;
    /** A worker that was woken is not there before this. */
    private long runsAtPicos;
    /** The oldest frame of the link has been worked on, and was refused. */
    private boolean headPaid;

    private boolean receiveBlocked;
    private boolean doorbell;
    /** The driver's time where this is a polling thread. */
    private @Nullable LongSupplier driverPicos;
    /** Polling: up to when this thread's time is accounted for. */
    private long accountedPicos;

    /** @param burst frames per step in each direction, at least 1 */
    public NicWorker(
            String name,
            NetworkFunction nic,
            WorkAccount account,
            Link incoming,
            Link outgoing,
            Costs costs,
            int burst) {
        super(name);
        this.burst = burst;
        this.nic = nic;
        this.account = account;
        this.incoming = incoming;
        this.costs = costs;
        incoming.receiver(this);
        outgoing.sender(this);
    }

    /**
     * From now on polls instead of sleeping. What the driver publishes carries no time, so the rings are not looked at before the
     * driver's own time has come: this thread would otherwise see what the driver has yet to do.
     *
     * @param driverTime of the processor that runs the driver, in picoseconds
     */
    public NicWorker polling(LongSupplier driverTime) {
        driverPicos = driverTime;
        return this;
    }

    /** The wire as the device sees it: frames leave at the time of whoever runs the device. */
    public static FramePort wire(Link outgoing, WorkAccount account, long picosPerFrame) {
        return (frame, offset, length) -> {
            Delivery delivery = outgoing.send(frame, offset, length, account.nowPicos());
            if (delivery == Delivery.ACCEPTED) {
                account.spend(picosPerFrame);
            }
            return delivery;
        };
    }

    /** A doorbell or a register access may have given the device work; {@code atPicos} in the caller's time. */
    public void signal(long atPicos) {
        doorbell = true;
        receiveBlocked = false;
        wake(atPicos);
    }

    /** After somebody else ran the device: keeps its timers, and lets a receive that waited for buffers try again. */
    public void deviceTouched(long atPicos) {
        if (receiveBlocked) {
            receiveBlocked = false;
            wake(atPicos);
        }
        long deadline = nic.nextDeadlineNanos();
        if (deadline != NEVER) {
            wake(deadline * 1000);
        }
    }

    @Override
    protected boolean step() {
        LongSupplier driver = driverPicos;
        return driver == null ? serveOrRest() : look(driver);
    }

    /** Always something done, so that on the wall clock the thread does not rest either. */
    private boolean look(LongSupplier driver) {
        // The driver's time first: on the wall clock it would otherwise always be ahead.
        long driverNow = driver.getAsLong();
        long now = nowPicos();
        account.polled(Math.max(0, now - accountedPicos));
        accountedPicos = now;
        // A picosecond short of the driver's time, because at the same time the driver would go first, for ever.
        if (now < driverNow - 1) {
            sleepUntil(driverNow - 1);
            return true;
        }
        account.owner(this, costs.share);
        receiveBlocked = false;
        int moved = receive(now) + nic.poll(burst);
        accountedPicos = nowPicos();
        if (moved == 0) {
            long arrival = incoming.nextArrivalPicos();
            sleepUntil(arrival > now ? Math.min(arrival, now + POLL_PICOS) : now + POLL_PICOS);
        }
        return true;
    }

    private boolean serveOrRest() {
        long now = nowPicos();
        boolean arrived = !receiveBlocked && incoming.arrived(now);
        boolean timer = nic.nextDeadlineNanos() <= now / 1000;
        if (!arrived && !timer && !doorbell && !nic.workPending()) {
            rest();
            return false;
        }
        if (asleep) {
            asleep = false;
            if (costs.share != null) {
                account.woken(cause(arrived, timer));
            }
            runsAtPicos = now + delay(costs.wake);
        }
        if (now < runsAtPicos) {
            sleepUntil(runsAtPicos);
            return false;
        }
        doorbell = false;
        account.owner(this, costs.share);
        int moved = receiveBlocked ? 0 : receive(now);
        moved += nic.poll(burst);
        if (moved == 0) {
            rest();
        }
        return true;
    }

    private WakeCause cause(boolean arrived, boolean timer) {
        if (doorbell) {
            return WakeCause.KICK;
        }
        if (arrived) {
            return WakeCause.FRAME;
        }
        return timer ? WakeCause.TIMER : WakeCause.ROOM;
    }

    /**
     * Takes what has arrived when the step began, not what arrives while it works: others would see the later frames before
     * they were sent.
     */
    private int receive(long byPicos) {
        int received = 0;
        while (received < burst && incoming.arrived(byPicos)) {
            if (!headPaid) {
                account.spend(costs.perReceived);
                headPaid = true;
            }
            if (nic.send(incoming.frame(), 0, incoming.frameLength()) == Delivery.BUSY) {
                receiveBlocked = true;
                break;
            }
            incoming.release(nowPicos());
            headPaid = false;
            received++;
        }
        return received;
    }

    /** Nothing to do now: sleeps until the next arrival, timer or signal. */
    private void rest() {
        asleep = true;
        long next = receiveBlocked ? NEVER : incoming.nextArrivalPicos();
        long deadline = nic.nextDeadlineNanos();
        if (deadline != NEVER) {
            next = Math.min(next, deadline * 1000);
        }
        if (next == NEVER) {
            idle();
        } else {
            sleepUntil(next);
        }
    }
}
