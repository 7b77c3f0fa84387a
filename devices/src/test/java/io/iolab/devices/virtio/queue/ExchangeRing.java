package io.iolab.devices.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.memory.Memory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A well-behaved driver's end of a ring in raw memory, for random exchanges; it also knows what the device should decide. */
abstract class ExchangeRing {
    record Part(long iova, int length, boolean writable) {}

    /** @param id 0 to size - 1, and with split rings any descriptor may be the head */
    record Buffer(int id, List<Part> parts, boolean indirect, long most) {
        int descriptors() {
            return indirect ? 1 : parts.size();
        }

        /** What the device says it wrote. */
        long written() {
            long room = 0;
            for (Part part : parts) {
                room += part.writable ? part.length : 0;
            }
            return Math.min(room, most);
        }
    }

    private static final int TABLE_BYTES = 16 * 8;

    final Memory ram;
    final int size;
    final boolean eventIndex;
    final boolean inOrder;
    final ArrayDeque<Buffer> outstanding = new ArrayDeque<>();
    private final long tables;
    int free;

    ExchangeRing(Memory ram, int size, long tables, long features) {
        this.ram = ram;
        this.size = size;
        this.tables = tables;
        eventIndex = (features & 1L << 29) != 0;
        inOrder = (features & 1L << 35) != 0;
        free = size;
    }

    int free() {
        return free;
    }

    abstract void offer(Buffer buffer);

    /** @return whether the device asked for a kick */
    abstract boolean publish();

    abstract boolean hasUsed();

    /** What the next used entry stands for, taken back. */
    abstract List<Buffer> reap();

    abstract void wantInterrupt();

    abstract void wantNoInterrupt();

    /** What the queue calls the buffer. */
    abstract int token(Buffer buffer);

    /** The device completed it; it will show this at its next publication. */
    abstract void completed(Buffer buffer);

    /** How far the device has come, by its own publications. */
    abstract long devicePosition();

    abstract boolean interruptExpected(long before);

    final long table(Buffer buffer, boolean packed) {
        long at = tables + (long) TABLE_BYTES * buffer.id;
        for (int i = 0; i < buffer.parts.size(); i++) {
            Part part = buffer.parts.get(i);
            int flags = part.writable ? 2 : 0;
            boolean last = i == buffer.parts.size() - 1;
            if (packed) {
                PackedRing.write(ram, at + 16L * i, part.iova, part.length, 0, flags);
            } else {
                SplitRing.writeDescriptor(
                        ram, at + 16L * i, part.iova, part.length, flags | (last ? 0 : 1), last ? 0 : i + 1);
            }
        }
        return at;
    }

    /** The buffers that a used entry for {@code last} stands for. */
    final List<Buffer> batch(Buffer last, long length) {
        List<Buffer> batch = new ArrayList<>();
        if (inOrder) {
            while (outstanding.peek() != last) {
                Buffer skipped = outstanding.remove();
                assertThat(skipped.written()).as("nothing to tell").isZero();
                batch.add(skipped);
            }
        }
        outstanding.remove(last);
        batch.add(last);
        assertThat(length).isEqualTo(last.written());
        for (Buffer buffer : batch) {
            free += buffer.descriptors();
        }
        return batch;
    }

    final Buffer byToken(int token) {
        return outstanding.stream()
                .filter(each -> token(each) == token)
                .findFirst()
                .orElseThrow();
    }

    /** Split: descriptors out of a list, or round the table with IN_ORDER. */
    static final class Split extends ExchangeRing {
        private final SplitRing ring;
        private final int[] heads;
        private final boolean[] used;
        private int next;
        private int offered;
        private int published;
        private int reaped;
        private long completed;
        private int event;

        Split(Memory ram, int size, QueueLayout layout, long tables, long features) {
            super(ram, size, tables, features);
            ring = new SplitRing(ram, size, layout.descriptorIova(), layout.driverIova(), layout.deviceIova());
            heads = new int[size];
            used = new boolean[size];
        }

        private int descriptor() {
            while (used[next]) {
                next = (next + 1) % size;
            }
            used[next] = true;
            int found = next;
            next = (next + 1) % size;
            return found;
        }

        @Override
        void offer(Buffer buffer) {
            int count = buffer.descriptors();
            int[] chain = new int[count];
            Arrays.setAll(chain, i -> descriptor());
            for (int i = 0; i < count; i++) {
                if (buffer.indirect()) {
                    // WRITE means nothing here.
                    int flags = SplitRing.INDIRECT | (buffer.id() % 2 == 0 ? SplitRing.WRITE : 0);
                    ring.descriptor(
                            chain[i], table(buffer, false), 16L * buffer.parts().size(), flags, 0);
                } else {
                    Part part = buffer.parts().get(i);
                    int flags = (part.writable() ? SplitRing.WRITE : 0) | (i < count - 1 ? SplitRing.NEXT : 0);
                    ring.descriptor(chain[i], part.iova(), part.length(), flags, i < count - 1 ? chain[i + 1] : 0);
                }
            }
            free -= count;
            heads[buffer.id()] = chain[0];
            outstanding.add(buffer);
            ring.offer(chain[0]);
            offered++;
        }

        @Override
        boolean publish() {
            int old = published & 0xFFFF;
            published = offered;
            ring.publish();
            return ring.kickWanted(eventIndex, old);
        }

        @Override
        boolean hasUsed() {
            return ring.usedIdx() != (reaped & 0xFFFF);
        }

        @Override
        List<Buffer> reap() {
            Buffer last = byToken(ring.usedId(reaped));
            List<Buffer> batch = batch(last, ring.usedLength(reaped));
            for (Buffer buffer : batch) {
                int at = heads[buffer.id()];
                for (int i = buffer.descriptors(); i > 0; i--) {
                    used[at] = false;
                    at = ram.readShort(ring.desc + 16L * at + 14);
                }
            }
            reaped += batch.size();
            return batch;
        }

        @Override
        int token(Buffer buffer) {
            return heads[buffer.id()];
        }

        @Override
        void completed(Buffer buffer) {
            completed++;
        }

        @Override
        long devicePosition() {
            // used.idx, as far along as it can be.
            return completed - (completed - ring.usedIdx() & 0xFFFFL);
        }

        @Override
        void wantInterrupt() {
            want(reaped, 0);
        }

        @Override
        void wantNoInterrupt() {
            want(reaped + 0x8000, 1);
        }

        private void want(int place, int flags) {
            event = place;
            ring.usedEvent(eventIndex ? place : reaped);
            ring.availFlags(eventIndex ? 0 : flags);
        }

        @Override
        boolean interruptExpected(long before) {
            return eventIndex ? event >= before && event < devicePosition() : (ram.readShort(ring.avail) & 1) == 0;
        }
    }

    /** Packed: ids are the buffers' own. */
    static final class Packed extends ExchangeRing {
        private final PackedRing ring;
        private long published;
        private int firstFlags;
        private long shownByDevice;
        private long completed;
        private long event;
        private int flags;

        Packed(Memory ram, int size, QueueLayout layout, long tables, long features) {
            super(ram, size, tables, features);
            ring = new PackedRing(ram, size, layout.descriptorIova(), layout.driverIova(), layout.deviceIova());
        }

        @Override
        void offer(Buffer buffer) {
            int count = buffer.descriptors();
            for (int i = 0; i < count; i++) {
                if (buffer.indirect()) {
                    put(table(buffer, true), 16L * buffer.parts().size(), buffer.id(), PackedRing.INDIRECT);
                } else {
                    Part part = buffer.parts().get(i);
                    int more = i < count - 1 ? PackedRing.NEXT : 0;
                    put(
                            part.iova(),
                            part.length(),
                            more == 0 ? buffer.id() : 0xABCD,
                            more | (part.writable() ? PackedRing.WRITE : 0));
                }
            }
            free -= count;
            outstanding.add(buffer);
        }

        /** The flags of the first descriptor since the last publication stay as they are. */
        private void put(long gpa, long length, int id, int descriptorFlags) {
            if (ring.offered == published) {
                firstFlags = descriptorFlags | ring.availableFlags(ring.offered);
                ring.raw(ring.offered, gpa, length, id, ring.flags(ring.offered));
                ring.offered++;
            } else {
                ring.add(gpa, length, id, descriptorFlags);
            }
        }

        @Override
        boolean publish() {
            long old = published;
            ram.storeShortRelease(ring.at(published) + 14, (short) firstFlags);
            published = ring.offered;
            return ring.kickWanted(old);
        }

        @Override
        boolean hasUsed() {
            return ring.hasUsed();
        }

        @Override
        List<Buffer> reap() {
            Buffer last = byToken(ring.id(ring.used));
            boolean written = (ring.flags(ring.used) & PackedRing.WRITE) != 0;
            List<Buffer> batch = batch(last, written ? ring.length(ring.used) : 0);
            for (Buffer buffer : batch) {
                ring.used += buffer.descriptors();
            }
            return batch;
        }

        @Override
        int token(Buffer buffer) {
            return buffer.id();
        }

        @Override
        void completed(Buffer buffer) {
            completed += buffer.descriptors();
        }

        /** What is completed is shown at once when the first of it is marked. */
        @Override
        long devicePosition() {
            if (shownByDevice < completed) {
                int marked = ring.flags(shownByDevice) & (PackedRing.AVAIL | PackedRing.USED);
                if (marked == (ring.wrap(shownByDevice) ? PackedRing.AVAIL | PackedRing.USED : 0)) {
                    shownByDevice = completed;
                }
            }
            return shownByDevice;
        }

        @Override
        void wantInterrupt() {
            event = ring.used;
            flags = eventIndex ? PackedRing.DESC : PackedRing.ENABLE;
            ring.driverEvent(event, flags);
        }

        @Override
        void wantNoInterrupt() {
            flags = PackedRing.DISABLE;
            ring.driverEvent(event, flags);
        }

        @Override
        boolean interruptExpected(long before) {
            return switch (flags) {
                case PackedRing.DISABLE -> false;
                case PackedRing.DESC -> event >= before && event < devicePosition();
                default -> true;
            };
        }
    }
}
