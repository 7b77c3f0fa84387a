package io.iolab.devices.virtio.queue;

import io.iolab.devices.memory.Memory;

/**
 * The driver's end of a packed virtqueue in raw memory, offsets and bits transcribed from virtio 1.2 sections 2.8.1, 2.8.13 and
 * 2.8.14. It writes whatever it is told to, malformed things too.
 */
public final class PackedRing {
    public static final int NEXT = 1;
    public static final int WRITE = 2;
    public static final int INDIRECT = 4;
    public static final int AVAIL = 1 << 7;
    public static final int USED = 1 << 15;

    public static final int ENABLE = 0;
    public static final int DISABLE = 1;
    public static final int DESC = 2;

    public final int size;
    public final long desc;
    public final long driver;
    public final long device;
    private final Memory ram;

    /** Descriptors made available, and passed by the used ones: slot and wrap counter follow from them. */
    public long offered;

    public long used;

    public PackedRing(Memory ram, int size, long desc, long driver, long device) {
        this.ram = ram;
        this.size = size;
        this.desc = desc;
        this.driver = driver;
        this.device = device;
    }

    public int slot(long position) {
        return (int) (position % size);
    }

    /** Wrap counters start at 1. */
    public boolean wrap(long position) {
        return position / size % 2 == 0;
    }

    public long at(long position) {
        return desc + 16L * slot(position);
    }

    /** AVAIL and USED of a descriptor that is available at a position. */
    public int availableFlags(long position) {
        return wrap(position) ? AVAIL : USED;
    }

    public static void write(Memory ram, long at, long gpa, long length, int id, int flags) {
        ram.writeLong(at, gpa);
        ram.writeInt(at + 8, (int) length);
        ram.writeShort(at + 12, (short) id);
        ram.storeShortRelease(at + 14, (short) flags);
    }

    /** The descriptor at a position, with these flags and no others. */
    public void raw(long position, long gpa, long length, int id, int flags) {
        write(ram, at(position), gpa, length, id, flags);
    }

    /** The next descriptor, available at once. */
    public void add(long gpa, long length, int id, int flags) {
        raw(offered, gpa, length, id, flags | availableFlags(offered));
        offered++;
    }

    /** Shows the list that was written with {@link #raw} from {@link #offered} on: the first flags go last. */
    public void show(int count, int firstFlags) {
        ram.storeShortRelease(at(offered) + 14, (short) (firstFlags | availableFlags(offered)));
        offered += count;
    }

    public int flags(long position) {
        return ram.loadShortAcquire(at(position) + 14) & 0xFFFF;
    }

    public int id(long position) {
        return ram.readShort(at(position) + 12) & 0xFFFF;
    }

    public long length(long position) {
        return ram.readInt(at(position) + 8) & 0xFFFF_FFFFL;
    }

    public long address(long position) {
        return ram.readLong(at(position));
    }

    /** Whether the descriptor at {@link #used} is one that the device marked. */
    public boolean hasUsed() {
        return (flags(used) & (AVAIL | USED)) == (wrap(used) ? AVAIL | USED : 0);
    }

    public void driverEvent(long position, int flags) {
        ram.writeShort(driver, (short) (slot(position) | (wrap(position) ? 0x8000 : 0)));
        ram.storeShortRelease(driver + 2, (short) flags);
    }

    public int deviceFlags() {
        return ram.readShort(device + 2) & 0xFFFF;
    }

    public int devicePlace() {
        return ram.readShort(device) & 0xFFFF;
    }

    /**
     * Whether kicking is asked for after going from {@code old} to {@link #offered}, by walking: did one of the descriptors lie
     * at the place, on the lap of the wrap counter?
     */
    public boolean kickWanted(long old) {
        int flags = deviceFlags();
        if (flags != DESC) {
            return flags == ENABLE;
        }
        for (long position = old; position < offered; position++) {
            if (devicePlace() == (slot(position) | (wrap(position) ? 0x8000 : 0))) {
                return true;
            }
        }
        return false;
    }
}
