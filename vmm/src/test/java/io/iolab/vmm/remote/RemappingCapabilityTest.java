package io.iolab.vmm.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.iolab.iommu.register.Capabilities;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** CAP and ECAP of {@code -device intel-iommu} (VT-d 10.4.2, 10.4.3) beside those of QEMU; a table says why they differ. */
class RemappingCapabilityTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "golden");
    private static final String REFUSED = "refused";
    private static final long UNIT = RemoteMachine.IOMMU_BASE;

    /** What a unit says of itself; of a refusal only that it was one. */
    private record Answer(String cap, String ecap) {
        static Answer of(String cap, String ecap) {
            return cap.equals(REFUSED) ? new Answer(REFUSED, "") : new Answer(cap, ecap);
        }
    }

    private static Map<String, Answer> recorded() throws IOException {
        Map<String, Answer> answers = new LinkedHashMap<>();
        for (String line : Files.readAllLines(GOLDEN.resolve("intel-iommu-7.2.txt"))) {
            if (!line.startsWith("#")) {
                String[] part = line.split(" \\| ", -1);
                answers.put(part[0], Answer.of(part[1], part[2]));
            }
        }
        return answers;
    }

    private static Capabilities capabilities(String options, List<String> warnings) throws OptionException {
        return RemappingProperties.options(Properties.parse("-device", "intel-iommu," + options, "driver"), warnings)
                .capabilities();
    }

    private static Capabilities capabilities(String options) {
        try {
            return capabilities(options, new ArrayList<>());
        } catch (OptionException e) {
            throw new AssertionError(e);
        }
    }

    private static Answer ours(String options) {
        try {
            Capabilities offered = capabilities(options, new ArrayList<>());
            return new Answer(String.format("0x%016x", offered.cap()), String.format("0x%016x", offered.ecap()));
        } catch (OptionException e) {
            return new Answer(REFUSED, "");
        }
    }

    /** Lines of the table, without its group headings and comments. */
    private static List<String> expectedDifferences() throws IOException {
        return Files.readAllLines(GOLDEN.resolve("intel-iommu-7.2.deviations.txt"), StandardCharsets.UTF_8).stream()
                .filter(line -> !line.isBlank() && !line.startsWith("=") && !line.startsWith("#"))
                .toList();
    }

    private static void compare(List<String> into, String options, String register, String recorded, String ours) {
        if (!recorded.equals(ours)) {
            into.add(options + " | " + register + " | " + recorded + " | " + ours);
        }
    }

    @Test
    void shouldDifferFromRecordedQemuOnlyWhereTheTableSays() throws IOException {
        List<String> differences = new ArrayList<>();
        recorded().forEach((options, answer) -> {
            Answer ours = ours(options);
            compare(differences, options, "CAP", answer.cap, ours.cap);
            compare(differences, options, "ECAP", answer.ecap, ours.ecap);
        });
        assertThat(differences).containsExactlyElementsOf(expectedDifferences());
    }

    @Test
    @Tag("nightly")
    void shouldFindInstalledQemuAsRecorded() throws IOException, InterruptedException {
        assumeTrue(installedVersion().contains("version 7.2"), "no qemu-system-x86_64 of version 7.2");
        for (Map.Entry<String, Answer> each : recorded().entrySet()) {
            assertThat(installed(each.getKey())).as(each.getKey()).isEqualTo(each.getValue());
        }
    }

    private static String installedVersion() throws InterruptedException {
        try {
            Process process = new ProcessBuilder("qemu-system-x86_64", "--version").start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            process.waitFor();
            return output;
        } catch (IOException e) {
            return "";
        }
    }

    private static Answer installed(String options) {
        List<String> machine = List.of(
                "-machine", "q35,accel=tcg,kernel-irqchip=off", "-S", "-m", "64M", "-device", "intel-iommu," + options);
        try (QtestClient qemu =
                QtestClient.start(List.of("qemu-system-x86_64"), machine, ProcessBuilder.Redirect.DISCARD)) {
            return new Answer(
                    String.format("0x%016x", qemu.load(UNIT + 8, 8)),
                    String.format("0x%016x", qemu.load(UNIT + 0x10, 8)));
        } catch (IOException | java.io.UncheckedIOException e) {
            return new Answer(REFUSED, "");
        }
    }

    // ---- what QEMU 7.2 does not have

    /** QEMU 9.2 and later; its qtests of first-stage tables name no width. */
    @Test
    void shouldHave48BitsUnlessToldOtherwise() {
        assertThat(ours("pt=on")).isEqualTo(ours("aw-bits=48"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "scalable-mode=on,fsts=on",
                "x-scalable-mode=on,x-flts=on",
                "scalable-mode=on,flts=on",
                "scalable-mode=on,fsts=on,x-flts=on,aw-bits=48"
            })
    void shouldOfferFirstLevelTablesUnderEachOfTheirNames(String options) {
        Capabilities offered = capabilities(options);
        assertThat(offered.scalableMode()).isTrue();
        assertThat(offered.firstLevel()).isTrue();
        assertThat(offered.firstLevel1G()).isTrue();
        assertThat(offered.secondLevel()).isFalse();
        // VT-d 3.7: accessed and dirty bits are set by walks that snoop.
        assertThat(offered.scalableCoherentWalks()).isTrue();
    }

    @Test
    void shouldOfferWhatSharedVirtualMemoryNeeds() {
        Capabilities offered =
                capabilities("scalable-mode=on,fsts=on,fs1gp=off,x-pasid-mode=on,device-iotlb=on,svm=on,aw-bits=57");
        assertThat(offered.pageRequests()).isTrue();
        assertThat(offered.pageRequestDrain()).isTrue();
        assertThat(offered.noWriteFlag()).isTrue();
        assertThat(offered.pasidBits()).isEqualTo(20);
        assertThat(offered.firstLevel1G()).isFalse();
        assertThat(offered.firstLevel5()).isTrue();
        assertThat(offered.guestAddressWidth()).isEqualTo(57);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "eim=on,intremap=off | intremap=on",
                "fsts=on | scalable-mode=on",
                "scalable-mode=on,fsts=on,aw-bits=39 | 48 or 57",
                "scalable-mode=on,dma-drain=off | dma-drain=on",
                "x-pasid-mode=on | scalable-mode=on",
                "svm=on | device-iotlb=on",
                "scalable-mode=on,svm=on,device-iotlb=on,fsts=on | x-pasid-mode=on",
                "scalable-mode=on,x-scalable-mode=off | contradict",
                "aw-bits=40 | 39, 48 or 57",
                "intremap=maybe | neither on nor off",
                "eim=2 | neither on nor off",
            })
    void shouldRefuseContradictionsWithTheReason(String options, String reason) {
        assertThatThrownBy(() -> capabilities(options, new ArrayList<>()))
                .isInstanceOf(OptionException.class)
                .hasMessageStartingWith("-device intel-iommu: ")
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "stale-tm=on | bit 62",
                "dma-translation=off | CAP.SAGAW",
                "colour=red | colour is not known",
            })
    void shouldWarnOfWhatChangesNothing(String options, String reason) throws OptionException {
        List<String> warnings = new ArrayList<>();
        capabilities(options + ",id=unit", warnings);
        assertThat(warnings).singleElement().asString().contains(reason);
    }
}
