package io.iolab.iommu.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** IOTLB and paging-structure caches beside maps that forget what has to be forgotten (VT-d 6.2.4, 6.2.5, 6.5). */
class CacheModelTest {
    private static final int OPERATIONS = 40_000;
    private static final long SEED = 0xCAC4E;

    private final SplittableRandom random = new SplittableRandom(SEED);

    private record Key(long space, long page) {}

    private static TranslationCaches caches(CacheGeometry geometry) {
        CacheVersion version = new CacheVersion();
        return new TranslationCaches(
                version,
                new ContextCache(new CacheGeometry(1, 1), version),
                new PasidCache(new CacheGeometry(1, 1), version),
                new PagingStructureCache(geometry),
                new Iotlb(geometry, new CacheGeometry(2, 2), CacheGeometry.NONE));
    }

    private static long value(int number) {
        return Iotlb.entry(12, (long) number << 12, Iotlb.READ);
    }

    /** One set, so that every page competes with every other: the oldest goes, whatever has been looked up meanwhile. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 8, 63, 64})
    void shouldReplaceInTheOrderOfArrival(int ways) {
        Iotlb iotlb = caches(new CacheGeometry(1, ways)).iotlb();
        Map<Key, Long> held = new HashMap<>();
        Deque<Key> arrivals = new ArrayDeque<>();
        for (int i = 0; i < OPERATIONS; i++) {
            // Domain 0 and page 0 among them, which look like an empty place.
            Key key = new Key(random.nextInt(3), random.nextInt(2 * ways));
            long iova = key.page << 12;
            long expected = held.getOrDefault(key, 0L);
            assertThat(iotlb.find(key.space, iova))
                    .as("operation %d, seed %x", i, SEED)
                    .isEqualTo(expected);
            if (random.nextBoolean()) {
                continue;
            }
            if (expected == 0 && random.nextBoolean()) {
                iotlb.add(key.space, iova, value(i));
            } else {
                iotlb.fill(key.space, iova, value(i));
            }
            if (held.put(key, value(i)) == null) {
                arrivals.add(key);
            }
            if (arrivals.size() > ways) {
                held.remove(arrivals.remove());
            }
        }
    }

    /**
     * Several sets, and invalidations of each kind: an entry that is found is the last that was entered and not invalidated since, and
     * the one entered last is always found.
     */
    @ParameterizedTest
    @CsvSource({"1,1", "1,4", "2,3", "16,4", "4,7", "2,64", "64,1"})
    void shouldHoldNothingThatWasInvalidated(int sets, int ways) {
        TranslationCaches caches = caches(new CacheGeometry(sets, ways));
        Map<Key, Long> entered = new HashMap<>();
        Map<Key, Long> tables = new HashMap<>();
        int found = 0;
        for (int i = 0; i < OPERATIONS; i++) {
            Key key = key();
            long iova = key.page << 12;
            long table = (long) i << 12;
            if (caches.iotlb().find(key.space, iova) == 0) {
                caches.iotlb().add(key.space, iova, value(i));
            } else {
                caches.iotlb().fill(key.space, iova, value(i));
            }
            caches.tables().fill(key.space, iova, 1, table, 3);
            entered.put(key, value(i));
            tables.put(new Key(key.space, key.page >>> 9), table);
            assertThat(caches.iotlb().find(key.space, iova)).isEqualTo(value(i));
            if (random.nextInt(8) == 0) {
                long before = caches.tables().changes();
                Key victim = key();
                invalidate(caches, victim, entered, tables);
                assertThat(caches.tables().changes()).isNotEqualTo(before);
            }
            Key other = key();
            long seen = caches.iotlb().find(other.space, other.page << 12);
            long known = caches.tables().find(other.space, other.page << 12, 1);
            Key region = new Key(other.space, other.page >>> 9);
            assertThat(seen).as("operation %d, seed %x", i, SEED).isIn(0L, entered.getOrDefault(other, 0L));
            assertThat(known == 0 ? null : PagingStructureCache.tableHpa(known))
                    .as("operation %d, seed %x", i, SEED)
                    .isIn(null, tables.get(region));
            found += seen != 0 ? 1 : 0;
        }
        assertThat(found).isPositive();
    }

    /** Few enough that they meet again, and spaces that differ in each of their parts. */
    private Key key() {
        int domain = random.nextInt(2);
        long space = random.nextBoolean()
                ? CacheSpace.ofDomain(domain)
                : CacheSpace.ofPasid(domain, random.nextInt(2) << 18 | random.nextInt(2));
        return new Key(space, (long) random.nextInt(3) << 30 | (long) random.nextInt(2) << 9 | random.nextInt(4));
    }

    private void invalidate(TranslationCaches caches, Key of, Map<Key, Long> entered, Map<Key, Long> tables) {
        int domain = (int) (of.space & 0xFFFF);
        switch (random.nextInt(3)) {
            case 0 -> {
                caches.iotlbDomain(domain);
                entered.keySet().removeIf(key -> (key.space & 0xFFFF) == domain);
                tables.keySet().removeIf(key -> (key.space & 0xFFFF) == domain);
            }
            case 1 -> {
                caches.iotlbPages(domain, of.page << 12, 0, false);
                entered.keySet().removeIf(key -> dropped(key, domain, of.page));
                tables.keySet().removeIf(key -> dropped(key, domain, of.page >>> 9));
            }
            default -> {
                caches.iotlbGlobal();
                entered.clear();
                tables.clear();
            }
        }
    }

    /** A page of the domain, and everything first-level in it. */
    private static boolean dropped(Key key, int domain, long page) {
        boolean firstLevel = key.space != (key.space & 0xFFFF);
        return (key.space & 0xFFFF) == domain && (firstLevel || key.page == page);
    }
}
