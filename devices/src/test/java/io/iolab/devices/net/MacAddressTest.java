package io.iolab.devices.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** IEEE 802-2014 clause 8. */
class MacAddressTest {

    @ParameterizedTest
    @CsvSource({
        "52:54:00:12:34:56, 0x525400123456",
        "00:00:00:00:00:00, 0",
        "FF:ff:Ff:fF:FF:ff, 0xffffffffffff",
        "01-00-5E-00-00-fb, 0x01005e0000fb"
    })
    void shouldParseTheUsualForms(String text, long bits) {
        assertThat(MacAddress.parse(text).bits()).isEqualTo(bits);
        assertThat(MacAddress.parse(text))
                .hasToString(text.toLowerCase(java.util.Locale.ROOT).replace('-', ':'));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "52",
                "52:54:00:12:34",
                "52:54:00:12:34:5",
                "52:54:00:12:34:56:",
                "52:54:00:12:34:56:78",
                "525400123456",
                "52:54-00:12:34:56",
                "5g:54:00:12:34:56",
                "+2:54:00:12:34:56",
                " 52:54:00:12:34:5",
                "52.54.00.12.34.56",
                "5254:00:12:34:567",
                "٥2:54:00:12:34:56"
            })
    void shouldRefuseAnythingElseAndQuoteIt(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MacAddress.parse(text))
                .withMessageContaining("\"" + text + "\"");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void shouldRoundTripThroughTextAndBytes(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] frame = new byte[20];
        for (int i = 0; i < 1000; i++) {
            MacAddress mac = new MacAddress(random.nextLong() >>> 16);
            assertThat(MacAddress.parse(mac.toString())).as("seed %d", seed).isEqualTo(mac);
            MacAddress.put(frame, 7, mac.bits());
            assertThat(MacAddress.at(frame, 7)).as("seed %d", seed).isEqualTo(mac);
            assertThat(MacAddress.get(mac.toBytes(), 0)).as("seed %d", seed).isEqualTo(mac.bits());
            assertThat(frame[6] | frame[13]).isZero();
        }
    }

    @Test
    void shouldPutTheFirstByteFirst() {
        assertThat(MacAddress.parse("52:54:00:12:34:56").toBytes()).containsExactly(0x52, 0x54, 0, 0x12, 0x34, 0x56);
    }

    @ParameterizedTest
    @CsvSource({
        "ff:ff:ff:ff:ff:ff, true, true, true",
        "01:00:5e:00:00:01, false, true, false",
        "33:33:00:00:00:01, false, true, true",
        "52:54:00:12:34:56, false, false, true",
        "00:1b:21:00:00:01, false, false, false",
        "fe:ff:ff:ff:ff:ff, false, false, true",
        "ff:ff:ff:ff:ff:fe, false, true, true"
    })
    void shouldTellGroupsAndLocalAddresses(String text, boolean broadcast, boolean multicast, boolean local) {
        MacAddress mac = MacAddress.parse(text);
        assertThat(mac.isBroadcast()).isEqualTo(broadcast);
        assertThat(mac.isMulticast()).isEqualTo(multicast);
        assertThat(mac.isLocal()).isEqualTo(local);
        assertThat(MacAddress.isBroadcast(mac.bits())).isEqualTo(broadcast);
        assertThat(MacAddress.isMulticast(mac.bits())).isEqualTo(multicast);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 1L << 48, Long.MIN_VALUE})
    void shouldRefuseMoreThan48Bits(long bits) {
        assertThatIllegalArgumentException().isThrownBy(() -> new MacAddress(bits));
    }
}
