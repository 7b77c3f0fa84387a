package io.iolab.iommu.driver;

/** Invalidation through CCMD and IOTLB, for units without a queue (VT-d 6.5.1). Software may have one command out at a time. */
final class RegisterInvalidator implements Invalidator {
    private static final long START = 1L << 63;
    private static final int BUSY = 1 << 31;
    private static final int CONTEXT_GRANULARITY = 61;
    private static final int IOTLB_GRANULARITY = 60;

    private final UnitRegisters registers;
    private final int addressOffset;
    private final int iotlbOffset;

    RegisterInvalidator(UnitRegisters registers) {
        this.registers = registers;
        addressOffset = registers.invalidateAddressOffset();
        iotlbOffset = addressOffset + 8;
    }

    @Override
    public void contextGlobal() {
        context(1L << CONTEXT_GRANULARITY);
    }

    @Override
    public void contextDevice(int domain, int rid) {
        context(3L << CONTEXT_GRANULARITY | (long) rid << 16 | domain);
    }

    private void context(long command) {
        registers.store64(UnitRegisters.CCMD, START | command);
        registers.await(UnitRegisters.CCMD + 4, BUSY, 0);
    }

    @Override
    public void iotlbGlobal() {
        iotlb(1L << IOTLB_GRANULARITY);
    }

    @Override
    public void iotlbDomain(int domain) {
        iotlb(2L << IOTLB_GRANULARITY | (long) domain << 32);
    }

    @Override
    public void iotlbPages(int domain, long iova, int addressMask, boolean leafOnly) {
        registers.store64(addressOffset, iova | (leafOnly ? 1 << 6 : 0) | addressMask);
        iotlb(3L << IOTLB_GRANULARITY | (long) domain << 32);
    }

    /** Actual granularity 0 would mean that the unit found the request incorrect. */
    private void iotlb(long command) {
        registers.store64(iotlbOffset, START | command);
        registers.await(iotlbOffset + 4, BUSY, 0);
        if ((registers.load64(iotlbOffset) >>> 57 & 3) == 0) {
            throw new IllegalStateException("remapping unit refused an IOTLB invalidation");
        }
    }

    @Override
    public void pasid(int domain, int pasid) {
        throw queueOnly();
    }

    @Override
    public void pasidGlobal() {
        throw queueOnly();
    }

    @Override
    public void pasidIotlb(int domain, int pasid) {
        throw queueOnly();
    }

    @Override
    public void pasidIotlbPages(int domain, int pasid, long iova, int addressMask, boolean leafOnly) {
        throw queueOnly();
    }

    @Override
    public boolean deviceTlb(int rid, long iova, int addressMask) {
        throw queueOnly();
    }

    private static IllegalStateException queueOnly() {
        return new IllegalStateException("this invalidation needs a queue");
    }

    @Override
    public void interruptEntries(int index, int mask) {
        interruptGlobal();
    }

    @Override
    public void interruptGlobal() {
        throw queueOnly();
    }

    @Override
    public boolean remembersAbsence() {
        return registers.cachingMode();
    }
}
