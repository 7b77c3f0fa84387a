package io.iolab.devices.pci;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;

/**
 * The MSI capability in its 64-bit form with one vector and no mask (PCI Local Bus 3.0 section 6.8.1). A message is a 4-byte
 * write, so it is lost while bus mastering is off.
 */
public final class MsiCapability {
    public static final int CAPABILITY_ID = 0x05;

    private static final int CONTROL_ENABLE = 1;
    private static final int CONTROL_64_BIT = 1 << 7;

    private final ConfigSpace config;
    private final int capability;
    private final DmaPort dma;
    private final byte[] message = new byte[4];
    private long sent;

    /**
     * Adds the capability to {@code config} at {@code capability}.
     *
     * @param dma the function's port behind its bus master gate
     */
    public MsiCapability(ConfigSpace config, int capability, DmaPort dma) {
        this.config = config;
        this.capability = capability;
        this.dma = dma;
        // Multiple Message Enable stays read-only 0: one vector is all there is.
        config.capability(capability, CAPABILITY_ID)
                .field(capability + 2, 2, CONTROL_64_BIT, CONTROL_ENABLE, 0)
                .field(capability + 4, 4, 0, 0xFFFF_FFFC, 0)
                .field(capability + 8, 4, 0, 0xFFFF_FFFF, 0)
                .field(capability + 12, 2, 0, 0xFFFF, 0);
    }

    /** Runs {@code action} when the enable bit may have changed. */
    public void onSwitch(Runnable action) {
        config.onWrite(capability + 2, 2, action);
    }

    public boolean enabled() {
        return (config.get(capability + 2, 2) & CONTROL_ENABLE) != 0;
    }

    /**
     * Sends the message.
     *
     * @return false when MSI is disabled: nothing was sent
     */
    public boolean fire() {
        if (!enabled()) {
            return false;
        }
        long address = config.get(capability + 4, 4) & 0xFFFF_FFFFL | (long) config.get(capability + 8, 4) << 32;
        // The upper half of the data is always 0 (section 6.8.1.5).
        LittleEndian.putInt(message, 0, config.get(capability + 12, 2));
        dma.write(address, message, 0, 4, DmaKind.MESSAGE);
        sent++;
        return true;
    }

    /** Messages written, whether or not they arrived. */
    public long sent() {
        return sent;
    }
}
