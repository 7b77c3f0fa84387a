package io.iolab.devices.dma;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** PCI Express Base section 2.2.6.2: bus 15:8, device 7:3, function 2:0. */
class RequesterIdTest {

    @Test
    void shouldTakeEveryIdApartAndPutItTogether() {
        for (int rid = 0; rid <= 0xFFFF; rid++) {
            assertThat(RequesterId.of(RequesterId.bus(rid), RequesterId.device(rid), RequesterId.function(rid)))
                    .isEqualTo(rid);
            assertThat(RequesterId.bus(rid) << 8 | RequesterId.devfn(rid)).isEqualTo(rid);
        }
    }

    @Test
    void shouldFormatAsLspciDoes() {
        assertThat(RequesterId.format(RequesterId.of(0, 4, 0))).isEqualTo("00:04.0");
        assertThat(RequesterId.format(RequesterId.of(0xFE, 0x1F, 7))).isEqualTo("fe:1f.7");
    }
}
