package io.iolab.devices.pci;

import static io.iolab.devices.pci.ConfigSpace.COMMAND;
import static io.iolab.devices.pci.ConfigSpace.STATUS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** PCI Local Bus 3.0 chapter 6: header, access rules, capability list, reset. BARs have a test of their own. */
class ConfigSpaceTest {
    private static final int CAPABILITY = 0x40;

    private final ConfigSpace config = new ConfigSpace(0x8086, 0x100E, 3, 0x020000)
            .subsystem(0x1AF4, 0x1100)
            .interruptPin(1);

    @Test
    void shouldShowItsIdentity() {
        config.seal();
        assertThat(config.read(0x00, 4)).as("6.2.1").isEqualTo(0x100E_8086);
        assertThat(config.read(0x08, 4)).as("class 02 00 00, revision 3").isEqualTo(0x0200_0003);
        assertThat(config.read(0x2C, 4)).as("6.2.4").isEqualTo(0x1100_1AF4);
        assertThat(config.read(0x3D, 1)).isEqualTo(1);
        assertThat(config.read(0x0E, 1)).as("type 0, single function").isZero();
    }

    @Test
    void shouldPlaceTheThreeBytesOfTheClassCode() {
        ConfigSpace bridge = new ConfigSpace(1, 2, 0xAB, 0x0C0330).seal();
        assertThat(bridge.read(0x08, 4)).isEqualTo(0x0C03_30AB);
        assertThat(bridge.read(0x0B, 1)).as("base class").isEqualTo(0x0C);
    }

    /** Bits 3 to 5, 7, 9 and 11 to 15 of the command register are hard-wired to 0 here (6.2.2). */
    @Test
    void shouldLetSoftwareWriteOnlyTheImplementedCommandBits() {
        config.seal();
        config.write(COMMAND, 2, 0xFFFF);
        assertThat(config.read(COMMAND, 2)).isEqualTo(0x0547);
        config.write(COMMAND, 2, 0);
        assertThat(config.read(COMMAND, 2)).isZero();
    }

    @Test
    void shouldKeepIdentityReadOnly() {
        config.seal();
        int[] before = new int[16];
        for (int i = 0; i < 16; i++) {
            before[i] = config.read(4 * i, 4);
        }
        for (int offset : new int[] {0x00, 0x08, 0x28, 0x2C, 0x30, 0x34, 0x38}) {
            config.write(offset, 4, -1);
            assertThat(config.read(offset, 4)).as("offset %x", offset).isEqualTo(before[offset / 4]);
        }
        config.write(0x3C, 4, -1);
        assertThat(config.read(0x3C, 4)).as("only the line is writable").isEqualTo(0x0000_01FF);
        config.write(0x0C, 4, -1);
        assertThat(config.read(0x0C, 4))
                .as("only the cache line size is writable")
                .isEqualTo(0xFF);
    }

    @Test
    void shouldClearStatusBitsByWritingOnes() {
        config.seal();
        config.put(STATUS, 2, config.get(STATUS, 2) | 0xF900);
        config.write(STATUS, 2, 0x2000);
        assertThat(config.read(STATUS, 2)).isEqualTo(0xD900);
        config.write(STATUS, 2, 0);
        assertThat(config.read(STATUS, 2)).isEqualTo(0xD900);
        config.write(STATUS + 1, 1, 0x80);
        assertThat(config.read(STATUS, 2)).isEqualTo(0x5900);
        config.write(STATUS, 1, 0xFF);
        assertThat(config.read(STATUS, 2)).isEqualTo(0x5900);
        config.write(COMMAND, 4, 0xFFFF_0000);
        assertThat(config.read(STATUS, 2)).isZero();
    }

    /** Byte enables leave the other bytes alone: a write to 04 must not clear bits of 06. */
    @Test
    void shouldKeepNarrowWritesOutOfTheNeighbours() {
        config.seal();
        config.put(STATUS, 2, config.get(STATUS, 2) | 0xF900);
        config.write(COMMAND, 1, 0xFF);
        assertThat(config.read(COMMAND, 4)).isEqualTo(0xF900_0047);
        config.write(COMMAND + 1, 1, 0xFF);
        assertThat(config.read(COMMAND, 4)).isEqualTo(0xF900_0547);
        config.write(COMMAND, 2, 0);
        assertThat(config.read(COMMAND, 4)).isEqualTo(0xF900_0000);
        config.write(COMMAND, 4, 0x0000_0006);
        assertThat(config.read(COMMAND, 4))
                .as("zeros in the status half clear nothing")
                .isEqualTo(0xF900_0006);
    }

    @Test
    void shouldNotSetStatusBitsByWriting() {
        config.seal();
        config.write(STATUS, 2, 0xFFFF);
        assertThat(config.read(STATUS, 2)).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "1, 2",
        "3, 2",
        "1, 4",
        "2, 4",
        "3, 4",
        "0, 0",
        "0, 3",
        "0, 8",
        "4, -4",
        "-1, 1",
        "-4, 4",
        "4096, 1",
        "4095, 2",
        "4094, 4",
        "4096, 4",
        "2147483644, 4",
        "2147483647, 1",
        "-2147483648, 4"
    })
    void shouldIgnoreAccessesThatNoBusCanMake(int offset, int width) {
        config.field(0xFFC, 4, 0x1234_5678, -1, 0).onWrite(0, ConfigSpace.SIZE, () -> {
            throw new AssertionError("an invalid write ran a hook");
        });
        config.seal();
        assertThat(config.read(offset, width)).isZero();
        config.write(offset, width, -1);
        assertThat(config.read(0xFFC, 4)).isEqualTo(0x1234_5678);
        assertThat(config.read(COMMAND, 4)).isZero();
    }

    @Test
    void shouldReachTheLastDoubleWord() {
        config.field(0xFFC, 4, 0, -1, 0).seal();
        config.write(0xFFF, 1, 0xAB);
        assertThat(config.read(0xFFC, 4)).isEqualTo(0xAB00_0000);
        assertThat(config.read(0xFFE, 2)).isEqualTo(0xAB00);
    }

    @Test
    void shouldReadUnimplementedRegistersAsZeroAndDropWrites() {
        config.seal();
        for (int offset = 0x40; offset < ConfigSpace.SIZE; offset += 4) {
            config.write(offset, 4, -1);
            assertThat(config.read(offset, 4)).as("offset %x", offset).isZero();
        }
    }

    @Test
    void shouldGateDecodingAndMasteringByCommandBits() {
        config.seal();
        for (int command = 0; command < 0x800; command++) {
            config.write(COMMAND, 2, command);
            assertThat(config.ioEnabled()).isEqualTo((command & 1) != 0);
            assertThat(config.memoryEnabled()).isEqualTo((command & 2) != 0);
            assertThat(config.busMaster()).isEqualTo((command & 4) != 0);
            assertThat(config.intxDisabled()).isEqualTo((command & 0x400) != 0);
        }
    }

    @Test
    void shouldChainCapabilitiesInCallOrder() {
        assertThat(config.read(STATUS, 2) & 0x10).as("6.2.3: no list yet").isZero();
        config.capability(0xDC, 0x01)
                .capability(CAPABILITY, 0x05)
                .capability(0xE0, 0x11)
                .seal();
        assertThat(config.read(STATUS, 2) & 0x10).isEqualTo(0x10);
        assertThat(walk()).containsExactly(0x01, 0x05, 0x11);
        config.write(0x34, 1, 0);
        config.write(0xDC, 2, 0);
        assertThat(walk()).as("the list is read-only").containsExactly(0x01, 0x05, 0x11);
    }

    private List<Integer> walk() {
        List<Integer> ids = new ArrayList<>();
        for (int at = config.read(0x34, 1) & 0xFC; at != 0 && ids.size() < 48; at = config.read(at + 1, 1) & 0xFC) {
            ids.add(config.read(at, 1));
        }
        return ids;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0x3C, 0x3F, 0x41, 0x42, 0x100, 0xFD, -4})
    void shouldRefuseCapabilitiesOutsideOfTheirArea(int offset) {
        assertThatIllegalArgumentException().isThrownBy(() -> config.capability(offset, 5));
    }

    @Test
    void shouldRunWriteHooksAfterTheMasksAndOnlyWhenTouched() {
        List<Integer> seen = new ArrayList<>();
        config.field(CAPABILITY + 2, 2, 0, 0xF0F0, 0)
                .onWrite(CAPABILITY + 2, 2, () -> seen.add(config.get(CAPABILITY + 2, 2)))
                .seal();
        config.write(CAPABILITY, 2, -1);
        config.write(CAPABILITY + 1, 1, -1);
        config.write(CAPABILITY + 4, 4, -1);
        assertThat(seen).isEmpty();
        config.write(CAPABILITY, 4, 0xABCD_0000);
        config.write(CAPABILITY + 3, 1, 0);
        config.write(CAPABILITY + 2, 1, 0);
        assertThat(seen).containsExactly(0xA0C0, 0x00C0, 0);
        config.read(CAPABILITY + 2, 2);
        config.put(CAPABILITY + 2, 2, 1);
        assertThat(seen).hasSize(3);
    }

    @Test
    void shouldResetToTheSealedStateAndTellEveryone() {
        List<String> order = new ArrayList<>();
        config.field(CAPABILITY, 4, 0x55, -1, 0)
                .onWrite(COMMAND, 2, () -> order.add("command " + config.read(COMMAND, 2)))
                .onReset(() -> order.add("reset " + config.read(COMMAND, 2)))
                .seal();
        config.write(COMMAND, 2, 7);
        config.write(CAPABILITY, 4, 0x1234);
        config.put(STATUS, 2, 0xF908);
        config.reset();
        assertThat(config.read(COMMAND, 4)).isZero();
        assertThat(config.read(CAPABILITY, 4)).isEqualTo(0x55);
        assertThat(config.read(0, 4)).isEqualTo(0x100E_8086);
        assertThat(order).containsExactly("command 7", "reset 0", "command 0");
        config.reset();
        assertThat(config.read(CAPABILITY, 4)).isEqualTo(0x55);
    }

    @Test
    void shouldNotResetBeforeItIsSealed() {
        assertThatIllegalStateException().isThrownBy(config::reset);
    }

    /** Any width sequence gives what byte writes would: the masks work on bits, not on accesses. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldTreatEveryWidthAsItsBytes(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        ConfigSpace bytewise = new ConfigSpace(0x8086, 0x100E, 3, 0x020000);
        for (int offset = 0x40; offset < 0x100; offset += 4) {
            int writable = random.nextInt();
            int clear = random.nextInt() & ~writable;
            int value = random.nextInt();
            config.field(offset, 4, value, writable, clear);
            bytewise.field(offset, 4, value, writable, clear);
        }
        for (int i = 0; i < 20_000; i++) {
            int width = 1 << random.nextInt(3);
            int offset = random.nextInt(0x40, 0x100) & -width;
            int value = random.nextInt();
            config.write(offset, width, value);
            for (int b = 0; b < width; b++) {
                bytewise.write(offset + b, 1, value >>> 8 * b);
            }
            assertThat(config.read(offset & ~3, 4))
                    .as("seed %d, write %d", seed, i)
                    .isEqualTo(bytewise.read(offset & ~3, 4));
        }
    }
}
