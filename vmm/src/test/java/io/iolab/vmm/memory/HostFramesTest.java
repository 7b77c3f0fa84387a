package io.iolab.vmm.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Frame sizes and alignment: SDM volume 3, chapter "Paging": 4 KiB and 2 MiB pages are aligned to their size. */
@DisplayName("Host frames")
class HostFramesTest {
    private static final long MIB = 1L << 20;
    private static final long LARGE = 2 * MIB;

    private PhysicalMemory memory = PhysicalMemory.allocate(8 * MIB);

    @AfterEach
    void close() {
        memory.close();
    }

    private HostFrames frames(long size) {
        memory.close();
        memory = PhysicalMemory.allocate(size);
        return new HostFrames(memory);
    }

    @Test
    void shouldHandOutEverySmallFrameButTheFirstOnce() {
        HostFrames frames = frames(4 * MIB);
        Set<Long> seen = new HashSet<>();
        for (int i = 0; i < 1023; i++) {
            long hpa = frames.allocate();
            assertThat(hpa % 4096).isZero();
            assertThat(memory.contains(hpa, 4096)).isTrue();
            seen.add(hpa);
        }
        assertThat(seen).hasSize(1023).doesNotContain(0L);
        assertThat(frames.freeBytes()).isZero();
        assertThatThrownBy(frames::allocate)
                .isInstanceOf(HostMemoryException.class)
                .hasMessageContaining("no free host frame of 4 KiB")
                .hasMessageContaining("0 KiB of 4096 KiB are free");
    }

    @Test
    void shouldHandOutAlignedLargeFramesAndNeverTheOneAtZero() {
        HostFrames frames = frames(8 * MIB);
        Set<Long> seen = new HashSet<>(List.of(frames.allocateLarge(), frames.allocateLarge(), frames.allocateLarge()));
        assertThat(seen).containsExactlyInAnyOrder(LARGE, 2 * LARGE, 3 * LARGE);
        assertThatThrownBy(frames::allocateLarge)
                .isInstanceOf(HostMemoryException.class)
                .hasMessageContaining("no free host frame of 2048 KiB")
                .hasMessageContaining("2044 KiB of 8192 KiB are free");
        assertThat(frames.allocate()).isBetween(4096L, LARGE - 4096);
    }

    @Test
    void shouldZeroFramesThatSomebodyWroteTo() {
        HostFrames frames = frames(4 * MIB);
        long small = frames.allocate();
        memory.fill(small, 4096, (byte) 0xA5);
        frames.free(small);
        long large = frames.allocateLarge();
        memory.fill(large, LARGE, (byte) 0x5A);
        frames.freeLarge(large);
        assertZero(frames.allocate(), 4096);
        assertZero(frames.allocateLarge(), LARGE);
    }

    private void assertZero(long hpa, long length) {
        byte[] content = new byte[(int) length];
        memory.read(hpa, content, 0, content.length);
        assertThat(Arrays.equals(content, new byte[content.length])).isTrue();
    }

    @Test
    void shouldMakeALargeFrameOfABlockWhoseSmallFramesAllReturned() {
        HostFrames frames = frames(4 * MIB);
        List<Long> all = new ArrayList<>();
        for (int i = 0; i < 1023; i++) {
            all.add(frames.allocate());
        }
        assertThat(frames.freeLargeFrames()).isZero();
        all.stream().filter(hpa -> hpa >= LARGE).forEach(frames::free);
        assertThat(frames.freeLargeFrames()).isOne();
        assertThat(frames.allocateLarge()).isEqualTo(LARGE);
    }

    @Test
    void shouldKeepSmallFramesTogetherSoThatLargeOnesRemain() {
        HostFrames frames = frames(8 * MIB);
        for (int i = 0; i < 511; i++) {
            frames.allocate();
        }
        assertThat(frames.freeLargeFrames()).isEqualTo(3);
        long first = frames.allocate();
        frames.free(4096);
        assertThat(frames.allocate()).as("the gap is filled first").isEqualTo(4096);
        assertThat(frames.allocate()).isEqualTo(first + 4096);
        assertThat(frames.freeLargeFrames()).isEqualTo(2);
    }

    @Test
    void shouldUseATailShorterThanALargeFrame() {
        HostFrames frames = frames(2 * MIB + 8192);
        for (int i = 0; i < 511 + 2; i++) {
            assertThat(memory.contains(frames.allocate(), 4096)).isTrue();
        }
        assertThatThrownBy(frames::allocate).isInstanceOf(HostMemoryException.class);
        assertThatThrownBy(frames::allocateLarge).isInstanceOf(HostMemoryException.class);
    }

    @Test
    void shouldRefuseToTakeBackWhatIsNotHandedOut() {
        HostFrames frames = frames(8 * MIB);
        long small = frames.allocate();
        long large = frames.allocateLarge();
        frames.free(small);
        for (long hpa : new long[] {0, small, large, large + 4096, small + 1, 8 * MIB, -4096, Long.MIN_VALUE}) {
            assertThatThrownBy(() -> frames.free(hpa)).as("hpa 0x%x", hpa).isInstanceOf(IllegalArgumentException.class);
        }
        frames.freeLarge(large);
        for (long hpa : new long[] {0, large, large + 4096, 8 * MIB, -LARGE, Long.MIN_VALUE}) {
            assertThatThrownBy(() -> frames.freeLarge(hpa))
                    .as("hpa 0x%x", hpa)
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(frames.freeBytes()).isEqualTo(8 * MIB - 4096);
    }

    @Test
    void shouldScatterLargeFramesTheSameWayForTheSameSeed() {
        memory.close();
        memory = PhysicalMemory.allocate(64 * MIB);
        List<Long> first = placesOf(HostFrames.scattered(memory, 7));
        List<Long> second = placesOf(HostFrames.scattered(memory, 7));
        assertThat(second).isEqualTo(first).doesNotHaveDuplicates().hasSize(31);
        assertThat(first).isNotEqualTo(first.stream().sorted().toList());
    }

    private static List<Long> placesOf(HostFrames frames) {
        List<Long> places = new ArrayList<>();
        while (frames.freeLargeFrames() > 0) {
            places.add(frames.allocateLarge());
        }
        return places;
    }

    /** Against a set: no frame is ever part of two, and freeing everything frees everything. */
    @Test
    void shouldNeverHandOutAByteTwiceUnderRandomUse() {
        long seed = 20_260_417;
        SplittableRandom random = new SplittableRandom(seed);
        HostFrames frames = frames(16 * MIB);
        List<Long> small = new ArrayList<>();
        List<Long> large = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            boolean large2m = random.nextInt(100) == 0;
            List<Long> list = large2m ? large : small;
            if (random.nextBoolean() && !list.isEmpty()) {
                long hpa = list.remove(random.nextInt(list.size()));
                if (large2m) {
                    frames.freeLarge(hpa);
                } else {
                    frames.free(hpa);
                }
            } else if (large2m && frames.freeLargeFrames() > 0) {
                large.add(frames.allocateLarge());
            } else if (!large2m && frames.freeBytes() > 0) {
                small.add(frames.allocate());
            }
        }
        Set<Long> pages = new HashSet<>(small);
        large.forEach(hpa -> {
            for (long page = hpa; page < hpa + LARGE; page += 4096) {
                pages.add(page);
            }
        });
        assertThat(pages)
                .as("seed %d", seed)
                .hasSize(small.size() + 512 * large.size())
                .doesNotContain(0L);
        assertThat(frames.freeBytes()).isEqualTo(16 * MIB - 4096 - 4096L * pages.size());
        small.forEach(frames::free);
        large.forEach(frames::freeLarge);
        assertThat(frames.freeBytes()).isEqualTo(16 * MIB - 4096);
        assertThat(frames.freeLargeFrames()).isEqualTo(7);
    }
}
