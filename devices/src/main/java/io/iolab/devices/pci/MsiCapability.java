package io.iolab.devices.pci;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;

/**
 * The MSI capability in its 64-bit form, with 1 to 32 vectors and mask and pending bits where the function has them (PCI Local Bus 3.0
 * section 6.8.1). A message is a 4-byte write, so it is lost while bus mastering is off.
 *
 * <p>Software grants as many vectors as it likes up to those requested; an event on one that was not granted is ignored. An event on a
 * masked vector is remembered in its pending bit and sent once on unmasking.
 */
public final class MsiCapability {
    public static final int CAPABILITY_ID = 0x05;

    private static final int MAX_VECTORS = 32;
    private static final int CONTROL = 2;
    private static final int ADDRESS = 4;
    private static final int ADDRESS_HIGH = 8;
    private static final int DATA = 12;
    private static final int MASK = 16;
    private static final int PENDING = 20;

    private static final int CONTROL_ENABLE = 1;
    private static final int CONTROL_REQUESTED_SHIFT = 1;
    private static final int CONTROL_GRANTED_SHIFT = 4;
    private static final int CONTROL_COUNT = 7;
    private static final int CONTROL_64_BIT = 1 << 7;
    private static final int CONTROL_MASKABLE = 1 << 8;

    private final ConfigSpace config;
    private final int capability;
    /** log2 of the vectors requested. */
    private final int requested;

    private final boolean maskable;
    private final DmaPort dma;
    private final byte[] message = new byte[4];
    private long sent;
    private long lost;
    private long coalesced;

    /** One vector, not maskable; see the other constructor. */
    public MsiCapability(ConfigSpace config, int capability, DmaPort dma) {
        this(config, capability, 1, false, dma);
    }

    /**
     * Adds the capability to {@code config} at {@code capability}: 24 bytes with mask bits, 14 without.
     *
     * @param vectors requested, a power of two from 1 to 32
     * @param maskable whether there are mask and pending bits
     * @param dma the function's port behind its bus master gate
     */
    public MsiCapability(ConfigSpace config, int capability, int vectors, boolean maskable, DmaPort dma) {
        if (Integer.bitCount(vectors) != 1 || vectors < 1 || vectors > MAX_VECTORS) {
            throw new IllegalArgumentException(vectors + " vectors");
        }
        this.config = config;
        this.capability = capability;
        this.requested = Integer.numberOfTrailingZeros(vectors);
        this.maskable = maskable;
        this.dma = dma;
        int fixed = CONTROL_64_BIT | requested << CONTROL_REQUESTED_SHIFT | (maskable ? CONTROL_MASKABLE : 0);
        // With one vector there is nothing to grant: the field is read-only 0.
        int granting = requested == 0 ? 0 : CONTROL_COUNT << CONTROL_GRANTED_SHIFT;
        config.capability(capability, CAPABILITY_ID)
                .field(capability + CONTROL, 2, fixed, CONTROL_ENABLE | granting, 0)
                .field(capability + ADDRESS, 4, 0, 0xFFFF_FFFC, 0)
                .field(capability + ADDRESS_HIGH, 4, 0, 0xFFFF_FFFF, 0)
                .field(capability + DATA, 2, 0, 0xFFFF, 0)
                .onWrite(capability + CONTROL, 2, this::controlWritten);
        if (maskable) {
            config.field(capability + MASK, 4, 0, bits(vectors), 0)
                    .field(capability + PENDING, 4, 0, 0, 0)
                    .onWrite(capability + MASK, 4, this::sendUnmasked);
        }
    }

    private static int bits(int vectors) {
        return (int) ((1L << vectors) - 1);
    }

    /** Runs {@code action} when the enable bit may have changed. */
    public void onSwitch(Runnable action) {
        config.onWrite(capability + CONTROL, 2, action);
    }

    private int control() {
        return config.get(capability + CONTROL, 2);
    }

    public boolean enabled() {
        return (control() & CONTROL_ENABLE) != 0;
    }

    /** Vectors that software lets the function use. */
    public int granted() {
        return 1 << (control() >>> CONTROL_GRANTED_SHIFT & CONTROL_COUNT);
    }

    /** More than was requested, and encodings that mean nothing, become what was requested. */
    private void controlWritten() {
        int granted = control() >>> CONTROL_GRANTED_SHIFT & CONTROL_COUNT;
        if (granted > requested) {
            int without = control() & ~(CONTROL_COUNT << CONTROL_GRANTED_SHIFT);
            config.put(capability + CONTROL, 2, without | requested << CONTROL_GRANTED_SHIFT);
        }
        sendUnmasked();
    }

    private void sendUnmasked() {
        if (!maskable || !enabled()) {
            return;
        }
        int due = pending() & bits(granted());
        // What waits on a vector that is no longer granted can never be sent.
        config.put(capability + PENDING, 4, due);
        due &= ~config.get(capability + MASK, 4);
        for (int left = due; left != 0; left &= left - 1) {
            int vector = Integer.numberOfTrailingZeros(left);
            config.put(capability + PENDING, 4, pending() & ~(1 << vector));
            send(vector);
        }
    }

    private int pending() {
        return maskable ? config.get(capability + PENDING, 4) : 0;
    }

    /** Signals an event on the first vector; see {@link #fire(int)}. */
    public boolean fire() {
        return fire(0);
    }

    /**
     * Signals an event: a message, or a pending bit while the vector is masked. Ignored while MSI is disabled, and on a vector that was
     * not granted.
     *
     * @return whether a message left now
     */
    public boolean fire(int vector) {
        if (!enabled() || vector < 0 || vector >= granted()) {
            return false;
        }
        int bit = 1 << vector;
        if (maskable && (config.get(capability + MASK, 4) & bit) != 0) {
            coalesced += (pending() & bit) != 0 ? 1 : 0;
            config.put(capability + PENDING, 4, pending() | bit);
            return false;
        }
        return send(vector);
    }

    /** The vector's number replaces the low bits of the data, as many as are granted (section 6.8.1.6). */
    private boolean send(int vector) {
        long address = config.get(capability + ADDRESS, 4) & 0xFFFF_FFFFL
                | (long) config.get(capability + ADDRESS_HIGH, 4) << 32;
        // The upper half of the data is always 0 (section 6.8.1.5).
        int data = config.get(capability + DATA, 2) & -granted() | vector;
        LittleEndian.putInt(message, 0, data);
        if (dma.write(address, message, 0, 4, DmaKind.MESSAGE) == DmaFault.BUS_MASTER_OFF) {
            lost++;
            return false;
        }
        sent++;
        return true;
    }

    /** Messages that left the function, whether or not they arrived. */
    public long sent() {
        return sent;
    }

    /** Messages that never left, because bus mastering was off. */
    public long lost() {
        return lost;
    }

    /** Events on a vector that was pending already. */
    public long coalesced() {
        return coalesced;
    }
}
