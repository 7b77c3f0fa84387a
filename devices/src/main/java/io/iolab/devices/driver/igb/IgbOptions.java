package io.iolab.devices.driver.igb;

/**
 * What the drivers are told.
 *
 * @param txRing descriptors, 8 to 4096, a multiple of 8
 * @param rxRing the same
 * @param itr EITR of the data vectors, quarter microseconds, 0 for none
 * @param virtualFunctions how many the physical function serves: 0 to 7, as Linux keeps one pool for itself
 * @param txInterrupts whether a virtual function interrupts for each transmission, as igbvf has it, or only while the ring is full
 */
public record IgbOptions(int txRing, int rxRing, int itr, int virtualFunctions, boolean txInterrupts) {
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
        return new IgbOptions(256, 256, 488, 0, true);
    }

    /** As igbvf opens: rings of 1024. */
    public static IgbOptions virtual() {
        return new IgbOptions(1024, 1024, 488, 0, true);
    }

    /** Without interrupt moderation. */
    public IgbOptions unmoderated() {
        return moderated(0);
    }

    /** @param quarterMicroseconds least time between two interrupts of a data vector, 0 to 7FFCh; the part takes whole microseconds */
    public IgbOptions moderated(int quarterMicroseconds) {
        return new IgbOptions(txRing, rxRing, quarterMicroseconds, virtualFunctions, txInterrupts);
    }

    public IgbOptions withRings(int tx, int rx) {
        return new IgbOptions(tx, rx, itr, virtualFunctions, txInterrupts);
    }

    public IgbOptions withVirtualFunctions(int count) {
        return new IgbOptions(txRing, rxRing, itr, count, txInterrupts);
    }

    /** A virtual function's transmissions interrupt, each, or not before the ring is full. */
    public IgbOptions withTxInterrupts(boolean each) {
        return new IgbOptions(txRing, rxRing, itr, virtualFunctions, each);
    }
}
