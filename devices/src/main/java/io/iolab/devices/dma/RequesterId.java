package io.iolab.devices.dma;

/**
 * A PCI requester id (BDF): bus 15:8, device 7:3, function 2:0. Kept as an {@code int} named {@code rid}, since it is looked
 * up per DMA request.
 */
public final class RequesterId {
    private RequesterId() {}

    public static int of(int bus, int device, int function) {
        return (bus & 0xFF) << 8 | (device & 0x1F) << 3 | function & 7;
    }

    public static int bus(int rid) {
        return rid >>> 8 & 0xFF;
    }

    /** Device and function together: the index into a VT-d context table. */
    public static int devfn(int rid) {
        return rid & 0xFF;
    }

    public static int device(int rid) {
        return rid >>> 3 & 0x1F;
    }

    public static int function(int rid) {
        return rid & 7;
    }

    /** The form that lspci and Linux print, without domain: {@code 00:04.0}. */
    public static String format(int rid) {
        return String.format("%02x:%02x.%d", bus(rid), device(rid), function(rid));
    }
}
