package io.iolab.devices.pci;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;

/**
 * The MSI-X capability with its vector table and pending bits (PCI Local Bus 3.0 section 6.8.2). A vector is masked while
 * the function mask or its own mask bit is set; an event on a masked vector is remembered in the pending bit array and sent
 * once on unmasking.
 *
 * <p>Table and PBA take aligned 4- and 8-byte accesses; others are ignored. Writes to the PBA are dropped.
 */
public final class MsixTable {
    public static final int CAPABILITY_ID = 0x11;
    /** Vector Control bit 0. */
    private static final int MASKED = 1;

    private static final int CONTROL_ENABLE = 1 << 15;
    private static final int CONTROL_FUNCTION_MASK = 1 << 14;

    private final ConfigSpace config;
    private final DmaPort dma;
    private final int capability;
    private final int vectors;
    /** Four words an entry: address low, address high, data, control. */
    private final int[] table;

    private final long[] pending;
    private final byte[] message = new byte[4];
    private long sent;
    private long lost;
    private long coalesced;
    private Runnable onSwitch = () -> {};

    /**
     * Adds the capability to {@code config} at {@code capability}.
     *
     * @param vectors 1 to 2048
     * @param tableOffset a multiple of 8, as is {@code pbaOffset}: the register's low bits hold the BAR's number
     * @param dma the function's port behind its bus master gate
     */
    public MsixTable(
            ConfigSpace config,
            int capability,
            int vectors,
            int tableBar,
            int tableOffset,
            int pbaBar,
            int pbaOffset,
            DmaPort dma) {
        if (vectors < 1 || vectors > 2048 || !encodes(tableBar, tableOffset) || !encodes(pbaBar, pbaOffset)) {
            throw new IllegalArgumentException(vectors + " vectors, table " + tableOffset + " in BAR" + tableBar
                    + ", PBA " + pbaOffset + " in BAR" + pbaBar);
        }
        this.config = config;
        this.dma = dma;
        this.capability = capability;
        this.vectors = vectors;
        this.table = new int[vectors * 4];
        this.pending = new long[(vectors + 63) / 64];
        config.capability(capability, CAPABILITY_ID)
                .field(capability + 2, 2, vectors - 1, CONTROL_ENABLE | CONTROL_FUNCTION_MASK, 0)
                .field(capability + 4, 4, tableOffset | tableBar, 0, 0)
                .field(capability + 8, 4, pbaOffset | pbaBar, 0, 0)
                .onReset(this::clear)
                .onWrite(capability + 2, 2, this::controlWritten);
        clear();
    }

    private static boolean encodes(int bar, int offset) {
        return bar >= 0 && bar <= 5 && offset >= 0 && offset % 8 == 0;
    }

    /** Called when the enable bit may have changed, so that INTx can be re-evaluated. */
    public void onSwitch(Runnable action) {
        onSwitch = action;
    }

    private void clear() {
        java.util.Arrays.fill(table, 0);
        java.util.Arrays.fill(pending, 0);
        for (int v = 0; v < vectors; v++) {
            table[4 * v + 3] = MASKED;
        }
    }

    public int vectors() {
        return vectors;
    }

    public boolean enabled() {
        return (config.get(capability + 2, 2) & CONTROL_ENABLE) != 0;
    }

    /** Whether a message of this vector would be held back now. */
    public boolean masked(int vector) {
        return !enabled()
                || (config.get(capability + 2, 2) & CONTROL_FUNCTION_MASK) != 0
                || (table[4 * vector + 3] & MASKED) != 0;
    }

    /**
     * Signals an event on a vector: a message, or a pending bit while masked. Ignored for a vector that does not exist and
     * while MSI-X is disabled.
     *
     * @return whether a message left now
     */
    public boolean fire(int vector) {
        if (vector < 0 || vector >= vectors || !enabled()) {
            return false;
        }
        if (masked(vector)) {
            coalesced += isPending(vector) ? 1 : 0;
            pending[vector >>> 6] |= 1L << vector;
            return false;
        }
        return send(vector);
    }

    private boolean send(int vector) {
        int data = table[4 * vector + 2];
        for (int i = 0; i < 4; i++) {
            message[i] = (byte) (data >>> 8 * i);
        }
        long address = table[4 * vector] & 0xFFFF_FFFCL | (long) table[4 * vector + 1] << 32;
        if (dma.write(address, message, 0, 4, DmaKind.MESSAGE) == DmaFault.BUS_MASTER_OFF) {
            lost++;
            return false;
        }
        sent++;
        return true;
    }

    private void controlWritten() {
        for (int v = 0; v < vectors; v++) {
            sendIfUnmasked(v);
        }
        onSwitch.run();
    }

    private void sendIfUnmasked(int vector) {
        if (isPending(vector) && !masked(vector)) {
            clearPending(vector);
            send(vector);
        }
    }

    public boolean isPending(int vector) {
        return (pending[vector >>> 6] & 1L << vector) != 0;
    }

    /** The device takes an event back before it was sent. */
    public void clearPending(int vector) {
        pending[vector >>> 6] &= ~(1L << vector);
    }

    /** @param offset from the start of the table */
    public long readTable(long offset, int width) {
        if (!accepts(offset, width, table.length * 4L)) {
            return 0;
        }
        int word = (int) offset >>> 2;
        long low = table[word] & 0xFFFF_FFFFL;
        return width == 4 ? low : low | (long) table[word + 1] << 32;
    }

    public void writeTable(long offset, int width, long value) {
        if (!accepts(offset, width, table.length * 4L)) {
            return;
        }
        int word = (int) offset >>> 2;
        table[word] = (int) value;
        if (width == 8) {
            table[word + 1] = (int) (value >>> 32);
        }
        sendIfUnmasked(word >>> 2);
    }

    /** @param offset from the start of the pending bit array */
    public long readPending(long offset, int width) {
        if (!accepts(offset, width, pending.length * 8L)) {
            return 0;
        }
        long bits = pending[(int) offset >>> 3] >>> 8 * (offset & 7);
        return width == 8 ? bits : bits & 0xFFFF_FFFFL;
    }

    private static boolean accepts(long offset, int width, long size) {
        return (width == 4 || width == 8) && offset % width == 0 && offset >= 0 && offset <= size - width;
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
