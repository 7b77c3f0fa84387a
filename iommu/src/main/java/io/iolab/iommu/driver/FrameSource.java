package io.iolab.iommu.driver;

/** Where host software gets memory for tables and queues. */
public interface FrameSource {
    /** What {@link #allocateLargePage} returns when there is none. */
    long NONE = -1;

    /**
     * A zeroed 4 KiB frame of host memory.
     *
     * @return its host physical address, page-aligned
     */
    long allocatePage();

    /** Gives a frame back; the unit no longer knows it. */
    void freePage(long hpa);

    /**
     * A zeroed 2 MiB frame, 2 MiB-aligned, or {@link #NONE}: bounce pools then take small ones. A source that offers it overrides
     * {@link #freeLargePage} too.
     */
    default long allocateLargePage() {
        return NONE;
    }

    /** Gives a 2 MiB frame back. */
    default void freeLargePage(long hpa) {
        throw new IllegalStateException("0x" + Long.toHexString(hpa) + " was not given out as a large frame");
    }
}
