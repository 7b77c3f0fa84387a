package io.iolab.vmm.viommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.time.CostProfile;
import java.util.List;
import org.junit.jupiter.api.Test;

/** VT-d 6.1 (caching mode: invalidate after every change) and 3.8 (nested translation: nobody needs to be told of a mapping). */
class ViommuBenchTest {
    private static final int CALLS = 64;

    private final List<ViommuResult> results = run();

    private static List<ViommuResult> run() {
        try {
            return ViommuBench.run(CALLS, List.of(1, 16), CostProfile.bundled(CostProfile.DEFAULT));
        } catch (ConfigException e) {
            throw new AssertionError(e);
        }
    }

    private ViommuResult result(ViommuMode mode, int pages) {
        return results.stream()
                .filter(each -> each.mode() == mode && each.pages() == pages)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldExitOnceForEveryMapAndUnmapWhenShadowing() {
        for (int pages : new int[] {1, 16}) {
            ViommuResult shadow = result(ViommuMode.SHADOW_QUEUE, pages);
            assertThat(shadow.map().exits()).isEqualTo(CALLS);
            assertThat(shadow.map().invalidations()).isEqualTo(CALLS);
            assertThat(shadow.map().shadowWalks()).isEqualTo(CALLS);
            assertThat(shadow.map().exitPicos()).isPositive();
            assertThat(shadow.unmap().exits()).isEqualTo(CALLS);
            assertThat(shadow.unmap().physicalInvalidations()).isEqualTo((long) CALLS * pages);
        }
    }

    @Test
    void shouldExitMoreOftenWithoutAQueue() {
        ViommuResult registers = result(ViommuMode.SHADOW_REGISTERS, 1);
        assertThat(registers.map().exits()).isGreaterThanOrEqualTo(3L * CALLS);
        assertThat(registers.map().shadowWalks()).isEqualTo(CALLS);
    }

    @Test
    void shouldNotExitForAMapWhenNesting() {
        for (int pages : new int[] {1, 16}) {
            ViommuResult nested = result(ViommuMode.NESTED, pages);
            assertThat(nested.map()).isEqualTo(new ViommuResult.Share(0, 0, 0, 0, 0, 0));
            assertThat(nested.unmap().exits()).isEqualTo(CALLS);
            assertThat(nested.unmap().shadowWalks()).isZero();
            assertThat(nested.unmap().entriesRead()).isZero();
            assertThat(nested.unmap().physicalInvalidations()).isEqualTo(CALLS);
        }
    }
}
