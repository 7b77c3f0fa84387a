package io.iolab.vmm.viommu;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.driver.FrameSource;

/**
 * A guest's driver of its unit in scalable mode with first-level tables. As Linux does for such domains it invalidates nothing after a
 * mapping: absent first-level entries are not cached, caching mode or not.
 */
public final class FirstLevelGuest {
    private static final int DOMAIN = 1;
    /** P, R/W, U/S. */
    private static final long USER_PAGE = 7;

    private static final long FIRST_LEVEL = 1 << 6 | 1;

    private final ScalableUnit unit;
    private final FourLevelTable table;
    private final int pasid;

    /** @param cpu every access of it is the guest's, and exits */
    public FirstLevelGuest(CpuPort cpu, long base, Memory guest, FrameSource frames) {
        this(new ScalableUnit(cpu, base, guest, frames), new FourLevelTable(guest, frames, USER_PAGE), 0);
    }

    private FirstLevelGuest(ScalableUnit unit, FourLevelTable table, int pasid) {
        this.unit = unit;
        this.table = table;
        this.pasid = pasid;
    }

    /**
     * The same unit with another table, for requests with this PASID.
     *
     * @param other 1 to 8191
     */
    public FirstLevelGuest forPasid(int other, Memory guest, FrameSource frames) {
        return new FirstLevelGuest(unit, new FourLevelTable(guest, frames, USER_PAGE), other);
    }

    /** Turns translation on. */
    public void enable() {
        unit.enable();
    }

    /** Gives a function the table. */
    public void attach(int rid) {
        unit.set(rid, pasid, DOMAIN, FIRST_LEVEL, 0, table.root());
    }

    /** Takes the table from a function. */
    public void detach(int rid) {
        unit.set(rid, pasid, DOMAIN, 0, 0, 0);
    }

    /** All numbers are multiples of 4096. */
    public void map(long iova, long gpa, long length) {
        for (long at = 0; at < length; at += AddressRange.PAGE_SIZE) {
            table.map(iova + at, gpa + at, 1);
        }
    }

    /** Returns when the function reaches the range no more. */
    public void unmap(long iova, long length) {
        for (long at = 0; at < length; at += AddressRange.PAGE_SIZE) {
            table.clear(iova + at, 1);
        }
        int mask = 64 - Long.numberOfLeadingZeros(iova >>> 12 ^ iova + length - 1 >>> 12);
        unit.invalidatePages(DOMAIN, pasid, iova >>> 12 + mask << 12 + mask, mask, true);
    }
}
