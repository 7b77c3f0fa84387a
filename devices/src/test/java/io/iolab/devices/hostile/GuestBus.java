package io.iolab.devices.hostile;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.PciFunction;
import org.jspecify.annotations.Nullable;

/**
 * Where the requests of a device go: messages to the guest, the rest to its memory, and while {@link #peerToPeer} is on, what
 * falls into a BAR of the device back into the device, in pieces of at most four bytes as a 32-bit target takes them.
 */
final class GuestBus implements DmaPort {
    /** Deeper than this the device calls itself without end. */
    private static final int DEEPEST = 32;

    private final GuestWindow window;
    private final MessagePort messages;
    private @Nullable PciFunction function;
    private boolean peerToPeer;
    private int depth;
    private int deepest;
    private long peerAccesses;

    GuestBus(GuestWindow window, MessagePort messages) {
        this.window = window;
        this.messages = messages;
    }

    void connect(PciFunction peer) {
        function = peer;
    }

    /** Whether the device can reach its own BARs. */
    void peerToPeer(boolean on) {
        peerToPeer = on;
    }

    /** Register accesses of the device to itself. */
    long peerAccesses() {
        return peerAccesses;
    }

    /** How many of its own accesses were under way at once. */
    int deepest() {
        return deepest;
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        PciFunction peer = peer();
        int bar = peer == null ? -1 : barAt(peer, iova, length);
        if (peer == null || bar < 0) {
            return window.read(iova, target, offset, length, kind);
        }
        long at = iova - peer.config().barAddress(bar);
        enter();
        for (int done = 0; done < length; ) {
            int width = width(at + done, length - done);
            long value = peer.readBar(bar, at + done, width);
            for (int i = 0; i < width; i++) {
                target[offset + done + i] = (byte) (value >>> 8 * i);
            }
            done += width;
        }
        depth--;
        return DmaFault.NONE;
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        if (MessagePort.claims(iova) && length == 4 && (iova & 3) == 0) {
            messages.message(iova, LittleEndian.getInt(source, offset));
            return DmaFault.NONE;
        }
        PciFunction peer = peer();
        int bar = peer == null ? -1 : barAt(peer, iova, length);
        if (peer == null || bar < 0) {
            return window.write(iova, source, offset, length, kind);
        }
        long at = iova - peer.config().barAddress(bar);
        enter();
        for (int done = 0; done < length; ) {
            int width = width(at + done, length - done);
            long value = 0;
            for (int i = 0; i < width; i++) {
                value |= (source[offset + done + i] & 0xFFL) << 8 * i;
            }
            peer.writeBar(bar, at + done, width, value);
            done += width;
        }
        depth--;
        return DmaFault.NONE;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        PciFunction peer = peer();
        int bar = peer == null || (iova & 1) != 0 ? -1 : barAt(peer, iova, 2);
        if (peer == null || bar < 0) {
            return window.loadShortAcquire(iova, kind);
        }
        enter();
        int value = (int) peer.readBar(bar, iova - peer.config().barAddress(bar), 2);
        depth--;
        return value;
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        PciFunction peer = peer();
        int bar = peer == null || (iova & 1) != 0 ? -1 : barAt(peer, iova, 2);
        if (peer == null || bar < 0) {
            return window.storeShortRelease(iova, value, kind);
        }
        enter();
        peer.writeBar(bar, iova - peer.config().barAddress(bar), 2, value);
        depth--;
        return DmaFault.NONE;
    }

    private @Nullable PciFunction peer() {
        return peerToPeer ? function : null;
    }

    private void enter() {
        peerAccesses++;
        depth++;
        deepest = Math.max(deepest, depth);
        if (depth > DEEPEST) {
            depth = 0;
            throw new AssertionError("the device called itself " + DEEPEST + " times over");
        }
    }

    private static int barAt(PciFunction peer, long iova, int length) {
        for (int i = 0; i < 6; i++) {
            Bar bar = peer.config().bar(i);
            if (bar != null
                    && bar.isMemory()
                    && peer.config().barDecodes(i)
                    && AddressRange.contains(peer.config().barAddress(i), bar.size(), iova, length)) {
                return i;
            }
        }
        return -1;
    }

    private static int width(long at, int left) {
        return (at & 1) != 0 || left < 2 ? 1 : (at & 2) != 0 || left < 4 ? 2 : 4;
    }
}
