package io.iolab.iommu;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The deeds of {@link RemappingUnitFuzzTest} from seeds, where no fuzzer is at hand. */
class RemappingUnitSeededTest {
    private static final int FEW = 300;
    private static final int MANY = 50_000;
    private static final int BYTES = 4000;

    private static void run(int seeds) {
        for (int seed = 0; seed < seeds; seed++) {
            byte[] deeds = new byte[BYTES + seed % 2];
            new SplittableRandom(seed).nextBytes(deeds);
            try {
                new RemappingUnitFuzzTest().survives(deeds);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    @Test
    void shouldSurviveSeededDeeds() {
        run(FEW);
    }

    @Test
    @Tag("nightly")
    void shouldSurviveManySeededDeeds() {
        run(MANY);
    }
}
