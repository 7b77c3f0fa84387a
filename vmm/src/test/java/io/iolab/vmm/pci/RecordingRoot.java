package io.iolab.vmm.pci;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import java.util.ArrayList;
import java.util.List;

/** A root complex that takes everything and remembers who sent it. */
final class RecordingRoot implements RootComplex {
    final List<String> seen = new ArrayList<>();

    @Override
    public DmaPort portFor(int rid) {
        return new Port(String.format("%04x", rid));
    }

    @Override
    public DmaPort translatedPortFor(int rid) {
        return new Port(String.format("%04x translated", rid));
    }

    private final class Port implements DmaPort {
        private final String who;

        Port(String who) {
            this.who = who;
        }

        private DmaFault record(String what, long iova, int length) {
            seen.add(String.format("%s %s 0x%x+%d", who, what, iova, length));
            return DmaFault.NONE;
        }

        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            return record("read", iova, length);
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            return record("write", iova, length);
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            record("load", iova, 2);
            return 0;
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            return record("store", iova, 2);
        }
    }
}
