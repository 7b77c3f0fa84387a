package io.iolab.iommu.driver;

import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.memory.Memory;
import java.util.HashMap;
import java.util.Map;

/**
 * Serves the page-request queue of a unit as host software does: reads requests, has each page resolved, and answers a group through the
 * invalidation queue when its last request has been read (VT-d 7.4, 7.7).
 *
 * <pre>
 *   device --page request--> PQT ... event --> handle: PRS.PPR cleared, PQH to PQT read
 *                                                 +--> PageResolver --> page-group response --> device
 *                            PRO: requests were lost; cleared when the queue is empty again
 * </pre>
 *
 * <p>A stop marker, a request for no right that ends its group, says that a function has done with a PASID: there is nothing to resolve
 * and no answer (PCI Express Base 10.4.1.2). A group of several requests gets the worst of their codes. What devices put into the queue is not to be trusted: groups that are
 * begun and never ended are forgotten all at once beyond {@link #OPEN_GROUPS}.
 *
 * <p>Threading: as {@link IommuDriver}.
 */
public final class PageRequestHandler {
    /** Groups whose last request has not come, for which a failure is remembered. */
    public static final int OPEN_GROUPS = 512;

    private static final int QUEUE_BYTES = 4096;
    private static final int ENTRY_BYTES = 32;
    private static final int PAGE_REQUEST = 1;
    private static final long PASID_PRESENT = 1 << 8;
    private static final int READ = 1;
    private static final int WRITE = 1 << 1;
    private static final int LAST = 1 << 2;
    private static final int PENDING = 1;
    private static final int OVERFLOW = 1 << 1;

    private final UnitRegisters unit;
    private final Memory memory;
    private final QueueInvalidator responses;
    private final PageResolver resolver;
    private final long queueHpa;
    private final Map<Long, Integer> worst = new HashMap<>();
    private long handled;
    private long overflows;

    /** @param queueHpa a frame for the queue: 127 requests */
    PageRequestHandler(
            UnitRegisters unit, Memory memory, QueueInvalidator responses, PageResolver resolver, long queueHpa) {
        this.unit = unit;
        this.memory = memory;
        this.responses = responses;
        this.resolver = resolver;
        this.queueHpa = queueHpa;
        unit.store64(UnitRegisters.PQH, 0);
        unit.store64(UnitRegisters.PQT, 0);
        unit.store64(UnitRegisters.PQA, queueHpa);
        unit.store32(UnitRegisters.PRS, PENDING | OVERFLOW);
    }

    /**
     * Sets where the event goes and unmasks it; its handler is to call {@link #handle}.
     *
     * @param address an MSI address in 0xFEEx_xxxx
     * @param data MSI data, 16 bits
     */
    public void configureEvent(long address, int data) {
        unit.store32(UnitRegisters.PEDATA, data);
        unit.store32(UnitRegisters.PEADDR, (int) address);
        unit.store32(UnitRegisters.PEUADDR, (int) (address >>> 32));
        unit.store32(UnitRegisters.PECTL, 0);
    }

    /**
     * Serves what is in the queue, one queue's length at most: devices may fill it as fast as it is emptied.
     *
     * @return requests served
     */
    public int handle() {
        // Before the tail is read, or a request that comes in between would raise no event.
        unit.store32(UnitRegisters.PRS, PENDING);
        int head = unit.load32(UnitRegisters.PQH) & QUEUE_BYTES - 1;
        int served = 0;
        while (head != (unit.load32(UnitRegisters.PQT) & QUEUE_BYTES - 1) && served < QUEUE_BYTES / ENTRY_BYTES) {
            serve(memory.loadLongAcquire(queueHpa + head), memory.readLong(queueHpa + head + 8));
            head = head + ENTRY_BYTES & QUEUE_BYTES - 1;
            unit.store64(UnitRegisters.PQH, head);
            served++;
        }
        if ((unit.load32(UnitRegisters.PRS) & OVERFLOW) != 0) {
            overflows++;
            unit.store32(UnitRegisters.PRS, OVERFLOW);
        }
        handled += served;
        return served;
    }

    private void serve(long low, long high) {
        if ((low & 0xFF) != PAGE_REQUEST) {
            return;
        }
        if ((high & (READ | WRITE | LAST)) == LAST) {
            return;
        }
        int rid = (int) (low >>> 16) & 0xFFFF;
        int pasid = (low & PASID_PRESENT) != 0 ? (int) (low >>> 32) & 0xF_FFFF : TranslationPort.NO_PASID;
        int group = (int) (high >>> 3) & 0x1FF;
        int code = resolver.resolve(rid, pasid, high & ~0xFFFL, (high & WRITE) != 0);
        long key = (pasid & 0xFFFF_FFFFL) << 32 | (long) rid << 9 | group;
        boolean last = (high & LAST) != 0;
        Integer before = last ? worst.remove(key) : worst.get(key);
        int both = before == null ? code : Math.max(before, code);
        if (last) {
            responses.pageGroupResponse(rid, pasid, group, both);
        } else if (both != PageResolver.SUCCESS) {
            if (worst.size() >= OPEN_GROUPS) {
                worst.clear();
            }
            worst.put(key, both);
        }
    }

    /** Requests served so far. */
    public long handled() {
        return handled;
    }

    /** How often requests had been lost for want of room. */
    public long overflows() {
        return overflows;
    }
}
