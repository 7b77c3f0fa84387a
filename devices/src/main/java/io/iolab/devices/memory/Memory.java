package io.iolab.devices.memory;

/**
 * Little-endian byte-addressed memory. Addresses are physical in the space that this memory spans: host physical for
 * {@link PhysicalMemory}, guest physical for a guest's memory map; callers name them so ({@code hpa}, {@code gpa}).
 *
 * <p>Plain accesses need no alignment and promise no order and no atomicity. The acquire, release and compare-and-set
 * forms need natural alignment and are single-copy atomic.
 *
 * <p>An access outside of the memory throws {@link IndexOutOfBoundsException}: it is a bug of the caller, who must have
 * checked a guest's address with {@link #contains} first.
 */
public interface Memory {

    /** Whether all of {@code [pa, pa + length)} can be accessed. Never throws, whatever the arguments. */
    boolean contains(long pa, long length);

    byte readByte(long pa);

    short readShort(long pa);

    int readInt(long pa);

    long readLong(long pa);

    void writeByte(long pa, byte value);

    void writeShort(long pa, short value);

    void writeInt(long pa, int value);

    void writeLong(long pa, long value);

    /** Loads a ring index: later accesses in program order are not performed before it. */
    short loadShortAcquire(long pa);

    int loadIntAcquire(long pa);

    long loadLongAcquire(long pa);

    /** Publishes a ring index: earlier accesses in program order are performed before it. */
    void storeShortRelease(long pa, short value);

    void storeIntRelease(long pa, int value);

    void storeLongRelease(long pa, long value);

    boolean compareAndSetInt(long pa, int expected, int value);

    boolean compareAndSetLong(long pa, long expected, long value);

    /** Copies {@code length} bytes out of memory. */
    void read(long pa, byte[] target, int offset, int length);

    /** Copies {@code length} bytes into memory. */
    void write(long pa, byte[] source, int offset, int length);

    void fill(long pa, long length, byte value);

    /**
     * A store-load barrier: the one order that acquire and release do not give, needed where a ring index is published
     * and the other side's suppression field is read right after (virtio 1.2 section 2.7.13.4.1). A method of the memory, so
     * that one that models a processor's order of accesses sees it.
     */
    default void storeLoadFence() {
        java.lang.invoke.VarHandle.fullFence();
    }
}
