package io.iolab.vmm;

import io.iolab.devices.net.MacAddress;
import io.iolab.vmm.backend.LearningSwitch;
import io.iolab.vmm.backend.Link;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * The cables of one guest: its NIC to the switch and back, and the same for its peer.
 *
 * @param lost frames for the guest that were dropped at the switch
 * @param peerLost frames for its peer
 */
record Cabling(Link fromGuest, Link toGuest, Link fromPeer, Link toPeer, LongSupplier lost, LongSupplier peerLost) {
    /** Frames that a physical NIC keeps between its DMA engine and the wire: its transmit packet buffer (82574L: 20 KB). */
    private static final int NIC_FIFO_FRAMES = 16;

    /**
     * A cable with both its directions, in a port of the switch.
     *
     * @param fromNic named after whoever sends, {@code NAME.tx}
     */
    record Cable(Link fromNic, Link toNic, LearningSwitch.Port port) {
        static Cable plug(String name, LinkConfig link, boolean physicalNic, LearningSwitch fabric) {
            int nicQueue = physicalNic ? NIC_FIFO_FRAMES : link.queueFrames();
            Link from = link(name + ".tx", link, nicQueue);
            Link to = link(name + ".rx", link, link.queueFrames());
            return new Cable(from, to, fabric.plug(name, from, to));
        }

        private static Link link(String name, LinkConfig cable, int queueFrames) {
            return new Link(name, cable.bitsPerSecond(), cable.delayPicos(), queueFrames);
        }
    }

    static Cabling plug(GuestConfig guest, LearningSwitch fabric, boolean physicalNic) {
        Cable own = Cable.plug(guest.name(), guest.link(), physicalNic, fabric);
        return withPeer(guest, fabric, own, own.port()::dropped);
    }

    /**
     * On a cable that is others' too.
     *
     * @param mac the guest's
     */
    static Cabling plug(GuestConfig guest, LearningSwitch fabric, Cable shared, byte[] mac) {
        return withPeer(guest, fabric, shared, shared.port().droppedFor(MacAddress.get(mac, 0)));
    }

    private static Cabling withPeer(GuestConfig guest, LearningSwitch fabric, Cable nic, LongSupplier lost) {
        Cable peer = Cable.plug(guest.name() + "-peer", guest.link(), false, fabric);
        return new Cabling(nic.fromNic(), nic.toNic(), peer.fromNic(), peer.toNic(), lost, peer.port()::dropped);
    }

    List<Link> links() {
        return List.of(fromGuest, toGuest, fromPeer, toPeer);
    }
}
