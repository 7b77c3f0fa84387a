package io.iolab.iommu;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.register.RegisterFile;
import io.iolab.iommu.register.VtdRegisters;
import org.jspecify.annotations.Nullable;

/**
 * Protected low and high memory (VT-d 10.4.16 to 10.4.20): while PMEN.EPM is set, no request that is not translated reaches them, so
 * that software which has yet to build its tables is safe from devices. Blocked requests leave no fault record.
 *
 * <pre>
 *   translation off          every request to the regions is blocked
 *   translation on           requests whose address stays what it was (pass-through) are blocked; translated ones are the tables' affair
 * </pre>
 *
 * <p>The specification leaves open whether a translated request may be blocked; here one is only if its tables map the page to itself.
 * Bases and limits count as they stand when EPM goes from 0 to 1.
 *
 * <p>Threading: registers under the unit's lock, questions from any thread.
 */
final class ProtectedMemory {
    private static final long GRANULE_OFFSET = VtdRegisters.PROTECTED_GRANULE - 1;
    private static final int STATUS = 1;

    /** First and last byte of both regions; a region whose last lies below its first is empty. */
    private record Regions(long low, long lowLast, long high, long highLast) {
        boolean meets(long hpa, long length) {
            return meets(low, lowLast, hpa, length) || meets(high, highLast, hpa, length);
        }

        private static boolean meets(long first, long last, long hpa, long length) {
            return Long.compareUnsigned(first, last) < 0 && AddressRange.overlaps(hpa, length, first, last - first + 1);
        }
    }

    private final RegisterFile registers;
    private final boolean lowOffered;
    private final boolean highOffered;
    private volatile @Nullable Regions regions;
    private long blocked;

    ProtectedMemory(RegisterFile registers, boolean lowOffered, boolean highOffered) {
        this.registers = registers;
        this.lowOffered = lowOffered;
        this.highOffered = highOffered;
        if (lowOffered || highOffered) {
            registers.onWrite(VtdRegisters.PMEN, (written, previous) -> enable(written < 0));
        }
    }

    private void enable(boolean on) {
        if (on && regions == null) {
            regions = new Regions(
                    lowOffered ? registers.get(VtdRegisters.PLMBASE) & 0xFFFF_FFFFL : 0,
                    lowOffered ? registers.get(VtdRegisters.PLMLIMIT) & 0xFFFF_FFFFL | GRANULE_OFFSET : 0,
                    highOffered ? registers.get64(VtdRegisters.PHMBASE) : 0,
                    highOffered ? registers.get64(VtdRegisters.PHMLIMIT) | GRANULE_OFFSET : 0);
        } else if (!on) {
            regions = null;
        }
        registers.set(VtdRegisters.PMEN, on ? VtdRegisters.PROTECTED_ENABLE | STATUS : 0);
    }

    /** Whether a request that is not translated must not reach these bytes. */
    boolean blocks(long hpa, long length) {
        Regions current = regions;
        if (current == null || !current.meets(hpa, length)) {
            return false;
        }
        blocked++;
        return true;
    }

    /** Requests blocked so far; exact while one thread makes them. */
    long blocked() {
        return blocked;
    }

    /** A port to memory without translation, closed to the regions. */
    DmaPort guard(DmaPort direct) {
        return lowOffered || highOffered ? new Guard(this, direct) : direct;
    }

    private record Guard(ProtectedMemory regions, DmaPort direct) implements DmaPort {
        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            return regions.blocks(iova, length)
                    ? DmaFault.BEYOND_MEMORY
                    : direct.read(iova, target, offset, length, kind);
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            return !MessagePort.claims(iova) && regions.blocks(iova, length)
                    ? DmaFault.BEYOND_MEMORY
                    : direct.write(iova, source, offset, length, kind);
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return regions.blocks(iova, 2) ? DmaFault.BEYOND_MEMORY.asResult() : direct.loadShortAcquire(iova, kind);
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            return regions.blocks(iova, 2) ? DmaFault.BEYOND_MEMORY : direct.storeShortRelease(iova, value, kind);
        }
    }
}
