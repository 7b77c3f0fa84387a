package io.iolab.vmm.assign;

/**
 * GET_IRQ_INFO, and the flags of SET_IRQS.
 *
 * @param maskable the user can mask it
 * @param automasked the host masks it when it fires, and the user unmasks it when it has served it
 * @param noResize to change the number of vectors all are switched off first
 * @param count vectors; 0 if the device has no such interrupt
 */
public record IrqInfo(boolean eventfd, boolean maskable, boolean automasked, boolean noResize, int count) {
    public static final int DATA_NONE = 1;
    public static final int DATA_BOOL = 1 << 1;
    public static final int DATA_EVENTFD = 1 << 2;
    public static final int ACTION_MASK = 1 << 3;
    public static final int ACTION_UNMASK = 1 << 4;
    public static final int ACTION_TRIGGER = 1 << 5;
}
