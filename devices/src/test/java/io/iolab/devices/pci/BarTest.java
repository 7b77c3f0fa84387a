package io.iolab.devices.pci;

import static io.iolab.devices.pci.Bar.Kind.IO;
import static io.iolab.devices.pci.Bar.Kind.MEMORY32;
import static io.iolab.devices.pci.Bar.Kind.MEMORY64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** PCI Local Bus 3.0 section 6.2.5.1: base address registers and how software sizes them. */
class BarTest {
    private static final int COMMAND = 0x04;
    private static final int IO_ON = 1;
    private static final int MEMORY_ON = 2;

    private static ConfigSpace with(Bar... bars) {
        ConfigSpace config = new ConfigSpace(0x8086, 0x100E, 3, 0x020000);
        for (Bar bar : bars) {
            config.bar(bar);
        }
        return config.seal();
    }

    @ParameterizedTest
    @CsvSource({
        "0, MEMORY32, 0", "0, MEMORY32, 8", "0, MEMORY32, 24", "0, MEMORY32, 4294967296", "0, MEMORY32, -16",
                "0, MEMORY64, 8",
        "0, MEMORY64, -9223372036854775808", "0, IO, 2", "0, IO, 512", "0, IO, 12", "6, MEMORY32, 4096",
                "5, MEMORY64, 4096",
        "-1, IO, 16"
    })
    void shouldRefuseBarsThatCannotExist(int index, Bar.Kind kind, long size) {
        assertThatIllegalArgumentException().isThrownBy(() -> new Bar(index, kind, size, false));
    }

    @Test
    void shouldRefuseTwoBarsInOneSlot() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> with(new Bar(0, MEMORY64, 4096, false), new Bar(1, IO, 16, false)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> with(new Bar(1, MEMORY32, 4096, false), new Bar(0, MEMORY64, 4096, false)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> with(new Bar(2, IO, 16, false), new Bar(2, IO, 16, false)));
    }

    @ParameterizedTest
    @ValueSource(longs = {16, 128, 4096, 0x2_0000, 1L << 20, 1L << 31})
    void shouldAnswerTheSizingProtocolOfA32BitMemoryBar(long size) {
        ConfigSpace config = with(new Bar(1, MEMORY32, size, false));
        assertThat(config.read(0x14, 4)).isZero();
        config.write(0x14, 4, -1);
        int answer = config.read(0x14, 4);
        assertThat(answer & 0xF).as("type bits").isZero();
        assertThat((~(answer & ~0xFL) & 0xFFFF_FFFFL) + 1).isEqualTo(size);
        assertThat(config.read(0x10, 4) | config.read(0x18, 4))
                .as("unimplemented neighbours")
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {16, 4096, 1L << 20, 1L << 31, 1L << 32, 1L << 40, 1L << 62})
    void shouldAnswerTheSizingProtocolOfA64BitMemoryBar(long size) {
        ConfigSpace config = with(new Bar(2, MEMORY64, size, true));
        assertThat(config.read(0x18, 4)).as("64 bits wide, prefetchable").isEqualTo(0xC);
        assertThat(config.read(0x1C, 4)).isZero();
        config.write(0x18, 4, -1);
        config.write(0x1C, 4, -1);
        long answer = config.read(0x18, 4) & 0xFFFF_FFFFL | (long) config.read(0x1C, 4) << 32;
        assertThat(answer & 0xF).isEqualTo(0xC);
        assertThat(~(answer & ~0xFL) + 1).isEqualTo(size);
        assertThat(config.bar(3)).as("the upper half is no BAR of its own").isNull();
        assertThat(config.barAddress(3)).isZero();
        assertThat(config.barDecodes(3)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 32, 64, 256})
    void shouldAnswerTheSizingProtocolOfAnIoBar(long size) {
        ConfigSpace config = with(new Bar(0, IO, size, false));
        assertThat(config.read(0x10, 4)).isEqualTo(1);
        config.write(0x10, 4, -1);
        int answer = config.read(0x10, 4);
        assertThat(answer & 3).isEqualTo(1);
        assertThat((~(answer & ~3L | 0xFFFF_0000L) & 0xFFFF_FFFFL) + 1).isEqualTo(size);
    }

    @ParameterizedTest
    @CsvSource({"MEMORY32, false, 0", "MEMORY32, true, 8", "MEMORY64, false, 4", "MEMORY64, true, 12", "IO, false, 1"})
    void shouldShowItsTypeInReadOnlyBits(Bar.Kind kind, boolean prefetchable, int bits) {
        ConfigSpace config = with(new Bar(0, kind, 256, prefetchable));
        config.write(0x10, 4, 0);
        assertThat(config.read(0x10, 4)).isEqualTo(bits);
        config.write(0x10, 1, 0xFF);
        assertThat(config.read(0x10, 4)).isEqualTo(bits);
    }

    @Test
    void shouldKeepOnlyAlignedAddresses() {
        ConfigSpace config = with(new Bar(0, MEMORY32, 0x2_0000, false), new Bar(4, MEMORY64, 0x4000, false));
        config.write(0x10, 4, 0xFEBD_5678);
        assertThat(config.barAddress(0)).isEqualTo(0xFEBC_0000L);
        config.write(0x20, 4, 0x1234_5678);
        config.write(0x24, 4, 0xFFFF_FFF1);
        assertThat(config.barAddress(4)).isEqualTo(0xFFFF_FFF1_1234_4000L);
    }

    @Test
    void shouldTakeAddressesByteByByte() {
        ConfigSpace config = with(new Bar(0, MEMORY32, 4096, false));
        config.write(0x13, 1, 0xFE);
        config.write(0x11, 1, 0xFF);
        config.write(0x12, 2, 0xE012);
        assertThat(config.barAddress(0)).isEqualTo(0xE012_F000L);
    }

    @ParameterizedTest
    @EnumSource(Bar.Kind.class)
    void shouldDecodeOnlyWithItsCommandBit(Bar.Kind kind) {
        ConfigSpace config = with(new Bar(0, kind, 256, false));
        config.write(0x10, 4, 0xC000);
        for (int command = 0; command < 4; command++) {
            config.write(COMMAND, 2, command);
            int needed = kind == IO ? IO_ON : MEMORY_ON;
            assertThat(config.barDecodes(0)).as("command %d", command).isEqualTo((command & needed) != 0);
        }
        assertThat(config.barAddress(0)).isEqualTo(0xC000);
    }

    @ParameterizedTest
    @EnumSource(Bar.Kind.class)
    void shouldNotDecodeAtZeroNorWhileBeingSized(Bar.Kind kind) {
        ConfigSpace config = with(new Bar(0, kind, 256, false));
        config.write(COMMAND, 2, IO_ON | MEMORY_ON);
        assertThat(config.barDecodes(0)).as("at 0").isFalse();
        config.write(0x10, 4, -1);
        if (kind == MEMORY64) {
            config.write(0x14, 4, -1);
        }
        assertThat(config.barDecodes(0)).as("all ones").isFalse();
        config.write(0x10, 4, 0xFFFF_FE00);
        assertThat(config.barDecodes(0)).as("just below the top").isTrue();
        assertThat(config.barDecodes(1)).as("not implemented").isFalse();
    }

    @Test
    void shouldForgetAddressesOnReset() {
        ConfigSpace config = with(new Bar(0, MEMORY64, 4096, true), new Bar(2, IO, 64, false));
        config.write(0x10, 4, 0xFEB0_0000);
        config.write(0x14, 4, 1);
        config.write(0x18, 4, 0xC000);
        config.reset();
        assertThat(config.read(0x10, 4)).isEqualTo(0xC);
        assertThat(config.read(0x14, 4)).isZero();
        assertThat(config.read(0x18, 4)).isEqualTo(1);
    }
}
