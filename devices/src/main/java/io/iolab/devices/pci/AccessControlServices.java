package io.iolab.devices.pci;

/**
 * The ACS extended capability (PCI Express Base section 7.7.8, behaviour in section 6.12): what a port, or a function of a
 * multi-function device, may be told to do with requests that could reach a peer without passing the root complex.
 *
 * <p>All controls are 0 after reset: software turns them on.
 */
public final class AccessControlServices {
    /** SV: a request whose requester id's bus is not below the port is an ACS violation. */
    public static final int SOURCE_VALIDATION = 1;
    /** TB: a request whose address type is not "untranslated" is an ACS violation. */
    public static final int TRANSLATION_BLOCKING = 1 << 1;
    /** RR: a request to a peer goes to the root complex instead. */
    public static final int REQUEST_REDIRECT = 1 << 2;
    /** CR: a completion for a peer goes to the root complex instead. */
    public static final int COMPLETION_REDIRECT = 1 << 3;
    /** UF: a request from below that targets the same port's own subtree goes up. */
    public static final int UPSTREAM_FORWARDING = 1 << 4;
    /** EC: a bit map of ports that may not be reached. */
    public static final int EGRESS_CONTROL = 1 << 5;
    /** DT: a request with a translated address may go to its peer in spite of RR. */
    public static final int DIRECT_TRANSLATED = 1 << 6;

    /** What Linux asks of a port before it takes what is behind for isolated: SV, RR, CR and UF. */
    public static final int ISOLATION =
            SOURCE_VALIDATION | REQUEST_REDIRECT | COMPLETION_REDIRECT | UPSTREAM_FORWARDING;

    /** All seven. */
    public static final int ALL = 0x7F;

    private static final int CAPABILITIES = 4;
    private static final int CONTROL = 6;
    private static final int EGRESS_VECTOR = 8;

    private final ConfigSpace config;
    private final int capability;
    private final int egressBits;

    /**
     * Adds the capability to {@code config} at {@code offset}; it takes 8 bytes, and with egress control 4 more for each 32 ports.
     *
     * @param capabilities which of the services above the function has
     * @param egressBits size of the egress control vector: 0 without {@link #EGRESS_CONTROL}, else 1 to 255
     */
    public AccessControlServices(ConfigSpace config, int offset, int capabilities, int egressBits) {
        boolean egress = (capabilities & EGRESS_CONTROL) != 0;
        if ((capabilities & ~ALL) != 0 || egressBits < 0 || egressBits > 255 || egress != egressBits > 0) {
            throw new IllegalArgumentException(
                    "ACS capabilities " + capabilities + " with an egress vector of " + egressBits + " bits");
        }
        this.config = config;
        this.capability = offset;
        this.egressBits = egressBits;
        config.extendedCapability(offset, ExtendedCapability.ACCESS_CONTROL, 1)
                .field(offset + CAPABILITIES, 2, capabilities | egressBits << 8, 0, 0)
                .field(offset + CONTROL, 2, 0, capabilities, 0);
        for (int first = 0; first < egressBits; first += 32) {
            int bits = Math.min(32, egressBits - first);
            config.field(offset + EGRESS_VECTOR + first / 8, 4, 0, (int) ((1L << bits) - 1), 0);
        }
    }

    /** Which services the function has. */
    public int capabilities() {
        return config.get(capability + CAPABILITIES, 2) & ALL;
    }

    /** Whether all of {@code services} are switched on. */
    public boolean enabled(int services) {
        return (config.get(capability + CONTROL, 2) & services) == services;
    }

    /** Whether the egress control vector names a port; false beyond the vector. */
    public boolean egressBlocked(int port) {
        return port >= 0
                && port < egressBits
                && (config.get(capability + EGRESS_VECTOR + port / 8, 1) >>> port % 8 & 1) != 0;
    }
}
