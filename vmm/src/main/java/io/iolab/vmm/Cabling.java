package io.iolab.vmm;

import io.iolab.vmm.backend.LearningSwitch;
import io.iolab.vmm.backend.Link;
import java.util.List;

/**
 * The cables of one guest: its NIC to the switch and back, and the same for its peer.
 *
 * @param port the guest's port of the switch, where frames for it may be dropped
 * @param peerPort the peer's
 */
record Cabling(
        Link fromGuest,
        Link toGuest,
        Link fromPeer,
        Link toPeer,
        LearningSwitch.Port port,
        LearningSwitch.Port peerPort) {
    /** Frames that a physical NIC keeps between its DMA engine and the wire: its transmit packet buffer (82574L: 20 KB). */
    private static final int NIC_FIFO_FRAMES = 16;

    static Cabling plug(GuestConfig guest, LearningSwitch fabric, boolean physicalNic) {
        LinkConfig cable = guest.link();
        int nicQueue = physicalNic ? NIC_FIFO_FRAMES : cable.queueFrames();
        Link fromGuest = link(guest.name() + ".tx", cable, nicQueue);
        Link toGuest = link(guest.name() + ".rx", cable, cable.queueFrames());
        Link fromPeer = link(guest.name() + "-peer.tx", cable, cable.queueFrames());
        Link toPeer = link(guest.name() + "-peer.rx", cable, cable.queueFrames());
        return new Cabling(
                fromGuest,
                toGuest,
                fromPeer,
                toPeer,
                fabric.plug(guest.name(), fromGuest, toGuest),
                fabric.plug(guest.name() + "-peer", fromPeer, toPeer));
    }

    private static Link link(String name, LinkConfig cable, int queueFrames) {
        return new Link(name, cable.bitsPerSecond(), cable.delayPicos(), queueFrames);
    }

    List<Link> links() {
        return List.of(fromGuest, toGuest, fromPeer, toPeer);
    }
}
