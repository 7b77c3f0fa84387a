package io.iolab.devices.hostile;

import com.code_intelligence.jazzer.junit.FuzzTest;
import org.junit.jupiter.api.Tag;

/** Coverage decides what the guest of this device does next; without JAZZER_FUZZ the collected inputs are run again. */
@Tag("fuzz")
class VirtioNetFullFuzzTest {
    private static final OpStream GUEST = new OpStream(Target.VIRTIO_NET_FULL);

    @FuzzTest(maxDuration = "60s")
    void survives(byte[] deeds) {
        GUEST.run(deeds);
    }
}
