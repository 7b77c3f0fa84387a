package io.iolab.iommu.driver;

/** Where host software gets memory for tables and queues. */
public interface FrameSource {
    /**
     * A zeroed 4 KiB frame of host memory.
     *
     * @return its host physical address, page-aligned
     */
    long allocatePage();

    /** Gives a frame back; the unit no longer knows it. */
    void freePage(long hpa);
}
