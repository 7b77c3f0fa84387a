package io.iolab.devices.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QueueLayoutTest {
    private static final int SIZE = 4;

    @ParameterizedTest
    @CsvSource({
        "0x1000, 0x2000, 0x3000, true, true",
        "0x1010, 0x2004, 0x3004, true, true",
        "0x1008, 0x2000, 0x3000, false, false",
        "0x1001, 0x2000, 0x3000, false, false",
        "0x1000, 0x2002, 0x3000, true, false",
        "0x1000, 0x2001, 0x3000, false, false",
        "0x1000, 0x2000, 0x3002, false, false",
        "0x1000, 0x2000, 0x3001, false, false"
    })
    @DisplayName("2.7 and 2.8.10.1: areas are aligned to 16, 2 and 4 bytes, or to 16, 4 and 4 in a packed queue")
    void shouldDemandAlignment(String descriptors, String driver, String device, boolean split, boolean packed) {
        QueueLayout layout = new QueueLayout(Long.decode(descriptors), Long.decode(driver), Long.decode(device));
        assertThat(layout.fitsSplit(SIZE)).isEqualTo(split);
        assertThat(layout.fitsPacked(SIZE)).isEqualTo(packed);
    }

    @Test
    @DisplayName("2.7: no split area passes the end of the address space: 16, 6 + 2 and 6 + 8 bytes an entry")
    void shouldRefuseSplitAreasThatWrap() {
        // The last place at which each area fits, by its length and its alignment.
        long descriptors = -16L * SIZE;
        long driver = -(6 + 2L * SIZE);
        long device = -(6 + 8L * SIZE + 2);
        assertThat(new QueueLayout(descriptors, driver, device).fitsSplit(SIZE)).isTrue();
        assertThat(new QueueLayout(descriptors + 16, driver, device).fitsSplit(SIZE))
                .isFalse();
        assertThat(new QueueLayout(descriptors, driver + 2, device).fitsSplit(SIZE))
                .isFalse();
        assertThat(new QueueLayout(descriptors, driver, device + 4).fitsSplit(SIZE))
                .isFalse();
    }

    @Test
    @DisplayName("2.8.10.1: no packed area passes the end of the address space; the event structures have 4 bytes")
    void shouldRefusePackedAreasThatWrap() {
        assertThat(new QueueLayout(-16L * SIZE, -4, -4).fitsPacked(SIZE)).isTrue();
        assertThat(new QueueLayout(-16L * SIZE + 16, -4, -4).fitsPacked(SIZE)).isFalse();
    }

    @Test
    @DisplayName("6: a feature set has a mask if it has all of its bits")
    void shouldFindFeatures() {
        long both = RingFeatures.EVENT_IDX | RingFeatures.IN_ORDER;
        assertThat(RingFeatures.has(both, RingFeatures.EVENT_IDX)).isTrue();
        assertThat(RingFeatures.has(both, both)).isTrue();
        assertThat(RingFeatures.has(RingFeatures.EVENT_IDX, both)).isFalse();
        assertThat(RingFeatures.has(0, RingFeatures.EVENT_IDX)).isFalse();
    }
}
