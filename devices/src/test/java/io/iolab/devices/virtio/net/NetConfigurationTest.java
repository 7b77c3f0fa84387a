package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.net.VirtioNetOptions.LinkMode;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Features and the configuration structure, virtio 1.2 sections 5.1.3 and 5.1.4. */
class NetConfigurationTest {
    private static final VirtioNetOptions EVERYTHING = VirtioNetOptions.defaults(Lab.MAC)
            .withFeatures(NetFeatures.IMPLEMENTED & ~(1L << 33))
            .withQueuePairs(8)
            .withMtu(9000)
            .withLink(LinkMode.fullDuplex(25_000));

    private static Lab lab(VirtioNetOptions options) {
        return new Lab(options, (l, dma) -> dma);
    }

    private static int status(Lab lab, long features) {
        lab.status(0);
        lab.status(1);
        lab.status(3);
        lab.acceptFeatures(features | Lab.VERSION_1);
        lab.status(0xB);
        return lab.status();
    }

    @ParameterizedTest
    @CsvSource({
        // feature, what it requires: one of these; section 5.1.3.1
        "7, 1",
        "8, 1",
        "54, 1",
        "55, 1",
        "11, 0",
        "12, 0",
        "56, 0",
        "18, 17",
        "19, 17",
        "21, 17",
        "22, 17",
        "23, 17",
        "60, 17",
        "53, 17",
        "52, 17",
    })
    @Spec(id = "V26.5", section = "virtio 1.2 5.1.3.1")
    @DisplayName("5.1.3.1: FEATURES_OK stays clear without what a feature requires")
    void shouldRefuseFeatureWhenPrerequisiteIsMissing(int feature, int required) {
        try (Lab lab = lab(EVERYTHING)) {
            assertThat(status(lab, 1L << feature)).isEqualTo(3);
            assertThat(status(lab, 1L << feature | 1L << required)).isEqualTo(0xB);
            assertThat(status(lab, 1L << required)).isEqualTo(0xB);
        }
    }

    @Test
    @Spec(id = "V26.5", section = "virtio 1.2 5.1.3.1")
    @DisplayName("5.1.3.1: ECN requires segmentation over either version of IP; MRG_RXBUF, STATUS, MTU require nothing")
    void shouldAcceptEcnWhenEitherSegmentationIs() {
        try (Lab lab = lab(EVERYTHING)) {
            assertThat(status(lab, 1L << 9 | 2)).isEqualTo(3);
            assertThat(status(lab, 1L << 9 | 2 | 1L << 7)).isEqualTo(0xB);
            assertThat(status(lab, 1L << 9 | 2 | 1L << 8)).isEqualTo(0xB);
            assertThat(status(lab, 1L << 13 | 1)).isEqualTo(3);
            assertThat(status(lab, 1L << 13 | 1 | 1L << 11)).isEqualTo(0xB);
            assertThat(status(lab, 1L << 13 | 1 | 1L << 12)).isEqualTo(0xB);
            assertThat(status(lab, 1L << 3 | 1L << 5 | 1L << 15 | 1L << 16 | 1L << 57 | 1L << 59 | 1L << 63 | 4))
                    .isEqualTo(0xB);
        }
    }

    @Test
    @DisplayName("5.1.3: what cannot be done is not offered: UFO, tunnels, RSC, STANDBY, legacy bits")
    void shouldNotOfferWhatIsNotImplemented() {
        try (Lab lab = lab(EVERYTHING)) {
            long offered = lab.offeredFeatures();
            for (int bit : new int[] {4, 6, 10, 14, 24, 27, 50, 51, 58, 61, 62}) {
                assertThat(offered >>> bit & 1).as("bit %d", bit).isZero();
                assertThatThrownBy(() -> EVERYTHING.withFeatures(1L << bit))
                        .isInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    private static long config(Lab lab, int offset, int width) {
        return lab.device.readBar(4, 0x2000 + offset, width);
    }

    @Test
    @Spec(id = "V10.1", section = "virtio 1.2 2.5.2")
    @Spec(id = "V26.1", section = "virtio 1.2 5.1.4.1")
    @Spec(id = "V26.3", section = "virtio 1.2 5.1.4.1")
    @Spec(id = "V26.4", section = "virtio 1.2 5.1.4.1")
    @DisplayName("5.1.4: every field, before any feature was accepted")
    void shouldShowFieldsWhenOffered() {
        try (Lab lab = lab(EVERYTHING)) {
            assertThat(config(lab, 0, 4)).isEqualTo(0x12005452L);
            assertThat(config(lab, 4, 2)).isEqualTo(0x5634);
            assertThat(config(lab, 6, 2)).isEqualTo(1);
            assertThat(config(lab, 8, 2)).as("max_virtqueue_pairs").isEqualTo(8);
            assertThat(config(lab, 10, 2)).as("mtu").isEqualTo(9000);
            assertThat(config(lab, 12, 4)).as("speed").isEqualTo(25_000);
            assertThat(config(lab, 16, 1)).as("duplex").isEqualTo(1);
            assertThat(config(lab, 17, 1)).as("rss_max_key_size").isEqualTo(40);
            assertThat(config(lab, 18, 2))
                    .as("rss_max_indirection_table_length")
                    .isEqualTo(128);
            assertThat(config(lab, 20, 4)).as("supported_hash_types").isEqualTo(0x3F);
            assertThat(config(lab, 24, 4)).as("beyond the structure").isZero();
            assertThat(lab.device.registerName(4, 0x2000 + 13)).isEqualTo("speed");
            assertThat(lab.device.registerName(4, 0x2000 + 20)).isEqualTo("supported_hash_types");
            assertThat(lab.common(Lab.NUM_QUEUES, 2)).isEqualTo(17);
        }
    }

    @Test
    @Spec(id = "V26.3", section = "virtio 1.2 5.1.4.1")
    @DisplayName("5.1.4: fields of features that are not offered read 0; unknown speed and duplex are all ones")
    void shouldReadZeroWhenFeatureIsNotOffered() {
        try (Lab lab = lab(VirtioNetOptions.defaults(Lab.MAC))) {
            for (int offset = 8; offset < 24; offset++) {
                assertThat(config(lab, offset, 1)).isZero();
            }
        }
        try (Lab lab = lab(VirtioNetOptions.defaults(Lab.MAC).withLink(LinkMode.UNKNOWN))) {
            assertThat(config(lab, 12, 4)).isEqualTo(0xFFFF_FFFFL);
            assertThat(config(lab, 16, 1)).isEqualTo(0xFF);
            assertThat(config(lab, 8, 4)).isZero();
        }
    }

    @Test
    @Spec(id = "V26.1", section = "virtio 1.2 5.1.4.1")
    @Spec(id = "V26.2", section = "virtio 1.2 5.1.4.1")
    @Spec(id = "V26.3", section = "virtio 1.2 5.1.4.1")
    @DisplayName("5.1.4.1: values out of range cannot be configured")
    void shouldRefuseOptionsWhenOutOfRange() {
        VirtioNetOptions options = VirtioNetOptions.defaults(Lab.MAC);
        assertThatThrownBy(() -> options.withMtu(67)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options.withMtu(65536)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options.withQueuePairs(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options.withQueuePairs(9)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new LinkMode(-2, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new LinkMode(1000, 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options.withFeatures(1L << 11)).isInstanceOf(IllegalArgumentException.class);
        assertThat(options.withMtu(68).withQueueSize(64))
                .isEqualTo(options.withQueueSize(64).withMtu(68));
    }

    @Test
    @Spec(id = "V11.1", section = "virtio 1.2 4.1.4.3.1")
    @DisplayName("2.5.1: config_generation differs after every change of the link state")
    void shouldCountGenerationWhenLinkChanges() {
        try (Lab lab = lab(EVERYTHING)) {
            lab.start(Lab.NET_STATUS, 16);
            long generation = lab.common(Lab.GENERATION, 1);
            lab.device.setLink(false);
            assertThat(config(lab, 6, 2)).isZero();
            assertThat(lab.common(Lab.GENERATION, 1)).isNotEqualTo(generation);
        }
    }
}
