package io.iolab.vmm.pci;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.AddressRange;
import org.jspecify.annotations.Nullable;

/**
 * A function's way into the fabric. Each request is routed by its address at every port on its way, as the ports' registers stand at that
 * moment: up to the root complex, where the IOMMU is, or sideways into a peer's BAR, where no IOMMU ever sees it.
 *
 * <p>Requests are split at 4 KiB, as PCI Express does (section 2.2.7). The requester id is the one of the function's place, as bus numbers
 * are programmed now.
 *
 * <p>Threading: one thread at a time; a request to a peer calls the peer on this thread, so requester and peer share one.
 */
public final class FunctionPort implements DmaPort {
    private static final int NO_FORGERY = -1;
    /** Registers take no larger accesses than this. */
    private static final int WORD = 4;

    private final Fabric fabric;
    private final AddressType addressType;
    private final int forgedRid;
    private final int pasid;
    private final int pasidModes;
    private final Place place;
    private final Route route = new Route();
    private final byte[] halfword = new byte[2];
    private @Nullable DmaPort upstream;
    private int upstreamRid = -1;
    private boolean upstreamTyped;
    private @Nullable TranslationPort services;
    private int servicesRid = -1;

    /** Where the function is; shared by all ports of one function. */
    static final class Place {
        private @Nullable Bridge above;
        private int devfn;
        private boolean taken;

        void take(@Nullable Bridge bridge, int deviceAndFunction) {
            if (taken) {
                throw new IllegalStateException("a port belongs to one function");
            }
            taken = true;
            above = bridge;
            devfn = deviceAndFunction;
        }

        @Nullable
        Bridge above() {
            return above;
        }

        int rid() {
            return (above == null ? devfn : (above.secondaryBus() << 8) + devfn) & 0xFFFF;
        }
    }

    FunctionPort(Fabric fabric) {
        this(fabric, new Place(), AddressType.UNTRANSLATED, NO_FORGERY, TranslationPort.NO_PASID, 0);
    }

    private FunctionPort(
            Fabric fabric, Place place, AddressType addressType, int forgedRid, int pasid, int pasidModes) {
        this.fabric = fabric;
        this.place = place;
        this.addressType = addressType;
        this.forgedRid = forgedRid;
        this.pasid = pasid;
        this.pasidModes = pasidModes;
    }

    Place place() {
        return place;
    }

    /** The requester id that the function's place gives it, at this moment. */
    public int rid() {
        return place.rid();
    }

    /** The same function, saying of every address that it is translated already: true or forged, the fabric cannot tell. */
    public FunctionPort translated() {
        return as(AddressType.TRANSLATED);
    }

    FunctionPort as(AddressType type) {
        return new FunctionPort(fabric, place, type, forgedRid, TranslationPort.NO_PASID, 0);
    }

    FunctionPort withPasid(int value, int modes) {
        return new FunctionPort(fabric, place, AddressType.UNTRANSLATED, forgedRid, value, modes);
    }

    /**
     * The same function with translation services and PASIDs, as far as the ports on its way and the root complex let it. To be used
     * instead of this port, by one device TLB.
     */
    public TranslationPort translation() {
        return new FabricTranslation(this, fabric.rootComplex());
    }

    /** The same function, giving itself out for another one. */
    public FunctionPort forging(int rid) {
        return new FunctionPort(fabric, place, addressType, rid & 0xFFFF, pasid, pasidModes);
    }

    /** What the function's requests carry: its own requester id, or the one it gives itself out for. */
    int requesterId() {
        return forgedRid == NO_FORGERY ? place.rid() : forgedRid;
    }

    private void route(long iova, int length) {
        fabric.route(route, place, requesterId(), addressType, iova, length);
    }

    /** The unit's services, if a request of this kind reaches the root complex as what it is; else null. */
    @Nullable
    TranslationPort services(long address) {
        route(address, 1);
        if (route.fault != DmaFault.NONE || route.peer != null || !route.keepsAddressType) {
            return null;
        }
        TranslationPort port = services;
        if (port == null || servicesRid != route.rid) {
            port = fabric.rootComplex().translationPortFor(route.rid).orElse(null);
            services = port;
            servicesRid = route.rid;
        }
        return port;
    }

    private DmaPort upstream() {
        DmaPort port = upstream;
        if (port == null || upstreamRid != route.rid || upstreamTyped != route.keepsAddressType) {
            port = upstreamFor(fabric.rootComplex());
            upstream = port;
            upstreamRid = route.rid;
            upstreamTyped = route.keepsAddressType;
        }
        return port;
    }

    /** A conventional bus has neither address types nor PASIDs. */
    private DmaPort upstreamFor(RootComplex root) {
        if (route.keepsAddressType && addressType == AddressType.TRANSLATED) {
            return root.translatedPortFor(route.rid);
        }
        if (route.keepsAddressType && pasid != TranslationPort.NO_PASID) {
            return root.translationPortFor(route.rid)
                    .map(unit -> unit.withPasid(pasid, pasidModes))
                    .orElseGet(() -> root.portFor(route.rid));
        }
        return root.portFor(route.rid);
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        int done = 0;
        do {
            int part = part(iova + done, length - done);
            route(iova + done, part);
            DmaFault fault = route.fault;
            if (fault == DmaFault.NONE) {
                fault = route.peer == null
                        ? upstream().read(iova + done, target, offset + done, part, kind)
                        : readPeer(target, offset + done, part);
            }
            if (fault != DmaFault.NONE) {
                return fault;
            }
            done += part;
        } while (done < length);
        return DmaFault.NONE;
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        int done = 0;
        do {
            int part = part(iova + done, length - done);
            route(iova + done, part);
            DmaFault fault = route.fault;
            if (fault == DmaFault.NONE) {
                fault = route.peer == null
                        ? upstream().write(iova + done, source, offset + done, part, kind)
                        : writePeer(source, offset + done, part);
            }
            if (fault != DmaFault.NONE) {
                return fault;
            }
            done += part;
        } while (done < length);
        return DmaFault.NONE;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        route(iova, 2);
        if (route.fault != DmaFault.NONE) {
            return route.fault.asResult();
        }
        if (route.peer == null) {
            return upstream().loadShortAcquire(iova, kind);
        }
        DmaFault fault = readPeer(halfword, 0, 2);
        return fault == DmaFault.NONE ? (halfword[0] & 0xFF) | (halfword[1] & 0xFF) << 8 : fault.asResult();
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        route(iova, 2);
        if (route.fault != DmaFault.NONE) {
            return route.fault;
        }
        if (route.peer == null) {
            return upstream().storeShortRelease(iova, value, kind);
        }
        halfword[0] = (byte) value;
        halfword[1] = (byte) (value >>> 8);
        return writePeer(halfword, 0, 2);
    }

    /** Bytes up to the next 4 KiB boundary, at most {@code left}; {@code left} may be 0. */
    private static int part(long iova, int left) {
        return (int) Math.min(left, AddressRange.PAGE_SIZE - (iova & AddressRange.PAGE_SIZE - 1));
    }

    /** The largest naturally aligned access at {@code at} of at most {@code left} bytes. */
    private static int width(long at, int left) {
        int width = WORD;
        while (width > left || (at & width - 1) != 0) {
            width >>= 1;
        }
        return width;
    }

    private DmaFault readPeer(byte[] target, int offset, int length) {
        var peer = java.util.Objects.requireNonNull(route.peer);
        for (int done = 0; done < length; ) {
            long at = route.peerOffset + done;
            int width = width(at, length - done);
            long value = peer.readBar(route.peerBar, at, width);
            for (int i = 0; i < width; i++) {
                target[offset + done + i] = (byte) (value >>> 8 * i);
            }
            done += width;
        }
        fabric.countPeerBytes(length);
        return DmaFault.NONE;
    }

    private DmaFault writePeer(byte[] source, int offset, int length) {
        var peer = java.util.Objects.requireNonNull(route.peer);
        for (int done = 0; done < length; ) {
            long at = route.peerOffset + done;
            int width = width(at, length - done);
            long value = 0;
            for (int i = 0; i < width; i++) {
                value |= (source[offset + done + i] & 0xFFL) << 8 * i;
            }
            peer.writeBar(route.peerBar, at, width, value);
            done += width;
        }
        fabric.countPeerBytes(length);
        return DmaFault.NONE;
    }
}
