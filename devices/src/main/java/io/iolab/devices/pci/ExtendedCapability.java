package io.iolab.devices.pci;

/**
 * Extended capability identifiers (PCI Express Base section 7.6), and the walk of their list as the function itself sees it.
 *
 * <p>Capabilities are added with {@link ConfigSpace#extendedCapability} or by the classes beside this one.
 */
public final class ExtendedCapability {
    /** Where the list starts; 0 there is an empty list. */
    public static final int FIRST = 0x100;

    public static final int ADVANCED_ERROR_REPORTING = 0x01;
    public static final int SERIAL_NUMBER = 0x03;
    public static final int VENDOR_SPECIFIC = 0x0B;
    public static final int ACCESS_CONTROL = 0x0D;
    public static final int ALTERNATIVE_ROUTING = 0x0E;
    public static final int ADDRESS_TRANSLATION = 0x0F;
    public static final int SINGLE_ROOT_IO_VIRTUALIZATION = 0x10;
    public static final int PAGE_REQUEST = 0x13;
    public static final int PASID = 0x1B;

    /** No more headers than this fit. */
    private static final int MAX_CAPABILITIES = (ConfigSpace.SIZE - FIRST) / 4;

    private ExtendedCapability() {}

    /**
     * Where a capability's header is.
     *
     * @return its offset, or 0 if the function has none
     */
    public static int find(ConfigSpace config, int id) {
        int at = FIRST;
        for (int i = 0; i < MAX_CAPABILITIES && at >= FIRST; i++) {
            int header = config.get(at, 4);
            if (header != 0 && (header & 0xFFFF) == id) {
                return at;
            }
            at = header >>> 20 & 0xFFC;
        }
        return 0;
    }
}
