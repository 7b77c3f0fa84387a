package io.iolab.devices.driver.igb;

/**
 * What the drivers are told.
 *
 * @param txRing descriptors, 8 to 4096, a multiple of 8
 * @param rxRing the same
 * @param itr EITR of the data vectors, quarter microseconds, 0 for none
 * @param virtualFunctions how many the physical function serves: 0 to 7, as Linux keeps one pool for itself
 */
public record IgbOptions(int txRing, int rxRing, int itr, int virtualFunctions) {
    /** Pools that virtual functions may have. */
    public static final int MOST_VIRTUAL_FUNCTIONS = 7;

    public IgbOptions {
        if (!isRing(txRing) || !isRing(rxRing) || itr < 0 || itr > 0x7FFC) {
            throw new IllegalArgumentException("rings of " + txRing + " and " + rxRing + ", EITR " + itr);
        }
        if (virtualFunctions < 0 || virtualFunctions > MOST_VIRTUAL_FUNCTIONS) {
            throw new IllegalArgumentException(virtualFunctions + " virtual functions");
        }
    }

    private static boolean isRing(int size) {
        return size >= 8 && size <= 4096 && size % 8 == 0;
    }

    /** As igb opens: rings of 256, some 8000 interrupts a second, no virtual functions. */
    public static IgbOptions physical() {
        return new IgbOptions(256, 256, 488, 0);
    }

    /** As igbvf opens: rings of 1024. */
    public static IgbOptions virtual() {
        return new IgbOptions(1024, 1024, 488, 0);
    }

    /** Without interrupt moderation. */
    public IgbOptions unmoderated() {
        return new IgbOptions(txRing, rxRing, 0, virtualFunctions);
    }

    public IgbOptions withRings(int tx, int rx) {
        return new IgbOptions(tx, rx, itr, virtualFunctions);
    }

    public IgbOptions withVirtualFunctions(int count) {
        return new IgbOptions(txRing, rxRing, itr, count);
    }
}
