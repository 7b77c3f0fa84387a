package io.iolab.devices.ats;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.AddressRange;

/** A function's requests with one PASID, or without, through its device TLB: page by page. */
final class CachedPort implements DmaPort {
    private final DeviceTlb tlb;
    private final int pasid;
    private final int modes;
    private final DmaPort untranslated;
    private final DmaPort translated;

    CachedPort(DeviceTlb tlb, TranslationPort port, int pasid, int modes) {
        this.tlb = tlb;
        this.pasid = pasid;
        this.modes = modes;
        untranslated = pasid == TranslationPort.NO_PASID ? port.untranslated() : port.withPasid(pasid, modes);
        translated = port.translated();
    }

    int pasid() {
        return pasid;
    }

    boolean privileged() {
        return (modes & TranslationPort.PRIVILEGED) != 0;
    }

    /** The rights that a translation must give. */
    int needs(boolean write) {
        return write ? TranslationPort.WRITE : TranslationPort.READ | modes & TranslationPort.EXECUTE;
    }

    /** What a translation or page request asks for. */
    int wanted(boolean write) {
        return modes | TranslationPort.READ | (write ? TranslationPort.WRITE : 0);
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        int done = 0;
        do {
            int part = Math.min(length - done, AddressRange.bytesToPageEnd(iova + done));
            long hpa = tlb.open(this, iova + done, false);
            DmaFault fault;
            if (hpa >= 0) {
                fault = translated.read(hpa, target, offset + done, part, kind);
                tlb.done();
            } else {
                fault = hpa == DeviceTlb.UNTRANSLATED
                        ? untranslated.read(iova + done, target, offset + done, part, kind)
                        : DmaFault.of((int) hpa);
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
            int part = Math.min(length - done, AddressRange.bytesToPageEnd(iova + done));
            long hpa = tlb.open(this, iova + done, true);
            DmaFault fault;
            if (hpa >= 0) {
                fault = translated.write(hpa, source, offset + done, part, kind);
                tlb.done();
            } else {
                fault = hpa == DeviceTlb.UNTRANSLATED
                        ? untranslated.write(iova + done, source, offset + done, part, kind)
                        : DmaFault.of((int) hpa);
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
        if ((iova & 1) != 0) {
            return DmaFault.BEYOND_MEMORY.asResult();
        }
        long hpa = tlb.open(this, iova, false);
        if (hpa < 0) {
            return hpa == DeviceTlb.UNTRANSLATED ? untranslated.loadShortAcquire(iova, kind) : (int) hpa;
        }
        int value = translated.loadShortAcquire(hpa, kind);
        tlb.done();
        return value;
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        if ((iova & 1) != 0) {
            return DmaFault.BEYOND_MEMORY;
        }
        long hpa = tlb.open(this, iova, true);
        if (hpa < 0) {
            return hpa == DeviceTlb.UNTRANSLATED
                    ? untranslated.storeShortRelease(iova, value, kind)
                    : DmaFault.of((int) hpa);
        }
        DmaFault fault = translated.storeShortRelease(hpa, value, kind);
        tlb.done();
        return fault;
    }
}
