package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.spec.Spec;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The property that everything else is for: whatever tables, changes, invalidations and requests come in whatever order, no request
 * reaches a byte that its tables do not map now or did not map since its caches were last emptied, and what is refused is refused for
 * the reason that those tables give (VT-d 3, 6.2, 6.5, 7). What the unit writes by itself, accessed and dirty bits, is predicted as well.
 */
class IsolationTest {
    private static final int ROUND = 8_000;
    private static final int COLD_ROUND = 2_000;

    /** What may stand in caches multiplies with each change along a way: beyond so many words all of it is invalidated. */
    private static final int MOST_WORDS = 5_000;

    private static RemappingOptions.Builder everything(boolean cachingMode) {
        return RemappingOptions.builder()
                .addressWidths(39, 48, 57)
                .hostAddressWidth(IsolationWorld.HOST_BITS)
                .cachingMode(cachingMode)
                .snoopControl(true)
                .deviceTlb(true)
                .scalableMode(true)
                .secondLevel(true)
                .firstLevel(true)
                .firstLevelExtras(true, true)
                .extendedAccessed(true)
                .secondLevelAccessedDirty(true)
                .nested(true)
                .walkSnoop(false)
                .pasidBits(20)
                .privilegedRequests(true, true);
    }

    private static RemappingOptions options(boolean cachingMode, int tables) {
        return everything(cachingMode)
                .iotlb(16, 4)
                .contextCache(2, 2)
                .pasidCache(4, 2)
                .pagingStructureCache(tables, tables == 0 ? 0 : 2)
                .build();
    }

    /** How a run goes on: one change of a table in so many requests, 0 for none; caches emptied before each request. */
    private record Course(int changes, boolean cold) {}

    /** @return how often each reason came up; under 256 how many entries were marked as predicted */
    private static long[] run(long seed, boolean scalable, RemappingOptions options, Course course, long requests) {
        SplittableRandom random = new SplittableRandom(seed);
        long[] seen = new long[257];
        int round = course.cold ? COLD_ROUND : ROUND;
        for (long done = 0; done < requests; done += round) {
            try (IsolationWorld world = new IsolationWorld(options, random.split(), scalable)) {
                for (int i = 0; i < round; i++) {
                    String wrong = world.request();
                    if (wrong != null) {
                        throw new AssertionError("seed " + seed + ", request " + (done + i) + ": " + wrong);
                    }
                    world.reference.last().outcomes.forEach(outcome -> seen[outcome.code()]++);
                    proceed(world, course, random);
                }
                assertThat(world.asPredicted())
                        .as("seed %d, until request %d: every byte of memory", seed, done + round)
                        .isTrue();
                seen[256] += world.marked();
            }
        }
        return seen;
    }

    private static void proceed(IsolationWorld world, Course course, SplittableRandom random) {
        int changes = course.changes;
        if (changes != 0 && random.nextInt(changes) == 0) {
            world.change();
        }
        if (changes != 0 && random.nextInt(changes) == 0) {
            world.invalidateSome();
        }
        boolean tooMany = world.reference.last().touched.size() > MOST_WORDS;
        if (course.cold || tooMany || changes != 0 && random.nextInt(20 * changes) == 0) {
            world.invalidateAll();
        }
    }

    private static void reached(long[] seen, int... codes) {
        // A comparison that never got anywhere would prove nothing.
        assertThat(seen[0]).as("translated").isGreaterThan(1_000);
        for (int code : codes) {
            assertThat(seen[code]).as("reason %x", code).isPositive();
        }
    }

    @Spec(id = "T0C", section = "VT-d 3.3 7.1.3")
    @ParameterizedTest
    @CsvSource({"101, false, 0, 0", "102, false, 16, 6", "103, true, 0, 6", "104, true, 8, 6"})
    void shouldReachOnlyWhatTablesMapInLegacyMode(long seed, boolean cachingMode, int tables, int changes) {
        long[] seen = run(seed, false, options(cachingMode, tables), new Course(changes, false), 16_000);
        reached(seen, 4, 5, 6, 7, 0xC, 0xE, 0x31);
    }

    @ParameterizedTest
    @CsvSource({"201, false, 0, 0", "202, false, 16, 6", "203, true, 0, 6", "204, true, 8, 6"})
    void shouldReachOnlyWhatTablesMapInScalableMode(long seed, boolean cachingMode, int tables, int changes) {
        long[] seen = run(seed, true, options(cachingMode, tables), new Course(changes, false), 24_000);
        reached(seen, 0x45, 0x59, 0x5C, 0x71, 0x72, 0x76, 0x79, 0x7A, 0x80, 0x81, 0x84, 0x85, 0x86, 0x87);
        assertThat(seen[256]).as("entries marked").isGreaterThan(1_000);
    }

    /** With caches empty there is one way for each request, and one set of accessed and dirty bits. */
    @ParameterizedTest
    @CsvSource({"301, false, 0", "302, true, 8"})
    void shouldMarkExactlyTheEntriesOfTheWay(long seed, boolean cachingMode, int tables) {
        long[] seen = run(seed, true, options(cachingMode, tables), new Course(6, true), 24_000);
        reached(seen, 0x71, 0x77, 0x79, 0x7C, 0x85, 0x90);
        assertThat(seen[256]).as("entries marked").isGreaterThan(5_000);
    }

    @Tag("nightly")
    @Test
    void shouldReachOnlyWhatTablesMapTenMillionTimes() {
        for (int i = 0; i < 5; i++) {
            boolean scalable = i % 2 == 1 || i == 4;
            run(1_000 + i, scalable, options(i >= 2, 8 * (i & 2)), new Course(6, i == 4), 2_000_000);
        }
    }
}
