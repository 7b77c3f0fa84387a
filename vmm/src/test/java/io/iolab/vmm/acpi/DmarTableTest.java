package io.iolab.vmm.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.iolab.vmm.acpi.DmarTable.Parsed;
import io.iolab.vmm.acpi.RemappingStructure.Affinity;
import io.iolab.vmm.acpi.RemappingStructure.AtsRootPorts;
import io.iolab.vmm.acpi.RemappingStructure.HardwareUnit;
import io.iolab.vmm.acpi.RemappingStructure.IntegratedCaches;
import io.iolab.vmm.acpi.RemappingStructure.NamespaceDevice;
import io.iolab.vmm.acpi.RemappingStructure.ReservedMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** VT-d chapter 8. */
@DisplayName("DMAR table")
class DmarTableTest {
    private static final DeviceScope IO_APIC =
            new DeviceScope(DeviceScope.Type.IO_APIC, 0, 0xFF, List.of(new DeviceScope.Hop(0, 0)));
    private static final DmarTable EVERYTHING = new DmarTable(
            39,
            EnumSet.of(DmarTable.Flag.INTERRUPT_REMAPPING, DmarTable.Flag.DMA_CONTROL_OPT_IN),
            List.of(
                    new IntegratedCaches(true, 0, List.of(DeviceScope.endpoint(2, 0))),
                    new HardwareUnit(true, 0, 0xFED9_0000L, List.of(IO_APIC)),
                    new HardwareUnit(false, 0, 0xFED9_1000L, List.of(DeviceScope.endpoint(2, 0))),
                    new ReservedMemory(0, 0x7D80_0000L, 0x7FFF_FFFFL, List.of(DeviceScope.endpoint(2, 0))),
                    new AtsRootPorts(false, 0, List.of(DeviceScope.subHierarchy(1, 0))),
                    new Affinity(0xFED9_0000L, 1),
                    new NamespaceDevice(1, "\\_SB.PCI0.I2C0")));

    @Test
    void shouldPlaceEveryFieldOfAUnit() {
        byte[] bytes = new DmarTable(
                        39,
                        Set.of(DmarTable.Flag.INTERRUPT_REMAPPING),
                        List.of(new HardwareUnit(true, 0, 0xFED9_0000L, List.of(IO_APIC))))
                .toBytes();
        assertThat(bytes).hasSize(48 + 16 + 8);
        assertThat(Arrays.copyOf(bytes, 9)).as("8.1").containsExactly('D', 'M', 'A', 'R', 72, 0, 0, 0, 1);
        assertThat(bytes[36]).as("host address width - 1").isEqualTo((byte) 38);
        assertThat(bytes[37]).as("INTR_REMAP").isEqualTo((byte) 1);
        assertThat(Arrays.copyOfRange(bytes, 48, 72))
                .as("8.3, 8.3.1")
                .containsExactly(0, 0, 24, 0, 1, 0, 0, 0, 0, 0, 0xD9, 0xFE, 0, 0, 0, 0, 3, 8, 0, 0, 0, 0xFF, 0, 0);
        int sum = 0;
        for (byte b : bytes) {
            sum += b;
        }
        assertThat(sum & 0xFF).as("checksum").isZero();
    }

    @Test
    void shouldReadWhatItWrote() {
        assertThat(DmarTable.parse(EVERYTHING.toBytes())).isEqualTo(new Parsed.Table(EVERYTHING, 0));
    }

    @Test
    void shouldPutTheUnitForAllTheRestLast() {
        assertThat(EVERYTHING.all(HardwareUnit.class))
                .extracting(HardwareUnit::includeAll)
                .containsExactly(false, true);
        assertThat(EVERYTHING.structures()).extracting(RemappingStructure::type).isSorted();
        HardwareUnit all = new HardwareUnit(true, 0, 0xFED9_0000L, List.of());
        assertThatIllegalArgumentException().isThrownBy(() -> new DmarTable(39, Set.of(), List.of(all, all)));
    }

    @Test
    void shouldSkipStructuresOfUnknownType() {
        byte[] table = EVERYTHING.toBytes();
        byte[] longer = Arrays.copyOf(table, table.length + 8);
        longer[table.length] = 77;
        longer[table.length + 2] = 8;
        longer[4] = (byte) (longer[4] + 8);
        longer[9] = (byte) (longer[9] - 77 - 8 - 8);
        assertThat(DmarTable.parse(longer)).isEqualTo(new Parsed.Table(EVERYTHING, 1));
    }

    @Test
    void shouldSayWhatIsWrong() {
        byte[] table = EVERYTHING.toBytes();
        byte[] damaged = table.clone();
        damaged[60]++;
        assertThat(DmarTable.parse(damaged))
                .isInstanceOfSatisfying(
                        Parsed.Malformed.class,
                        wrong -> assertThat(wrong.offset()).isEqualTo(9));
        damaged = table.clone();
        damaged[50] = 3;
        damaged[9] = (byte) (damaged[9] + table[50] - 3);
        assertThat(DmarTable.parse(damaged))
                .isInstanceOfSatisfying(
                        Parsed.Malformed.class,
                        wrong -> assertThat(wrong.offset()).isEqualTo(48));
        assertThat(DmarTable.parse(new byte[3])).isInstanceOf(Parsed.Malformed.class);
        assertThat(DmarTable.parse(Arrays.copyOf(table, table.length - 1))).isInstanceOf(Parsed.Malformed.class);
    }

    /** Any bytes with a right checksum: a value, never an exception, never an endless loop. */
    @Test
    void shouldSurviveDamage() {
        long seed = 20261123;
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = EVERYTHING.toBytes();
            for (int i = random.nextInt(1, 6); i > 0; i--) {
                int at = random.nextInt(48, bytes.length);
                byte value = (byte) random.nextInt();
                bytes[9] += (byte) (bytes[at] - value);
                bytes[at] = value;
            }
            Parsed parsed = DmarTable.parse(bytes);
            if (parsed instanceof Parsed.Table table) {
                assertThat(DmarTable.parse(table.table().toBytes()))
                        .as("seed %d, round %d", seed, round)
                        .isEqualTo(new Parsed.Table(table.table(), 0));
            }
        }
    }

    static boolean iaslInstalled() {
        return Stream.of("/usr/bin/iasl", "/usr/local/bin/iasl").anyMatch(path -> Files.isExecutable(Path.of(path)));
    }

    @Test
    @EnabledIf("iaslInstalled")
    void shouldBeAcceptedByIasl(@TempDir Path directory) throws IOException, InterruptedException {
        Path file = directory.resolve("dmar.aml");
        Files.write(file, EVERYTHING.toBytes());
        Process iasl = new ProcessBuilder("iasl", "-d", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        assertThat(iasl.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(iasl.exitValue()).isZero();
        assertThat(directory.resolve("dmar.dsl"))
                .content()
                .contains("Hardware Unit Definition", "Reserved Memory Region")
                .doesNotContain("Invalid", "Error");
    }
}
