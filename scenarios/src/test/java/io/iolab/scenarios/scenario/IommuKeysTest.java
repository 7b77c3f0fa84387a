package io.iolab.scenarios.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.IommuTuning;
import io.iolab.vmm.IommuTuning.Policy;
import io.iolab.vmm.IommuTuning.Viommu;
import io.iolab.vmm.config.ConfigException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The mapping {@code iommu} of a guest. */
class IommuKeysTest {
    private static final String HEAD = """
            version: 1
            workload: {kind: ping-pong, size: 60B}
            guests:
            """;

    private static List<GuestConfig> guests(String guest) throws ConfigException {
        return ScenarioReader.parse("t.yaml", HEAD + "  - " + guest + "\n", null)
                .guests();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{path: passthrough}                                             | NONE   | NONE",
                "{path: passthrough, iommu: {}}                                  | SHADOW | STRICT",
                "{path: passthrough, iommu: {policy: deferred}}                  | SHADOW | DEFERRED",
                "{path: passthrough, iommu: {viommu: shadow, policy: shadow}}    | SHADOW | SHADOW",
                "{path: passthrough, iommu: {viommu: nested}}                    | NESTED | STRICT",
                "{path: passthrough, iommu: {viommu: nested, policy: deferred}}  | NESTED | DEFERRED",
                "{path: passthrough, mapped: false, iommu: {viommu: nested}}     | NESTED | STRICT",
                "{path: passthrough, device: igbvf, iommu: {viommu: nested}}     | NESTED | STRICT",
                "{path: passthrough, device_tlb: true, iommu: {}}                | SHADOW | STRICT",
                "{path: passthrough, device_tlb: true, iommu: {viommu: nested}}  | NESTED | STRICT",
                "{path: passthrough, iommu: {viommu: none}}                      | NONE   | NONE",
                "{path: native, iommu: {policy: passthrough}}                    | NONE   | PASSTHROUGH",
                "{path: native, iommu: {}}                                       | NONE   | STRICT",
                "{path: native, iommu: {policy: none}}                           | NONE   | NONE"
            })
    void shouldReadWhatTheKernelDrives(String guest, Viommu viommu, Policy policy) throws ConfigException {
        assertThat(guests(guest)).extracting(GuestConfig::iommu).containsExactly(new IommuTuning(viommu, policy));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{path: virtio, iommu: {}}                                                | passthrough and native paths only",
                "{path: native, iommu: {viommu: shadow}}                                  | passthrough path only",
                "{path: passthrough, iommu: {viommu: none, policy: strict}}               | a viommu with a policy, or neither",
                "{path: passthrough, iommu: {viommu: shadow, policy: none}}               | a viommu with a policy, or neither",
                "{path: passthrough, mapped: false, iommu: {policy: passthrough}}         | maps nothing anyway",
                "{path: emulated, iommu: {}}                                              | no other has a NIC whose DMA is remapped",
                "{path: passthrough, device: igbvf, device_tlb: true, iommu: {}}          | e1000e only",
                "{path: passthrough, nic: {ring: 1024}, iommu: {policy: shadow}}          | rings of 512 at most",
                "{path: passthrough, iommu: {policy: lazy}}                               | one of none, passthrough, strict, deferred, shadow",
                "{path: native, iommu: {viommu: nested}}                                  | passthrough path only",
                "{path: passthrough, iommu: {viommu: nested, policy: none}}               | a viommu with a policy, or neither",
                "{path: passthrough, iommu: {viommu: emulated}}                           | one of none, shadow, nested"
            })
    void shouldRefuseWhatDoesNotGoTogether(String guest, String words) {
        ConfigException error = catchThrowableOfType(ConfigException.class, () -> guests(guest));
        assertThat(error).as(guest).isNotNull();
        assertThat(error.getMessage()).contains("t.yaml:4:").contains(words);
    }

    /** The neighbours of what is refused. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{path: passthrough, nic: {ring: 512}, iommu: {policy: shadow}}  | SHADOW | SHADOW",
                "{path: passthrough, nic: {ring: 1024}, iommu: {policy: strict}} | SHADOW | STRICT",
                "{path: passthrough, mapped: false, iommu: {viommu: none}}       | NONE   | NONE",
                "{path: passthrough, device_tlb: true, iommu: {viommu: none}}    | NONE   | NONE"
            })
    void shouldRefuseNoMoreThanThat(String guest, Viommu viommu, Policy policy) throws ConfigException {
        assertThat(guests(guest)).extracting(GuestConfig::iommu).containsExactly(new IommuTuning(viommu, policy));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{polices: strict}", "{policy: strict, mode: nested}"})
    void shouldNameTheKeyThatIsNotThere(String iommu) {
        String guest = "{path: passthrough, iommu: " + iommu + "}";
        ConfigException error = catchThrowableOfType(ConfigException.class, () -> guests(guest));
        assertThat(error).as(guest).isNotNull();
        assertThat(error.getMessage()).contains("t.yaml:4:").contains(iommu.contains("mode") ? "mode" : "polices");
    }

    @Test
    @DisplayName("compare --paths keeps what the scenario's guest on that path has, and nobody else gets it")
    void shouldStayWithItsPath() throws Exception {
        Scenario scenario =
                ScenarioReader.parse("t.yaml", HEAD + "  - {path: native, iommu: {policy: deferred}}\n", null);
        assertThat(PathVariants.apply(scenario, "native,native{iommu: {policy: none}},passthrough")
                        .guests())
                .extracting(GuestConfig::iommu)
                .containsExactly(new IommuTuning(Viommu.NONE, Policy.DEFERRED), IommuTuning.NONE, IommuTuning.NONE);
    }

    @Test
    @DisplayName("compare --paths takes it, and names the guest after it")
    void shouldBePartOfAPath() throws Exception {
        Scenario scenario = ScenarioReader.parse("t.yaml", HEAD + "  - {path: native}\n", null);
        List<GuestConfig> variants = PathVariants.apply(
                        scenario, "native,native{iommu: {policy: deferred}},passthrough{iommu: {policy: strict}}")
                .guests();
        assertThat(variants)
                .extracting(GuestConfig::name)
                .containsExactly("native", "native-deferred", "passthrough-strict");
        assertThat(variants)
                .extracting(GuestConfig::iommu)
                .containsExactly(
                        IommuTuning.NONE,
                        new IommuTuning(Viommu.NONE, Policy.DEFERRED),
                        new IommuTuning(Viommu.SHADOW, Policy.STRICT));
    }
}
