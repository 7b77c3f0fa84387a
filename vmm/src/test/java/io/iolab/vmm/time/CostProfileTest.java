package io.iolab.vmm.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.iolab.vmm.config.ConfigException;
import java.math.BigDecimal;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** DESIGN, "Time": every number of a cost profile has a unit, a source and one hardware era. */
class CostProfileTest {
    private static final List<String> UNITS = List.of("cycles", "ns", "us", "ps_per_byte");

    private static Map<Cost, String> with(Cost cost, String entry) {
        Map<Cost, String> entries = new EnumMap<>(Cost.class);
        entries.put(cost, entry);
        return entries;
    }

    private static ConfigException refused(String text) {
        return catchThrowableOfType(ConfigException.class, () -> CostProfile.parse("p.yaml", text));
    }

    /** 1-based line of a cost's entry in {@link Profiles#document}. */
    private static int lineOf(Cost cost) {
        return 6 + cost.ordinal();
    }

    /** 1-based column of what follows {@code key: } in the entry of a cost. */
    private static int columnOf(Cost cost, String entry, String key) {
        return 2 + cost.key().length() + 2 + entry.indexOf(key + ": ") + key.length() + 2 + 1;
    }

    @ParameterizedTest
    @EnumSource(Cost.class)
    void shouldGiveEveryBundledCostASourceAndAUnit(Cost cost) throws ConfigException {
        CostProfile.Entry entry = CostProfile.bundled(CostProfile.DEFAULT).entry(cost);

        assertThat(entry.source()).isNotBlank();
        assertThat(UNITS).contains(entry.unit());
        assertThat(entry.value().signum()).isNotNegative();
        assertThat(cost.key().endsWith("byte")).isEqualTo(entry.unit().equals("ps_per_byte"));
        if (entry.confidence().equals("none")) {
            assertThat(entry.value().signum())
                    .as("an unsourced cost is not charged")
                    .isZero();
        }
        if (entry.confidence().equals("derived")) {
            assertThat(entry.derivation()).isNotBlank();
        }
    }

    @Test
    void shouldStateItsEraAndProcessor() throws ConfigException {
        CostProfile profile = CostProfile.bundled(CostProfile.DEFAULT);

        assertThat(profile.name()).isEqualTo(CostProfile.DEFAULT);
        assertThat(profile.era()).isNotBlank();
        assertThat(profile.cpu()).isNotBlank();
        assertThat(profile.ghz()).isEqualByComparingTo(new BigDecimal("2.1"));
        // 2565 cycles at 2.1 GHz are 1221.428571... ns.
        assertThat(profile.picos(Cost.EXIT_KERNEL)).isEqualTo(1_221_429);
    }

    @Test
    void shouldNameWhatIsBundledWhenAskedForAnotherProfile() {
        assertThatThrownBy(() -> CostProfile.bundled("pentium-90"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("pentium-90")
                .hasMessageContaining(CostProfile.DEFAULT);
    }

    @ParameterizedTest
    @CsvSource({
        "2.1, 21, cycles, 10000",
        "2.0, 1, cycles, 500",
        "3, 1, cycles, 333",
        "3, 2, cycles, 667",
        "0.001, 1, cycles, 1000000",
        // 0.50045 ps: rounded once, not to three digits first.
        "2.0, 0.0010009, cycles, 1",
        "2.0, 1.5, ns, 1500",
        "2.0, 2.69, us, 2690000",
        "2.0, 84.6, ps_per_byte, 85",
        "2.0, 0, ns, 0"
    })
    void shouldConvertToPicosecondsExactly(String ghz, String value, String unit, long picos) throws ConfigException {
        CostProfile profile =
                CostProfile.parse("p.yaml", Profiles.document(ghz, with(Cost.EXIT_HLT, Profiles.entry(value, unit))));

        assertThat(profile.picos(Cost.EXIT_HLT)).isEqualTo(picos);
    }

    @Test
    void shouldPointToTheCostsWhenOneIsMissing() {
        String text = Profiles.document(Map.of());
        String without = text.replace("  exit.hlt: " + Profiles.entry("0", "ns") + "\n", "");

        ConfigException error = refused(without);

        assertThat(error).hasMessageContaining("missing key 'exit.hlt'");
        assertThat(error.line()).isEqualTo(6);
        assertThat(error.column()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({
        "value, -1, a cost cannot be negative",
        "value, 1e30, out of range",
        "value, 1e2000000000, out of range",
        "value, 1e-2000000000, out of range",
        "value, fast, expected a number",
        "unit, parsecs, 'expected cycles, ns, us or ps_per_byte'",
        "source, ' ', expected",
        "confidence, hunch, expected one of primary"
    })
    void shouldPointToWhatIsWrong(String key, String value, String message) {
        String good = Profiles.entry("0", "ns");
        String bad = good.replaceAll(key + ": [^,}]*", key + ": '" + value + "'");
        ConfigException error = refused(Profiles.document(with(Cost.EXIT_HLT, bad)));

        assertThat(error).isNotNull().hasMessageContaining("exit.hlt").hasMessageContaining(message);
        assertThat(error.file()).isEqualTo("p.yaml");
        assertThat(error.line()).isEqualTo(lineOf(Cost.EXIT_HLT));
        assertThat(error.column()).isEqualTo(columnOf(Cost.EXIT_HLT, bad, key));
    }

    @ParameterizedTest
    @ValueSource(strings = {"value", "unit", "source", "confidence"})
    void shouldDemandEveryPartOfACost(String key) {
        String bad = Profiles.entry("0", "ns").replaceAll(key + ": [^,}]*(, )?", "");
        ConfigException error = refused(Profiles.document(with(Cost.EXIT_HLT, bad)));

        assertThat(error).isNotNull().hasMessageContaining("missing key '" + key + "'");
        assertThat(error.line()).isEqualTo(lineOf(Cost.EXIT_HLT));
    }

    @Test
    void shouldRefuseAnUnknownPartOfACost() {
        String bad = "{value: 1, unit: ns, source: s, confidence: none, colour: red}";
        ConfigException error = refused(Profiles.document(with(Cost.EXIT_HLT, bad)));

        assertThat(error).isNotNull().hasMessageContaining("unknown key 'colour'");
        assertThat(error.line()).isEqualTo(lineOf(Cost.EXIT_HLT));
        assertThat(error.column()).isEqualTo(columnOf(Cost.EXIT_HLT, bad, "colour") - "colour: ".length());
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-2.1", "1e-400", "1e999"})
    void shouldRefuseAClockRateThatNoProcessorHas(String ghz) {
        ConfigException error = refused(Profiles.document(ghz, Map.of()));

        assertThat(error).isNotNull().hasMessageContaining("cpu.ghz");
        assertThat(error.line()).isEqualTo(4);
    }

    @Test
    void shouldCheckCostsThatAreNotChargedAsWell() {
        String text = Profiles.document(Map.of()) + "  exit.extra: {value: 1, unit: ns, confidence: none}\n";

        assertThat(refused(text)).isNotNull().hasMessageContaining("exit.extra: missing key 'source'");
    }

    @Test
    void shouldRefuseAnotherSchema() {
        ConfigException error = refused(Profiles.document(Map.of()).replace("profile/1", "profile/2"));

        assertThat(error).isNotNull().hasMessageContaining("iolab.profile/1");
        assertThat(error.line()).isEqualTo(1);
        assertThat(error.column()).isEqualTo(9);
    }
}
