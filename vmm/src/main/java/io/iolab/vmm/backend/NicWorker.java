package io.iolab.vmm.backend;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.time.Actor;
import org.jspecify.annotations.Nullable;

/**
 * Runs a NIC on time of its own: delivers what arrives on its link, lets it transmit, keeps its timers. As a thread of the
 * VMM (the emulated device's receive side, a virtqueue's back end) it costs processor time and must be woken; as the engine
 * of a physical NIC it is hardware.
 */
public final class NicWorker extends Actor {
    /** Frames per step in each direction. */
    public static final int BURST = 16;

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
    private final Link outgoing;
    private final Costs costs;
    private boolean asleep = true;
    private boolean receiveBlocked;
    private boolean doorbell;

    public NicWorker(String name, NetworkFunction nic, WorkAccount account, Link incoming, Link outgoing, Costs costs) {
        super(name);
        this.nic = nic;
        this.account = account;
        this.incoming = incoming;
        this.outgoing = outgoing;
        this.costs = costs;
        incoming.receiver(this);
        outgoing.sender(this);
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
        long now = nowPicos();
        boolean arrived = !receiveBlocked && incoming.arrived(now);
        boolean timer = nic.nextDeadlineNanos() <= now / 1000;
        if (!arrived && !timer && !doorbell && !nic.workPending()) {
            rest();
            return false;
        }
        if (asleep) {
            asleep = false;
            waitUntil(now + costs.wake);
        }
        doorbell = false;
        account.owner(this, costs.share);
        int moved = receive();
        moved += nic.poll(BURST);
        if (moved == 0) {
            rest();
        }
        return true;
    }

    private int receive() {
        int received = 0;
        while (received < BURST && incoming.arrived(nowPicos())) {
            account.spend(costs.perReceived);
            if (nic.send(incoming.frame(), 0, incoming.frameLength()) == Delivery.BUSY) {
                receiveBlocked = true;
                break;
            }
            incoming.release(nowPicos());
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

    /** Frames of the outgoing link that have not left yet keep the device from sending; it is woken when there is room. */
    public Link outgoing() {
        return outgoing;
    }
}
