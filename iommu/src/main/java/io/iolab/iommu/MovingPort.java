package io.iolab.iommu;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.Iotlb;

/**
 * Moves the bytes of requests that a remapping unit lets through. Requests are split at 4 KiB and each part is translated by itself,
 * which is what the kinds of port differ in.
 *
 * <p>A translated address that no memory backs fails with {@link DmaFault#BEYOND_MEMORY} and leaves no fault record: the unit has
 * done its part, it is the memory controller that does not answer.
 *
 * <p>Threading: one thread at a time; different ports of a unit may run on different threads. The unit does not drain: a request
 * that was translated when an invalidation completed on another thread may still move its bytes, which is what CAP.DRD=0 and
 * CAP.DWD=0 say.
 */
abstract class MovingPort implements DmaPort {
    static final long READS = Iotlb.READ;
    static final long WRITES = Iotlb.WRITE;

    /** A zero-length read where CAP.ZLR lets it through write-only pages. */
    static final long EITHER = READS | WRITES;

    private final Memory memory;
    private final ProtectedMemory protectedMemory;
    private final long zeroLengthReads;
    final RequesterCounters counters;

    MovingPort(
            Memory hostMemory, ProtectedMemory protectedMemory, boolean zeroLengthReads, RequesterCounters counters) {
        this.memory = hostMemory;
        this.protectedMemory = protectedMemory;
        this.zeroLengthReads = zeroLengthReads ? EITHER : READS;
        this.counters = counters;
    }

    /**
     * Where an address outside of the interrupt range lies.
     *
     * @param access {@link #READS}, {@link #WRITES} or {@link #EITHER}
     * @return a host physical address, or a negative {@link DmaFault#asResult}
     */
    abstract long translate(long iova, long access);

    /**
     * A request to the interrupt range that is no message.
     *
     * @return a fault
     */
    abstract DmaFault interruptRange(long iova, long access);

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        if (length == 0) {
            return DmaFault.of((int) Math.min(0, locate(iova, 0, zeroLengthReads)));
        }
        for (int done = 0; done < length; ) {
            int part = Math.min(length - done, AddressRange.bytesToPageEnd(iova + done));
            long hpa = locate(iova + done, part, READS);
            if (hpa < 0) {
                return DmaFault.of((int) hpa);
            }
            memory.read(hpa, target, offset + done, part);
            counters.bytesRead += part;
            done += part;
        }
        return DmaFault.NONE;
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        if (length == 0) {
            return DmaFault.of((int) Math.min(0, locate(iova, 0, WRITES)));
        }
        for (int done = 0; done < length; ) {
            int part = Math.min(length - done, AddressRange.bytesToPageEnd(iova + done));
            long hpa = locate(iova + done, part, WRITES);
            if (hpa < 0) {
                return DmaFault.of((int) hpa);
            }
            memory.write(hpa, source, offset + done, part);
            counters.bytesWritten += part;
            done += part;
        }
        return DmaFault.NONE;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        if ((iova & 1) != 0) {
            return DmaFault.BEYOND_MEMORY.asResult();
        }
        long hpa = locate(iova, 2, READS);
        if (hpa < 0) {
            return (int) hpa;
        }
        counters.bytesRead += 2;
        return memory.loadShortAcquire(hpa) & 0xFFFF;
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        if ((iova & 1) != 0) {
            return DmaFault.BEYOND_MEMORY;
        }
        long hpa = locate(iova, 2, WRITES);
        if (hpa < 0) {
            return DmaFault.of((int) hpa);
        }
        counters.bytesWritten += 2;
        memory.storeShortRelease(hpa, (short) value);
        return DmaFault.NONE;
    }

    /**
     * Where a part of a request, within one page, lies in memory.
     *
     * @return an address with {@code length} bytes of memory behind it, or a negative {@link DmaFault#asResult}
     */
    private long locate(long iova, int length, long access) {
        // Only whole dword writes to the interrupt range are messages, and those never come here.
        if (MessagePort.claims(iova)) {
            return interruptRange(iova, access).asResult();
        }
        long hpa = translate(iova, access);
        if (hpa < 0) {
            return hpa;
        }
        counters.requests++;
        if (hpa == iova && protectedMemory.blocks(hpa, length)) {
            return DmaFault.BEYOND_MEMORY.asResult();
        }
        if (!memory.contains(hpa, length)) {
            counters.unbacked++;
            return DmaFault.BEYOND_MEMORY.asResult();
        }
        return hpa;
    }
}
