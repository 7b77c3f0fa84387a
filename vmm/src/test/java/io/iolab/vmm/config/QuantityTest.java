package io.iolab.vmm.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantityTest {

    @ParameterizedTest
    @CsvSource({
        "TIME, 10us, 10000000",
        "TIME, 1.5 ns, 1500",
        "TIME, 0.0005ns, 0",
        "TIME, 1min, 60000000000000",
        "TIME, 9223372s, 9223372000000000000",
        "SIZE, 64B, 64",
        "SIZE, 2MiB, 2097152",
        "SIZE, 2MB, 2000000",
        "SIZE, 1.5KiB, 1536",
        "SIZE, 1GiB, 1073741824",
        "BANDWIDTH, 1Gbit/s, 1000000000",
        "BANDWIDTH, 2.5Gbit/s, 2500000000",
        "BANDWIDTH, 9600bit/s, 9600",
        "PACKET_RATE, 14.88Mpps, 14880000",
        "PACKET_RATE, 50kpps, 50000"
    })
    void shouldReadNumbersAsPeopleWriteThem(Quantity quantity, String text, long value) {
        assertThat(quantity.parse(text)).isEqualTo(value);
        assertThat(text).matches(quantity.pattern());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10",
                "us",
                "-1us",
                "+1us",
                "1e3us",
                "1,5us",
                "10US",
                "10us ",
                " 10us",
                "10  us",
                ".5us",
                "5.us",
                "1.2.3us",
                "9223373s",
                "99999999999999999999999999999s",
                "10B",
                "\u0661\u0660us",
                "10us\n"
            })
    void shouldRefuseWhatIsNoTime(String text) {
        assertThat(Quantity.TIME.parse(text)).isNull();
    }

    @ParameterizedTest
    @EnumSource(Quantity.class)
    void shouldSayWhatItExpectedWithAnExampleThatItAccepts(Quantity quantity) {
        String example = quantity.expected().replaceAll(".*such as (\\S+).*", "$1");

        assertThat(quantity.parse(example)).isPositive();
        assertThat(quantity.expected()).contains("units: ");
    }

    @Test
    void shouldKeepBinaryAndDecimalUnitsApart() {
        assertThat(Quantity.SIZE.parse("1KiB")).isEqualTo(1024);
        assertThat(Quantity.SIZE.parse("1kB")).isEqualTo(1000);
        assertThat(Quantity.SIZE.parse("1KB")).isNull();
    }
}
