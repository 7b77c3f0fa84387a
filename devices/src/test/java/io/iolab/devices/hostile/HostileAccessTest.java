package io.iolab.devices.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever a guest does, a device neither throws nor hangs nor works without bound, and touches no memory but the guest's. */
class HostileAccessTest {
    private static final long SEED = 0x1057_11E5_EED5L;
    /** No transfer is longer: a TSO buffer, or the largest receive buffer, is at most 1 MiB by its descriptor's 20 bits. */
    private static final int LONGEST_REQUEST = 1 << 20;

    @ParameterizedTest
    @EnumSource
    @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldSurviveAMillionAccesses(Target target) {
        survive(target, Campaign.of("accesses", SEED, 1_000_000));
    }

    /** 136 million accesses over the four devices; each million is a life of its own with its own seed. */
    @Tag("nightly")
    @ParameterizedTest
    @EnumSource
    @Timeout(value = 30, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldSurviveThirtyFourMillionAccesses(Target target) {
        long seed = Campaign.of("accesses", System.nanoTime(), 0).seed();
        for (int life = 0; life < 34; life++) {
            survive(target, Campaign.of("accesses", seed + life, 1_000_000));
        }
    }

    private static void survive(Target target, Campaign campaign) {
        try (HostileGuest guest = target.guest(campaign.seed())) {
            for (int i = 0; i < campaign.count(); i++) {
                try {
                    guest.act();
                } catch (RuntimeException | AssertionError | StackOverflowError e) {
                    throw campaign.failure(target, i, guest.step(), e);
                }
            }
            String life = target + ", " + campaign;
            assertThat(guest.window().neighboursUntouched())
                    .as("%s: memory of other guests", life)
                    .isTrue();
            assertThat(guest.window().longest()).as("%s: longest request", life).isLessThanOrEqualTo(LONGEST_REQUEST);
            assertThat(guest.bus().deepest())
                    .as("%s: accesses inside of accesses", life)
                    .isLessThan(8);
            // A device that does nothing survives everything.
            long little = campaign.count() / 1000;
            assertThat(guest.sent()).as("%s: frames sent", life).isGreaterThanOrEqualTo(little);
            assertThat(guest.taken()).as("%s: frames received", life).isGreaterThanOrEqualTo(little);
            assertThat(guest.dma().faults()).as("%s: faulted requests", life).isGreaterThanOrEqualTo(little);
        }
    }
}
