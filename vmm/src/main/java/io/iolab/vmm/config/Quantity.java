package io.iolab.vmm.config;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Numbers with a unit, as people write them: {@code 64B}, {@code 10us}, {@code 1Gbit/s}, {@code 50kpps}. Exact, by decimal arithmetic. */
public enum Quantity {
    /** Picoseconds. */
    TIME("a time such as 10us", "ps", "1", "ns", "1e3", "us", "1e6", "ms", "1e9", "s", "1e12", "min", "60e12"),
    /** Bytes; KiB and MiB are binary, kB and MB decimal. */
    SIZE(
            "a size such as 64B or 2MiB",
            "B",
            "1",
            "kB",
            "1e3",
            "KiB",
            "1024",
            "MB",
            "1e6",
            "MiB",
            "1048576",
            "GB",
            "1e9",
            "GiB",
            "1073741824"),
    /** Bits per second. */
    BANDWIDTH("a bandwidth such as 1Gbit/s", "bit/s", "1", "kbit/s", "1e3", "Mbit/s", "1e6", "Gbit/s", "1e9"),
    /** Packets per second. */
    PACKET_RATE("a packet rate such as 50kpps", "pps", "1", "kpps", "1e3", "Mpps", "1e6");

    private final String expected;
    private final Map<String, BigDecimal> units = new LinkedHashMap<>();
    private final Pattern accepted;

    Quantity(String expected, String... unitsAndFactors) {
        this.expected = expected;
        for (int i = 0; i < unitsAndFactors.length; i += 2) {
            units.put(unitsAndFactors[i], new BigDecimal(unitsAndFactors[i + 1]));
        }
        accepted = Pattern.compile(pattern());
    }

    /** What a person should have written, for an error message. */
    public String expected() {
        return expected + " (units: " + String.join(", ", units.keySet()) + ")";
    }

    /** A regular expression of what {@link #parse} accepts, for a JSON schema. */
    public String pattern() {
        return "^([0-9]+(\\.[0-9]+)?) ?(" + String.join("|", units.keySet()) + ")$";
    }

    /**
     * The value in the base unit, rounded down to a whole number.
     *
     * @return null if the text is not a number with one of the units, or exceeds a long
     */
    public @Nullable Long parse(String text) {
        Matcher parts = accepted.matcher(text);
        if (!parts.matches()) {
            return null;
        }
        try {
            return new BigDecimal(parts.group(1))
                    .multiply(units.getOrDefault(parts.group(3), BigDecimal.ONE))
                    .toBigInteger()
                    .longValueExact();
        } catch (ArithmeticException | NumberFormatException e) {
            return null;
        }
    }
}
