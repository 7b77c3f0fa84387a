package io.iolab.devices.memory;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.bytes.MappedBytes;
import net.openhft.chronicle.core.OS;

/**
 * The one physical memory of the host, addresses 0 to {@link #size}: native memory, or a mapped file that another process can
 * look into. Chronicle checks no bounds and a stray access would end the process, so every access is checked here,
 * overflow-safe, before it reaches Chronicle.
 *
 * <p>Threading: any thread may access it at any time. {@link #close} must come after the last access.
 */
public final class PhysicalMemory implements Memory, AutoCloseable {
    /** Up to so many bytes, such as a descriptor, a copy in words is cheaper than the call of a general one. */
    private static final int FEW = 32;

    private final net.openhft.chronicle.core.Memory raw = OS.memory();
    private final long arrayBase = raw.arrayBaseOffset(byte[].class);
    private final Runnable release;
    private final long base;
    private final long size;
    /** Not volatile: an access would otherwise keep nothing that it knows from the one before it. */
    private boolean open = true;

    private PhysicalMemory(long base, long size, Runnable release) {
        this.base = base;
        this.size = size;
        this.release = release;
    }

    /**
     * Allocates zeroed native memory.
     *
     * @param size bytes, a multiple of 4096
     */
    public static PhysicalMemory allocate(long size) {
        checkSize(size);
        BytesStore<?, Void> store = BytesStore.nativeStore(size);
        return new PhysicalMemory(store.addressForRead(0), size, store::releaseLast);
    }

    /**
     * Maps a file, which is created or grown to {@code size}. Fresh parts read as zero.
     *
     * @throws IOException if the file cannot be created, grown or mapped
     */
    public static PhysicalMemory map(Path file, long size) throws IOException {
        checkSize(size);
        try {
            MappedBytes bytes = MappedBytes.singleMappedBytes(file.toFile(), size);
            return new PhysicalMemory(bytes.addressForRead(0), size, bytes::releaseLast);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (IllegalStateException e) {
            throw new IOException("cannot map " + new File(file.toString()), e);
        }
    }

    private static void checkSize(long size) {
        if (size <= 0 || size % AddressRange.PAGE_SIZE != 0) {
            throw new IllegalArgumentException("memory size " + size + " is not a positive multiple of 4096");
        }
    }

    /** In bytes. */
    public long size() {
        return size;
    }

    /** Releases the memory. A later access throws {@link IllegalStateException} on a best-effort basis. */
    @Override
    public void close() {
        if (open) {
            open = false;
            release.run();
        }
    }

    @Override
    public boolean contains(long hpa, long length) {
        return length >= 0 && hpa >= 0 && hpa <= size - length;
    }

    /**
     * Translates to a native address. {@code size - length} cannot overflow: size is positive, length 0 to 2^31 here. Short, so
     * that it is compiled into every access.
     */
    private long at(long hpa, long length) {
        if (hpa < 0 || length < 0 || hpa > size - length || !open) {
            throw refused(hpa, length);
        }
        return base + hpa;
    }

    private RuntimeException refused(long hpa, long length) {
        return contains(hpa, length) ? new IllegalStateException("host memory is closed") : outside(hpa, length);
    }

    private long aligned(long hpa, int length) {
        if ((hpa & (length - 1)) != 0) {
            throw unaligned(hpa);
        }
        return at(hpa, length);
    }

    private static IllegalArgumentException unaligned(long hpa) {
        return new IllegalArgumentException("unaligned ordered access at 0x" + Long.toHexString(hpa));
    }

    private IndexOutOfBoundsException outside(long hpa, long length) {
        return new IndexOutOfBoundsException("hpa 0x" + Long.toHexString(hpa) + ", " + length + " bytes: outside of 0x"
                + Long.toHexString(size) + " bytes of host memory");
    }

    @Override
    public byte readByte(long hpa) {
        return raw.readByte(at(hpa, 1));
    }

    @Override
    public short readShort(long hpa) {
        return raw.readShort(at(hpa, 2));
    }

    @Override
    public int readInt(long hpa) {
        return raw.readInt(at(hpa, 4));
    }

    @Override
    public long readLong(long hpa) {
        return raw.readLong(at(hpa, 8));
    }

    @Override
    public void writeByte(long hpa, byte value) {
        raw.writeByte(at(hpa, 1), value);
    }

    @Override
    public void writeShort(long hpa, short value) {
        raw.writeShort(at(hpa, 2), value);
    }

    @Override
    public void writeInt(long hpa, int value) {
        raw.writeInt(at(hpa, 4), value);
    }

    @Override
    public void writeLong(long hpa, long value) {
        raw.writeLong(at(hpa, 8), value);
    }

    @Override
    public short loadShortAcquire(long hpa) {
        short value = raw.readShort(aligned(hpa, 2));
        java.lang.invoke.VarHandle.acquireFence();
        return value;
    }

    @Override
    public int loadIntAcquire(long hpa) {
        return raw.readVolatileInt(aligned(hpa, 4));
    }

    @Override
    public long loadLongAcquire(long hpa) {
        return raw.readVolatileLong(aligned(hpa, 8));
    }

    /** Chronicle has no ordered 16-bit store; its volatile one is a full fence and ten times dearer than this. */
    @Override
    public void storeShortRelease(long hpa, short value) {
        long address = aligned(hpa, 2);
        java.lang.invoke.VarHandle.releaseFence();
        raw.writeShort(address, value);
    }

    @Override
    public void storeIntRelease(long hpa, int value) {
        raw.writeOrderedInt(aligned(hpa, 4), value);
    }

    @Override
    public void storeLongRelease(long hpa, long value) {
        raw.writeOrderedLong(aligned(hpa, 8), value);
    }

    @Override
    public boolean compareAndSetInt(long hpa, int expected, int value) {
        return raw.compareAndSwapInt(aligned(hpa, 4), expected, value);
    }

    @Override
    public boolean compareAndSetLong(long hpa, long expected, long value) {
        return raw.compareAndSwapLong(aligned(hpa, 8), expected, value);
    }

    /** Chronicle counts the offset from the array object's header here, from its first element in the other direction. */
    @Override
    public void read(long hpa, byte[] target, int offset, int length) {
        java.util.Objects.checkFromIndexSize(offset, length, target.length);
        long from = at(hpa, length);
        if (length <= FEW && (length & 7) == 0) {
            for (int i = 0; i < length; i += 8) {
                raw.writeLong(target, arrayBase + offset + i, raw.readLong(from + i));
            }
        } else {
            raw.copyMemory(from, target, arrayBase + offset, length);
        }
    }

    @Override
    public void write(long hpa, byte[] source, int offset, int length) {
        java.util.Objects.checkFromIndexSize(offset, length, source.length);
        long to = at(hpa, length);
        if (length <= FEW && (length & 7) == 0) {
            for (int i = 0; i < length; i += 8) {
                raw.writeLong(to + i, raw.readLong(source, arrayBase + offset + i));
            }
        } else {
            raw.copyMemory(source, offset, to, length);
        }
    }

    @Override
    public void fill(long hpa, long length, byte value) {
        raw.setMemory(at(hpa, length), length, value);
    }
}
