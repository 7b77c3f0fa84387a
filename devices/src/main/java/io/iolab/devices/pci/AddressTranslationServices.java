package io.iolab.devices.pci;

/**
 * The ATS extended capability (PCI Express Base section 10.5.1): whether a function may keep translations of its own.
 *
 * <p>A function drops what it keeps when ATS is switched off, and on a reset.
 */
public final class AddressTranslationServices {
    private static final int CAPABILITIES = 4;
    private static final int CONTROL = 6;
    private static final int PAGE_ALIGNED = 1 << 5;
    private static final int GLOBAL_INVALIDATE = 1 << 6;
    private static final int ENABLE = 1 << 15;
    private static final int SMALLEST_UNIT = 0x1F;

    private final ConfigSpace config;
    private final int capability;

    /**
     * Adds the capability to {@code config} at {@code offset}; it takes 8 bytes.
     *
     * @param queueDepth invalidate requests that the function takes before it must answer one, 1 to 32
     * @param globalInvalidate whether an invalidation may name all PASIDs
     * @param switched runs after each write of the control register and after a reset
     */
    public AddressTranslationServices(
            ConfigSpace config, int offset, int queueDepth, boolean globalInvalidate, Runnable switched) {
        if (queueDepth < 1 || queueDepth > 32) {
            throw new IllegalArgumentException("invalidate queue depth " + queueDepth);
        }
        this.config = config;
        this.capability = offset;
        config.extendedCapability(offset, ExtendedCapability.ADDRESS_TRANSLATION, 1)
                .field(
                        offset + CAPABILITIES,
                        2,
                        queueDepth & 0x1F | PAGE_ALIGNED | (globalInvalidate ? GLOBAL_INVALIDATE : 0),
                        0,
                        0)
                .field(offset + CONTROL, 2, 0, ENABLE | SMALLEST_UNIT, 0)
                .onWrite(offset + CONTROL, 2, switched);
    }

    public boolean enabled() {
        return (config.get(capability + CONTROL, 2) & ENABLE) != 0;
    }

    /** The least that a translation may cover, as a shift: 12 for 4 KiB. */
    public int smallestUnitShift() {
        return 12 + (config.get(capability + CONTROL, 2) & SMALLEST_UNIT);
    }
}
