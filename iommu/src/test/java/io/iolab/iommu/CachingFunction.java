package io.iolab.iommu;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import java.util.TreeMap;

/** A function that caches every translation it gets and forgets only what it is told to forget (PCIe 4.0 10.3). */
final class CachingFunction implements AddressTranslationCache {
    private final TranslationPort port;
    private final TranslationCompletion completion = new TranslationCompletion();
    /** Frame by page, pages of 4 KiB. */
    private final TreeMap<Long, Long> cached = new TreeMap<>(Long::compareUnsigned);

    int asked;
    boolean answers = true;

    CachingFunction(Bench bench, int rid) {
        port = bench.unit.translationPortFor(rid);
        port.attach(this);
    }

    /** Reads by a translated request, after a translation request if the page is not known. */
    boolean reads(long iova) {
        Long frame = cached.get(iova >>> 12);
        if (frame == null) {
            TranslationStatus status = port.translate(iova, TranslationPort.NO_PASID, TranslationPort.READ, completion);
            if (status != TranslationStatus.SUCCESS || (completion.rights() & TranslationPort.READ) == 0) {
                return false;
            }
            long offset = iova & (1L << completion.pageShift()) - 1;
            frame = completion.frameHpa() + (offset & -4096);
            cached.put(iova >>> 12, frame);
        }
        return port.translated().read(frame + (iova & 0xFFF), new byte[4], 0, 4, DmaKind.PAYLOAD) == DmaFault.NONE;
    }

    @Override
    public boolean invalidate(long iova, int shift, int pasid, boolean allPasids) {
        asked++;
        if (answers) {
            if (shift >= ALL) {
                cached.clear();
            } else {
                cached.keySet().removeIf(page -> page << 12 >>> shift == iova >>> shift);
            }
        }
        return answers;
    }

    @Override
    public void pageGroupResponse(int pasid, int group, int code) {}
}
