package io.iolab.devices.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.queue.DescriptorChain.Step;
import io.iolab.devices.virtio.queue.ExchangeRing.Buffer;
import io.iolab.devices.virtio.queue.ExchangeRing.Part;
import io.iolab.devices.virtio.queue.Virtqueue.Take;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A driver and a device that exchange random buffers over each form of ring, with each set of ring features. Either side sleeps
 * when it finds nothing to do and has said that it wants to be woken; nobody may sleep while there is something for him.
 */
@Tag("property")
class RingExchangeTest {
    private static final long INDIRECT_DESC = 1L << 28;
    private static final long EVENT_IDX = 1L << 29;
    private static final long RING_PACKED = 1L << 34;
    private static final long IN_ORDER = 1L << 35;
    private static final QueueLayout LAYOUT = new QueueLayout(0x1000, 0x1_0004, 0x2_0008);
    private static final long TABLES = 0x4_0000;
    private static final int MOST_PARTS = 6;
    private static final int LEAST_EXCHANGED = 1_500;

    private final PhysicalMemory ram = PhysicalMemory.allocate(1 << 20);

    @AfterEach
    void close() {
        ram.close();
    }

    static List<Arguments> exchanges() {
        List<Arguments> all = new ArrayList<>();
        long seed = 1;
        for (int choice = 0; choice < 16; choice++) {
            long features = ((choice & 1) != 0 ? EVENT_IDX : 0)
                    | ((choice & 2) != 0 ? INDIRECT_DESC : 0)
                    | ((choice & 4) != 0 ? IN_ORDER : 0)
                    | ((choice & 8) != 0 ? RING_PACKED : 0);
            boolean packed = (choice & 8) != 0;
            for (int size : packed ? new int[] {1, 2, 3, 5, 8, 256} : new int[] {1, 2, 4, 8, 256}) {
                all.add(Arguments.of(features, size, seed++));
            }
        }
        return all;
    }

    @ParameterizedTest(name = "features {0}, size {1}, seed {2}")
    @MethodSource("exchanges")
    @Spec(id = "V20.1", section = "virtio 1.2 2.7.5.3.2")
    @DisplayName("every buffer arrives as it was offered and comes back once, and no wake-up is lost")
    void shouldExchangeBuffers(long features, int size, long seed) {
        new Exchange(features, size, seed).run(LEAST_EXCHANGED);
    }

    static List<Arguments> longExchanges() {
        return exchanges().stream()
                .filter(each -> (int) each.get()[1] == 8 && ((long) each.get()[0] & (RING_PACKED | INDIRECT_DESC)) == 0)
                .toList();
    }

    @ParameterizedTest(name = "features {0}, size {1}, seed {2}")
    @MethodSource("longExchanges")
    @Tag("long")
    @DisplayName("the same until 16-bit indices have wrapped")
    void shouldExchangeBuffersPastTheWrapOfIndices(long features, int size, long seed) {
        new Exchange(features, size, seed + 1000).run(70_000);
    }

    /** One run. */
    private final class Exchange {
        private final SplittableRandom random;
        private final String name;
        private final ExchangeRing ring;
        private final Virtqueue queue;
        private final boolean indirect;
        private final boolean inOrder;
        private final boolean[] out;
        private final ArrayDeque<Buffer> offered = new ArrayDeque<>();
        private final ArrayDeque<Buffer> shown = new ArrayDeque<>();
        private final List<Buffer> taken = new ArrayList<>();
        private boolean deviceSleeps;
        private boolean driverSleeps;
        /** Of those taken last, how many: none of them, nor one taken later, is completed. */
        private int returnable;

        private int returned;

        Exchange(long features, int size, long seed) {
            random = new SplittableRandom(seed);
            name = "seed " + seed + ", features 0x" + Long.toHexString(features) + ", size " + size;
            indirect = (features & INDIRECT_DESC) != 0;
            inOrder = (features & IN_ORDER) != 0;
            boolean packed = (features & RING_PACKED) != 0;
            DirectDma dma = new DirectDma(ram, (address, data) -> {});
            ring = packed
                    ? new ExchangeRing.Packed(ram, size, LAYOUT, TABLES, features)
                    : new ExchangeRing.Split(ram, size, LAYOUT, TABLES, features);
            queue = packed ? new PackedQueue(dma, size, LAYOUT, features) : new SplitQueue(dma, size, LAYOUT, features);
            out = new boolean[size];
        }

        void run(int enough) {
            for (int round = 0; returned < enough; round++) {
                assertThat(round).as(name).isLessThan(100 * enough);
                // A side may be slow, but one that has been asked for does not stay away.
                boolean driver = random.nextInt(3) > 0 && !driverSleeps;
                boolean device = random.nextInt(3) > 0 && !deviceSleeps;
                if (driver) {
                    driverActs();
                }
                if (device) {
                    deviceActs();
                }
                if (driverSleeps && deviceSleeps) {
                    assertThat(shown).as("%s: unseen by the device", name).isEmpty();
                    assertThat(taken).as(name).isEmpty();
                    assertThat(ring.hasUsed())
                            .as("%s: unseen by the driver", name)
                            .isFalse();
                    driverSleeps = false;
                }
            }
            assertThat(queue.fault()).as(name).isNull();
        }

        private void driverActs() {
            reap();
            for (int n = random.nextInt(4); n > 0; n--) {
                offer();
            }
            if (random.nextInt(4) > 0 && !offered.isEmpty()) {
                boolean kick = ring.publish();
                shown.addAll(offered);
                offered.clear();
                deviceSleeps &= !kick;
            }
            if (random.nextInt(4) == 0) {
                ring.wantInterrupt();
                driverSleeps = !ring.hasUsed();
            } else {
                ring.wantNoInterrupt();
            }
        }

        private void reap() {
            while (ring.hasUsed()) {
                for (Buffer buffer : ring.reap()) {
                    assertThat(out[buffer.id()])
                            .as("%s: buffer %d", name, buffer.id())
                            .isTrue();
                    out[buffer.id()] = false;
                    returned++;
                }
            }
        }

        private void offer() {
            int id = random.nextInt(out.length);
            int count = random.nextInt(1, MOST_PARTS);
            boolean table = indirect && count <= out.length && random.nextBoolean();
            if (out[id] || (table ? 1 : count) > ring.free()) {
                return;
            }
            int readable = random.nextInt(count + 1);
            List<Part> parts = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                parts.add(new Part(random.nextLong(1L << 40), random.nextInt(1 << 20), i >= readable));
            }
            out[id] = true;
            Buffer buffer = new Buffer(id, parts, table, random.nextInt(1 << 20));
            ring.offer(buffer);
            offered.add(buffer);
        }

        private void deviceActs() {
            queue.disableKicks();
            for (int n = random.nextInt(1, 6); n > 0; n--) {
                if (shown.isEmpty()) {
                    assertThat(queue.take()).as(name).isEqualTo(Take.EMPTY);
                    deviceSleeps = taken.isEmpty() && !queue.enableKicks();
                    break;
                }
                take();
            }
            if (random.nextInt(3) == 0 && !taken.isEmpty()) {
                int count = random.nextInt(returnable + 1);
                queue.giveBack(count);
                returnable -= count;
                for (; count > 0; count--) {
                    shown.addFirst(taken.removeLast());
                }
            }
            for (int n = random.nextInt(taken.size() + 1); n > 0; n--) {
                complete();
            }
            long before = ring.devicePosition();
            queue.publish();
            decide(before);
        }

        private void take() {
            assertThat(queue.take()).as(name).isEqualTo(Take.CHAIN);
            Buffer buffer = shown.removeFirst();
            assertThat(queue.token()).as(name).isEqualTo(ring.token(buffer));
            for (Part part : buffer.parts()) {
                assertThat(queue.chain().next()).as(name).isEqualTo(Step.DESCRIPTOR);
                assertThat(queue.chain().iova()).as(name).isEqualTo(part.iova());
                assertThat(queue.chain().length()).as(name).isEqualTo(part.length());
                assertThat(queue.chain().writable()).as(name).isEqualTo(part.writable());
            }
            assertThat(queue.chain().next()).as(name).isEqualTo(Step.END);
            taken.add(buffer);
            returnable++;
        }

        private void complete() {
            int which = inOrder ? 0 : random.nextInt(taken.size());
            Buffer buffer = taken.remove(which);
            returnable = Math.min(returnable, taken.size() - which);
            queue.complete(ring.token(buffer), buffer.written());
            ring.completed(buffer);
        }

        /** The device asks at the end of a burst; what it is told must be what the rule says. */
        private void decide(long before) {
            boolean moved = ring.devicePosition() != before;
            assertThat(queue.interruptUndecided()).as(name).isEqualTo(moved);
            boolean expected = moved && ring.interruptExpected(before);
            assertThat(queue.interruptWanted()).as(name).isEqualTo(expected);
            driverSleeps &= !expected;
        }
    }
}
