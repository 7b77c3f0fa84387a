package io.iolab.devices.pci;

/**
 * The page request extended capability (PCI Express Base section 10.5.2): whether a function may ask for pages that are not there.
 *
 * <p>Response failure and unexpected page request group index are write-one-to-clear; Stopped is 1 while the function has no request
 * out.
 */
public final class PageRequestInterface {
    private static final int CONTROL = 4;
    private static final int STATUS = 6;
    private static final int CAPACITY = 8;
    private static final int ALLOCATION = 0xC;

    private static final int ENABLE = 1;
    private static final int RESET = 1 << 1;
    private static final int RESPONSE_FAILURE = 1;
    private static final int UNEXPECTED_GROUP = 1 << 1;
    private static final int STOPPED = 1 << 8;
    private static final int PASID_REQUIRED = 1 << 15;

    private final ConfigSpace config;
    private final int capability;

    /**
     * Adds the capability to {@code config} at {@code offset}; it takes 16 bytes.
     *
     * @param capacity most page requests that the function can have out, at least 1
     * @param pasidRequired whether responses to requests with a PASID carry it too
     * @param reset the function forgets its requests: software wrote the reset bit while the interface was off
     */
    public PageRequestInterface(ConfigSpace config, int offset, int capacity, boolean pasidRequired, Runnable reset) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity " + capacity);
        }
        this.config = config;
        this.capability = offset;
        config.extendedCapability(offset, ExtendedCapability.PAGE_REQUEST, 1)
                .field(offset + CONTROL, 2, 0, ENABLE | RESET, 0)
                .field(
                        offset + STATUS,
                        2,
                        STOPPED | (pasidRequired ? PASID_REQUIRED : 0),
                        0,
                        RESPONSE_FAILURE | UNEXPECTED_GROUP)
                .field(offset + CAPACITY, 4, capacity, 0, 0)
                .field(offset + ALLOCATION, 4, 0, -1, 0)
                .onWrite(offset + CONTROL, 2, () -> controlWritten(reset));
    }

    /** The reset bit reads 0; with the interface on it does nothing. */
    private void controlWritten(Runnable reset) {
        int control = config.get(capability + CONTROL, 2);
        if ((control & RESET) == 0) {
            return;
        }
        config.put(capability + CONTROL, 2, control & ~RESET);
        if ((control & ENABLE) == 0) {
            int status = config.get(capability + STATUS, 2);
            config.put(capability + STATUS, 2, status & ~(RESPONSE_FAILURE | UNEXPECTED_GROUP));
            reset.run();
        }
    }

    public boolean enabled() {
        return (config.get(capability + CONTROL, 2) & ENABLE) != 0;
    }

    /** How many requests software lets the function have out, never more than its capacity. */
    public int allocation() {
        int capacity = config.get(capability + CAPACITY, 4);
        int allocated = config.get(capability + ALLOCATION, 4);
        return Integer.compareUnsigned(allocated, capacity) < 0 ? allocated : capacity;
    }

    /** A response said that the request cannot be served at all: the function asks no more until this is cleared. */
    public void responseFailed() {
        config.put(capability + STATUS, 2, config.get(capability + STATUS, 2) | RESPONSE_FAILURE);
    }

    /** A response came for a group that the function has not asked for. */
    public void unexpectedGroup() {
        config.put(capability + STATUS, 2, config.get(capability + STATUS, 2) | UNEXPECTED_GROUP);
    }

    public boolean failed() {
        return (config.get(capability + STATUS, 2) & RESPONSE_FAILURE) != 0;
    }

    /** @param stopped whether the function has no request out */
    public void stopped(boolean stopped) {
        int status = config.get(capability + STATUS, 2);
        config.put(capability + STATUS, 2, stopped ? status | STOPPED : status & ~STOPPED);
    }
}
