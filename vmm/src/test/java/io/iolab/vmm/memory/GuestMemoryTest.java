package io.iolab.vmm.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A guest's RAM in 2 MiB frames: SDM volume 3, chapter "VMX Support for Address Translation", EPT with 2 MiB pages. */
@DisplayName("Guest memory")
class GuestMemoryTest {
    private static final long LARGE = 2L << 20;
    private static final long SIZE = 4 * LARGE;
    private static final long SEED = 42;

    private PhysicalMemory host;
    private HostFrames frames;
    private GuestMemory guest;

    @BeforeEach
    void twoGuestsWorthOfScatteredFrames() {
        host = PhysicalMemory.allocate(16 * LARGE);
        frames = HostFrames.scattered(host, SEED);
        guest = new GuestMemory(frames, SIZE);
    }

    @AfterEach
    void close() {
        host.close();
    }

    @Test
    void shouldTranslateWithinFramesThatAreNotNeighbours() {
        assertThat(runs(guest)).as("runs for seed %d", SEED).hasSizeGreaterThan(1);
        for (long gpa = 0; gpa < SIZE; gpa += 4096) {
            long hpa = guest.hpa(gpa + 5);
            guest.writeLong(gpa + 5, gpa);
            assertThat(hpa % LARGE).isEqualTo((gpa + 5) % LARGE);
            assertThat(host.readLong(hpa)).isEqualTo(gpa);
        }
    }

    @Test
    void shouldHaveNoHostAddressOutsideOfRam() {
        for (long gpa : new long[] {SIZE, SIZE + 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 53}) {
            assertThat(guest.hpa(gpa)).as("gpa 0x%x", gpa).isEqualTo(-1);
        }
        assertThat(guest.hpa(SIZE - 1)).isPositive();
    }

    @Test
    void shouldReportContiguousStretchesInOrderAndWithoutGap() {
        List<long[]> runs = runs(guest);
        long expected = 0;
        for (long[] run : runs) {
            assertThat(run[0]).isEqualTo(expected);
            for (long offset = 0; offset < run[2]; offset += 4096) {
                assertThat(guest.hpa(run[0] + offset)).isEqualTo(run[1] + offset);
            }
            expected += run[2];
        }
        assertThat(expected).isEqualTo(SIZE);
    }

    @Test
    void shouldReportOneStretchWhenTheHostGaveNeighbours() {
        guest.close();
        GuestMemory neighbours = new GuestMemory(new HostFrames(host), SIZE);
        assertThat(runs(neighbours)).singleElement().isEqualTo(new long[] {0, LARGE, SIZE});
    }

    private static List<long[]> runs(GuestMemory memory) {
        List<long[]> runs = new ArrayList<>();
        memory.forEachRun((gpa, hpa, length) -> runs.add(new long[] {gpa, hpa, length}));
        return runs;
    }

    @Test
    void shouldAnswerContainsForEveryArgumentWithoutOverflow() {
        assertThat(guest.contains(0, SIZE)).isTrue();
        assertThat(guest.contains(SIZE - 1, 1)).isTrue();
        assertThat(guest.contains(SIZE, 0)).isTrue();
        assertThat(guest.contains(0, SIZE + 1)).isFalse();
        assertThat(guest.contains(SIZE - 1, 2)).isFalse();
        assertThat(guest.contains(1, Long.MAX_VALUE)).isFalse();
        assertThat(guest.contains(Long.MAX_VALUE, Long.MAX_VALUE)).isFalse();
        assertThat(guest.contains(-1, 1)).isFalse();
        assertThat(guest.contains(-1, 2)).isFalse();
        assertThat(guest.contains(0, -1)).isFalse();
        assertThat(guest.contains(4096, Long.MIN_VALUE)).isFalse();
    }

    @Test
    void shouldCarryEveryWidthAcrossFrames() {
        long edge = LARGE;
        for (int before = 0; before <= 8; before++) {
            long gpa = edge - before;
            guest.writeLong(gpa, 0x8877_6655_4433_2211L);
            assertThat(guest.readLong(gpa)).isEqualTo(0x8877_6655_4433_2211L);
            for (int i = 0; i < 8; i++) {
                assertThat(host.readByte(guest.hpa(gpa + i))).isEqualTo((byte) (0x11 * (i + 1)));
            }
            guest.writeInt(gpa, 0xCAFE_F00D);
            assertThat(guest.readInt(gpa)).isEqualTo(0xCAFE_F00D);
            guest.writeShort(gpa, (short) 0xBEEF);
            assertThat(guest.readShort(gpa)).isEqualTo((short) 0xBEEF);
            assertThat(guest.readLong(gpa)).isEqualTo(0x8877_6655_CAFE_BEEFL);
        }
    }

    @Test
    void shouldEqualAPlainArrayUnderRandomAccess() {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] model = new byte[(int) SIZE];
        byte[] buffer = new byte[3 * (int) LARGE];
        for (int i = 0; i < 200; i++) {
            int length = random.nextInt(4) == 0 ? random.nextInt(buffer.length) : random.nextInt(3000);
            int gpa = random.nextInt((int) SIZE - length + 1);
            if (random.nextBoolean()) {
                random.nextBytes(buffer);
                guest.write(gpa, buffer, 0, length);
                System.arraycopy(buffer, 0, model, gpa, length);
            } else {
                byte value = (byte) random.nextInt();
                guest.fill(gpa, length, value);
                Arrays.fill(model, gpa, gpa + length, value);
            }
        }
        byte[] all = new byte[(int) SIZE];
        guest.read(0, all, 0, all.length);
        assertThat(Arrays.equals(all, model)).as("seed %d", SEED).isTrue();
    }

    @Test
    void shouldOrderAlignedAccessesUpToTheEdgeOfAFrame() {
        guest.storeShortRelease(LARGE - 2, (short) 0x1234);
        guest.storeIntRelease(LARGE, 0x1234_5678);
        guest.storeLongRelease(SIZE - 8, 0x1234_5678_9ABC_DEF0L);
        assertThat(guest.loadShortAcquire(LARGE - 2)).isEqualTo((short) 0x1234);
        assertThat(guest.loadIntAcquire(LARGE)).isEqualTo(0x1234_5678);
        assertThat(guest.loadLongAcquire(SIZE - 8)).isEqualTo(0x1234_5678_9ABC_DEF0L);
        assertThat(guest.compareAndSetInt(LARGE, 1, 2)).isFalse();
        assertThat(guest.compareAndSetInt(LARGE, 0x1234_5678, 2)).isTrue();
        assertThat(guest.compareAndSetLong(SIZE - 8, 0x1234_5678_9ABC_DEF0L, 3)).isTrue();
        assertThat(guest.readLong(SIZE - 8)).isEqualTo(3);
        assertThatThrownBy(() -> guest.loadShortAcquire(LARGE - 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> guest.storeLongRelease(SIZE - 4, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldRefuseAccessesOutsideAndLeaveTheInsideAlone() {
        byte[] two = {1, 1};
        assertThatThrownBy(() -> guest.readByte(SIZE)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> guest.readByte(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> guest.readInt(1L << 53)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> guest.writeShort(SIZE - 1, (short) -1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> guest.write(SIZE - 1, two, 0, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> guest.fill(SIZE - 1, 2, (byte) 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> guest.fill(0, -1, (byte) 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> guest.loadIntAcquire(SIZE)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(guest.readByte(SIZE - 1)).isZero();
    }

    @Test
    void shouldIsolateTwoGuestsInOneHostMemory() {
        GuestMemory other = new GuestMemory(frames, SIZE);
        guest.fill(0, SIZE, (byte) 0x11);
        other.fill(0, SIZE, (byte) 0x22);
        assertHoldsOnly(guest, (byte) 0x11);
        assertHoldsOnly(other, (byte) 0x22);
    }

    private static void assertHoldsOnly(GuestMemory memory, byte value) {
        byte[] expected = new byte[(int) memory.size()];
        Arrays.fill(expected, value);
        byte[] content = new byte[expected.length];
        memory.read(0, content, 0, content.length);
        assertThat(Arrays.mismatch(content, expected)).as("first other byte").isEqualTo(-1);
    }

    @Test
    void shouldReturnItsFramesZeroedToTheNextGuest() {
        long free = frames.freeBytes();
        int large = frames.freeLargeFrames();
        guest.fill(0, SIZE, (byte) 0x77);
        guest.close();
        guest.close();
        assertThat(frames.freeBytes()).isEqualTo(free + SIZE);
        assertThat(guest.contains(0, 1)).isFalse();
        assertThat(guest.hpa(0)).isEqualTo(-1);
        assertThatThrownBy(() -> guest.readByte(0)).isInstanceOf(IndexOutOfBoundsException.class);

        GuestMemory next = new GuestMemory(frames, (large + 4) * LARGE);
        assertHoldsOnly(next, (byte) 0);
    }

    @Test
    void shouldKeepNothingWhenTheHostHasTooLittle() {
        long free = frames.freeBytes();
        assertThatThrownBy(() -> new GuestMemory(frames, 12 * LARGE))
                .isInstanceOf(HostMemoryException.class)
                .hasMessageContaining("guest memory of 24 MiB needs 12 frames of 2048 KiB and got 11");
        assertThat(frames.freeBytes()).isEqualTo(free);
    }

    @Test
    void shouldRefuseSizesThatAreNoRam() {
        for (long size : new long[] {0, -LARGE, 4096, LARGE + 4096, GuestMemory.MAX_SIZE + LARGE, Long.MAX_VALUE}) {
            assertThatThrownBy(() -> new GuestMemory(frames, size))
                    .as("size %d", size)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void shouldAllocateNothingPerAccess() {
        byte[] frame = new byte[1514];
        long bytes = Allocations.bytesOf(10_000, () -> {
            guest.writeInt(LARGE - 2, 7);
            guest.writeLong(8, guest.readLong(LARGE - 4) + guest.readInt(16) + guest.readShort(LARGE - 1));
            guest.write(LARGE - 700, frame, 0, frame.length);
            guest.read(64, frame, 0, frame.length);
            guest.storeShortRelease(4, (short) guest.loadIntAcquire(8));
            if (!guest.contains(guest.hpa(4096) & 0xFFF, 4)) {
                throw new AssertionError();
            }
        });
        assertThat(bytes).as("bytes in 10,000 rounds").isLessThan(1_000);
    }
}
