package io.iolab.devices.pci;

import org.jspecify.annotations.Nullable;

/**
 * The PCI Express capability (PCI Express Base section 7.5.3), version 2: what kind of port or function this is, and function-level
 * reset (section 6.6.2).
 */
public final class PciExpress {
    public static final int CAPABILITY_ID = 0x10;
    /** Bytes of the capability. */
    public static final int LENGTH = 0x3C;

    private static final int FLAGS = 0x02;
    private static final int DEVICE_CAPABILITIES = 0x04;
    private static final int DEVICE_CONTROL = 0x08;
    private static final int DEVICE_STATUS = 0x0A;
    private static final int LINK_CAPABILITIES = 0x0C;
    private static final int LINK_STATUS = 0x12;
    private static final int DEVICE_CAPABILITIES_2 = 0x24;
    private static final int DEVICE_CONTROL_2 = 0x28;

    private static final int ROLE_BASED_ERRORS = 1 << 15;
    private static final int FUNCTION_LEVEL_RESET = 1 << 28;
    private static final int CONTROL_WRITABLE = 0x7FFF;
    private static final int CONTROL_RESET = 0x2810;
    private static final int INITIATE_RESET = 1 << 15;
    private static final int STATUS_WRITE_ONE_TO_CLEAR = 0xF;
    private static final int TRANSACTIONS_PENDING = 1 << 5;
    private static final int ARI_FORWARDING = 1 << 5;
    /** One lane at 2.5 GT/s. */
    private static final int LINK = 0x11;

    /** Device and port types, with their code in the flags register. */
    public enum Type {
        ENDPOINT(0),
        LEGACY_ENDPOINT(1),
        ROOT_PORT(4),
        UPSTREAM_PORT(5),
        DOWNSTREAM_PORT(6),
        PCIE_TO_PCI_BRIDGE(7),
        PCI_TO_PCIE_BRIDGE(8),
        INTEGRATED_ENDPOINT(9),
        EVENT_COLLECTOR(10);

        private final int code;

        Type(int code) {
            this.code = code;
        }

        /** Bits 7:4 of the flags register. */
        public int code() {
            return code;
        }

        /** Whether the function leads to another bus. */
        public boolean isBridge() {
            return code >= 4 && code <= 8;
        }
    }

    private final ConfigSpace config;
    private final int capability;

    /**
     * Adds the capability to {@code config} at {@code offset}. A root or downstream port offers ARI forwarding.
     *
     * @param functionReset runs when software asks for a function-level reset; null for a function without. It resets the whole function,
     *     configuration space too
     */
    public PciExpress(ConfigSpace config, int offset, Type type, @Nullable Runnable functionReset) {
        this.config = config;
        this.capability = offset;
        boolean forwardsAri = type == Type.ROOT_PORT || type == Type.DOWNSTREAM_PORT;
        config.capability(offset, CAPABILITY_ID)
                .field(offset + FLAGS, 2, 2 | type.code() << 4, 0, 0)
                .field(
                        offset + DEVICE_CAPABILITIES,
                        4,
                        ROLE_BASED_ERRORS | (functionReset == null ? 0 : FUNCTION_LEVEL_RESET),
                        0,
                        0)
                .field(
                        offset + DEVICE_CONTROL,
                        2,
                        CONTROL_RESET,
                        CONTROL_WRITABLE | (functionReset == null ? 0 : INITIATE_RESET),
                        0)
                .field(offset + DEVICE_STATUS, 2, 0, 0, STATUS_WRITE_ONE_TO_CLEAR)
                .field(offset + DEVICE_CAPABILITIES_2, 4, forwardsAri ? ARI_FORWARDING : 0, 0, 0)
                .field(offset + DEVICE_CONTROL_2, 2, 0, forwardsAri ? ARI_FORWARDING : 0, 0);
        if (type != Type.INTEGRATED_ENDPOINT && type != Type.EVENT_COLLECTOR) {
            config.field(offset + LINK_CAPABILITIES, 4, LINK, 0, 0).field(offset + LINK_STATUS, 2, LINK, 0, 0);
        }
        if (functionReset != null) {
            config.onWrite(offset + DEVICE_CONTROL, 2, () -> controlWritten(functionReset));
        }
    }

    /** The bit reads 0. It is cleared first, since the reset runs the write hooks again. */
    private void controlWritten(Runnable functionReset) {
        int control = config.get(capability + DEVICE_CONTROL, 2);
        if ((control & INITIATE_RESET) != 0) {
            config.put(capability + DEVICE_CONTROL, 2, control & ~INITIATE_RESET);
            functionReset.run();
        }
    }

    /** The function has requests out, or none any more (Transactions Pending). */
    public void transactionsPending(boolean pending) {
        int status = config.get(capability + DEVICE_STATUS, 2);
        config.put(
                capability + DEVICE_STATUS,
                2,
                pending ? status | TRANSACTIONS_PENDING : status & ~TRANSACTIONS_PENDING);
    }

    /** Whether a port passes configuration accesses for all 256 functions behind it. */
    public boolean forwardsAri() {
        return (config.get(capability + DEVICE_CONTROL_2, 2) & ARI_FORWARDING) != 0;
    }
}
