package io.iolab.iommu.fault;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.PageRequestPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.register.RegisterFile;
import io.iolab.iommu.cache.DeviceCaches;
import io.iolab.iommu.register.VtdRegisters;

/**
 * The page-request queue: recoverable faults on their way to software (VT-d 7.4). The unit writes at the tail, software reads at the
 * head and answers through the invalidation queue. The descriptor is as Linux reads it (struct page_req_dsc in
 * drivers/iommu/intel/prq.c).
 *
 * <pre>
 *   device --page request--> Translator (may it?) --> PQT, PRS.PPR --> event (PECTL)
 *                                                 +-- full: PRS.PRO, lost until software clears it
 *
 *   32 bytes: 7:0 type 1   8 PASID present   31:16 requester   51:32 PASID   52 execute   53 privileged
 *             64 read   65 write   66 last in group   75:67 group   127:76 page
 * </pre>
 *
 * <p>One place stays free, so that full and empty differ. While PRO is set requests are lost; a lost one that ends its group is answered
 * with success, upon which the device finds its page still absent and asks again. A queue that is not in memory answers with failure.
 *
 * <p>Threading: under the unit's lock.
 */
public final class PageRequestQueue implements PageRequestPort {
    private static final int BYTES = 32;
    private static final int TYPE = 1;
    private static final long PASID_PRESENT = 1 << 8;
    private static final int REQUESTER_SHIFT = 16;
    private static final int PASID_SHIFT = 32;
    private static final long EXECUTE = 1L << 52;
    private static final long PRIVILEGED = 1L << 53;
    private static final int LAST = 1 << 2;
    private static final int GROUP_SHIFT = 3;

    private static final int PENDING = 1;
    private static final int OVERFLOW = 1 << 1;

    /** PCIe 4.0 10.4.2. */
    private static final int SUCCESS = 0;

    private static final int RESPONSE_FAILURE = 15;

    private final RegisterFile registers;
    private final Memory memory;
    private final DeviceCaches devices;
    private final EventSignal event;
    private long queued;
    private long lost;

    public PageRequestQueue(RegisterFile registers, Memory memory, DeviceCaches devices, EventSignal event) {
        this.registers = registers;
        this.memory = memory;
        this.devices = devices;
        this.event = event;
        registers.onWrite(VtdRegisters.PRS, (written, previous) -> statusCleared());
    }

    @Override
    public void pageRequest(int rid, int pasid, long iova, int wanted, int group, boolean last) {
        long address = registers.get64(VtdRegisters.PQA);
        int size = 4096 << (int) (address & 7);
        int tail = registers.get(VtdRegisters.PQT) & size - 1;
        int next = tail + BYTES & size - 1;
        int status = registers.get(VtdRegisters.PRS);
        long entryHpa = (address & ~0xFFFL) + tail;
        if (!memory.contains(entryHpa, BYTES)) {
            lose(rid, pasid, group, last, RESPONSE_FAILURE);
        } else if ((status & OVERFLOW) != 0) {
            lose(rid, pasid, group, last, SUCCESS);
        } else if (next == (registers.get(VtdRegisters.PQH) & size - 1)) {
            registers.set(VtdRegisters.PRS, status | OVERFLOW);
            signal(status);
            lose(rid, pasid, group, last, SUCCESS);
        } else {
            write(entryHpa, rid, pasid, iova, wanted, group, last);
            queued++;
            registers.set(VtdRegisters.PQT, next);
            registers.set(VtdRegisters.PRS, status | PENDING);
            signal(status);
        }
    }

    private void write(long entryHpa, int rid, int pasid, long iova, int wanted, int group, boolean last) {
        long low = TYPE | (long) rid << REQUESTER_SHIFT;
        if (pasid != TranslationPort.NO_PASID) {
            low |= PASID_PRESENT | (long) pasid << PASID_SHIFT;
            low |= (wanted & TranslationPort.EXECUTE) != 0 ? EXECUTE : 0;
            low |= (wanted & TranslationPort.PRIVILEGED) != 0 ? PRIVILEGED : 0;
        }
        long high = iova & ~0xFFFL | (long) (group & 0x1FF) << GROUP_SHIFT | (last ? LAST : 0);
        high |= wanted & (TranslationPort.READ | TranslationPort.WRITE);
        memory.writeLong(entryHpa + 8, high);
        memory.writeLong(entryHpa + 16, 0);
        memory.writeLong(entryHpa + 24, 0);
        memory.storeLongRelease(entryHpa, low);
    }

    private void lose(int rid, int pasid, int group, boolean last, int code) {
        lost++;
        AddressTranslationCache device = last ? devices.find(rid) : null;
        if (device != null) {
            device.pageGroupResponse(pasid, group, code);
        }
    }

    private void signal(int statusBefore) {
        if ((statusBefore & (PENDING | OVERFLOW)) == 0) {
            event.raise();
        }
    }

    private void statusCleared() {
        if ((registers.get(VtdRegisters.PRS) & (PENDING | OVERFLOW)) == 0) {
            event.withdraw();
        }
    }

    /** Requests written into the queue. */
    public long queued() {
        return queued;
    }

    /** Requests lost, for want of room or of a queue. */
    public long lost() {
        return lost;
    }
}
