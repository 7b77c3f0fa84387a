package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.spec.Spec;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Device status, virtio 1.2 sections 2.1 and 3.1.1. */
class DeviceStatusTest {
    private static final int NEEDS_RESET = 0x40;
    private static final int FAILED = 0x80;

    private record Move(int from, int to) {}

    /** Everything else is refused, apart from reset, repeating the present value, and FAILED on top of progress. */
    private static final Set<Move> LEGAL = Set.of(
            new Move(0x0, 0x1),
            new Move(0x0, 0x3),
            new Move(0x0, 0xB),
            new Move(0x1, 0x3),
            new Move(0x1, 0xB),
            new Move(0x3, 0xB),
            new Move(0xB, 0xF));

    /** Drives a device to a status in the ordinary way, with acceptable features written. */
    private static void drive(Lab lab, int status) {
        lab.status(0);
        lab.acceptFeatures(Lab.VERSION_1);
        for (int step : new int[] {0x1, 0x3, 0xB}) {
            if ((status & step) == step) {
                lab.status(step);
            }
        }
        if ((status & 0xF) == 0xF) {
            lab.enableQueue(Lab.TX, 4);
            lab.status(0xF);
        }
        if ((status & NEEDS_RESET) != 0) {
            lab.rings[Lab.TX].offer(99);
            lab.rings[Lab.TX].publish();
            lab.poll();
        }
        if ((status & FAILED) != 0) {
            lab.status(status);
        }
        assertThat(lab.status()).isEqualTo(status);
    }

    private static int expected(int from, int written) {
        if (written == 0) {
            return 0;
        }
        int driverBits = written & 0x8F;
        int held = from & 0x8F;
        if (LEGAL.contains(new Move(held, driverBits)) || held != 0 && driverBits == (held | FAILED)) {
            return from | driverBits;
        }
        return from;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0x1, 0x3, 0xB, 0xF, 0x4F, 0x81, 0x83, 0x8B, 0x8F, 0xCF})
    @DisplayName("2.1.1, 3.1.1: every write in every state does what the table says, and refusals are counted")
    void shouldFollowTableWhenAnyValueIsWritten(int from) {
        try (Lab lab = new Lab()) {
            for (int written = 0; written < 256; written++) {
                drive(lab, from);
                long before = lab.device.counters().ignored(RegisterFault.ILLEGAL_STATE);
                lab.status(written);
                int expected = expected(from, written);
                assertThat(lab.status())
                        .as("from 0x%x write 0x%x", from, written)
                        .isEqualTo(expected);
                boolean refused = expected == from && written != 0 && (written & 0x8F) != (from & 0x8F)
                        || written != 0 && (written & 0x8F) == 0;
                assertThat(lab.device.counters().ignored(RegisterFault.ILLEGAL_STATE) - before)
                        .as("from 0x%x write 0x%x", from, written)
                        .isEqualTo(refused ? 1 : 0);
            }
        }
    }

    @Test
    @Spec(id = "V4.1", section = "virtio 1.2 4.1.4.3.1")
    @DisplayName("V4, 4.1.4.3: device_feature is a window of 32 bits; other selections read 0")
    void shouldShowFeatureWindowWhenSelected() {
        try (Lab lab = new Lab()) {
            assertThat(lab.offeredFeatures())
                    .isEqualTo(Lab.VERSION_1 | Lab.INDIRECT | Lab.EVENT_IDX | Lab.NET_MAC | Lab.NET_STATUS | Lab.MRG);
            for (long select : new long[] {2, 3, 0x8000_0000L, 0xFFFF_FFFFL}) {
                lab.common(Lab.DEVICE_FEATURE_SELECT, 4, select);
                assertThat(lab.common(Lab.DEVICE_FEATURE_SELECT, 4)).isEqualTo(select);
                assertThat(lab.common(Lab.DEVICE_FEATURE, 4)).isZero();
            }
        }
    }

    @Test
    @Spec(id = "V5.1", section = "virtio 1.2 4.1.4.3.1")
    @DisplayName("V5, 4.1.4.3.1: driver_feature reads back the valid bits written")
    void shouldReadBackFeaturesWhenWritten() {
        try (Lab lab = new Lab()) {
            lab.acceptFeatures(Lab.VERSION_1 | Lab.MRG | Lab.EVENT_IDX);
            lab.common(Lab.DRIVER_FEATURE_SELECT, 4, 0);
            assertThat(lab.common(Lab.DRIVER_FEATURE, 4)).isEqualTo(Lab.MRG | Lab.EVENT_IDX);
            lab.common(Lab.DRIVER_FEATURE_SELECT, 4, 1);
            assertThat(lab.common(Lab.DRIVER_FEATURE, 4)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1L << 5, 1L << 32 | 1L << 34, 1L << 32 | 1, 1L << 32 | 1L << 63, 1L << 32 | 1L << 17})
    @Spec(id = "V7.1", section = "virtio 1.2 2.2.2")
    @Spec(id = "V7.2", section = "virtio 1.2 6.2")
    @DisplayName(
            "V7, 2.2.2 and 6.1: FEATURES_OK stays clear without VERSION_1 or with a bit not offered, until corrected")
    void shouldRefuseFeaturesWhenSubsetIsInvalid(long features) {
        try (Lab lab = new Lab()) {
            lab.status(1);
            lab.status(3);
            lab.acceptFeatures(features);
            lab.status(0xB);
            assertThat(lab.status()).isEqualTo(0x3);
            lab.status(0xF);
            assertThat(lab.status()).as("no way around it").isEqualTo(0x3);
            lab.acceptFeatures(Lab.VERSION_1);
            lab.status(0xB);
            assertThat(lab.status()).isEqualTo(0xB);
        }
    }

    @Test
    @DisplayName("3.1.1: features are fixed from FEATURES_OK on")
    void shouldIgnoreFeaturesWhenWrittenLate() {
        try (Lab lab = new Lab().negotiate(Lab.MRG)) {
            lab.common(Lab.DRIVER_FEATURE_SELECT, 4, 0);
            lab.common(Lab.DRIVER_FEATURE, 4, 0);
            assertThat(lab.common(Lab.DRIVER_FEATURE, 4)).isEqualTo(Lab.MRG);
            assertThat(lab.device.counters().ignored(RegisterFault.ILLEGAL_STATE))
                    .isEqualTo(1);
        }
    }

    @Test
    @Spec(id = "V7.2", section = "virtio 1.2 6.2")
    @DisplayName("6.2: ACCESS_PLATFORM, where offered, must be accepted")
    void shouldRefuseFeaturesWhenAccessPlatformIsLeftOut() {
        long accessPlatform = 1L << 33;
        VirtioNetOptions options = new VirtioNetOptions(Lab.MAC, 8, Lab.VERSION_1 | accessPlatform);
        try (Lab lab = new Lab(options, (l, dma) -> dma)) {
            lab.status(3);
            lab.acceptFeatures(Lab.VERSION_1);
            lab.status(0xB);
            assertThat(lab.status()).isEqualTo(3);
            lab.acceptFeatures(Lab.VERSION_1 | accessPlatform);
            lab.status(0xB);
            assertThat(lab.status()).isEqualTo(0xB);
        }
    }
}
