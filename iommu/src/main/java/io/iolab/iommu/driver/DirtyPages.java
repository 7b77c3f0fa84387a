package io.iolab.iommu.driver;

/** Takes pages that a device has written. */
@FunctionalInterface
public interface DirtyPages {
    /** @param length bytes: the size of the page, 4 KiB or that of a large one, of which it is not known where it was written */
    void dirty(long iova, long length);
}
