package io.iolab.devices.pci;

/** The advanced features capability (PCI AF ECN): function-level reset for functions that are not PCI Express. */
public final class AdvancedFeatures {
    public static final int CAPABILITY_ID = 0x13;

    private static final int LENGTH_FIELD = 2;
    private static final int CAPABILITIES = 3;
    private static final int CONTROL = 4;
    private static final int LENGTH = 6;
    private static final int TRANSACTIONS_PENDING = 1;
    private static final int FUNCTION_LEVEL_RESET = 1 << 1;
    private static final int INITIATE_RESET = 1;

    private AdvancedFeatures() {}

    /**
     * Adds the capability to {@code config} at {@code offset}; it takes 6 bytes. No transaction is ever pending.
     *
     * @param functionReset runs when software asks for it, and resets the whole function, configuration space too
     */
    public static void add(ConfigSpace config, int offset, Runnable functionReset) {
        config.capability(offset, CAPABILITY_ID)
                .field(offset + LENGTH_FIELD, 1, LENGTH, 0, 0)
                .field(offset + CAPABILITIES, 1, TRANSACTIONS_PENDING | FUNCTION_LEVEL_RESET, 0, 0)
                .field(offset + CONTROL, 1, 0, INITIATE_RESET, 0)
                .onWrite(offset + CONTROL, 1, () -> {
                    if ((config.get(offset + CONTROL, 1) & INITIATE_RESET) != 0) {
                        config.put(offset + CONTROL, 1, 0);
                        functionReset.run();
                    }
                });
    }
}
