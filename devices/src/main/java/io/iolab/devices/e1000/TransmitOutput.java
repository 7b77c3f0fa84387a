package io.iolab.devices.e1000;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.register.RegisterFile;

/** Where finished frames go: out on the wire, or back into the receiver while a loopback is on. */
final class TransmitOutput {
    private final RegisterFile registers;
    private final LinkUnit link;
    private final FramePort wire;
    private final FramePort receiver;
    private final E1000Counters counters;
    private final Statistics statistics;
    private final TimeSync time;

    /** @param receiver takes looped frames; it stores them and never transmits, so no frame goes round twice */
    TransmitOutput(Core core, ReceiveUnit.Parts parts, FramePort wire, FramePort receiver) {
        this.registers = core.registers();
        this.link = parts.link();
        this.time = parts.time();
        this.wire = wire;
        this.receiver = receiver;
        this.counters = core.counters();
        this.statistics = core.statistics();
    }

    /** RCTL.LBM in the MAC or beyond it, or the PHY's own loopback (82540 SDM 13.4, RCTL). */
    boolean loopback() {
        return (registers.get(E1000Registers.RCTL) & E1000Registers.RCTL_LBM) != 0
                || link.phy().loopback();
    }

    /** @return false if the wire has no room: the caller keeps the packet */
    boolean send(OutgoingPacket packet) {
        byte[] bytes = packet.buffer();
        int start = packet.start();
        int length = packet.length();
        Delivery delivery = (loopback() ? receiver : wire).send(bytes, start, length);
        if (delivery == Delivery.BUSY) {
            counters.txBusy++;
            return false;
        }
        // Sent is sent: what becomes of a frame out there is not the transmitter's affair.
        counters.txFrames++;
        counters.txBytes += length;
        counters.txDropped += delivery == Delivery.DROPPED ? 1 : 0;
        counters.txFiltered += delivery == Delivery.FILTERED ? 1 : 0;
        statistics.transmitted(bytes, start, length);
        if (packet.wantsStamp() && time.stampsTransmitted()) {
            time.transmitted();
        }
        return true;
    }
}
