package io.iolab.vmm.memory;

import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.memory.PhysicalMemory;
import java.util.Arrays;
import java.util.Objects;

/**
 * A guest's RAM: guest physical addresses 0 to {@link #size}, backed by 2 MiB frames of the host that need not be
 * neighbours. An access inside one frame is an array look-up and the host's access; one that crosses into the next frame is
 * split.
 *
 * <p>Threading: as {@link PhysicalMemory}: any thread at any time. {@link #close} must come after the last access.
 */
public final class GuestMemory implements Memory, AutoCloseable {
    /** Where the q35 machine's PCI hole begins: RAM starts at 0 and ends below it. */
    public static final long MAX_SIZE = 0xB000_0000L;

    /** Takes one stretch of guest physical memory that is contiguous in the host's. */
    @FunctionalInterface
    public interface RunConsumer {
        void run(long gpa, long hpa, long length);
    }

    private static final int SHIFT = 21;
    private static final long MASK = AddressRange.LARGE_PAGE_SIZE - 1;

    private final HostFrames frames;
    private final PhysicalMemory host;
    private final long[] frameHpa;
    private long size;

    /**
     * Takes the frames for a guest's RAM, zeroed.
     *
     * @param size bytes, a positive multiple of 2 MiB, at most {@link #MAX_SIZE}
     * @throws HostMemoryException if the host has too few large frames; none is kept then
     */
    public GuestMemory(HostFrames frames, long size) {
        if (size <= 0 || size > MAX_SIZE || (size & MASK) != 0) {
            throw new IllegalArgumentException(
                    "guest memory of " + size + " bytes: not a positive multiple of 2 MiB up to " + MAX_SIZE);
        }
        this.frames = frames;
        this.host = frames.memory();
        this.frameHpa = new long[(int) (size >>> SHIFT)];
        int got = 0;
        try {
            for (; got < frameHpa.length; got++) {
                frameHpa[got] = frames.allocateLarge();
            }
        } catch (HostMemoryException e) {
            for (int i = 0; i < got; i++) {
                frames.freeLarge(frameHpa[i]);
            }
            throw new HostMemoryException("guest memory of " + (size >>> 20) + " MiB needs " + frameHpa.length
                    + " frames of 2048 KiB and got " + got + ": " + e.getMessage());
        }
        this.size = size;
    }

    /** In bytes; 0 once closed. */
    public long size() {
        return size;
    }

    /** Returns the frames to the host. Later accesses are outside of the memory. */
    @Override
    public void close() {
        if (size != 0) {
            size = 0;
            Arrays.stream(frameHpa).forEach(frames::freeLarge);
        }
    }

    /** The host physical address behind {@code gpa}, or -1 if that is no RAM of this guest. */
    public long hpa(long gpa) {
        return contains(gpa, 1) ? frameHpa[(int) (gpa >>> SHIFT)] + (gpa & MASK) : -1;
    }

    /** Hands out the whole memory in ascending gpa, in as few pieces as the host's layout allows. */
    public void forEachRun(RunConsumer consumer) {
        int first = 0;
        int count = (int) (size >>> SHIFT);
        for (int i = 1; i <= count; i++) {
            if (i == count || frameHpa[i] != frameHpa[i - 1] + AddressRange.LARGE_PAGE_SIZE) {
                consumer.run((long) first << SHIFT, frameHpa[first], (long) (i - first) << SHIFT);
                first = i;
            }
        }
    }

    @Override
    public boolean contains(long gpa, long length) {
        return AddressRange.contains(0, size, gpa, length);
    }

    /** The host address of an access whose bytes follow each other there, or -1 if it crosses into the next frame. */
    private long at(long gpa, int length) {
        check(gpa, length);
        long offset = gpa & MASK;
        return offset <= AddressRange.LARGE_PAGE_SIZE - length ? frameHpa[(int) (gpa >>> SHIFT)] + offset : -1;
    }

    /** The host address of an ordered access: naturally aligned, or refused. Such an access never crosses frames. */
    private long aligned(long gpa, int length) {
        if ((gpa & length - 1) != 0) {
            throw new IllegalArgumentException("unaligned ordered access at gpa 0x" + Long.toHexString(gpa));
        }
        check(gpa, length);
        return frameHpa[(int) (gpa >>> SHIFT)] + (gpa & MASK);
    }

    private void check(long gpa, long length) {
        if (!contains(gpa, length)) {
            throw new IndexOutOfBoundsException("gpa 0x" + Long.toHexString(gpa) + ", " + length
                    + " bytes: outside of 0x" + Long.toHexString(size) + " bytes of guest memory");
        }
    }

    /** The bytes of an access that crosses frames, one by one. */
    private long gather(long gpa, int length) {
        long value = 0;
        for (int i = 0; i < length; i++) {
            value |= (readByte(gpa + i) & 0xFFL) << 8 * i;
        }
        return value;
    }

    private void spread(long gpa, int length, long value) {
        for (int i = 0; i < length; i++) {
            writeByte(gpa + i, (byte) (value >>> 8 * i));
        }
    }

    @Override
    public byte readByte(long gpa) {
        return host.readByte(at(gpa, 1));
    }

    @Override
    public short readShort(long gpa) {
        long hpa = at(gpa, 2);
        return hpa >= 0 ? host.readShort(hpa) : (short) gather(gpa, 2);
    }

    @Override
    public int readInt(long gpa) {
        long hpa = at(gpa, 4);
        return hpa >= 0 ? host.readInt(hpa) : (int) gather(gpa, 4);
    }

    @Override
    public long readLong(long gpa) {
        long hpa = at(gpa, 8);
        return hpa >= 0 ? host.readLong(hpa) : gather(gpa, 8);
    }

    @Override
    public void writeByte(long gpa, byte value) {
        host.writeByte(at(gpa, 1), value);
    }

    @Override
    public void writeShort(long gpa, short value) {
        long hpa = at(gpa, 2);
        if (hpa >= 0) {
            host.writeShort(hpa, value);
        } else {
            spread(gpa, 2, value);
        }
    }

    @Override
    public void writeInt(long gpa, int value) {
        long hpa = at(gpa, 4);
        if (hpa >= 0) {
            host.writeInt(hpa, value);
        } else {
            spread(gpa, 4, value);
        }
    }

    @Override
    public void writeLong(long gpa, long value) {
        long hpa = at(gpa, 8);
        if (hpa >= 0) {
            host.writeLong(hpa, value);
        } else {
            spread(gpa, 8, value);
        }
    }

    @Override
    public short loadShortAcquire(long gpa) {
        return host.loadShortAcquire(aligned(gpa, 2));
    }

    @Override
    public int loadIntAcquire(long gpa) {
        return host.loadIntAcquire(aligned(gpa, 4));
    }

    @Override
    public long loadLongAcquire(long gpa) {
        return host.loadLongAcquire(aligned(gpa, 8));
    }

    @Override
    public void storeShortRelease(long gpa, short value) {
        host.storeShortRelease(aligned(gpa, 2), value);
    }

    @Override
    public void storeIntRelease(long gpa, int value) {
        host.storeIntRelease(aligned(gpa, 4), value);
    }

    @Override
    public void storeLongRelease(long gpa, long value) {
        host.storeLongRelease(aligned(gpa, 8), value);
    }

    @Override
    public boolean compareAndSetInt(long gpa, int expected, int value) {
        return host.compareAndSetInt(aligned(gpa, 4), expected, value);
    }

    @Override
    public boolean compareAndSetLong(long gpa, long expected, long value) {
        return host.compareAndSetLong(aligned(gpa, 8), expected, value);
    }

    @Override
    public void read(long gpa, byte[] target, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, target.length);
        check(gpa, length);
        for (int done = 0; done < length; ) {
            int piece = (int) piece(gpa + done, length - done);
            host.read(frameHpa[(int) (gpa + done >>> SHIFT)] + (gpa + done & MASK), target, offset + done, piece);
            done += piece;
        }
    }

    @Override
    public void write(long gpa, byte[] source, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, source.length);
        check(gpa, length);
        for (int done = 0; done < length; ) {
            int piece = (int) piece(gpa + done, length - done);
            host.write(frameHpa[(int) (gpa + done >>> SHIFT)] + (gpa + done & MASK), source, offset + done, piece);
            done += piece;
        }
    }

    @Override
    public void fill(long gpa, long length, byte value) {
        check(gpa, length);
        for (long done = 0; done < length; ) {
            long piece = piece(gpa + done, length - done);
            host.fill(frameHpa[(int) (gpa + done >>> SHIFT)] + (gpa + done & MASK), piece, value);
            done += piece;
        }
    }

    /** How much of {@code [gpa, gpa + length)} lies in gpa's frame. */
    private static long piece(long gpa, long length) {
        return Math.min(length, AddressRange.LARGE_PAGE_SIZE - (gpa & MASK));
    }
}
