package io.iolab.vmm.time;

import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.config.ConfigNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What crossing each boundary costs, read from a YAML file in which every number has a unit, a source and a confidence, and
 * the whole has one hardware era. Costs are converted once, to whole picoseconds.
 *
 * <p>Immutable; any thread may read it.
 */
public final class CostProfile {
    /** The profile used unless a scenario names another. */
    public static final String DEFAULT = "sandy-bridge-2013";

    /** Beyond these nothing is a cost of anything, and converting it could take for ever. */
    private static final int MOST_DIGITS = 12;

    private static final BigDecimal PICOS_PER_NANO = BigDecimal.valueOf(1000);
    private static final List<String> CONFIDENCES = List.of("primary", "quoted", "memory", "derived", "none");

    /** One number as the file states it. */
    public record Entry(
            BigDecimal value,
            String unit,
            String source,
            String confidence,
            String derivation,
            String note,
            long picos) {}

    private final String name;
    private final String era;
    private final String cpu;
    private final BigDecimal ghz;
    private final Map<Cost, Entry> entries;
    private final long[] picos = new long[Cost.values().length];

    private CostProfile(String name, String era, String cpu, BigDecimal ghz, Map<Cost, Entry> entries) {
        this.name = name;
        this.era = era;
        this.cpu = cpu;
        this.ghz = ghz;
        this.entries = entries;
        entries.forEach((cost, entry) -> picos[cost.ordinal()] = entry.picos());
    }

    /** A profile that ships with the lab. */
    public static CostProfile bundled(String name) throws ConfigException {
        String file = name + ".yaml";
        try (InputStream in = CostProfile.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new ConfigException(
                        name, 0, 0, "no such cost profile; bundled: " + DEFAULT + "; or give the path of a file");
            }
            return parse(file, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * @param file its name, for error messages
     * @throws ConfigException if a cost is missing, negative, has no source, or has a unit that is none of cycles, ns, us, ps_per_byte
     */
    public static CostProfile parse(String file, String text) throws ConfigException {
        ConfigNode root = ConfigNode.parse(file, text);
        if (!root.text("schema").equals("iolab.profile/1")) {
            throw root.error("schema", "expected iolab.profile/1");
        }
        ConfigNode cpu = root.child("cpu");
        BigDecimal ghz = number(cpu, "ghz");
        if (ghz.signum() <= 0) {
            throw cpu.error("ghz", "expected the processor's clock rate");
        }
        cpu.text("source");
        ConfigNode costs = root.child("costs");
        Map<Cost, Entry> entries = new EnumMap<>(Cost.class);
        for (Cost cost : Cost.values()) {
            entries.put(cost, entry(costs.child(cost.key()), ghz));
        }
        for (String key : costs.keys()) {
            entry(costs.child(key), ghz);
        }
        CostProfile profile =
                new CostProfile(root.text("name"), root.text("era"), cpu.text("model"), ghz, Map.copyOf(entries));
        cpu.finish();
        root.finish();
        return profile;
    }

    private static BigDecimal number(ConfigNode node, String key) throws ConfigException {
        BigDecimal number = node.decimal(key);
        long digits = (long) number.precision() - number.scale();
        if (number.signum() != 0 && Math.abs(digits) > MOST_DIGITS) {
            throw node.error(key, "out of range: expected 0, or something between 1e-12 and 1e12");
        }
        return number.signum() == 0 ? BigDecimal.ZERO : number;
    }

    private static Entry entry(ConfigNode node, BigDecimal ghz) throws ConfigException {
        BigDecimal value = number(node, "value");
        String unit = node.text("unit");
        String source = node.text("source");
        if (source.isBlank()) {
            throw node.error("source", "expected where the number comes from");
        }
        String confidence = node.text("confidence");
        if (value.signum() < 0) {
            throw node.error("value", "a cost cannot be negative");
        }
        if (!CONFIDENCES.contains(confidence)) {
            throw node.error("confidence", "expected one of " + String.join(", ", CONFIDENCES));
        }
        BigDecimal picos = switch (unit) {
            case "cycles" -> value.multiply(PICOS_PER_NANO).divide(ghz, 0, RoundingMode.HALF_EVEN);
            case "ns" -> value.multiply(PICOS_PER_NANO);
            case "us" -> value.multiply(PICOS_PER_NANO).multiply(PICOS_PER_NANO);
            case "ps_per_byte" -> value;
            default -> throw node.error("unit", "expected cycles, ns, us or ps_per_byte, found '" + unit + "'");
        };
        Entry entry = new Entry(
                value,
                unit,
                source,
                confidence,
                node.text("derivation", ""),
                node.text("note", ""),
                picos.setScale(0, RoundingMode.HALF_EVEN).longValueExact());
        node.finish();
        return entry;
    }

    public String name() {
        return name;
    }

    /** The hardware era that every number belongs to. */
    public String era() {
        return era;
    }

    public String cpu() {
        return cpu;
    }

    public BigDecimal ghz() {
        return ghz;
    }

    /** A cost in picoseconds; for {@code *.byte} costs picoseconds per byte. */
    public long picos(Cost cost) {
        return picos[cost.ordinal()];
    }

    /** The number with its source. */
    public Entry entry(Cost cost) {
        return java.util.Objects.requireNonNull(entries.get(cost));
    }
}
