package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.driver.NestedSpace;
import io.iolab.iommu.driver.TableMode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A function with a device TLB whose first-level tables are a guest's (VT-d 3.8, 4.1, 6.5.3): whatever the unit is told to forget the device is
 * told too, since the guest knows nothing of what it caches.
 */
class NestedDeviceTlbTest {
    private static final int NIC = 0x0020;
    /** The guest's memory lies here, its tables in front. */
    private static final long RAM = 0x20_0000;

    private static final long IOVA = 0x12_3456_7000L;
    private static final long FIRST_TABLE = 0x1000;
    private static final long PAGE_A = 0x8000;
    private static final long PAGE_B = 0x9000;
    /** P, R/W, U/S, A, D. */
    private static final long PRESENT = 0x67;

    private final Bench bench = new Bench(DriverMatrixTest.scalable(RemappingOptions.builder())
            .nested(true)
            .deviceTlb(true)
            .build());
    private final IommuDriver driver = DriverMatrixTest.driver(bench, TableMode.SCALABLE_SECOND_LEVEL);
    private final Domain ram = driver.createDomain();
    private final NestedSpace space = space();
    private final CachingFunction function = new CachingFunction(bench, NIC);

    private NestedSpace space() {
        ram.map(0, RAM, 0x8000, MapRights.READ_WRITE);
        ram.map(PAGE_A, RAM + PAGE_A, 0x1000, MapRights.READ_WRITE);
        ram.map(PAGE_B, RAM + PAGE_B, 0x1000, MapRights.READ_WRITE);
        NestedSpace made = driver.attachNested(NIC, ram, true);
        page(0, PAGE_A);
        page(1, PAGE_B);
        made.nest(0, FIRST_TABLE, 0);
        return made;
    }

    @AfterEach
    void release() {
        bench.close();
    }

    /** Maps the page that is this many behind {@link #IOVA}, or with 0 unmaps it. */
    private void page(int number, long gpa) {
        long iova = IOVA + 4096L * number;
        for (int level = 4; level >= 1; level--) {
            long table = FIRST_TABLE + 0x1000L * (4 - level);
            long target = level > 1 ? table + 0x1000 : gpa;
            bench.memory.writeLong(
                    RAM + table + 8 * (iova >>> 12 + 9 * (level - 1) & 511), target == 0 ? 0 : target | PRESENT);
        }
    }

    @Test
    void shouldForgetPagesInTheDeviceToo() {
        assertThat(function.reads(IOVA)).isTrue();
        assertThat(function.reads(IOVA + 0x1000)).isTrue();
        page(0, 0);
        assertThat(function.reads(IOVA)).as("stale until it is told").isTrue();
        int asked = function.asked;
        space.invalidatePages(0, IOVA, 0, true);
        assertThat(function.asked).isEqualTo(asked + 1);
        assertThat(function.reads(IOVA)).isFalse();
        long translations = bench.unit.countersFor(NIC).iotlbMisses();
        assertThat(function.reads(IOVA + 0x1000)).isTrue();
        assertThat(bench.unit.countersFor(NIC).iotlbMisses())
                .as("its neighbour is still cached")
                .isEqualTo(translations);
    }

    @Test
    void shouldForgetAllInTheDeviceToo() {
        for (Runnable forget :
                new Runnable[] {() -> space.invalidate(0), space::invalidateAll, () -> ram.unmap(PAGE_B, 0x1000)}) {
            assertThat(function.reads(IOVA)).isTrue();
            page(0, 0);
            forget.run();
            assertThat(function.reads(IOVA)).isFalse();
            page(0, PAGE_A);
        }
        assertThat(function.reads(IOVA + 0x1000))
                .as("unmapped in the host's table")
                .isFalse();
        assertThat(function.reads(IOVA)).isTrue();
        space.block(0);
        assertThat(function.reads(IOVA)).isFalse();
        space.nest(0, FIRST_TABLE, 0);
        assertThat(function.reads(IOVA)).isTrue();
        driver.detach(NIC);
        assertThat(function.reads(IOVA)).isFalse();
        assertThat(driver.isolations()).isZero();
    }

    /** A device that never completes its invalidations loses everything, whatever the guest does afterwards. */
    @Test
    void shouldCutOffDeviceThatDoesNotAnswer() {
        assertThat(function.reads(IOVA)).isTrue();
        assertThat(function.reads(IOVA + 0x1000)).isTrue();
        function.answers = false;
        space.invalidatePages(0, IOVA, 0, true);
        assertThat(driver.isolations()).isEqualTo(1);
        assertThat(function.reads(IOVA + 0x1000)).as("what it still has cached").isFalse();
        space.nest(0, FIRST_TABLE, 0);
        space.requests(0, false);
        space.invalidateAll();
        assertThat(function.reads(IOVA)).isFalse();
        assertThat(DriverMatrixTest.reads(bench, NIC, IOVA)).isFalse();
        assertThat(driver.isolations()).as("asked no more").isEqualTo(1);
        driver.detach(NIC);
        function.answers = true;
        driver.attachNested(NIC, ram, true).nest(0, FIRST_TABLE, 0);
        assertThat(DriverMatrixTest.reads(bench, NIC, IOVA)).isTrue();
    }
}
