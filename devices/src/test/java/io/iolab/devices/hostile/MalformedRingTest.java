package io.iolab.devices.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Malformed rings by the thousand: each ends in PASS or REJECT, and both happen. */
class MalformedRingTest {
    private static final long SEED = 0x0BAD_0000_0000L;
    /** One ring in so many is followed by the ordinary driver even if the device serves. */
    private static final int THOROUGH = 32;

    @ParameterizedTest
    @EnumSource
    @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldNeverWedge(Target target) {
        judge(target, Campaign.of("rings", SEED, 7_000));
    }

    @Tag("nightly")
    @ParameterizedTest
    @EnumSource
    @Timeout(value = 30, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldNeverWedgeInAMillion(Target target) {
        // The two e1000 parts share a million.
        judge(target, Campaign.of("rings", System.nanoTime(), target.isVirtio() ? 1_000_000 : 500_000));
    }

    private static void judge(Target target, Campaign campaign) {
        Map<Verdict, Integer> verdicts = new EnumMap<>(Verdict.class);
        try (HostileMachine machine = new HostileMachine(target)) {
            Attack attack = Attack.on(machine);
            Forge forge = Forge.on(machine, attack);
            machine.keepFrames(false);
            for (int i = 0; i < campaign.count(); i++) {
                machine.keepFrames(false);
                try {
                    forge.forge(campaign.seed() + i);
                    machine.keepFrames(true);
                    Verdict verdict = i % THOROUGH == 0 ? attack.verdict() : attack.quickVerdict();
                    verdicts.merge(verdict, 1, Integer::sum);
                    if (verdict == Verdict.WEDGED) {
                        throw new AssertionError("WEDGED: " + attack.reason());
                    }
                } catch (RuntimeException | AssertionError | StackOverflowError e) {
                    throw campaign.failure(
                            target, i, "this ring alone: seed " + (campaign.seed() + i) + ", count 1", e);
                }
            }
            assertThat(machine.window().neighboursUntouched())
                    .as("%s, %s: memory of other guests", target, campaign)
                    .isTrue();
        }
        // An e1000 has no state in which it refuses: new rings are all it needs.
        if (campaign.count() >= 1000) {
            assertThat(verdicts).as("%s, %s", target, campaign).containsKey(Verdict.PASS);
            assertThat(verdicts.containsKey(Verdict.REJECT)).as("REJECT").isEqualTo(target.isVirtio());
        }
    }
}
