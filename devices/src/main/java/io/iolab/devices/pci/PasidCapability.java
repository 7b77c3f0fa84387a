package io.iolab.devices.pci;

/**
 * The PASID extended capability (PCI Express Base section 7.8.9): whether a function's requests may name a process address space.
 *
 * <p>Software switches it on before ATS.
 */
public final class PasidCapability {
    /** Requests may ask for execute permission. */
    public static final int EXECUTE = 1 << 1;
    /** Requests may be in privileged mode. */
    public static final int PRIVILEGED = 1 << 2;

    private static final int CAPABILITIES = 4;
    private static final int CONTROL = 6;
    private static final int ENABLE = 1;

    private final ConfigSpace config;
    private final int capability;

    /**
     * Adds the capability to {@code config} at {@code offset}; it takes 8 bytes.
     *
     * @param width bits in the largest PASID, 0 to 20
     * @param modes {@link #EXECUTE} and {@link #PRIVILEGED}, as the function has them
     * @param switched runs after each write of the control register and after a reset
     */
    public PasidCapability(ConfigSpace config, int offset, int width, int modes, Runnable switched) {
        if (width < 0 || width > 20 || (modes & ~(EXECUTE | PRIVILEGED)) != 0) {
            throw new IllegalArgumentException("PASID width " + width + ", modes " + modes);
        }
        this.config = config;
        this.capability = offset;
        config.extendedCapability(offset, ExtendedCapability.PASID, 1)
                .field(offset + CAPABILITIES, 2, width << 8 | modes, 0, 0)
                .field(offset + CONTROL, 2, 0, ENABLE | modes, 0)
                .onWrite(offset + CONTROL, 2, switched);
    }

    public boolean enabled() {
        return (config.get(capability + CONTROL, 2) & ENABLE) != 0;
    }

    /** Whether software allows all of {@code modes}. */
    public boolean allows(int modes) {
        return (config.get(capability + CONTROL, 2) & modes) == modes;
    }

    /** First PASID beyond the function's reach. */
    public int limit() {
        return 1 << (config.get(capability + CAPABILITIES, 2) >>> 8 & 0x1F);
    }
}
