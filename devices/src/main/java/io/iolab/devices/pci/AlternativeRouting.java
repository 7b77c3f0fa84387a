package io.iolab.devices.pci;

/**
 * The ARI extended capability (PCI Express Base section 7.8.7) of a function whose device number is part of its function number: up to
 * 256 functions behind a port that forwards such requests.
 */
public final class AlternativeRouting {
    private AlternativeRouting() {}

    /**
     * Adds the capability to {@code config} at {@code offset}; it takes 8 bytes.
     *
     * @param nextFunction the next function's number, 0 to 255; 0 ends the list
     */
    public static void add(ConfigSpace config, int offset, int nextFunction) {
        if (nextFunction < 0 || nextFunction > 255) {
            throw new IllegalArgumentException("next function " + nextFunction);
        }
        config.extendedCapability(offset, ExtendedCapability.ALTERNATIVE_ROUTING, 1)
                .field(offset + 4, 2, nextFunction << 8, 0, 0)
                .field(offset + 6, 2, 0, 0, 0);
    }
}
