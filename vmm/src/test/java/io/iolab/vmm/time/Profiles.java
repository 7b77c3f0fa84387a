package io.iolab.vmm.time;

import io.iolab.vmm.config.ConfigException;
import java.util.EnumMap;
import java.util.Map;

/** Cost profiles for tests. */
public final class Profiles {
    private Profiles() {}

    /** Every cost is different and a prime number of nanoseconds apart, so that a sum tells what was charged. */
    public static CostProfile distinct() {
        Map<Cost, Long> nanos = new EnumMap<>(Cost.class);
        for (Cost cost : Cost.values()) {
            nanos.put(cost, 1009L * (cost.ordinal() + 1));
        }
        return of(nanos);
    }

    /** Everything is free but what is named. */
    public static CostProfile free() {
        return of(Map.of());
    }

    /** @param nanos what is not free; nanoseconds, for costs per byte picoseconds */
    public static CostProfile of(Map<Cost, Long> nanos) {
        Map<Cost, String> entries = new EnumMap<>(Cost.class);
        for (Cost cost : Cost.values()) {
            boolean perByte = cost.key().endsWith("byte");
            entries.put(cost, entry(nanos.getOrDefault(cost, 0L).toString(), perByte ? "ps_per_byte" : "ns"));
        }
        try {
            return CostProfile.parse("test", document(entries));
        } catch (ConfigException e) {
            throw new IllegalStateException(e);
        }
    }

    static String entry(String value, String unit) {
        return "{value: " + value + ", unit: " + unit + ", source: test, confidence: none}";
    }

    static String document(Map<Cost, String> entries) {
        return document("2.0", entries);
    }

    static String document(String ghz, Map<Cost, String> entries) {
        StringBuilder text = new StringBuilder("""
                schema: iolab.profile/1
                name: test
                era: none
                cpu: {model: test, ghz: %s, source: test}
                costs:
                """.formatted(ghz));
        for (Cost cost : Cost.values()) {
            text.append("  ")
                    .append(cost.key())
                    .append(": ")
                    .append(entries.getOrDefault(cost, entry("0", "ns")))
                    .append('\n');
        }
        return text.toString();
    }
}
