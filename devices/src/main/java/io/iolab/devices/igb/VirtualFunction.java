package io.iolab.devices.igb;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.BusMasterGate;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.MsixTable;
import io.iolab.devices.pci.PciFunction;

/**
 * One virtual function as software meets it: configuration space, registers, vectors. Its reset is that of its two queue pairs and its
 * three causes (82576 datasheet 4.5.2); the controller goes on.
 */
final class VirtualFunction implements PciFunction {
    /** What the controller does for its virtual functions. */
    interface Parent {
        /** Queues, causes and mailbox of the function start over; the PF is told. */
        void resetVf(int vf);

        int pollVf(int vf, int budget);

        boolean workPendingVf(int vf);

        long deadline();
    }

    private final int vf;
    private final Parent parent;
    private final ConfigSpace config = PciFace.virtual();
    private final Link link = new Link();
    private final DmaPort gate = new BusMasterGate(config, link);
    private final MsixTable msix;
    private final VfWindow window;
    private boolean present;

    VirtualFunction(int vf, Core core, InterruptUnit interrupts, Parent parent) {
        this.vf = vf;
        this.parent = parent;
        this.msix = new MsixTable(
                config,
                PciFace.MSIX,
                PciFace.VF_VECTORS,
                PciFace.VECTOR_BAR,
                0,
                PciFace.VECTOR_BAR,
                PciFace.PENDING_BITS,
                gate);
        PciFace.addExpress(config, this::reset);
        PciFace.addVirtualExtended(config);
        config.seal();
        interrupts.connect(vf, msix);
        this.window = new VfWindow(
                vf, core.registers(), () -> parent.resetVf(vf), vectors -> interrupts.clearPending(msix, vectors));
    }

    /** The function appears, with its own power-on configuration; its DMA takes this port. */
    void appear(DmaPort port) {
        config.reset();
        link.port = port;
        present = true;
    }

    /** VF Enable was cleared: nothing answers and nothing leaves any more. */
    void vanish() {
        config.reset();
        link.port = Link.NOWHERE;
        present = false;
    }

    /** Its DMA behind its own bus master bit. */
    DmaPort dma() {
        return gate;
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        if (!present) {
            return -1L >>> 64 - 8 * width;
        }
        return switch (bar) {
            case PciFace.REGISTER_BAR -> window.read(offset, width);
            case PciFace.VECTOR_BAR ->
                offset >= PciFace.PENDING_BITS
                        ? msix.readPending(offset - PciFace.PENDING_BITS, width)
                        : msix.readTable(offset, width);
            default -> 0;
        };
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        if (!present) {
            return;
        }
        if (bar == PciFace.REGISTER_BAR) {
            window.write(offset, width, value);
        } else if (bar == PciFace.VECTOR_BAR && offset < PciFace.PENDING_BITS) {
            msix.writeTable(offset, width, value);
        }
    }

    @Override
    public int poll(int budget) {
        return present ? parent.pollVf(vf, budget) : 0;
    }

    @Override
    public long nextDeadlineNanos() {
        return present ? parent.deadline() : Long.MAX_VALUE;
    }

    @Override
    public boolean workPending() {
        return present && parent.workPendingVf(vf);
    }

    /** Function level reset. */
    @Override
    public void reset() {
        if (!present) {
            return;
        }
        config.reset();
        parent.resetVf(vf);
    }

    @Override
    public String registerName(int bar, long offset) {
        return switch (bar) {
            case PciFace.REGISTER_BAR -> window.registerName(offset);
            case PciFace.VECTOR_BAR ->
                offset < 16 * PciFace.VF_VECTORS
                        ? "MSIX_TABLE"
                        : offset >= PciFace.PENDING_BITS && offset < PciFace.PENDING_BITS + 8
                                ? "MSIX_PBA"
                                : "unimplemented";
            default -> "unimplemented";
        };
    }

    /** A port that goes nowhere until the function is enabled, and then where its routing id leads. */
    private static final class Link implements DmaPort {
        private static final DmaPort NOWHERE = new Nowhere();

        private DmaPort port = NOWHERE;

        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            return port.read(iova, target, offset, length, kind);
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            return port.write(iova, source, offset, length, kind);
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return port.loadShortAcquire(iova, kind);
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            return port.storeShortRelease(iova, value, kind);
        }
    }

    private static final class Nowhere implements DmaPort {
        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            return DmaFault.NOT_MAPPED;
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            return DmaFault.NOT_MAPPED;
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return DmaFault.NOT_MAPPED.asResult();
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            return DmaFault.NOT_MAPPED;
        }
    }
}
