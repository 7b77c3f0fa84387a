package io.iolab.iommu.driver;

/** Pass-through: a buffer's address is the device's, mapped or not. */
final class DirectMapper implements DmaMapper {
    private final long limit;
    private final DmaCounters counters = new DmaCounters();
    private int mapped;

    /** @param limit first address that devices cannot use */
    DirectMapper(long limit) {
        this.limit = limit;
    }

    @Override
    public DmaPolicy policy() {
        return DmaPolicy.PASS_THROUGH;
    }

    @Override
    public long map(long bufferHpa, long length, DmaDirection direction) {
        PageMapper.checkRange(bufferHpa, length);
        if (length > limit || bufferHpa > limit - length) {
            counters.refused++;
            return FAILED;
        }
        counters.maps++;
        mapped++;
        return bufferHpa;
    }

    @Override
    public void unmap(long iova, long written) {
        if (mapped == 0) {
            throw new IllegalStateException("nothing is mapped at 0x" + Long.toHexString(iova));
        }
        counters.unmaps++;
        mapped--;
    }

    @Override
    public int mapped() {
        return mapped;
    }

    @Override
    public DmaCounters counters() {
        return counters;
    }

    @Override
    public void close() {
        if (mapped != 0) {
            throw new IllegalStateException(mapped + " buffers are mapped");
        }
    }
}
