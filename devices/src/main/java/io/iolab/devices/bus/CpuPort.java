package io.iolab.devices.bus;

/**
 * The loads, stores and port accesses that a driver issues on its processor, aimed at devices. In a virtual machine each may
 * exit; on bare metal and in unit tests none does. Addresses are physical as that processor sees them (GPA in a guest, HPA on
 * the host). RAM is reached through {@link io.iolab.devices.memory.Memory}, not through here.
 *
 * <p>An address that nobody claims reads all ones and swallows writes, as on PCI after a master abort.
 */
public interface CpuPort {

    long load(long pa, int width);

    void store(long pa, int width, long value);

    /** IN: {@code width} 1, 2 or 4. */
    int in(int port, int width);

    /** OUT: {@code width} 1, 2 or 4. */
    void out(int port, int width, int value);

    default int load32(long pa) {
        return (int) load(pa, 4);
    }

    default void store32(long pa, int value) {
        store(pa, 4, value & 0xFFFF_FFFFL);
    }
}
